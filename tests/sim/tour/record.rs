//! What is known of one job, gathered from outside.

/// One job as GitHub, the daemon's log and the simulated Anka show it.
#[derive(Default)]
pub struct Record {
    pub id: u64,
    pub run_id: u64,
    pub name: String,
    /// VMs that were claimed for it, each with its handler.
    pub claims: Vec<(String, String)>,
    /// The runner that GitHub gave it to.
    pub ran_on: Option<String>,
    /// Empty until it is over.
    pub conclusion: String,
    /// What its `queued` deliveries were answered with.
    pub answers: Vec<u16>,
    /// Whether the daemon had its run cancelled.
    pub cancelled_by_anklet: bool,
}

impl Record {
    pub fn is_over(&self) -> bool {
        !self.conclusion.is_empty()
    }

    /// The VM that it ran on, if it was one of ours.
    pub fn vm(&self) -> Option<&str> {
        self.ran_on.as_deref().filter(|name| name.starts_with("anklet-vm-"))
    }

    /// What the daemon did, in a few words.
    pub fn deed(&self) -> &'static str {
        match (self.vm(), self.claims.len()) {
            (Some(vm), _) if self.claims.iter().any(|(own, _)| own == vm) => "ran it",
            (Some(_), _) => "ran it, crossed",
            (None, 0) => "spent no VM",
            (None, _) if self.cancelled_by_anklet => "cancelled its run",
            (None, _) => "let it go",
        }
    }
}
