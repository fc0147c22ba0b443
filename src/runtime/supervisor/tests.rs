//! The order in which plugins begin and end.

use super::*;
use crate::runtime::board::{Board, Identity};
use crate::runtime::plugin::{Line, Turn};
use crate::runtime::status::Status;
use crate::runtime::stop::Woken;
use crossbeam_channel::after;

const SOON: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(100);

type Told = Receiver<String>;
type Deed = Box<dyn FnMut(&Stop, &mut Line, &Teller) -> Turn + Send>;

#[derive(Clone)]
struct Teller(String, Sender<String>);

impl Teller {
    fn say(&self, what: &str) {
        let _ = self.1.send(format!("{} {what}", self.0));
    }
}

/// A plugin whose turns are a closure, and that tells when it is dropped.
struct Scripted(Deed, Teller);

impl Plugin for Scripted {
    fn turn(&mut self, stop: &Stop, line: &mut Line) -> Turn {
        (self.0)(stop, line, &self.1)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.1.say("gone");
    }
}

struct World {
    running: JoinHandle<Ended>,
    board: Board,
    signals: Sender<Signal>,
    told: Told,
}

fn world(options: Options, plugins: Vec<(&str, Kind, Deed)>) -> World {
    let identity = |name: &str, kind| Identity { name: name.into(), kind, owner: "acme".into(), repo: None };
    let (board, cells) = Board::new(plugins.iter().map(|(name, kind, _)| identity(name, *kind)).collect());
    let (tell, told) = unbounded();
    let scripted = plugins.into_iter().map(|(name, _, deed)| {
        Box::new(Scripted(deed, Teller(name.into(), tell.clone()))) as Box<dyn Plugin>
    });
    let supervisor = Supervisor::start(scripted.zip(cells).collect(), options);
    let (signals, heard) = unbounded();
    let running = thread::start("test", move || supervisor.run_until_end(&heard)).unwrap();
    World { running, board, signals, told }
}

impl World {
    fn hear(&self, wanted: &str) {
        assert_eq!(self.told.recv_timeout(SOON).as_deref(), Ok(wanted));
    }

    fn hear_all(&self, wanted: &[&str]) {
        for one in wanted {
            self.hear(one);
        }
    }

    fn end(self) -> Ended {
        let end = Instant::now() + SOON;
        while !self.running.is_finished() && Instant::now() < end {
            let _ = self.told.recv_timeout(Duration::from_millis(5));
        }
        assert!(self.running.is_finished(), "it does not end");
        self.running.join().unwrap()
    }
}

fn options() -> Options {
    Options { once: false, detach_on_term: false, patience: SOON }
}

/// Says `word` on each turn and pauses for ever.
fn idler() -> Deed {
    Box::new(|_, _, teller| {
        teller.say("turn");
        Turn::Pause(Duration::from_hours(1))
    })
}

/// Has a job that runs until the channel gives way or it is interrupted.
fn worker(job: Receiver<()>) -> Deed {
    Box::new(move |stop, line, teller| {
        teller.say("works");
        line.pass();
        match stop.running(&job, SOON) {
            Woken::Stop(_) => teller.say("detaches"),
            _ => teller.say("is done"),
        }
        Turn::Again
    })
}

#[test]
fn first_turns_come_in_the_order_of_the_file() {
    let slow: Deed = Box::new(|_, _, teller| {
        teller.say("begins");
        let _ = after(SHORT).recv();
        teller.say("turn");
        Turn::Pause(SOON)
    });
    let (_job, never_done) = bounded(0);
    let world = world(
        options(),
        vec![
            ("a", Kind::Handler, slow),
            ("b", Kind::Handler, worker(never_done)),
            ("c", Kind::Handler, idler()),
        ],
    );
    world.hear_all(&["a begins", "a turn", "b works", "c turn"]);
    world.signals.send(Signal::Interrupt).unwrap();
    world.signals.send(Signal::Interrupt).unwrap();
    assert_eq!(world.end(), Ended::default());
}

