//! The keys of one queue: all in one hash slot, so that one script may touch them.
//!
//! `anklet:{QUEUE}:NAME`, the queue's name encoded as a file's name is, so that no name holds a brace.

use crate::domain::ids::{ClaimId, Owner};
use crate::runtime::filename::encode;

/// What every script is given, in this order; `lua/common.lua` names them in the same.
///
/// | key | type | field or member | value or score |
/// |---|---|---|---|
/// | `jobs` | hash | job id | the job's record, JSON with its version `v` |
/// | `holds` | hash | `HOST/PLUGIN#TURN` | job id |
/// | `runners` | sorted set, by member | `RUNNER 0 AGE ID` for the job whose claim pays for it, `RUNNER 1 AGE ID` for one that runs or ran on it without a claim | 0 |
/// | `queued`, `claimed`, `running` | sorted set | job id | age |
/// | `parked` | sorted set | job id | when GitHub is asked next |
/// | `over`, `dead` | sorted set | job id | since when |
/// | `leases` | sorted set | job id | when its holder's lease ends |
/// | `pauses` | sorted set | the place of each queued job that pauses: `OWNER/REPO LABELS ABSENT AGE ID` | the pause's end |
/// | `ready` | sorted set, by member | `WHERE AGE ID` of each queued job that does not pause; `WHERE` is each scope that may take it (`OWNER/REPO -`, `OWNER -`, `* -`) or, once somebody has said "not here", `OWNER/REPO ABSENT`; and its labels (`=LABELS`) | 0 |
/// | `voted` | sorted set | `OWNER/REPO ABSENT` | age of the first in `ready` |
/// | `refused` | sorted set, by member | `VOTER SINCE ID` of each queued job of which he has said "not here" | 0 |
/// | `cards` | hash | `HOST/PLUGIN` | a handler's card, JSON with its version `v` |
/// | `bell` | list | at most one token: how often it was passed on | |
const NAMES: [&str; 16] = [
    "jobs", "holds", "runners", "queued", "parked", "claimed", "running", "over", "dead", "leases", "pauses",
    "ready", "voted", "refused", "cards", "bell",
];

/// The keys of one queue.
pub struct Keys {
    prefix: String,
    all: Vec<String>,
}

impl Keys {
    /// Of the queue of this name.
    pub fn new(queue: &str) -> Keys {
        // An empty tag is no tag to a cluster.
        let tag = if queue.is_empty() { "%".to_owned() } else { encode(queue) };
        let prefix = format!("anklet:{{{tag}}}:");
        let all = NAMES.iter().map(|name| format!("{prefix}{name}")).collect();
        Keys { prefix, all }
    }

    /// What every script is given.
    pub fn all(&self) -> &[String] {
        &self.all
    }

    /// The list on which a handler that waits for work is rung.
    pub fn bell(&self) -> &str {
        self.all.last().map_or("", String::as_str)
    }

    /// What the first versions had in place of `ready` and `voted`: the places of all jobs that wait, and their classes.
    pub fn former(&self) -> [String; 2] {
        ["waiting", "classes"].map(|name| format!("{}{name}", self.prefix))
    }

    /// The hash of a topic's memos: name → text.
    pub fn memos(&self, topic: &str) -> String {
        format!("{}memos:{}", self.prefix, encode(topic))
    }

    /// A list that is never there.
    pub fn nowhere(&self) -> String {
        format!("{}nowhere", self.prefix)
    }

    /// The list on which news of its claim reach a handler.
    pub fn mailbox(&self, owner: &Owner) -> String {
        format!("{}mail:{}", self.prefix, owner_name(owner))
    }
}

/// A handler, as fields and keys name it.
pub fn owner_name(owner: &Owner) -> String {
    format!("{}/{}", encode(&owner.host), encode(&owner.plugin))
}

/// A claim, as `holds` names it.
pub fn claim_name(claim: &ClaimId) -> String {
    format!("{}#{:016x}", owner_name(&claim.owner), claim.turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_queue() {
        let owner = |host: &str, plugin: &str| Owner { host: host.into(), plugin: plugin.into() };
        assert_eq!(Keys::new("acme").bell(), "anklet:{acme}:bell");
        assert_eq!(Keys::new("a}{b").bell(), "anklet:{a%7D%7Bb}:bell");
        assert_ne!(Keys::new("").bell(), Keys::new("%").bell());
        assert_eq!(Keys::new("q").mailbox(&owner("h", "p")), "anklet:{q}:mail:h/p");
        assert_ne!(owner_name(&owner("a/b", "c")), owner_name(&owner("a", "b/c")));
        let claim = ClaimId { owner: owner("h", "RUNNER 1"), turn: 255 };
        assert_eq!(claim_name(&claim), "h/RUNNER%201#00000000000000ff");
    }
}
