//! One call, as it is asked.

use serde::de::DeserializeOwned;

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
