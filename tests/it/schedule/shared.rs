//! A real Redis beside the state table: after every verb both must agree, job by job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anklet::domain::entry::Entry;
use anklet::domain::event::Event;
use anklet::domain::ids::{JobId, Millis};
use anklet::store::redis::{Options, Redis};
use anklet::store::{Ask, Store, StoreError};

use super::queue::{Came, LEASE, Queue, Table, VOTERS, Verb};
use super::wire::Wire;
use crate::life::model::acme;
use crate::store::world::{Hands, START, card};
use crate::support::redis::{new_queue, options, shared};

/// One server, as hosts see it: straight, and through a wire that holds a verb up.
pub struct Servers {
    hands: Hands,
    straight: Redis,
    through: Redis,
    wire: Arc<Wire>,
}

impl Servers {
    pub fn new() -> Servers {
        let (hands, wire) = (Hands::at(START), Arc::new(Wire::to(shared().port)));
        let with = |port| Redis::new(Options { clock: Some(hands.clock()), ..options(port) });
        let (straight, through) = (with(shared().port), with(wire.port));
        Servers { hands, straight, through, wire }
    }

    /// A queue that nobody has used.
    pub fn queue(&self) -> Shared<'_> {
        let name = new_queue();
        self.hands.set(Millis(START));
        let (straight, through) = (self.straight.queue(&name), self.through.queue(&name));
        for (plugin, voter) in [("a1", VOTERS[0]), ("b1", VOTERS[1])] {
            straight.seen(&card(plugin, voter, Duration::from_hours(24 * 365))).unwrap();
        }
        Shared { servers: self, straight, through, table: Table::at(START) }
    }
}

pub struct Shared<'s> {
    servers: &'s Servers,
    straight: Arc<dyn Store>,
    through: Arc<dyn Store>,
    table: Table,
}

fn play(store: &dyn Store, verb: &Verb) -> Result<Came, StoreError> {
    Ok(match verb {
        Verb::Apply(event) => Came::Of(store.apply(event)?.verdict),
        Verb::Claim(claim, voter, like) => {
            let scope = acme();
            let ask = Ask {
                claim,
                scope: &scope,
                voter,
                except: &[],
                absent: &[],
                hidden: &[],
                like: like.as_ref(),
                lease: LEASE,
            };
            Came::Got(store.claim(&ask)?.map(|entry| entry.job.id))
        }
    })
}

impl Shared<'_> {
    /// Both, `event` in the middle of the verb if it can be; the verb's answer.
    fn both(&self, verb: &Verb, event: &Event) -> Result<Came, String> {
        let (store, event) = (Arc::clone(&self.straight), event.clone());
        self.servers.wire.before_the_second(Box::new(move || drop(store.apply(&event).unwrap())));
        let came = play(&*self.through, verb).map_err(|error| error.to_string())?;
        // It took one call only.
        if let Some(deed) = self.servers.wire.take_back() {
            deed();
        }
        Ok(came)
    }

    /// Which of the jobs the store sees otherwise than the table.
    fn differs(&self, table: &Table) -> Result<Option<String>, String> {
        for id in 1..=table.0.entries.len() as u64 + 1 {
            let is = self.straight.entry(JobId(id)).map_err(|error| error.to_string())?;
            let want = table.0.entries.get(&JobId(id));
            if is.as_ref() != want {
                return Ok(Some(format!("job {id} is {is:?}, not {want:?}")));
            }
        }
        let abandoned = self.straight.abandoned().map_err(|error| error.to_string())?;
        let is: Vec<JobId> = abandoned.iter().map(|entry| entry.job.id).collect();
        let gone = |entry: &&Entry| {
            let over = entry.state.word() == "over";
            !over && entry.hold().is_some_and(|hold| hold.lease_until < table.0.now)
        };
        let mut want: Vec<&Entry> = table.0.entries.values().filter(gone).collect();
        want.sort_by_key(|entry| (entry.age, entry.job.id));
        let want: Vec<JobId> = want.iter().map(|entry| entry.job.id).collect();
        Ok((is != want).then(|| format!("abandoned are {is:?}, not {want:?}")))
    }
}

impl Queue for Shared<'_> {
    fn play(&mut self, verb: &Verb, during: Option<&Event>) -> Result<Came, String> {
        let now = self.table.0.now.plus(Duration::from_millis(1));
        self.servers.hands.set(now);
        let came = match during {
            Some(event) => self.both(verb, event)?,
            None => play(&*self.straight, verb).map_err(|error| error.to_string())?,
        };
        // Whichever came first: one of the two orders it must have been.
        let mut why = String::new();
        for event_first in [true, false] {
            let mut table = self.table.clone();
            let event = during.map(|event| Verb::Apply(event.clone()));
            if event_first && let Some(event) = &event {
                table.play_at(event, now);
            }
            let want = table.play_at(verb, now);
            if !event_first && let Some(event) = &event {
                table.play_at(event, now);
            }
            let differs =
                if want == came { self.differs(&table)? } else { Some(format!("{came:?}, not {want:?}")) };
            match differs {
                None => {
                    self.table = table;
                    return Ok(came);
                }
                Some(how) => why = format!("{why}\n{how}"),
            }
        }
        Err(format!("{verb:?} during {during:?}:{why}"))
    }

    fn entries(&self) -> &BTreeMap<JobId, Entry> {
        &self.table.0.entries
    }

    fn now(&self) -> Millis {
        self.table.0.now
    }

    fn pass(&mut self, time: Duration) {
        self.table.pass(time);
        self.servers.hands.set(self.table.0.now);
    }
}
