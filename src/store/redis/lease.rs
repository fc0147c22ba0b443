//! Leases: as long as an owner's daemon lives, its claims are renewed by the thread that hears for it, whatever the
//! owner itself waits for. A claim is lost by time only when its host is gone, or cannot reach Redis.

use std::time::{Duration, Instant};

use super::read::Desk;
use crate::domain::entry::{Hold, State};
use crate::domain::event::Event;
use crate::domain::ids::Owner;
use crate::store::StoreError;

/// Extends each of the owner's claims that would end within the lease's length from now.
pub fn renew(desk: &Desk, owner: &Owner, lease: Duration, end: Instant) -> Result<(), StoreError> {
    let held = desk.all_of(owner, end)?;
    let until = held.now.plus(lease);
    let counts = |hold: &Hold| hold.claim.owner == *owner && hold.lease_until < until;
    for entry in held.readable() {
        if let State::Claimed(hold) | State::Running { hold: Some(hold), .. } = &entry.state
            && counts(hold)
        {
            desk.play(&Event::Renew { claim: hold.claim.clone(), lease_until: until })?;
        }
    }
    Ok(())
}
