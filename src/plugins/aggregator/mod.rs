//! The aggregator: asks the hosts of a fleet for their metrics and keeps what each said last.
//!
//! - `address` a host's URL: what is shown of it, and what is fetched
//! - `round` all hosts, side by side
//! - `keep` the last pages in the database, so that a restart begins with them

mod address;
mod keep;
mod round;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use address::Address;

use crate::http::fetch::Fetcher;
use crate::metrics::fleet::{Host, host};
use crate::runtime::clock;
use crate::runtime::plugin::{Line, Plugin, Turn};
use crate::runtime::stop::Stop;
use crate::store::Store;
use keep::Keeper;

/// A page of a host with many plugins has some 20 KB.
const LONGEST: u64 = 4 << 20;
/// The longest wait for one host.
const DEADLINE: Duration = Duration::from_secs(5);
/// Failures in a row that an operator must hear of.
const ALARM: u32 = 5;

/// What is known of the hosts, in the order of the configuration. A clone is the same fleet.
#[derive(Clone, Debug)]
pub struct Fleet(Arc<Mutex<Vec<Host>>>);

/// The plugin.
pub struct Aggregator {
    addresses: Arc<Vec<Address>>,
    fetcher: Fetcher,
    interval: Duration,
    fleet: Fleet,
    keeper: Keeper,
    /// Failures in a row of each host.
    failures: Vec<u32>,
}

impl Fleet {
    /// Hosts of which nothing is known yet.
    pub fn new(addresses: &[Address]) -> Fleet {
        let unknown = addresses.iter().map(|address| Host::unknown(address.shown.clone()));
        Fleet(Arc::new(Mutex::new(unknown.collect())))
    }

    /// All hosts, as they are known now.
    pub fn hosts(&self) -> Vec<Host> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aggregator {
    /// Asks nobody yet.
    pub fn new(
        addresses: Vec<Address>,
        interval: Duration,
        fleet: Fleet,
        store: Arc<dyn Store>,
    ) -> Aggregator {
        let fetcher = Fetcher::new(DEADLINE.min(interval.max(Duration::from_secs(1))), LONGEST);
        let failures = vec![0; addresses.len()];
        Aggregator {
            addresses: Arc::new(addresses),
            fetcher,
            interval,
            fleet,
            keeper: Keeper::new(store),
            failures,
        }
    }

    /// Notes a host's answer as soon as it is there: no host waits for another.
    fn note(&mut self, at: usize, told: &Result<String, String>) {
        let read = told
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|body| host::read(body).map_err(|why| why.to_string()));
        self.tell(at, read.as_ref().err());
        let known = &mut self.fleet.lock()[at];
        match read {
            Ok(object) => {
                (known.object, known.seen, known.error) = (Some(Arc::new(object)), Some(clock::now()), None);
            }
            Err(why) => known.error = Some(why),
        }
    }

    fn tell(&mut self, at: usize, fault: Option<&String>) {
        let (url, times) = (&self.addresses[at].shown, &mut self.failures[at]);
        let Some(why) = fault else {
            if std::mem::take(times) > 0 {
                log::info!("{url} answers again");
            }
            return;
        };
        *times = times.saturating_add(1);
        match *times {
            1 => log::warn!("{url} has no metrics for us and is asked again: {why}"),
            ALARM => log::error!("{url} has had no metrics for us {ALARM} times in a row: {why}"),
            _ => log::debug!("{url}: {why}"),
        }
    }
}

impl Plugin for Aggregator {
    fn turn(&mut self, stop: &Stop, _line: &mut Line) -> Turn {
        let begun = Instant::now();
        self.keeper.load(&self.fleet);
        let answers = round::begin(&self.addresses, &self.fetcher);
        while let Some((at, told)) = answers.next(stop) {
            self.note(at, &told);
        }
        self.keeper.keep(&self.fleet);
        Turn::Pause(self.interval.saturating_sub(begun.elapsed()))
    }
}
