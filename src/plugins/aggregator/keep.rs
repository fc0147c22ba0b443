//! The last pages in the database: a restart begins with them, and other aggregators of the same database see them.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Fleet;
use crate::domain::ids::Millis;
use crate::log::Seldom;
use crate::metrics::fleet::Host;
use crate::runtime::clock;
use crate::store::{Change, Memos, Store, StoreError};

/// What the memos are about.
const TOPIC: &str = "hosts";
/// The version that this program writes.
const VERSION: u32 = 1;
/// How often a database that is away is spoken of.
const SAY_AGAIN: Duration = Duration::from_hours(1);

/// A page as it is written down.
#[derive(Serialize, Deserialize)]
struct Record {
    v: u32,
    /// When it was fetched, in milliseconds since 1970.
    seen: u64,
    object: Map<String, Value>,
}

pub(super) struct Keeper {
    store: Arc<dyn Store>,
    /// What the database holds, as far as is known; none before the first look that worked.
    kept: Option<Memos>,
    away: Seldom,
}

impl Keeper {
    pub fn new(store: Arc<dyn Store>) -> Keeper {
        Keeper { store, kept: None, away: Seldom::new(SAY_AGAIN, 1) }
    }

    /// Takes over what the database knows and this process does not.
    pub fn load(&mut self, fleet: &Fleet) {
        if self.kept.is_some() {
            return;
        }
        match self.store.memos(TOPIC) {
            Ok(memos) => {
                for host in fleet.lock().iter_mut().filter(|host| host.seen.is_none()) {
                    if let Some(record) = memos.get(&host.url).and_then(|text| read(text)) {
                        host.object = Some(Arc::new(record.object));
                        host.seen = Some(clock::at(Millis(record.seen)));
                    }
                }
                self.kept = Some(memos);
                self.away.forget("");
            }
            Err(fault) => self.say(&fault),
        }
    }

    /// Writes what is new. While the database is away the pages are in memory only.
    pub fn keep(&mut self, fleet: &Fleet) {
        let Some(kept) = &self.kept else { return };
        let hosts = fleet.hosts();
        let changes: Vec<Change> =
            hosts.iter().filter(|host| host.is_up()).filter_map(|host| change(host, kept)).collect();
        match self.store.write_memos(TOPIC, &changes) {
            Ok(true) => {
                if let Some(kept) = &mut self.kept {
                    kept.extend(changes.into_iter().filter_map(|change| Some((change.name, change.after?))));
                }
                self.away.forget("");
            }
            // Another aggregator writes too: what it wrote is read before the next round.
            Ok(false) => self.kept = None,
            Err(fault) => {
                self.kept = None;
                self.say(&fault);
            }
        }
    }

    fn say(&self, fault: &StoreError) {
        if self.away.due("") {
            log::error!("what the hosts say is kept in memory only: {fault}");
        }
    }
}

fn change(host: &Host, kept: &Memos) -> Option<Change> {
    let seen = clock::since_1970(host.seen?).as_millis() as u64;
    let record = Record { v: VERSION, seen, object: host.object.as_deref()?.clone() };
    let (before, after) = (kept.get(&host.url).cloned(), serde_json::to_string(&record).ok());
    Some(Change { name: host.url.clone(), before, after }).filter(|change| change.before != change.after)
}

/// A record of a newer version is as good as none: the next fetch writes it anew.
fn read(text: &str) -> Option<Record> {
    serde_json::from_str::<Record>(text).ok().filter(|record| record.v <= VERSION)
}
