//! What a call can end with, as far as a caller decides on it.

use std::fmt;

/// Why a call has no answer. No variant holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitHubError {
    /// 401, for as long as the caller had patience: the credentials are wrong, expired or revoked.
    SignInRefused,
    /// 403 that is no limit: signed in, but not allowed.
    Permission {
        /// The call's name.
        call: &'static str,
        /// What the credentials lack, as far as GitHub says it.
        needs: String,
    },
    /// A stop came while a limit was waited out.
    Limited,
    /// 5xx, no answer, or an answer that is not GitHub's, for as long as the caller had patience.
    Away {
        /// The last fault.
        reason: String,
    },
    /// 404: it is not there, or the credentials may not see it.
    NotFound {
        /// Method and path.
        what: String,
    },
    /// Any other answer that is no success.
    Refused {
        /// HTTP status.
        status: u16,
        /// GitHub's message, shortened.
        message: String,
    },
    /// GitHub sends us to another host; credentials are not carried there.
    Redirected {
        /// The new place, without its query.
        to: String,
    },
    /// GitHub sends us from one place to the next, perhaps round in circles.
    RedirectedTooOften {
        /// The last place, without its query.
        to: String,
    },
    /// A stop came.
    Stopped,
}

impl fmt::Display for GitHubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GitHubError::SignInRefused => f.write_str(
                "sign in to GitHub: it refuses the credentials; the log says why, and what mends it",
            ),
            GitHubError::Permission { call, needs } => {
                write!(f, "get GitHub's permission to {call} (403): it wants {needs}")
            }
            GitHubError::Limited => f.write_str("wait out GitHub's rate limit: the daemon is stopping"),
            GitHubError::Away { reason } => write!(f, "reach GitHub: {reason}"),
            GitHubError::NotFound { what } => write!(
                f,
                "find it at GitHub (404 for {what}): it is gone or renamed, or the credentials may not see it"
            ),
            GitHubError::Refused { status, message } => {
                write!(f, "get GitHub's consent ({status}): {message}")
            }
            GitHubError::Redirected { to } => write!(
                f,
                "follow GitHub's redirect to {to}: credentials go to the configured address only; \
                 write the new place into the configuration"
            ),
            GitHubError::RedirectedTooOften { to } => write!(
                f,
                "follow GitHub's redirects, the last one to {to}: they are more than three in a row; \
                 look at github_api_url, and at what stands between this host and GitHub"
            ),
            GitHubError::Stopped => f.write_str("finish the call to GitHub: the daemon is stopping"),
        }
    }
}

impl std::error::Error for GitHubError {}
