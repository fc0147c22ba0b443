//! Why GitHub does not sign us in, with the remedy.

use std::fmt;

/// One reason; none of them holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401 for a personal access token.
    Token,
    /// The App's own signature is refused.
    Key {
        /// The App.
        app: u64,
        /// GitHub's words.
        said: String,
    },
    /// 401 for an installation's token, also for a new one.
    Installation {
        /// The App.
        app: u64,
    },
    /// An owner has suspended the App.
    Suspended {
        /// The App.
        app: u64,
    },
    /// The App is not installed where its plugins are.
    NotInstalled {
        /// The App.
        app: u64,
        /// What GitHub does not find.
        what: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Token => f.write_str("401: the token is wrong, expired or revoked; write a new one"),
            Refusal::Key { app, said } => write!(
                f,
                "the private key does not belong to App {app}, or was deleted there (GitHub says {said:?}); \
                 compare app_id, or make a new key in the App's settings; then start anklet again, \
                 which reads the key only then"
            ),
            Refusal::Installation { app } => write!(
                f,
                "401: the tokens of App {app}'s installation are revoked as soon as they are made; \
                 look whether it is still installed, and by whom it was restricted"
            ),
            Refusal::Suspended { app } => write!(
                f,
                "the installation of App {app} is suspended; its owner can unsuspend it, \
                 under Settings, GitHub Apps, Configure"
            ),
            Refusal::NotInstalled { app, what } => write!(
                f,
                "App {app} has {what}; install it there, or correct owner, repo, installation_id or app_id"
            ),
        }
    }
}
