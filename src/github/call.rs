//! The closed list of calls, and how often each was made.

use std::sync::atomic::{AtomicU64, Ordering};

/// One of GitHub's REST calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST …/actions/runners/registration-token`
    RegistrationToken,
    /// `POST …/actions/runners/generate-jitconfig`
    GenerateJitConfig,
    /// `GET …/actions/runner-groups`
    ListRunnerGroups,
    /// `GET …/actions/runners`
    ListRunners,
    /// `DELETE …/actions/runners/{id}`
    RemoveRunner,
    /// `GET …/actions/runners/downloads`
    ListDownloads,
    /// `GET …/actions/jobs/{id}`
    GetJob,
    /// `GET …/actions/runs/{id}`
    GetRun,
    /// `POST …/actions/runs/{id}/cancel`
    CancelRun,
    /// `POST …/actions/runs/{id}/force-cancel`
    ForceCancelRun,
    /// `GET …/hooks/{id}/deliveries`
    ListDeliveries,
    /// `POST …/hooks/{id}/deliveries/{id}/attempts`
    Redeliver,
    /// `GET /repos/{owner}/{repo}`
    GetRepository,
    /// `GET /repos/{owner}/{repo}/installation`, or of an organization or user; asked by the App itself.
    FindInstallation,
    /// `POST /app/installations/{id}/access_tokens`; asked by the App itself.
    InstallationToken,
    /// `GET /rate_limit`, which costs no quota.
    GetRateLimit,
    /// `GET /user`: whose token it is.
    GetUser,
    /// `GET /app`; asked by the App itself.
    GetApp,
    /// `GET …/hooks/{id}`, or `GET /app/hook/config`.
    GetHook,
}

const RUNNERS: &str = "the scope repo (repository), admin:org (organization) or manage_runners:enterprise, \
                       or read and write access to administration or self-hosted runners";
const ACTIONS_READ: &str = "the scope repo, or read access to actions";
const ACTIONS_WRITE: &str = "the scope repo, or read and write access to actions";
const HOOKS: &str = "the scope repo or admin:repo_hook (repository) or admin:org_hook (organization), \
                     or read and write access to webhooks";

/// Call, name in logs and metrics, and what it needs when GitHub does not say it itself.
const CALLS: [(Call, &str, &str); 19] = [
    (Call::RegistrationToken, "registration_token", RUNNERS),
    (Call::GenerateJitConfig, "generate_jit_config", RUNNERS),
    (Call::ListRunnerGroups, "list_runner_groups", RUNNERS),
    (Call::ListRunners, "list_runners", RUNNERS),
    (Call::RemoveRunner, "remove_runner", RUNNERS),
    (Call::ListDownloads, "list_downloads", RUNNERS),
    (Call::GetJob, "get_job", ACTIONS_READ),
    (Call::GetRun, "get_run", ACTIONS_READ),
    (Call::CancelRun, "cancel_run", ACTIONS_WRITE),
    (Call::ForceCancelRun, "force_cancel_run", ACTIONS_WRITE),
    (Call::ListDeliveries, "list_deliveries", HOOKS),
    (Call::Redeliver, "redeliver", HOOKS),
    (Call::GetRepository, "get_repository", "the scope repo, or read access to metadata"),
    (Call::FindInstallation, "find_installation", "a GitHub App's key"),
    (Call::InstallationToken, "installation_token", "a GitHub App's key"),
    (Call::GetRateLimit, "get_rate_limit", "nothing but valid credentials"),
    (Call::GetUser, "get_user", "nothing but valid credentials"),
    (Call::GetApp, "get_app", "a GitHub App's key"),
    (Call::GetHook, "get_hook", HOOKS),
];

impl Call {
    /// Its name in logs, metrics and the list of effects.
    pub fn name(self) -> &'static str {
        CALLS[self as usize].1
    }

    /// The permission it needs, in GitHub's words.
    pub fn needs(self) -> &'static str {
        CALLS[self as usize].2
    }
}

/// How often each call went out, tries included.
#[derive(Debug, Default)]
pub(super) struct Calls([AtomicU64; CALLS.len()]);

impl Calls {
    pub(super) fn count(&self, call: Call) {
        self.0[call as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Vec<(&'static str, u64)> {
        CALLS.iter().map(|&(call, name, _)| (name, self.0[call as usize].load(Ordering::Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_calls() {
        for (place, (call, name, _)) in CALLS.into_iter().enumerate() {
            assert_eq!(call as usize, place, "{name}");
        }
    }
}
