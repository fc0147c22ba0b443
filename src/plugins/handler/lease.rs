//! A claim's lease, renewed by a thread of its own: the handler's thread may sit in a pull for an hour.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::domain::event::{Event, Verdict};
use crate::domain::ids::ClaimId;
use crate::runtime::stop::Never;
use crate::runtime::thread;
use crate::store::{Store, StoreError};

/// Renews for as long as it lives.
pub(super) struct Lease {
    _alive: Option<Sender<Never>>,
}

impl Lease {
    /// Renews the claim's lease each third of it.
    pub fn keep(store: &Arc<dyn Store>, claim: &ClaimId, lease: Duration) -> Lease {
        let (alive, ended) = bounded::<Never>(0);
        let (store, id) = (Arc::clone(store), claim.clone());
        let name = format!("lease:{}", claim.owner.plugin);
        let started = thread::start_small(name, 256, move || {
            while matches!(ended.recv_timeout(lease / 3), Err(RecvTimeoutError::Timeout)) {
                match renew(&*store, &id, lease) {
                    Ok(Verdict::Lost) => break,
                    Ok(_) => (),
                    Err(error) => log::warn!("the claim could not be renewed, and is tried again: {error}"),
                }
            }
        });
        if let Err(error) = &started {
            log::warn!("no thread renews the claim: {error}");
        }
        Lease { _alive: started.ok().map(|_| alive) }
    }
}

/// Renews once; `Lost` when the claim is no longer ours.
pub(super) fn renew(store: &dyn Store, claim: &ClaimId, lease: Duration) -> Result<Verdict, StoreError> {
    let lease_until = store.now()?.plus(lease);
    Ok(store.apply(&Event::Renew { claim: claim.clone(), lease_until })?.verdict)
}
