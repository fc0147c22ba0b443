//! Looks in the background, so that a scrape costs nobody anything: queues, GitHub's quota, the host's places.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::slots::{SlotTable, VMS_PER_HOST};
use crate::github::Client;
use crate::runtime::outlook::{self, Outlook};
use crate::runtime::stop::{self, Stop, StopHandle, Urgency};
use crate::runtime::thread;
use crate::store::{Depth, Store};

/// Between two looks: often enough to notice a store that is away.
const EVERY: Duration = Duration::from_secs(3);

/// What is looked at.
#[derive(Default)]
pub struct Sights {
    /// Each queue once, by its name.
    pub queues: Vec<(String, Arc<dyn Store>)>,
    /// The clients of GitHub, by the plugin that uses each.
    pub clients: Vec<(String, Arc<Client>)>,
    /// The host's places, where there is a handler.
    pub slots: Option<SlotTable>,
}

/// The looks go on until this is dropped.
pub struct Looks {
    _stop: StopHandle,
}

/// Begins to look. A thread that cannot be started costs figures, not jobs.
pub fn begin(sights: Sights, outlook: &Outlook) -> Looks {
    let queues =
        sights.queues.iter().map(|(name, _)| outlook::Queue { name: name.clone(), ..Default::default() });
    outlook.note(|found| found.queues = queues.collect());
    let (handle, stop) = stop::stop();
    let outlook = outlook.clone();
    if let Err(fault) = thread::start("looks", move || keep_looking(&sights, &outlook, &stop)) {
        log::warn!("metrics of queues and quotas are missing: no thread for them: {fault}");
    }
    Looks { _stop: handle }
}

fn keep_looking(sights: &Sights, outlook: &Outlook, stop: &Stop) {
    loop {
        let quotas = sights.clients.iter().filter_map(|(plugin, client)| quota(plugin, client)).collect();
        let slots = sights.slots.as_ref().map(places);
        outlook.note(|found| (found.quotas, found.slots) = (quotas, slots));
        for (at, (_, store)) in sights.queues.iter().enumerate() {
            outlook.note(|found| found.queues[at].asked());
            let told = store.depth().map(|depth| depth_of(&depth)).map_err(|fault| fault.to_string());
            outlook.note(|found| found.queues[at].answered(told));
        }
        if !stop.pause(Urgency::Drain, EVERY) {
            return;
        }
    }
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
