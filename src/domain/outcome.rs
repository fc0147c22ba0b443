//! Why a turn did not end with a finished job: closed reasons that answer the policy questions.

use std::fmt;
use std::time::Duration;

use super::job::Malformed;

/// Why a job goes back, or nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The labels cannot be served, ever.
    Malformed(Malformed),
    /// Template or tag neither on the host nor in its registry.
    NotHere(String),
    /// Both slots are taken by VMs of ours.
    NoSlot,
    /// Guests run, so that no more VMs may.
    NoRoom(String),
    /// Somebody else on this host pulls a template.
    PullTaken,
    /// The pull failed though the registry answers.
    PullFailed(String),
    /// The registry does not answer.
    RegistryAway(String),
    /// The clone failed.
    CloneFailed(String),
    /// The start failed, and not for want of room.
    StartFailed(String),
    /// A script did not reach the VM.
    CopyFailed(String),
    /// A script failed or ran out of time.
    ScriptFailed(String),
    /// The runner is not online though it was started long ago.
    NotOnline,
    /// The runner is online and gets no job.
    NotStarted,
    /// Anka itself does not answer look-ups.
    AnkaAway(String),
    /// GitHub does not answer, or refuses for now.
    GitHubAway(String),
    /// GitHub does not know the job, perhaps for a moment only.
    Unknown(String),
    /// GitHub refuses our sign-in.
    SignInRefused(String),
    /// GitHub refuses, for want of a permission, what each job of this handler needs.
    Forbidden(String),
    /// GitHub shows neither this job nor its repository to these credentials.
    Unreadable(String),
    /// GitHub refuses to make this runner.
    RunnerRefused(String),
    /// The store does not answer.
    StoreAway(String),
    /// The journal cannot be written.
    JournalFailed(String),
    /// GitHub says that the job waits for a person.
    Parked,
    /// The claim is no longer ours.
    Lost,
    /// The job ended before its VM could start it.
    AlreadyOver,
    /// The daemon is stopping.
    Stopped,
    /// A daemon ended in the middle of the job.
    Crashed,
}

/// What is done about a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Queued again; the try counts.
    Counted,
    /// Queued again; the try does not count.
    Uncounted,
    /// The run is cancelled at once: its author must mend it.
    Cancel,
    /// The store is told "not here".
    Vote,
    /// Parked until GitHub says otherwise.
    Park,
    /// Nothing: the job is somebody else's, or over.
    LetGo,
}

/// The words of the reasons that count, see [`Policy::Counted`].
pub const COUNTED: [&str; 8] = [
    "pull_failed",
    "clone_failed",
    "start_failed",
    "copy_failed",
    "script_failed",
    "runner_refused",
    "not_online",
    "not_started",
];

/// Until what a handler does not take again what it gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It may take it again at once.
    Nothing,
    /// This job, for a while.
    ForTheJob,
    /// Any job, for a while: the fault is the host's.
    ForTheHost,
}

impl Reason {
    /// What is done about it.
    pub fn policy(&self) -> Policy {
        match self {
            Reason::Malformed(_) => Policy::Cancel,
            Reason::NotHere(_) => Policy::Vote,
            Reason::PullFailed(_)
            | Reason::CloneFailed(_)
            | Reason::StartFailed(_)
            | Reason::CopyFailed(_)
            | Reason::ScriptFailed(_)
            | Reason::RunnerRefused(_)
            | Reason::NotOnline
            | Reason::NotStarted => Policy::Counted,
            Reason::NoSlot
            | Reason::NoRoom(_)
            | Reason::PullTaken
            | Reason::RegistryAway(_)
            | Reason::AnkaAway(_)
            | Reason::GitHubAway(_)
            | Reason::Unknown(_)
            | Reason::SignInRefused(_)
            | Reason::Forbidden(_)
            | Reason::Unreadable(_)
            | Reason::StoreAway(_)
            | Reason::JournalFailed(_)
            | Reason::Stopped
            | Reason::Crashed => Policy::Uncounted,
            Reason::Parked => Policy::Park,
            Reason::Lost | Reason::AlreadyOver => Policy::LetGo,
        }
    }

