//! How it is said: who signs in, what a call ended with, how far the clocks are from each other.

use std::time::Duration;

use super::finding::Finding;
use super::plan::Account;
use crate::github::GitHubError;
use crate::github::groups::Group;
use crate::github::whoami::Identity;

/// Smaller differences of clocks do no harm.
const BORNE: i64 = 30;

/// What an unanswered question means, with its remedy; `limit` was the time for all of them.
pub(super) fn setback(account: &Account, subject: &str, error: &GitHubError, limit: Duration) -> Finding {
    let (client, url) = (&account.client, &account.api_url);
    match error {
        GitHubError::SignInRefused => Finding::Fault(match client.why_refused() {
            Some(why) => format!("{subject}: {url} refuses the credentials: {why}"),
            None => format!("{subject}: failed to {error}"),
        }),
        GitHubError::Away { reason } => Finding::GitHubAway(format!(
            "{subject}: failed to reach {url}: {reason}; look at github_api_url, and at this host's network and proxy"
        )),
        GitHubError::Stopped => Finding::GitHubAway(format!(
            "{subject}: {url} did not answer within {} s; look at this host's network and proxy",
            limit.as_secs()
        )),
        GitHubError::Limited => Finding::GitHubAway(format!(
            "{subject}: {url} limits the calls of these credentials for another {} s; check again then",
            client.limited_for().unwrap_or_default().as_secs()
        )),
        _ => Finding::Fault(format!("{subject}: failed to {error}")),
    }
}

/// As whom an account has signed in.
pub(super) fn who(account: &Account, identity: &Identity) -> String {
    let (names, url) = (account.names(), &account.api_url);
    match identity {
        Identity::App { id, slug, .. } => {
            let slug = slug.as_ref().map(|slug| format!(" ({slug})")).unwrap_or_default();
            format!("{names}: signed in to {url} as App {id}{slug}")
        }
        Identity::User { login, scopes } => {
            let login = login.as_deref().unwrap_or("a user whom GitHub does not name");
            match scopes.as_deref() {
                None => format!("{names}: signed in to {url} as {login}"),
                Some([]) => format!("{names}: signed in to {url} as {login}, by a token without scopes"),
                Some(scopes) => {
                    format!("{names}: signed in to {url} as {login}, with the scopes {}", scopes.join(", "))
                }
            }
        }
    }
}

/// A warning, where this host's clock is off: GitHub's is so many seconds `ahead`.
pub(super) fn clock(ahead: i64, url: &str) -> Option<Finding> {
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    (ahead.abs() > BORNE).then(|| {
        let by = ahead.abs();
        Finding::Warning(format!(
            "this host's clock is {by} s {side} that of {url}; have it set, by NTP for example"
        ))
    })
}

/// The groups that there are.
pub(super) fn names(groups: &[Group]) -> String {
    match groups {
        [] => "none".into(),
        groups => groups.iter().map(|group| format!("{:?}", group.name)).collect::<Vec<_>>().join(", "),
    }
}
