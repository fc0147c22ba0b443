//! What is said of the looks: once, to whom it concerns.

use std::time::Duration;

use super::look::{LookFault, Seen};
use crate::github::GitHubError;
use crate::github::hooks::Hook;
use crate::log::Seldom;

/// Faults in a row that make them an operator's matter.
const TOO_MANY: u32 = 5;
/// How often it is said again.
const AGAIN: Duration = Duration::from_hours(1);

/// Says what came of the looks.
pub struct Voice {
    hook: String,
    remedy: &'static str,
    faults: u32,
    seldom: Seldom,
}

impl Voice {
    /// For this hook.
    pub fn new(hook: &Hook) -> Voice {
        let remedy = match hook {
            Hook::Repository { .. } => {
                "hook_id is the number at the end of the webhook's address in the repository's settings; \
                 the token needs repo or admin:repo_hook, or read and write access to webhooks"
            }
            Hook::Organization { .. } => {
                "hook_id is the number at the end of the webhook's address in the organization's settings; \
                 the token needs admin:org_hook, or read and write access to the organization's webhooks"
            }
            Hook::App => "the App's webhook must be active in the App's settings",
        };
        Voice { hook: hook.to_string(), remedy, faults: 0, seldom: Seldom::new(AGAIN, 8) }
    }

    /// Faults in a row.
    pub fn faults(&self) -> u32 {
        self.faults
    }

    /// A look came to its end.
    pub fn worked(&mut self, seen: &Seen) {
        if std::mem::take(&mut self.faults) > 0 {
            log::info!("the deliveries of {} can be looked at again", self.hook);
            self.seldom = Seldom::new(AGAIN, 8);
        }
        if !seen.asked.is_empty() {
            log::info!("asked GitHub to send {} lost deliveries again", seen.asked.len());
        }
        if seen.held_back {
            if self.seldom.due("quota") {
                log::warn!(
                    "less than a tenth of GitHub's quota is left: lost deliveries wait until there is more"
                );
            }
        } else if !seen.complete {
            log::info!("the list of deliveries is longer than one look; the next one goes on");
        }
        if seen.refused > 0 {
            log::warn!("GitHub will not send {} lost deliveries again now; asked again later", seen.refused);
        }
        if seen.given_up > 0 {
            log::warn!("{} lost deliveries are older than GitHub keeps them: given up", seen.given_up);
        }
    }

    /// A look was broken off.
    pub fn failed(&mut self, fault: &LookFault) {
        match fault {
            // The client has said it.
            LookFault::GitHub(GitHubError::SignInRefused | GitHubError::Stopped | GitHubError::Limited) => {}
            LookFault::GitHub(GitHubError::NotFound { .. } | GitHubError::Permission { .. }) => {
                self.faults += 1;
                if self.seldom.due("refused") {
                    log::error!(
                        "failed to {fault}; lost deliveries of {} stay lost: {}",
                        self.hook,
                        self.remedy
                    );
                }
            }
            LookFault::GitHub(GitHubError::Redirected { .. } | GitHubError::RedirectedTooOften { .. }) => {
                self.faults += 1;
                if self.seldom.due("redirected") {
                    log::error!("failed to {fault}; lost deliveries of {} stay lost", self.hook);
                }
            }
            fault => self.passing(fault),
        }
    }

    fn passing(&mut self, fault: &LookFault) {
        self.faults += 1;
        let hook = &self.hook;
        if self.faults < TOO_MANY {
            log::warn!("failed to look for lost deliveries of {hook}, and tries again: failed to {fault}");
        } else if self.seldom.due("passing") {
            log::error!(
                "failed to look for lost deliveries of {hook} {TOO_MANY} times in a row: failed to {fault}"
            );
        }
    }
}
