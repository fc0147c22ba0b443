//! The runner's current release, as GitHub offers it to a scope.

use serde::Deserialize;

use super::asker::Asker;
use super::call::Call;
use super::client::{Client, Request};
use super::error::GitHubError;
use super::fetch::Method;
use super::runners::runners_path;
use crate::domain::scope::Scope;

/// One archive of the runner.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Download {
    /// `osx`, `linux`, `win`.
    pub os: String,
    /// `x64`, `arm64`.
    pub architecture: String,
    /// The archive's name; its version stands before `.tar.gz`.
    pub filename: String,
    /// Where it is.
    #[serde(rename = "download_url")]
    pub url: String,
    /// In hex; an older Enterprise Server names none.
    #[serde(rename = "sha256_checksum")]
    pub sha256: Option<String>,
}

impl Download {
    /// The release, such as `2.330.0`.
    pub fn version(&self) -> Option<&str> {
        self.filename.strip_suffix(".tar.gz")?.rsplit('-').next()
    }
}

impl Client {
    /// The archives of the current release, for all systems.
    pub fn runner_downloads(&self, asker: &Asker<'_>, scope: &Scope) -> Result<Vec<Download>, GitHubError> {
        let path = format!("{}/downloads", runners_path(scope));
        self.ask_json(asker, &Request::new(Call::ListDownloads, Method::Get, path))
    }
}
