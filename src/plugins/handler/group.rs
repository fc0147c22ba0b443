//! The runner group that the configuration names: nothing is claimed before GitHub has it.

use std::time::{Duration, Instant};

use crate::github::groups::{DEFAULT_GROUP, Group};
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::github_reason;
use crate::plugins::handler::streak::Effort;
use crate::runtime::pace::paced;
use crate::runtime::stop::{Stop, Urgency};

/// Until GitHub is asked again for a group that it has not.
const MISSING: Duration = Duration::from_mins(10);
/// Until it is asked again when it gave no answer.
const NO_ANSWER: Duration = Duration::from_mins(1);

/// What is known of the group.
#[derive(Debug, Default)]
pub(super) struct Known {
    id: Option<u64>,
    /// When GitHub may be asked.
    after: Option<Instant>,
}

impl Handler {
    /// Whether jobs may be claimed: no group is configured, or GitHub has it.
    pub(super) fn has_group(&mut self, stop: &Stop) -> bool {
        let Some(wanted) = self.options.runner_group.clone() else { return true };
        if self.group.id.is_some() {
            return true;
        }
        if self.group.after.is_some_and(|after| Instant::now() < after) {
            return false;
        }
        let groups =
            self.tools.github.runner_groups(&self.asker_once(stop, Urgency::Drain), &self.options.scope);
        let again = match groups {
            Ok(groups) => {
                let found = groups.iter().find(|group| group.name.eq_ignore_ascii_case(&wanted));
                if let Some(group) = found {
                    self.group.id = Some(group.id);
                    self.streaks.worked(Effort::FindGroup);
                    return true;
                }
                let what = format_args!(
                    "{} has no runner group {wanted:?}, and no job is taken; it has {}",
                    self.options.scope,
                    names(&groups)
                );
                self.streaks.failed_for_good(Effort::FindGroup, what);
                MISSING
            }
            Err(error) => {
                let reason = github_reason(&error);
                let what =
                    format_args!("the runner group was looked for in vain, and no job is taken: {reason}");
                self.streaks.failed_because(Effort::FindGroup, &reason, what);
                NO_ANSWER
            }
        };
        self.group.after = Some(Instant::now() + paced(again));
        false
    }

    /// GitHub's number of the group that runners are made in.
    pub(super) fn group_id(&self) -> u64 {
        self.group.id.unwrap_or(DEFAULT_GROUP)
    }
}

fn names(groups: &[Group]) -> String {
    match groups {
        [] => "none".into(),
        groups => groups.iter().map(|group| format!("{:?}", group.name)).collect::<Vec<_>>().join(", "),
    }
}
