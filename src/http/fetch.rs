//! Asking another process of ours over HTTP: a page of metrics, a health.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::{Agent, Error, Timeout};

use super::sign_in;

/// Fetches pages, each within a deadline and a size.
#[derive(Clone, Debug)]
pub struct Fetcher {
    agent: Agent,
    longest: u64,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The body; what is not UTF-8 is replaced.
    pub body: String,
}

impl Fetcher {
    /// A whole exchange within `deadline`, a body up to `longest` bytes; no redirects, no proxy.
    pub fn new(deadline: Duration, longest: u64) -> Fetcher {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(deadline))
            .user_agent(concat!("anklet/", env!("CARGO_PKG_VERSION")))
            .proxy(None)
            .build()
            .new_agent();
        Fetcher { agent, longest }
    }

    /// The page at `url`; the error says why there is none, without the URL.
    pub fn get(&self, url: &str) -> Result<Page, String> {
        let (url, sign_in) = sign_in::apart(url);
        let read = || {
            let mut request = self.agent.get(&url);
            if let Some(sign_in) = &sign_in {
                request = request.header("authorization", sign_in);
            }
            let mut response = request.call()?;
            let status = response.status().as_u16();
            let body =
                response.body_mut().with_config().limit(self.longest).lossy_utf8(true).read_to_string()?;
            Ok(Page { status, body })
        };
        read().map_err(|error: Error| self.reason(&error))
    }

    fn reason(&self, error: &Error) -> String {
        match error {
            Error::Timeout(Timeout::Resolve | Timeout::Connect) => "no connection in time".into(),
            Error::Timeout(_) => "no whole answer in time".into(),
            Error::HostNotFound => "its name has no address".into(),
            Error::BodyExceedsLimit(_) => format!("an answer of more than {} bytes", self.longest),
            Error::ConnectionFailed => "no connection".into(),
            Error::Io(fault) => match fault.get_ref().and_then(|inner| inner.downcast_ref()) {
                // Before its kind is looked at, which is `InvalidData` as well.
                Some(tls) => untrusted(tls),
                None if fault.kind() == ErrorKind::InvalidData => "the answer is no text in UTF-8".into(),
                None => format!("the connection failed: {fault}"),
            },
            Error::Rustls(fault) => untrusted(fault),
            Error::BadUri(_) | Error::Http(_) => "its URL cannot be used".into(),
            _ => "the answer is not HTTP".into(),
        }
    }
}

fn untrusted(fault: &rustls::Error) -> String {
    format!("no trusted TLS connection: {fault}")
}
