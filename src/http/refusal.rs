//! What the door says when a request breaks a bound: one small JSON answer, then it closes.

use std::io;

/// Why a request goes no further than the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not HTTP/1, or HTTP/1 that two readers could read differently.
    Malformed(&'static str),
    /// The total time is up.
    TooSlow,
    /// The body is longer than may be, announced or counted.
    BodyTooLong,
    /// An `Expect` other than `100-continue`.
    Expectation,
    /// Too many bytes or headers.
    HeadTooLarge,
    /// No memory, lane or worker for it now.
    Busy(&'static str),
}

/// Why reading a request ended without one.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The client is there and is told.
    Refused(Refusal),
    /// Nobody is there to be told.
    Gone,
}

impl Refusal {
    /// The whole answer, head and body; `Connection: close` is in it.
    pub fn answer(self) -> Vec<u8> {
        let (status, words) = self.says();
        let more = if matches!(self, Refusal::Busy(_)) { "Retry-After: 1\r\n" } else { "" };
        let body = format!("{{\"error\":\"{words}\"}}");
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nServer: anklet\r\nConnection: close\r\n{more}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn says(self) -> (&'static str, &'static str) {
        match self {
            Refusal::Malformed(how) => ("400 Bad Request", how),
            Refusal::TooSlow => ("408 Request Timeout", "the request took too long to arrive"),
            Refusal::BodyTooLong => ("413 Content Too Large", "the body is too long"),
            Refusal::Expectation => ("417 Expectation Failed", "only 100-continue can be expected"),
            Refusal::HeadTooLarge => {
                ("431 Request Header Fields Too Large", "the head has too many bytes or headers")
            }
            Refusal::Busy(how) => ("503 Service Unavailable", how),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Trouble {
        Trouble::Refused(refusal)
    }
}

/// A read that ran into its time limit is refused; any other fault means that the client has gone.
impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Trouble::Refused(Refusal::TooSlow),
            _ => Trouble::Gone,
        }
    }
}
