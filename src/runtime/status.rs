//! What a plugin is doing, and what is shown of it.
//!
//! A handler says what it is doing; that it is limited or draining is said by others (GitHub's gate, the
//! supervisor, the drain file), so both are flags beside it. What is *shown* is decided in one place,
//! [`shown`].

/// The kind of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `github`: runs jobs.
    Handler,
    /// `github_receiver`: takes webhooks.
    Receiver,
    /// Gathers the metrics of other hosts.
    Aggregator,
}

/// What a plugin is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A handler waits for work, or for a slot.
    Idle,
    /// A receiver or an aggregator serves; a handler is between the claim and the job's start.
    Running,
    /// A handler pulls a template.
    Pulling,
    /// A handler's job runs.
    InProgress,
    /// The plugin has ended.
    Stopped,
}

/// What is shown of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As [`Activity::Idle`].
    Idle,
    /// As [`Activity::Running`].
    Running,
    /// As [`Activity::Pulling`].
    Pulling,
    /// As [`Activity::InProgress`].
    InProgress,
    /// Waits until GitHub lets it call again.
    LimitPaused,
    /// Takes no new jobs.
    Draining,
    /// As [`Activity::Stopped`].
    Stopped,
}

/// Every status with its word in the metrics.
pub const STATUS_WORDS: [(Status, &str); 7] = [
    (Status::Idle, "idle"),
    (Status::Running, "running"),
    (Status::Pulling, "pulling"),
    (Status::InProgress, "in_progress"),
    (Status::LimitPaused, "limit_paused"),
    (Status::Draining, "draining"),
    (Status::Stopped, "stopped"),
];

/// What is shown of a plugin that does `activity`.
///
/// `limit_paused` wins over everything but `stopped` and a running job.
/// `draining` shows from the first moment of a drain, also while the last job runs: nearly all of a drain is
/// the wait for that job, and an operator who drains a host wants to see that it does. A receiver serves on.
pub(super) fn shown(kind: Kind, activity: Activity, limited: bool, draining: bool) -> Status {
    let draining = draining && kind == Kind::Handler;
    match activity {
        Activity::Stopped => Status::Stopped,
        Activity::InProgress if draining => Status::Draining,
        Activity::InProgress => Status::InProgress,
        _ if limited => Status::LimitPaused,
        _ if draining => Status::Draining,
        Activity::Idle => Status::Idle,
        Activity::Running => Status::Running,
        Activity::Pulling => Status::Pulling,
    }
}

impl Kind {
    /// The word in configuration, logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Handler => "github",
            Kind::Receiver => "github_receiver",
            Kind::Aggregator => "aggregator",
        }
    }
}

impl Status {
    /// The word in metrics.
    pub fn word(self) -> &'static str {
        STATUS_WORDS.iter().find(|(status, _)| *status == self).map_or("", |(_, word)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wins_over_what() {
        use Activity::{Idle, InProgress, Pulling, Running, Stopped};
        // Activity, then: plain, limited, draining, both.
        let table = [
            (Idle, ["idle", "limit_paused", "draining", "limit_paused"]),
            (Running, ["running", "limit_paused", "draining", "limit_paused"]),
            (Pulling, ["pulling", "limit_paused", "draining", "limit_paused"]),
            (InProgress, ["in_progress", "in_progress", "draining", "draining"]),
            (Stopped, ["stopped"; 4]),
        ];
        for (activity, wanted) in table {
            let flags = [(false, false), (true, false), (false, true), (true, true)];
            let got =
                flags.map(|(limited, draining)| shown(Kind::Handler, activity, limited, draining).word());
            assert_eq!(got, wanted, "{activity:?}");
        }
        assert_eq!(shown(Kind::Receiver, Running, false, true), Status::Running);
        assert_eq!(shown(Kind::Receiver, Running, true, true), Status::LimitPaused);
    }
}
