//! Where a queue is kept: in this host's state folder, or in Redis.

use std::time::Duration;

use crate::config::real::url;
use crate::domain::secret::Secret;

/// Where a queue is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Database {
    /// In the state folder of this host.
    Embedded,
    /// Shared by many hosts.
    Redis(Redis),
}

impl Eq for Database {}

/// How Redis is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Redis {
    /// Name or address, without brackets, and port; in a cluster several, of which one that answers is enough.
    pub nodes: Vec<(String, u16)>,
    /// ACL user.
    pub user: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Number of the database; 0 in a cluster.
    pub database: u32,
    /// Tries after a failed call.
    pub max_retries: u32,
    /// Before the first of them.
    pub retry_delay: Duration,
    /// Each pause is longer by this factor; 30 s at most.
    pub retry_backoff_factor: f64,
    /// Redis is a cluster.
    pub cluster_mode: bool,
    /// Whether, and how strictly, TLS is spoken.
    pub tls: Tls,
}

impl Redis {
    /// `HOST:PORT/DATABASE`, several nodes with commas between.
    pub fn place(&self) -> String {
        let nodes: Vec<String> =
            self.nodes.iter().map(|(host, port)| format!("{}:{port}", url::bracketed(host))).collect();
        format!("{}/{}", nodes.join(","), self.database)
    }
}

/// TLS towards Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Plain.
    Off,
    /// The certificate is verified.
    Verified,
    /// It is not.
    Insecure,
}
