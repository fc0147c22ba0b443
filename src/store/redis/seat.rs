//! A handler that waits: what its own thread and the one that hears for it tell each other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::read::Errand;
use crate::runtime::stop::Never;

/// How long a waiter listens at a stretch: its handler looks more often, and a letter makes it listen anew.
pub const STRETCH: Duration = Duration::from_secs(15);
/// How long a handler has to look at the queue before the token that woke it goes on to another.
pub const GRACE: Duration = Duration::from_secs(1);

/// One handler's place in the waiting room.
pub struct Seat {
    state: Mutex<State>,
    bell: Sender<()>,
    looked: (Sender<()>, Receiver<()>),
}

struct State {
    /// Whether the handler waits for work at all, or looks by itself and only wants news of its claim.
    wants_work: bool,
    /// Whether it has found nothing and waits: only then may its waiter take a token.
    idle: bool,
    /// The hops of the token that it was rung for and has not used yet.
    token: Option<u32>,
    /// Whether the waiter listens to the mailbox alone.
    deaf_to_work: bool,
    /// When a pause ends after which there is work.
    due: Option<Instant>,
    closed: Option<Sender<Never>>,
}

/// What a waiter is to listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Whether to the bell too.
    pub work: bool,
    /// For how long.
    pub limit: Duration,
}

impl Seat {
    /// A seat, the bell that hangs there (it rings at once, for what came before), and what ends with the seat.
    pub fn new(wants_work: bool) -> (Seat, Receiver<()>, Receiver<Never>) {
        let (ring, bell) = bounded(1);
        let (close, closing) = bounded(0);
        let state = State {
            wants_work,
            idle: false,
            token: None,
            deaf_to_work: false,
            due: None,
            closed: Some(close),
        };
        let seat = Seat { state: Mutex::new(state), bell: ring, looked: bounded(1) };
        seat.ring();
        (seat, bell, closing)
    }

    /// The handler looks at the queue. Tokens may come from now on: one that comes too late goes on.
    pub fn looks(&self) -> Errand {
        let mut state = self.lock();
        state.idle = state.wants_work;
        Errand { token: state.token.take(), poke: state.idle && state.deaf_to_work }
    }

    /// It has found nothing; `pause`: how long until there may be something.
    pub fn found_nothing(&self, pause: Option<Duration>) {
        self.lock().due = pause.and_then(|pause| Instant::now().checked_add(pause));
        self.nod();
    }

    /// It has a job, or the store is away: it does not wait.
    pub fn is_busy(&self) {
        self.lock().idle = false;
        self.nod();
    }

    /// What to listen to now; `None`: nobody sits here any more.
    pub fn watch(&self) -> Option<Watch> {
        let mut state = self.lock();
        state.closed.as_ref()?;
        state.deaf_to_work = !state.idle;
        let due = state.due.filter(|_| state.idle).map(|due| due.saturating_duration_since(Instant::now()));
        let limit = due.map_or(STRETCH, |left| left.clamp(Duration::from_millis(10), STRETCH));
        Some(Watch { work: state.idle, limit })
    }

    /// Nothing was heard; rings when a pause is over meanwhile.
    pub fn heard_nothing(&self) {
        let over = {
            let mut state = self.lock();
            state.deaf_to_work = false;
            state.due.take_if(|due| *due <= Instant::now()).is_some()
        };
        if over {
            self.ring();
        }
    }

    /// A token was taken: rings, and waits until the handler has looked. Gives back a token that is not used.
    pub fn take(&self, hops: u32) -> Option<u32> {
        {
            let mut state = self.lock();
            state.deaf_to_work = false;
            if !state.idle || state.closed.is_none() {
                return Some(hops);
            }
            state.idle = false;
            state.token = Some(hops);
        }
        if !self.ring() {
            return self.lock().token.take();
        }
        let end = Instant::now() + GRACE;
        while self.lock().token.is_some() && self.looked.1.recv_deadline(end).is_ok() {}
        self.lock().token.take()
    }

    /// Rings; false when nobody will ever hear it.
    pub fn ring(&self) -> bool {
        // A full bell has rung already.
        !matches!(self.bell.try_send(()), Err(TrySendError::Disconnected(())))
    }

    /// The handler has gone.
    pub fn close(&self) {
        self.lock().closed = None;
        self.nod();
    }

    fn nod(&self) {
        let _ = self.looked.0.try_send(());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