    /// One word, for metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Reason::Malformed(_) => "malformed",
            Reason::NotHere(_) => "not_here",
            Reason::NoSlot => "no_slot",
            Reason::NoRoom(_) => "no_room",
            Reason::PullTaken => "pull_taken",
            Reason::PullFailed(_) => "pull_failed",
            Reason::RegistryAway(_) => "registry_away",
            Reason::CloneFailed(_) => "clone_failed",
            Reason::StartFailed(_) => "start_failed",
            Reason::CopyFailed(_) => "copy_failed",
            Reason::ScriptFailed(_) => "script_failed",
            Reason::NotOnline => "not_online",
            Reason::NotStarted => "not_started",
            Reason::AnkaAway(_) => "anka_away",
            Reason::GitHubAway(_) => "github_away",
            Reason::Unknown(_) => "unknown",
            Reason::SignInRefused(_) => "sign_in_refused",
            Reason::Forbidden(_) => "forbidden",
            Reason::Unreadable(_) => "unreadable",
            Reason::RunnerRefused(_) => "runner_refused",
            Reason::StoreAway(_) => "store_away",
            Reason::JournalFailed(_) => "journal_failed",
            Reason::Parked => "parked",
            Reason::Lost => "lost",
            Reason::AlreadyOver => "already_over",
            Reason::Stopped => "stopped",
            Reason::Crashed => "crashed",
        }
    }

    /// What the handler leaves alone for [`uncounted_pause`].
    pub fn stands(&self) -> Stands {
        match self {
            Reason::NoRoom(_)
            | Reason::AnkaAway(_)
            | Reason::GitHubAway(_)
            | Reason::SignInRefused(_)
            | Reason::Forbidden(_)
            | Reason::StoreAway(_)
            | Reason::JournalFailed(_) => Stands::ForTheHost,
            Reason::PullTaken | Reason::RegistryAway(_) | Reason::Unknown(_) | Reason::Unreadable(_) => {
                Stands::ForTheJob
            }
            _ => Stands::Nothing,
        }
    }
}

/// How long nobody takes a job after its `attempt`-th counted try (from 1).
pub fn counted_pause(attempt: u32) -> Duration {
    Duration::from_secs(match attempt {
        0 | 1 => 0,
        2 => 5,
        3 => 15,
        _ => 60,
    })
}

/// How long a handler leaves alone what it gave back uncounted for the `time`-th time in a row (from 1).
pub fn uncounted_pause(time: u32) -> Duration {
    Duration::from_secs(match time {
        0 | 1 => 5,
        2 => 15,
        _ => 60,
    })
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Malformed(why) => why.fmt(f),
            Reason::NotHere(what) => write!(f, "template not here: {what}"),
            Reason::NoSlot => f.write_str("both places for a VM are taken"),
            Reason::NoRoom(what)
            | Reason::Unknown(what)
            | Reason::Forbidden(what)
            | Reason::Unreadable(what) => f.write_str(what),
            Reason::RunnerRefused(why) => write!(f, "GitHub refuses to make the runner: {why}"),
            Reason::PullTaken => f.write_str("another template is being pulled on this host"),
            Reason::PullFailed(why) => write!(f, "the pull failed: {why}"),
            Reason::RegistryAway(why) => write!(f, "the registry does not answer: {why}"),
            Reason::CloneFailed(why) => write!(f, "the clone failed: {why}"),
            Reason::StartFailed(why) => write!(f, "the VM did not start: {why}"),
            Reason::CopyFailed(why) => write!(f, "a script could not be copied into the VM: {why}"),
            Reason::ScriptFailed(why) => write!(f, "a script failed in the VM: {why}"),
            Reason::NotOnline => f.write_str("the runner did not come online in time"),
            Reason::NotStarted => f.write_str("the runner is online, but GitHub gave it no job in time"),
            Reason::AnkaAway(why) => write!(f, "anka does not answer: {why}"),
            Reason::GitHubAway(why) | Reason::SignInRefused(why) | Reason::StoreAway(why) => f.write_str(why),
            Reason::JournalFailed(why) => write!(f, "the journal cannot be written: {why}"),
            Reason::Parked => f.write_str("the job waits for an approval"),
            Reason::Lost => f.write_str("the claim is no longer ours"),
            Reason::AlreadyOver => f.write_str("the job was over before it started"),
            Reason::Stopped => f.write_str("the daemon is stopping"),
            Reason::Crashed => f.write_str("a daemon ended in the middle of it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_that_count_are_listed() {
        let why = String::new;
        let reasons = [
            Reason::PullFailed(why()),
            Reason::CloneFailed(why()),
            Reason::StartFailed(why()),
            Reason::CopyFailed(why()),
            Reason::ScriptFailed(why()),
            Reason::RunnerRefused(why()),
            Reason::NotOnline,
            Reason::NotStarted,
        ];
        for (reason, word) in reasons.iter().zip(COUNTED) {
            assert_eq!((reason.policy(), reason.word()), (Policy::Counted, word));
        }
    }
}
