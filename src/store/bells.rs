//! Who is rung when there is work, or news of a claim.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::domain::event::Told;
use crate::domain::ids::Owner;

/// The bells of one process, of all its queues.
///
/// A bell holds one ring at most: who is rung looks at everything.
#[derive(Debug, Default)]
pub struct Bells {
    hung: Mutex<HashMap<Owner, (String, Sender<()>)>>,
}

impl Bells {
    /// Hangs the owner's bell, in place of an earlier one. It rings at once, for what came before it.
    pub fn hang(&self, queue: &str, owner: &Owner) -> Receiver<()> {
        let (ring, bell) = bounded(1);
        let _ = ring.try_send(());
        self.lock().insert(owner.clone(), (queue.to_owned(), ring));
        bell
    }

    /// Rings whom the step concerns. True when it may concern somebody of another process too.
    pub fn tell(&self, queue: &str, told: &Told) -> bool {
        if !told.work && told.wake.is_empty() {
            return false;
        }
        let hung = self.lock();
        for (owner, (of, ring)) in hung.iter() {
            if told.wake.contains(owner) || (told.work && of == queue) {
                // A full bell has rung already; a lost one concerns nobody.
                let _ = ring.try_send(());
            }
        }
        told.work || told.wake.iter().any(|owner| !hung.contains_key(owner))
    }

    /// Rings all bells of a queue, or of all queues.
    pub fn ring_all(&self, queue: Option<&str>) {
        for (of, ring) in self.lock().values() {
            if queue.is_none_or(|queue| of == queue) {
                let _ = ring.try_send(());
            }
        }
    }

    /// Whether anybody would hear.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Whether this owner's bell hangs here: its plugin runs in this process.
    pub fn has(&self, owner: &Owner) -> bool {
        self.lock().contains_key(owner)
    }

    /// Whether a plugin of this host has hung a bell here.
    pub fn knows_host(&self, host: &str) -> bool {
        self.lock().keys().any(|owner| owner.host == host)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Owner, (String, Sender<()>)>> {
        self.hung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Verdict;

    fn owner(plugin: &str) -> Owner {
        Owner { host: "h".into(), plugin: plugin.into() }
    }

    fn told(work: bool, wake: &[&str]) -> Told {
        Told { verdict: Verdict::Stored, wake: wake.iter().map(|p| owner(p)).collect(), work }
    }

    #[test]
    fn only_whom_it_concerns_is_rung() {
        let bells = Bells::default();
        let (a, b) = (bells.hang("q", &owner("a")), bells.hang("other", &owner("b")));
        assert!(a.try_recv().is_ok() && b.try_recv().is_ok(), "a new bell rings once");
        assert!(bells.tell("q", &told(true, &[])));
        assert!(a.try_recv().is_ok() && b.try_recv().is_err());
        assert!(!bells.tell("q", &told(false, &["b"])));
        assert!(a.try_recv().is_err() && b.try_recv().is_ok());
        assert!(bells.tell("q", &told(false, &["elsewhere"])));
        assert!(!bells.tell("q", &told(false, &[])));
        bells.ring_all(None);
        bells.ring_all(None);
        assert!(a.try_recv().is_ok() && a.try_recv().is_err(), "rings do not pile up");
    }
}
