//! The closed list of calls, and how often each was made.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::runtime::meters::GITHUB_CALLS;

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

/// Call, name in logs and metrics, what it needs when GitHub does not say it itself, and the status of its good answer.
const CALLS: [(Call, &str, &str, u16); 19] = [
    (Call::RegistrationToken, "registration_token", RUNNERS, 201),
    (Call::GenerateJitConfig, "generate_jit_config", RUNNERS, 201),
    (Call::ListRunnerGroups, "list_runner_groups", RUNNERS, 200),
    (Call::ListRunners, "list_runners", RUNNERS, 200),
    (Call::RemoveRunner, "remove_runner", RUNNERS, 204),
    (Call::ListDownloads, "list_downloads", RUNNERS, 200),
    (Call::GetJob, "get_job", ACTIONS_READ, 200),
    (Call::GetRun, "get_run", ACTIONS_READ, 200),
    (Call::CancelRun, "cancel_run", ACTIONS_WRITE, 202),
    (Call::ForceCancelRun, "force_cancel_run", ACTIONS_WRITE, 202),
    (Call::ListDeliveries, "list_deliveries", HOOKS, 200),
    (Call::Redeliver, "redeliver", HOOKS, 202),
    (Call::GetRepository, "get_repository", "the scope repo, or read access to metadata", 200),
    (Call::FindInstallation, "find_installation", "a GitHub App's key", 200),
    (Call::InstallationToken, "installation_token", "a GitHub App's key", 201),
    (Call::GetRateLimit, "get_rate_limit", "nothing but valid credentials", 200),
    (Call::GetUser, "get_user", "nothing but valid credentials", 200),
    (Call::GetApp, "get_app", "a GitHub App's key", 200),
    (Call::GetHook, "get_hook", HOOKS, 200),
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
    /// None yet; on the metrics page each begins with no good answer and none that failed to come.
    /// `App`s sign in by calls of their own; what only `anklet check` asks is on no page.
    pub(super) fn new(by_app: bool) -> Calls {
        for (call, name, _, answer) in CALLS {
            let of_app = matches!(call, Call::FindInstallation | Call::InstallationToken);
            let of_check = matches!(call, Call::GetUser | Call::GetApp | Call::GetHook);
            if (by_app || !of_app) && !of_check {
                GITHUB_CALLS.begin(&[name, &answer.to_string()]);
                GITHUB_CALLS.begin(&[name, "0"]);
            }
        }
        Calls::default()
    }

    pub(super) fn count(&self, call: Call) {
        self.0[call as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Vec<(&'static str, u64)> {
        CALLS.iter().map(|&(call, name, ..)| (name, self.0[call as usize].load(Ordering::Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_calls() {
        for (place, (call, name, ..)) in CALLS.into_iter().enumerate() {
            assert_eq!(call as usize, place, "{name}");
        }
    }
}
