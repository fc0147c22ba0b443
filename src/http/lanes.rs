//! The few lanes between door and tiny_http, and the server behind them: lost ones are replaced, one at a time.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::inlet::time_left;
use super::lane::{Answer, Lane, Lost};
use super::pool::{Loan, Pool};
use super::refusal::Refusal;
use super::serve::{Plan, Service};
use super::sockets::OpenError;

/// Lanes for each worker: the next request is there when a worker has answered one.
const LANES_A_WORKER: usize = 2;

/// For a server with a free worker to answer the request that opens a lane.
const OPENING: Duration = Duration::from_secs(1);

/// Lanes that a request is tried on, as long as no lane takes it whole.
const TRIES: usize = 3;

/// Everything behind the door.
pub struct Lanes {
    plan: Plan,
    /// A place whose lane was lost holds `None` until its next borrower opens another.
    free: Pool<Option<Lane>>,
    /// Only who has borrowed it may open a lane.
    service: Pool<Service>,
    /// The number of the service whose lanes are good.
    current: AtomicU32,
}

impl Lanes {
    /// Starts the server and opens all lanes, one after another.
    pub fn open(plan: Plan) -> Result<Lanes, OpenError> {
        let service = Service::start(&plan, 0)?;
        let opened = (0..plan.workers.max(1) * LANES_A_WORKER)
            .map(|_| service.lane(Instant::now() + OPENING).map(Some))
            .collect::<Result<Vec<_>, _>>();
        let lanes = opened.map_err(OpenError::Silent)?;
        Ok(Lanes {
            plan,
            free: Pool::of(lanes),
            service: Pool::of(vec![service]),
            current: AtomicU32::new(0),
        })
    }

    /// Has a request answered before `deadline`, or says why not.
    pub fn carry(
        &self,
        head: &[u8],
        peer: IpAddr,
        body: &[u8],
        deadline: Instant,
    ) -> Result<Answer, Refusal> {
        let mut place = self.free.borrow(deadline).ok_or(Refusal::Busy("all workers are busy"))?;
        for _ in 0..TRIES {
            let lane = self.ready(&mut place, deadline).map_err(|error| {
                log::warn!("failed to reach the inner web server of {}: {error}", self.plan.name);
                Refusal::Busy("no worker can be reached")
            })?;
            match lane.carry(head, Some(peer), body, deadline) {
                Ok(answer) => return Ok(answer),
                // Nobody has handled it: another lane may have it.
                Err(Lost::Unsent(_)) => *place = None,
                Err(Lost::Unanswered(error)) => {
                    *place = None;
                    log::warn!("a request to {} had no answer in time: {error}", self.plan.name);
                    return Err(Refusal::Busy("no answer in time"));
                }
            }
        }
        Err(Refusal::Busy("no worker can be reached"))
    }

    /// Ends the server and its workers; false when a handler still ran at `deadline`.
    pub fn end(&self, deadline: Instant) -> bool {
        drop(self.free.empty());
        self.service.empty().into_iter().all(|service| service.end(deadline))
    }

    /// The lane of a place, opened anew if it was lost or leads to a server that was replaced.
    fn ready<'l>(
        &self,
        place: &'l mut Loan<'_, Option<Lane>>,
        deadline: Instant,
    ) -> io::Result<&'l mut Lane> {
        let current = self.current.load(Ordering::Acquire);
        let lane = match place.take().filter(|lane| lane.server == current) {
            Some(lane) => lane,
            None => self.replacement(deadline)?,
        };
        Ok(place.insert(lane))
    }

    /// A new lane; if the server answers none although a worker is free, a new server first.
    fn replacement(&self, deadline: Instant) -> io::Result<Lane> {
        let mut service = self.service.borrow(deadline).ok_or(io::ErrorKind::TimedOut)?;
        time_left(deadline)?;
        let soon = || Instant::now() + OPENING;
        match service.lane(soon()) {
            Err(error) if !service.is_busy() => {
                log::warn!("the inner web server of {} is built anew: {error}", self.plan.name);
                *service = Service::start(&self.plan, service.number + 1).map_err(io::Error::other)?;
                self.current.store(service.number, Ordering::Release);
                service.lane(soon())
            }
            told => told,
        }
    }
}
