//! What a client is made of.

use std::fmt;
use std::time::Duration;

use crate::domain::scope::Scope;
use crate::domain::secret::Secret;

/// A client's settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// The REST API: `https://api.github.com`, `https://HOST/api/v3`; `http` for loopback.
    pub api_url: String,
    /// Where people and runners go: `https://github.com`.
    pub web_url: String,
    /// How to sign in.
    pub credentials: Credentials,
    /// Certificates in PEM, trusted beside the built-in ones.
    pub authorities: Option<Vec<u8>>,
    /// From the environment.
    pub proxies: Proxies,
    /// How long things may take.
    pub limits: Limits,
}

/// How to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A personal access token, classic or fine-grained.
    Token(Secret),
    /// A GitHub App, at one installation.
    App(AppOptions),
}

/// A GitHub App, at one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppOptions {
    /// The App's number.
    pub app_id: u64,
    /// The installation's number; `None`: it is asked for.
    pub installation_id: Option<u64>,
    /// PEM, PKCS#1 or PKCS#8.
    pub private_key: Secret,
    /// Whose installation it is: one of these, where its number is not given.
    pub homes: Vec<Scope>,
}

/// The proxy variables of the environment; `HTTP_PROXY` is not among them, since all calls are `https`.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// `HTTPS_PROXY`; a password in it makes it a secret.
    pub https: Option<Secret>,
    /// `ALL_PROXY`, where there is no `HTTPS_PROXY`.
    pub all: Option<Secret>,
    /// `NO_PROXY`: comma-separated hosts, `.suffixes` or `*`.
    pub none_for: String,
}

/// How long one HTTP exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To connect, TLS included.
    pub connect: Duration,
    /// All of it.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connect: Duration::from_secs(10), call: Duration::from_secs(30) }
    }
}

/// Why no client can be made; none of them holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionsFault {
    /// Not a URL that can be called.
    ApiUrl(String),
    /// A token that cannot stand in a header.
    Token,
    /// A private key that cannot sign.
    Key,
    /// Certificates that cannot be read.
    Authorities,
    /// A proxy that is not an `http` or `https` URL.
    Proxy,
}

impl fmt::Display for OptionsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionsFault::ApiUrl(url) => {
                write!(f, "use {url:?} as address of GitHub's API; write e.g. https://api.github.com")
            }
            OptionsFault::Token => f.write_str(
                "use the token: it is empty or has characters that no token has, as a line break or a blank",
            ),
            OptionsFault::Key => {
                f.write_str("sign with the private key; give the .pem that GitHub made for the App")
            }
            OptionsFault::Authorities => {
                f.write_str("read the certificates of ca_file; give a PEM file with whole certificates")
            }
            OptionsFault::Proxy => f.write_str(
                "use the proxy of HTTPS_PROXY or ALL_PROXY; write e.g. http://proxy.example.com:3128",
            ),
        }
    }
}

impl std::error::Error for OptionsFault {}