#[test]
fn a_drain_waits_for_the_job_and_the_receivers_end_last() {
    let (job, done) = bounded(1);
    let world = world(options(), vec![("r", Kind::Receiver, idler()), ("h", Kind::Handler, worker(done))]);
    world.hear("r turn");
    world.hear("h works");
    world.signals.send(Signal::Terminate).unwrap();
    assert!(world.told.recv_timeout(SHORT).is_err(), "a drain ends no running job and no receiver");
    job.send(()).unwrap();
    world.hear_all(&["h is done", "h gone", "r gone"]);
    let board = world.board.clone();
    assert_eq!(world.end(), Ended::default());
    assert!(board.snapshot().1.iter().all(|row| row.status == Status::Stopped));
}

#[test]
fn a_drain_shows_from_its_first_moment() {
    let (_job, never_done) = bounded(0);
    let world = world(options(), vec![("h", Kind::Handler, worker(never_done))]);
    world.hear("h works");
    world.signals.send(Signal::Hangup).unwrap();
    world.signals.send(Signal::Interrupt).unwrap();
    let (board, end) = (world.board.clone(), Instant::now() + SOON);
    while board.snapshot().1[0].status != Status::Draining {
        assert!(Instant::now() < end);
        let _ = after(Duration::from_millis(2)).recv();
    }
    world.signals.send(Signal::Interrupt).unwrap();
    assert_eq!(world.end(), Ended::default());
}

#[test]
fn an_interrupt_closes_receivers_first_and_leaves_behind_who_is_stuck() {
    let (_job, never_done) = bounded(0);
    let stuck: Deed = Box::new(|_, line, teller| {
        teller.say("is stuck");
        line.pass();
        let _ = after(Duration::from_mins(1)).recv();
        Turn::Again
    });
    let world = world(
        Options { detach_on_term: true, patience: Duration::from_secs(1), ..options() },
        vec![
            ("h", Kind::Handler, worker(never_done)),
            ("r", Kind::Receiver, idler()),
            ("s", Kind::Handler, stuck),
        ],
    );
    world.hear_all(&["h works", "r turn", "s is stuck"]);
    world.signals.send(Signal::Terminate).unwrap();
    world.hear_all(&["r gone", "h detaches", "h gone"]);
    assert_eq!(world.end(), Ended { faults: 0, left_behind: 1 });
}

#[test]
fn a_panic_or_a_fault_ends_one_plugin_only() {
    let panics: Deed = Box::new(|_, _, _| panic!("this panic belongs to a test"));
    let fails: Deed = Box::new(|_, _, _| Turn::Failed("no anka".into()));
    let world = world(
        options(),
        vec![("p", Kind::Handler, panics), ("f", Kind::Handler, fails), ("h", Kind::Handler, idler())],
    );
    world.hear_all(&["p gone", "f gone", "h turn"]);
    let statuses: Vec<_> = world.board.snapshot().1.iter().map(|row| row.status).collect();
    assert_eq!((statuses[0], statuses[2]), (Status::Stopped, Status::Idle));
    world.signals.send(Signal::Interrupt).unwrap();
    assert_eq!(world.end(), Ended { faults: 2, left_behind: 0 });
}

#[test]
fn run_once_is_one_turn_each_and_receivers_outlive_handlers() {
    let (job, done) = bounded(1);
    let once = Options { once: true, ..options() };
    let world = world(once, vec![("r", Kind::Receiver, idler()), ("h", Kind::Handler, worker(done))]);
    world.hear("r turn");
    world.hear("h works");
    assert!(world.told.recv_timeout(SHORT).is_err());
    job.send(()).unwrap();
    world.hear_all(&["h is done", "h gone", "r gone"]);
    assert_eq!(world.end(), Ended::default());
}

#[test]
fn run_once_of_a_receiver_alone_has_its_turn_and_ends() {
    let world = world(Options { once: true, ..options() }, vec![("r", Kind::Receiver, idler())]);
    world.hear("r turn");
    world.hear("r gone");
    assert_eq!(world.end(), Ended::default());
}
