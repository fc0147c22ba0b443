//! The runner group that the configuration names: nothing is claimed before GitHub has it.

use std::time::{Duration, Instant};

use crate::domain::outcome::{Reason, uncounted_pause};
use crate::github::groups::{DEFAULT_GROUP, Group};
use crate::plugins::handler::error::github_reason;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::{Handler, Options};
use crate::runtime::pace::paced;
use crate::runtime::stop::{Stop, Urgency};

/// Until GitHub is asked again for a group that it has not.
const MISSING: Duration = Duration::from_mins(10);

/// What is known of the group.
#[derive(Debug, Default)]
pub(super) struct Known {
    id: Option<u64>,
    /// When GitHub may be asked.
    after: Option<Instant>,
    /// How often in a row it gave no answer.
    in_vain: u32,
    /// When GitHub said last that it has it.
    found: Option<Instant>,
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
                if let Some(group) = find(&groups, Some(&wanted)) {
                    self.group =
                        Known { id: Some(group.id), found: Some(Instant::now()), ..Known::default() };
                    self.streaks.worked(Effort::FindGroup);
                    return true;
                }
                self.streaks
                    .failed_for_good(Effort::FindGroup, format_args!("{}", missing(&self.options, &groups)));
                MISSING
            }
            Err(error) => {
                let reason = github_reason(&error);
                let what =
                    format_args!("the runner group was looked for in vain, and no job is taken: {reason}");
                self.streaks.failed_because(Effort::FindGroup, &reason, what);
                self.group.in_vain += 1;
                uncounted_pause(self.group.in_vain)
            }
        };
        self.group.after = Some(Instant::now() + paced(again));
        false
    }

    /// Before a VM is spent: the group may have been deleted meanwhile. Asked again after ten minutes, by a job and
    /// not by the time, and not of the last tenth of GitHub's quota.
    pub(super) fn group_is_still_there(&mut self, stop: &Stop) -> Result<(), Reason> {
        let is_news = |found: Instant| found.elapsed() < paced(MISSING);
        if self.group.found.is_none_or(is_news) || self.tools.github.is_scarce() {
            return Ok(());
        }
        let asker = self.asker_once(stop, Urgency::Drain);
        // What GitHub does not answer now the next call will show.
        let Ok(groups) = self.tools.github.runner_groups(&asker, &self.options.scope) else { return Ok(()) };
        self.group.found = Some(Instant::now());
        if find(&groups, self.options.runner_group.as_deref()).is_some() {
            return Ok(());
        }
        self.group = Known { after: Some(Instant::now() + paced(MISSING)), ..Known::default() };
        Err(Reason::Forbidden(missing(&self.options, &groups)))
    }

    /// GitHub's number of the group that runners are made in.
    pub(super) fn group_id(&self) -> u64 {
        self.group.id.unwrap_or(DEFAULT_GROUP)
    }
}

fn find<'a>(groups: &'a [Group], wanted: Option<&str>) -> Option<&'a Group> {
    groups.iter().find(|group| wanted.is_some_and(|wanted| group.name.eq_ignore_ascii_case(wanted)))
}

fn missing(options: &Options, groups: &[Group]) -> String {
    let wanted = options.runner_group.as_deref().unwrap_or_default();
    format!("{} has no runner group {wanted:?}, and no job is taken; it has {}", options.scope, names(groups))
}

fn names(groups: &[Group]) -> String {
    match groups {
        [] => "none".into(),
        groups => groups.iter().map(|group| format!("{:?}", group.name)).collect::<Vec<_>>().join(", "),
    }
}
