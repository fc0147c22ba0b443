//! What a call prints: one envelope on the last line, or nothing when a guest's command has spoken.

use serde_json::{Value, json};

pub type Body = Value;

/// A call that was refused: the envelope's code, its text, the exit code.
#[derive(Debug)]
pub struct Refusal {
    pub code: Option<i64>,
    pub message: String,
    pub exit: u8,
}

impl Refusal {
    /// "Not there" is code 3, and so is the exit code.
    pub fn not_found(name: &str) -> Self {
        Self { code: Some(3), message: format!("{name}: not found"), exit: 3 }
    }

    pub fn with_code(code: u8, message: impl Into<String>) -> Self {
        Self { code: Some(code.into()), message: message.into(), exit: code }
    }

    pub fn plain(message: impl Into<String>) -> Self {
        Self { code: None, message: message.into(), exit: 1 }
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self::plain(message)
    }
}

/// How a call ended.
pub enum Reply {
    Done(Option<Body>),
    Refused(Refusal),
    /// A guest's command ran: its output is out already, this is its exit code.
    Ran(u8),
}

impl Reply {
    pub fn body(body: Body) -> Self {
        Self::Done(Some(body))
    }

    pub fn done() -> Self {
        Self::Done(None)
    }

    /// Prints it and says the exit code.
    pub fn print(self, as_json: bool) -> u8 {
        match self {
            Self::Done(body) if as_json => {
                println!(
                    "{}",
                    body.map_or(json!({ "status": "OK" }), |b| json!({ "status": "OK", "body": b }))
                );
                0
            }
            Self::Done(body) => {
                println!("{}", body.map_or_else(String::new, |b| format!("{b:#}")));
                0
            }
            Self::Refused(refusal) => {
                if as_json {
                    println!("{}", error_line(refusal.code, &refusal.message));
                } else {
                    eprintln!("{}", refusal.message);
                }
                refusal.exit
            }
            Self::Ran(code) => code,
        }
    }
}

/// The ERROR envelope, one line.
pub fn error_line(code: Option<i64>, message: &str) -> String {
    let envelope = match code {
        Some(code) => json!({ "status": "ERROR", "code": code, "message": message }),
        None => json!({ "status": "ERROR", "message": message }),
    };
    envelope.to_string()
}
