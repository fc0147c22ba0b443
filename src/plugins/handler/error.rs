//! What an adapter's error means for the job in hand.

use crate::anka::AnkaError;
use crate::domain::outcome::Reason;
use crate::github::GitHubError;
use crate::store::StoreError;

/// GitHub's errors.
pub(super) fn github_reason(error: &GitHubError) -> Reason {
    match error {
        GitHubError::SignInRefused => Reason::SignInRefused(format!("failed to {error}")),
        // What is not there was renamed, or these credentials may not see it: nothing that mends itself.
        GitHubError::Permission { .. }
        | GitHubError::Redirected { .. }
        | GitHubError::RedirectedTooOften { .. }
        | GitHubError::NotFound { .. } => Reason::Forbidden(format!("failed to {error}")),
        GitHubError::Stopped | GitHubError::Limited => Reason::Stopped,
        GitHubError::Away { .. } | GitHubError::Refused { .. } => {
            Reason::GitHubAway(format!("failed to {error}"))
        }
    }
}

/// The store's errors.
pub(super) fn store_reason(error: &StoreError) -> Reason {
    Reason::StoreAway(error.to_string())
}

/// Anka's errors: a stop is a stop, everything else is what `otherwise` makes of its text.
pub(super) fn anka_reason(error: &AnkaError, otherwise: impl FnOnce(String) -> Reason) -> Reason {
    match error {
        AnkaError::Stopped => Reason::Stopped,
        // No descriptors, no processes, a full disk: the host's fault, not the job's.
        AnkaError::NotStarted(_) => Reason::AnkaAway(error.to_string()),
        other => otherwise(other.to_string()),
    }
}
