//! The right to a job, as a value that cannot be copied or forgotten.

use super::ids::ClaimId;

/// A handler's right to a job.
///
/// It ends in one of three ways, each of which consumes it: the store releases it, the store settles it,
/// or it is detached into the journal.
#[derive(Debug)]
#[must_use = "a claim ends by release, settle or detach; dropped, its job is stranded until the lease runs out"]
pub struct Claim {
    id: ClaimId,
}

impl Claim {
    /// For stores: only a store grants a claim.
    pub fn granted(id: ClaimId) -> Claim {
        Claim { id }
    }

    /// Whose, and of which turn.
    pub fn id(&self) -> &ClaimId {
        &self.id
    }

    /// The daemon ends and the claim lives on in the journal.
    pub fn detach(self) -> ClaimId {
        self.id
    }
}
