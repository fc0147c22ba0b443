//! Looks in the background, so that a scrape costs nobody anything: queues, GitHub's quota, the host's places.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::stores;
use crate::anka::Anka;
use crate::domain::slots::{SlotTable, VMS_PER_HOST};
use crate::github::Client;
use crate::plugins::handler::Guests;
use crate::runtime::meters::STORE_ERRORS;
use crate::runtime::outlook::{self, Outlook};
use crate::runtime::stop::{self, Stop, StopHandle, Urgency};
use crate::runtime::thread;
use crate::store::{Depth, Store};

/// Between two looks at what costs nothing.
const EVERY: Duration = Duration::from_secs(1);
/// Depths are asked for so often, and when a store has not answered anybody for this long.
const DEPTH_EVERY: Duration = Duration::from_secs(13);
const SILENCE: Duration = Duration::from_secs(6);
/// Between two questions to a store that may be away, or of which nothing is known.
const DOUBTFUL_EVERY: Duration = Duration::from_secs(3);
/// Between two questions for the guests, whose look is a minute old at most.
const GUESTS_EVERY: Duration = Duration::from_secs(5);

/// What is looked at.
#[derive(Default)]
pub struct Sights {
    /// Each queue once, by its name.
    pub queues: Vec<(String, Arc<dyn Store>)>,
    /// The clients of GitHub, by the plugin that uses each.
    pub clients: Vec<(String, Arc<Client>)>,
    /// The host's places, where there is a handler.
    pub slots: Option<SlotTable>,
    /// The host's guests, and the Anka to look at them with.
    pub guests: Option<(Guests, Anka)>,
}

/// The looks go on until this is dropped.
pub struct Looks {
    stop: Option<StopHandle>,
    guests: Option<JoinHandle<()>>,
}

/// Begins to look. A thread that cannot be started costs figures, not jobs.
pub fn begin(mut sights: Sights, outlook: &Outlook) -> Looks {
    let queues =
        sights.queues.iter().map(|(name, _)| outlook::Queue { name: name.clone(), ..Default::default() });
    outlook.note(|found| found.queues = queues.collect());
    let (handle, stop) = stop::stop();
    let guests = sights.guests.take().zip(sights.slots.clone()).and_then(|((guests, anka), slots)| {
        let (outlook, stop) = (outlook.clone(), stop.clone());
        started("looks:guests", move || mind_guests(&guests, &anka, &slots, &outlook, &stop))
    });
    let outlook = outlook.clone();
    // Not joined at the end: a store that is away may keep it for seconds.
    drop(started("looks", move || keep_looking(&sights, &outlook, &stop)));
    Looks { stop: Some(handle), guests }
}

fn started(name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let started = thread::start(name, work);
    started.inspect_err(|fault| log::warn!("some metrics are missing: no thread {name}: {fault}")).ok()
}

/// Each minute, in which it asks Anka: see [`Guests::foreign`].
fn mind_guests(guests: &Guests, anka: &Anka, slots: &SlotTable, outlook: &Outlook, stop: &Stop) {
    let (began, anka) = (Instant::now(), anka.until(stop.ends_at(Urgency::Drain)));
    while stop.pause(Urgency::Drain, GUESTS_EVERY) {
        let foreign = guests.foreign(&anka, slots, began);
        outlook.note(|found| found.foreign_guests = foreign.map(|n| n as u64));
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.stop = None;
        // Its `anka` child ends with the stop: none is left running.
        if let Some(guests) = self.guests.take() {
            let _ = guests.join();
        }
    }
}

fn keep_looking(sights: &Sights, outlook: &Outlook, stop: &Stop) {
    let (mut errors, mut doubtful) = (STORE_ERRORS.total(), false);
    let mut asked: Vec<Option<Instant>> = vec![None; sights.queues.len()];
    loop {
        // A store that answers looks may still take nothing: after an error, of whomever, it is written to as well.
        doubtful |= errors != STORE_ERRORS.total();
        let mut fine = true;
        let quotas = sights.clients.iter().filter_map(|(plugin, client)| quota(plugin, client)).collect();
        let slots = sights.slots.as_ref().map(places);
        outlook.note(|found| (found.quotas, found.slots) = (quotas, slots));
        for (at, (_, store)) in sights.queues.iter().enumerate() {
            if !doubtful && !is_due(asked[at], store.heard()) {
                continue;
            }
            asked[at] = Some(Instant::now());
            outlook.note(|found| found.queues[at].asked());
            let told = store.depth().and_then(|depth| {
                if doubtful {
                    stores::takes_writes(&**store)?;
                }
                Ok(depth_of(&depth))
            });
            fine &= told.is_ok();
            outlook.note(|found| found.queues[at].answered(told.map_err(|fault| fault.to_string())));
        }
        doubtful &= !fine;
        errors = STORE_ERRORS.total();
        if !stop.pause(Urgency::Drain, if doubtful { DOUBTFUL_EVERY } else { EVERY }) {
            return;
        }
    }
}

/// Whether a depth is to be asked for. A store that others hear of is there; where that is not known, it is asked.
fn is_due(asked: Option<Instant>, heard: Option<Instant>) -> bool {
    let longer = |since: Option<Instant>, limit| since.is_none_or(|at| at.elapsed() >= limit);
    longer(asked, DEPTH_EVERY) || (longer(heard, SILENCE) && longer(asked, DOUBTFUL_EVERY))
}

fn depth_of(depth: &Depth) -> outlook::Depth {
    let Depth { queued, parked, claimed, running, dead, eldest } = *depth;
    let jobs =
        [("queued", queued), ("parked", parked), ("claimed", claimed), ("running", running), ("dead", dead)];
    outlook::Depth { jobs, eldest }
}

fn quota(plugin: &str, client: &Client) -> Option<outlook::Quota> {
    let quota = client.quota()?;
    Some(outlook::Quota {
        plugin: plugin.to_owned(),
        limit: quota.limit,
        remaining: quota.remaining,
        reset: quota.reset,
    })
}

fn places(slots: &SlotTable) -> outlook::Slots {
    let mut known = slots.known();
    known.sort();
    known.dedup();
    let used = known.len().min(VMS_PER_HOST);
    outlook::Slots { used: used as u64, free: (VMS_PER_HOST - used) as u64 }
}
