//! A plugin's settings.

use std::net::IpAddr;
use std::time::Duration;

use super::database::Database;
use super::settings::Mount;
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;

/// A receiver or a handler.
#[derive(Clone, Debug)]
pub enum Plugin {
    /// `github_receiver`.
    Receiver(ReceiverConfig),
    /// `github`.
    Handler(HandlerConfig),
}

impl Plugin {
    /// What both kinds have.
    pub fn common(&self) -> &Common {
        match self {
            Plugin::Receiver(receiver) => &receiver.common,
            Plugin::Handler(handler) => &handler.common,
        }
    }

    /// Unique in a configuration.
    pub fn name(&self) -> &str {
        &self.common().name
    }

    /// The word of the `plugin` key.
    pub fn kind(&self) -> &'static str {
        match self {
            Plugin::Receiver(_) => "github_receiver",
            Plugin::Handler(_) => "github",
        }
    }
}

/// What both kinds have.
#[derive(Clone, Debug)]
pub struct Common {
    /// Unique in a configuration.
    pub name: String,
    /// Whose jobs.
    pub scope: Scope,
    /// Pause between looks. `None`: a handler waits on the queue itself.
    pub sleep_interval: Option<Duration>,
    /// How it signs in.
    pub credentials: Credentials,
    /// Where GitHub is.
    pub github: Github,
    /// Where its queue is kept.
    pub database: Database,
    /// Name of its queue; receivers and handlers with the same one meet.
    pub queue: String,
}

/// How a plugin signs in to GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all: a receiver without redelivery.
    None,
    /// Personal access token.
    Token(Secret),
    /// GitHub App.
    App {
        /// The App's number.
        app_id: u64,
        /// `None`: found from the owner.
        installation_id: Option<u64>,
        /// PEM text, PKCS#1 or PKCS#8.
        private_key: Secret,
    },
}

/// GitHub's addresses, without a last slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Github {
    /// Such as `https://github.com`.
    pub url: String,
    /// Such as `https://api.github.com`.
    pub api_url: String,
}

/// `github_receiver`.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// What both kinds have.
    pub common: Common,
    /// Port that GitHub sends to.
    pub port: u16,
    /// Address to listen on.
    pub bind: IpAddr,
    /// At least one; several while the secret is changed.
    pub secrets: Vec<Secret>,
    /// Present: deliveries that were lost are asked for again.
    pub redelivery: Option<Redelivery>,
}

/// How lost deliveries are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redelivery {
    /// Whose deliveries.
    pub hook: Hook,
    /// How far back the first look goes.
    pub reach: Duration,
    /// Pause between looks.
    pub interval: Duration,
}

/// A webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Of the repository or organization.
    Number(u64),
    /// The App's own.
    App,
}

/// `github`.
#[derive(Clone, Debug)]
pub struct HandlerConfig {
    /// What both kinds have.
    pub common: Common,
    /// Anka registry, by name or URL; `None`: Anka's default.
    pub registry_url: Option<String>,
    /// Never set for a repository.
    pub runner_group: Option<String>,
    /// How runners sign in.
    pub runner_registration: RunnerRegistration,
    /// From the runner's start until it is online.
    pub registration_timeout: Duration,
    /// Counted tries of one job in all, at least 1.
    pub job_retry_attempts: u32,
    /// Never pull.
    pub skip_pull: bool,
    /// Percentage of the disk that a pull leaves free.
    pub template_disk_buffer: f64,
    /// Start VMs whatever their cores and memory add up to.
    pub skip_resource_checks: bool,
    /// Folders of the host, the global ones first.
    pub mounts: Vec<Mount>,
    /// Limit of `anka start`.
    pub start_timeout: Duration,
    /// Limit of each runner script.
    pub script_timeout: Duration,
    /// Limit of `anka clone`, `cp`, `stop`, `delete`.
    pub command_timeout: Duration,
    /// A pull without progress ends after this.
    pub pull_stall: Duration,
}

/// How runners sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunnerRegistration {
    /// By registration token.
    Token,
    /// Just-in-time.
    Jit,
}
