//! Who is inside, and the doorkeeper: asleep until the house is full, then it shows out the eldest who waits.
//!
//! The guest that took the last place must not do this itself: with a whole request in hand it would wait for the
//! grace of another, and so would everybody after it.

use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// States of a guest; any other number is the time since which it waits, in microseconds.
const SERVED: u64 = u64::MAX;
const GONE: u64 = u64::MAX - 1;

/// How often a full house of guests that are all being served is looked at.
const ALL_SERVED: Duration = Duration::from_millis(2);

/// How often an operator is told of guests shown out.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// All guests of one listener.
#[derive(Debug)]
pub struct Guests {
    inside: Mutex<Inside>,
    change: Condvar,
    places: usize,
    grace: Duration,
    opened: Instant,
    shown_out: AtomicU64,
}

#[derive(Debug, Default)]
struct Inside {
    guests: Vec<Arc<Guest>>,
    /// The process has no descriptor left: as good as a full house.
    starved: bool,
    closing: bool,
}

/// One connection.
#[derive(Debug)]
pub struct Guest {
    /// Read and written by the guest's own thread, shut down by the doorkeeper.
    pub stream: TcpStream,
    /// Who is at the other end.
    pub peer: IpAddr,
    state: AtomicU64,
}

/// A guest's place; free again on drop.
pub struct Place<'a> {
    guests: &'a Guests,
    pub guest: Arc<Guest>,
}

impl Guests {
    /// An empty house.
    pub fn new(places: usize, grace: Duration) -> Guests {
        Guests {
            inside: Mutex::default(),
            change: Condvar::new(),
            places,
            grace,
            opened: Instant::now(),
            shown_out: AtomicU64::new(0),
        }
    }

    /// Lets a guest in; `None` once the house closes.
    pub fn enter(&self, stream: TcpStream, peer: IpAddr) -> Option<Place<'_>> {
        let guest = Arc::new(Guest { stream, peer, state: AtomicU64::new(self.now()) });
        let mut inside = self.lock();
        if inside.closing {
            return None;
        }
        inside.guests.push(Arc::clone(&guest));
        if inside.guests.len() >= self.places {
            self.change.notify_one();
        }
        Some(Place { guests: self, guest })
    }

    /// A new request begins: the guest waits from now on. False when it was shown out.
    pub fn waits(&self, guest: &Guest) -> bool {
        guest.turn(self.now())
    }

    /// The request is whole: the guest cannot be shown out until it waits again. False when it was shown out.
    pub fn is_served(guest: &Guest) -> bool {
        guest.turn(SERVED)
    }

    /// Every place is taken, or the house closes: no guest is served twice now.
    pub fn is_crowded(&self) -> bool {
        let inside = self.lock();
        inside.closing || inside.guests.len() >= self.places
    }

    /// `accept` failed, most likely for want of descriptors: one guest must go.
    pub fn starve(&self) {
        self.lock().starved = true;
        self.change.notify_one();
    }

    /// How many were shown out so far.
    pub fn shown_out(&self) -> u64 {
        self.shown_out.load(Ordering::Relaxed)
    }

    /// Whether the house closes.
    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Nobody comes in and nothing more is read: who waits goes, who has asked goes after the answer, the doorkeeper
    /// leaves.
    pub fn close(&self) {
        let mut inside = self.lock();
        inside.closing = true;
        for guest in &inside.guests {
            guest.show_out_before(GONE);
            let _ = guest.stream.shutdown(Shutdown::Read);
        }
        self.change.notify_all();
    }

    /// Those who had their time since [`Guests::close`] and still do not take their answer go without it.
    pub fn hurry(&self) {
        for guest in self.lock().guests.iter().filter(|guest| guest.state() != SERVED) {
            let _ = guest.stream.shutdown(Shutdown::Both);
        }
    }

    /// The doorkeeper's work; ends when the house closes.
    pub fn keep_door(&self, name: &str) {
        let mut told = Told::default();
        let mut inside = self.lock();
        while !inside.closing {
            inside = match self.next_to_go(&mut inside) {
                Next::Nobody => self.change.wait(inside).unwrap_or_else(PoisonError::into_inner),
                Next::Later(pause) => {
                    self.change.wait_timeout(inside, pause).unwrap_or_else(PoisonError::into_inner).0
                }
                Next::Gone => {
                    let count = self.shown_out.fetch_add(1, Ordering::Relaxed) + 1;
                    drop(inside);
                    told.tell(name, count);
                    self.lock()
                }
            };
        }
    }

    /// Shows the eldest out if the house is full and its grace is over. Silently: on a kept-alive connection a
    /// text would be taken for the next answer.
    fn next_to_go(&self, inside: &mut Inside) -> Next {
        inside.starved &= !inside.guests.is_empty();
        if inside.guests.len() < self.places && !inside.starved {
            return Next::Nobody;
        }
        let eldest = inside.guests.iter().enumerate().min_by_key(|(_, guest)| guest.state());
        let Some((index, since)) = eldest.map(|(i, guest)| (i, guest.state())).filter(|(_, s)| *s < GONE)
        else {
            return Next::Later(ALL_SERVED);
        };
        let left = self.grace.saturating_sub(Duration::from_micros(self.now().saturating_sub(since)));
        if !left.is_zero() {
            return Next::Later(left);
        }
        if !inside.guests[index].show_out_before(since + 1) {
            return Next::Later(Duration::ZERO);
        }
        let _ = inside.guests.swap_remove(index).stream.shutdown(Shutdown::Both);
        inside.starved = false;
        Next::Gone
    }

    fn now(&self) -> u64 {
        self.opened.elapsed().as_micros() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the doorkeeper does next.
enum Next {
    Nobody,
    Later(Duration),
    Gone,
}

impl Guest {
    fn state(&self) -> u64 {
        self.state.load(Ordering::Relaxed)
    }

    fn turn(&self, to: u64) -> bool {
        let turned = self
            .state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| (state != GONE).then_some(to));
        turned.is_ok()
    }

    /// Marks it as gone if it has waited since before `time`.
    fn show_out_before(&self, time: u64) -> bool {
        let turned = self
            .state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| (state < time).then_some(GONE));
        turned.is_ok()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.guests.lock().guests.retain(|guest| !Arc::ptr_eq(guest, &self.guest));
    }
}

