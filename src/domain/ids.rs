//! Names and numbers, each with one meaning.

use std::fmt;
use std::time::Duration;

/// GitHub's number of a workflow job: the one identity of a job. A re-run has new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// GitHub's number of a workflow run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

/// GitHub's number of a self-hosted runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunnerId(pub u64);

/// The name under which a runner is registered; ours are named after their VM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunnerName(pub String);

/// A VM of ours: `anklet-vm-<uuid v4>`, new for every VM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VmName(pub String);

/// What the names of our VMs, and so of our runners, begin with.
pub const VM_PREFIX: &str = "anklet-vm-";

impl VmName {
    /// The name for sixteen random bytes (version and variant bits are set here).
    pub fn from_random(mut bytes: [u8; 16]) -> VmName {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        VmName(format!("{VM_PREFIX}{}", uuid_text(bytes)))
    }

    /// The runner that this VM is for.
    pub fn runner(&self) -> RunnerName {
        RunnerName(self.0.clone())
    }
}

fn uuid_text(bytes: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

impl RunnerName {
    /// Whether the name is of our making.
    pub fn is_ours(&self) -> bool {
        self.0.starts_with(VM_PREFIX)
    }
}

/// Who may hold a claim: a handler plugin on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The host's id, from `state_dir`.
    pub host: String,
    /// The plugin's name.
    pub plugin: String,
}

/// A claim, by who made it and in which turn: the same turn asked twice is the same claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId {
    /// The handler.
    pub owner: Owner,
    /// A random number, new for each turn.
    pub turn: u64,
}

/// Milliseconds since 1970 by the store's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// The moment `later` after this one.
    #[must_use]
    pub fn plus(self, later: Duration) -> Millis {
        Millis(self.0.saturating_add(later.as_millis() as u64))
    }

    /// How long ago `earlier` was; nothing when it is still to come.
    pub fn since(self, earlier: Millis) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

macro_rules! shown_as_inner {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
shown_as_inner!(JobId, RunId, RunnerId, RunnerName, VmName);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.plugin)
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{:016x}", self.owner, self.turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vm_name_is_a_version_4_uuid() {
        assert_eq!(VmName::from_random([0xff; 16]).0, "anklet-vm-ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(VmName::from_random([0; 16]).0, "anklet-vm-00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn time_never_runs_backwards() {
        assert_eq!(Millis(5).since(Millis(9)), Duration::ZERO);
        assert_eq!(Millis(u64::MAX).plus(Duration::from_secs(1)), Millis(u64::MAX));
    }
}
