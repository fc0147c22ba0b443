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

/// The same at the start, when the process may be held up and nobody waits yet.
const FIRST_OPENING: Duration = Duration::from_secs(15);

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
            .map(|_| service.lane(Instant::now() + FIRST_OPENING).map(Some))
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::Ipv4Addr;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::super::message::{Reply, Request};
    use super::*;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: door\r\n";

    fn lanes(name: &str) -> (Lanes, PathBuf) {
        let dir = std::env::temp_dir().join(format!("lanes-{name}-{}", std::process::id()));
        let handler = Arc::new(|_: &Request<'_>| Reply::json(200, "{}"));
        let plan = Plan { name: name.into(), socket_dir: dir.clone(), workers: 2, handler };
        (Lanes::open(plan).unwrap(), dir)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn carries(lanes: &Lanes) -> bool {
        lanes.carry(HEAD, Ipv4Addr::LOCALHOST.into(), b"body", soon()).is_ok()
    }

    fn lose_all(lanes: &Lanes) {
        let mut places: Vec<_> = (0..4).filter_map(|_| lanes.free.borrow(soon())).collect();
        assert_eq!(places.iter_mut().filter_map(|place| place.take()).count(), 4);
    }

    #[test]
    fn lost_lanes_are_opened_again_to_the_same_server() {
        let (lanes, dir) = lanes("lost");
        lose_all(&lanes);
        assert!((0..8).all(|_| carries(&lanes)));
        assert_eq!(lanes.current.load(Ordering::Relaxed), 0);
        assert!(lanes.end(soon()));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
        fs::remove_dir(dir).unwrap();
    }

    #[test]
    fn a_server_that_takes_no_lane_is_built_anew_and_the_old_lanes_are_left() {
        let (lanes, dir) = lanes("anew");
        *lanes.free.borrow(soon()).unwrap() = None;
        fs::remove_dir_all(&dir).unwrap(); // as good as an accept loop that has died
        assert!((0..8).all(|_| carries(&lanes)));
        assert_eq!(lanes.current.load(Ordering::Relaxed), 1);
        let places: Vec<_> = (0..4).filter_map(|_| lanes.free.borrow(soon())).collect();
        assert!(places.iter().all(|place| place.as_ref().is_some_and(|lane| lane.server == 1)));
        drop(places);
        assert!(lanes.end(soon()));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_request_whose_time_is_up_costs_no_server() {
        let (lanes, dir) = lanes("late");
        lose_all(&lanes);
        let past = Instant::now();
        let told = lanes.carry(HEAD, Ipv4Addr::LOCALHOST.into(), b"", past);
        assert!(matches!(told, Err(Refusal::Busy(_))));
        assert!(carries(&lanes));
        assert_eq!(lanes.current.load(Ordering::Relaxed), 0);
        assert!(lanes.end(soon()));
        fs::remove_dir_all(dir).unwrap();
    }
}