/// What the operator knows already.
#[derive(Default)]
struct Told {
    at: Option<Instant>,
    count: u64,
}

impl Told {
    fn tell(&mut self, name: &str, count: u64) {
        if self.at.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            let more = count - self.count;
            log::warn!("the house of {name} is full: {more} slow or silent clients were shown out");
            *self = Told { at: Some(Instant::now()), count };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, client)
    }

    fn enter(guests: &Guests) -> Place<'_> {
        guests.enter(pair().0, Ipv4Addr::LOCALHOST.into()).unwrap()
    }

    #[test]
    fn the_eldest_waiting_guest_of_a_full_house_goes() {
        let guests = Guests::new(3, Duration::ZERO);
        let (served, first, second) = (enter(&guests), enter(&guests), enter(&guests));
        assert!(guests.is_crowded() && Guests::is_served(&served.guest));
        second.guest.turn(1);
        first.guest.turn(2);
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Gone));
        assert!(!Guests::is_served(&second.guest) && !guests.waits(&second.guest));
        assert!(guests.waits(&first.guest) && !guests.is_crowded());
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Nobody));
    }

    #[test]
    fn nobody_goes_before_the_grace_is_over_or_while_served() {
        let guests = Guests::new(1, Duration::from_mins(1));
        let place = enter(&guests);
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Later(_)));
        assert!(Guests::is_served(&place.guest));
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Later(ALL_SERVED)));
    }

    #[test]
    fn a_starved_house_is_full_until_one_has_gone() {
        let guests = Guests::new(9, Duration::ZERO);
        guests.starve();
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Nobody));
        let (_one, _two) = (enter(&guests), enter(&guests));
        guests.starve();
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Gone));
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Nobody));
    }

    #[test]
    fn a_closing_house_lets_nobody_in_and_keeps_who_is_served() {
        let guests = Guests::new(9, Duration::ZERO);
        let (served, waiting) = (enter(&guests), enter(&guests));
        assert!(Guests::is_served(&served.guest));
        guests.close();
        assert!(guests.waits(&served.guest) && !guests.waits(&waiting.guest));
        assert!(guests.enter(pair().0, Ipv4Addr::LOCALHOST.into()).is_none());
    }

    #[test]
    fn a_place_is_free_again_when_its_guest_leaves() {
        let guests = Guests::new(1, Duration::ZERO);
        drop(enter(&guests));
        assert!(!guests.is_crowded());
    }
}
