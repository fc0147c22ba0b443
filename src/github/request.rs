//! One call, as it is asked.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use super::answer::Answer;
use super::call::Call;
use super::error::GitHubError;
use super::fetch::Method;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) call: Call,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) etag: Option<String>,
    /// JSON to send along.
    pub(super) body: Option<String>,
    pub(super) sign: Sign,
}

/// In whose name a call goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sign {
    /// The personal access token's, or the App's installation.
    #[default]
    Installation,
    /// The App itself, by its key: `/app…`, and what finds an installation. A token cannot.
    App,
}

impl Request {
    pub(super) fn new(call: Call, method: Method, path: String) -> Request {
        Request { call, method, path, etag: None, body: None, sign: Sign::Installation }
    }

    pub(super) fn signed_by(self, sign: Sign) -> Request {
        Request { sign, ..self }
    }

    /// What an answer that is no success means where the call gives it no meaning of its own.
    pub(super) fn refusal(&self, answer: &Answer) -> GitHubError {
        match answer.status {
            404 => GitHubError::NotFound { what: self.what() },
            status => GitHubError::Refused { status, message: answer.message() },
        }
    }

    /// Method and path, for people.
    fn what(&self) -> String {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        };
        format!("{method} {}", self.path)
    }
}

/// The text of a parser's error may quote the body: only its place is told.
pub(super) fn parsed<T: DeserializeOwned>(request: &Request, answer: &Answer) -> Result<T, GitHubError> {
    answer.json().map_err(|fault| {
        let (call, line, column) = (request.call.name(), fault.line(), fault.column());
        let reason =
            format!("the answer to {call} has not the documented shape (line {line}, column {column})");
        GitHubError::Away { reason }
    })
}

/// A text that is handed on as a value: not empty, and in one line.
pub(super) fn one_line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let is_one = !text.is_empty() && !text.chars().any(char::is_control);
    if is_one { Ok(text) } else { Err(D::Error::custom("not a text in one line")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_line() {
        #[derive(Deserialize)]
        struct Told {
            #[serde(deserialize_with = "one_line")]
            token: String,
        }
        let token = |json: &str| serde_json::from_str::<Told>(json).ok().map(|told| told.token);
        assert_eq!(token(r#"{"token":"AB=="}"#).as_deref(), Some("AB=="));
        for bad in [r#"{"token":""}"#, r#"{"token":"A\nB"}"#, r#"{"token":"A\u0000"}"#, r#"{"token":1}"#] {
            assert_eq!(token(bad), None, "{bad}");
        }
    }
}
