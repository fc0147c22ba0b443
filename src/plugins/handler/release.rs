//! The runner's release, for templates that carry no runner: resolved on the host, at most once a day.

use std::time::{Duration, Instant};

use crate::anka::{AnkaError, Var};
use crate::domain::job::Job;
use crate::domain::outcome::Reason;
use crate::domain::scope::Scope;
use crate::github::downloads::Download;
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::github_reason;
use crate::runtime::stop::{Stop, Urgency};

/// How long a resolved release is used.
const FRESH: Duration = Duration::from_hours(24);
/// With this exit code `install-runner.bash` says that the template carries no runner and no version was named.
const NO_VERSION: i32 = 75;

/// A release of the runner for both kinds of Mac.
#[derive(Clone, Debug)]
pub(super) struct Release {
    resolved: Instant,
    version: String,
    url_base: String,
    sha256: [(&'static str, Option<String>); 2],
}

/// Whether the install script wants a version.
pub(super) fn is_wanted_by(error: &AnkaError) -> bool {
    matches!(error, AnkaError::Exited { code: Some(NO_VERSION), .. })
}

impl Release {
    /// From GitHub's list of downloads; `None` when it has no runner for Macs.
    fn from_downloads(downloads: &[Download]) -> Option<Release> {
        let macs = || downloads.iter().filter(|d| d.os == "osx");
        let first = macs().next()?;
        let version = first.version()?.to_owned();
        let url_base = first.url.strip_suffix(&format!("/v{version}/{}", first.filename))?.to_owned();
        let sha256 =
            |architecture| macs().find(|d| d.architecture == architecture).and_then(|d| d.sha256.clone());
        let both =
            [("ANKLET_RUNNER_SHA256_X64", sha256("x64")), ("ANKLET_RUNNER_SHA256_ARM64", sha256("arm64"))];
        Some(Release { resolved: Instant::now(), version, url_base, sha256: both })
    }

    /// As the install script reads it.
    pub(super) fn as_environment(&self) -> Vec<Var<'_>> {
        let mut values = vec![
            Var::open("ANKLET_RUNNER_VERSION", &self.version),
            Var::open("ANKLET_RUNNER_URL_BASE", &self.url_base),
        ];
        values.extend(self.sha256.iter().filter_map(|(name, sum)| Some(Var::open(name, sum.as_deref()?))));
        values
    }
}

impl Handler {
    /// The release to install, asked for at most once a day, and later while GitHub's quota is scarce.
    pub(super) fn release(&mut self, job: &Job, stop: &Stop) -> Result<Release, Reason> {
        let scarce = self.tools.github.is_scarce();
        if let Some(known) = self.release.as_ref().filter(|r| scarce || r.resolved.elapsed() < FRESH) {
            return Ok(known.clone());
        }
        let asker = self.asker(stop, Urgency::Drain);
        let scope = match &self.options.scope {
            // GitHub lists none for an enterprise.
            Scope::Enterprise { .. } => {
                Scope::Repository { owner: job.owner.clone(), repo: job.repo.clone() }
            }
            scope => scope.clone(),
        };
        let downloads = self.tools.github.runner_downloads(&asker, &scope);
        let downloads = downloads.map_err(|error| github_reason(&error))?;
        let release = Release::from_downloads(&downloads).ok_or_else(|| {
            Reason::ScriptFailed(
                "the template carries no runner, and GitHub offers none for macOS; put one into the template"
                    .into(),
            )
        })?;
        log::info!("the template carries no runner: release {} is installed", release.version);
        self.release = Some(release.clone());
        Ok(release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_from_the_list_of_downloads() {
        let download = |os: &str, architecture: &str, sha256: Option<&str>| Download {
            os: os.into(),
            architecture: architecture.into(),
            filename: format!("actions-runner-{os}-{architecture}-2.330.0.tar.gz"),
            url: format!("https://example.com/dl/v2.330.0/actions-runner-{os}-{architecture}-2.330.0.tar.gz"),
            sha256: sha256.map(str::to_owned),
        };
        let list = [
            download("linux", "x64", None),
            download("osx", "x64", Some("a")),
            download("osx", "arm64", Some("b")),
        ];
        let release = Release::from_downloads(&list).unwrap();
        let values: Vec<_> = release.as_environment().iter().map(|var| (var.name, var.value)).collect();
        let wanted = [
            ("ANKLET_RUNNER_VERSION", "2.330.0"),
            ("ANKLET_RUNNER_URL_BASE", "https://example.com/dl"),
            ("ANKLET_RUNNER_SHA256_X64", "a"),
            ("ANKLET_RUNNER_SHA256_ARM64", "b"),
        ];
        assert_eq!(values, wanted);
        assert!(Release::from_downloads(&list[..1]).is_none());
    }
}
