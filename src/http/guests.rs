//! Who is inside, who stands at the door, and who has to go when the house is full: the eldest who waits.

use std::net::{IpAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::guest::Guest;

/// How often a full house of guests that are all being served is looked at.
const ALL_SERVED: Duration = Duration::from_millis(2);

/// How often a thread that found no descriptor tries again: while nobody is in `accept`, and while somebody is.
const NOBODY_THERE: Duration = Duration::from_millis(50);
const NOT_NEEDED: Duration = Duration::from_secs(1);

/// All guests of one listener.
#[derive(Debug)]
pub struct Guests {
    inside: Mutex<Inside>,
    /// For the doorkeeper.
    change: Condvar,
    /// For threads that found no descriptor.
    room: Condvar,
    places: usize,
    grace: Duration,
    opened: Instant,
    shown_out: AtomicU64,
}

#[derive(Debug, Default)]
struct Inside {
    guests: Vec<Arc<Guest>>,
    /// Guests that were shown out and whose threads have not noticed yet.
    leaving: usize,
    /// Threads in `accept`. (Linux takes a descriptor for each before it waits.)
    standing: usize,
    /// Threads that found no descriptor for their next guest.
    parked: usize,
    closing: bool,
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
            room: Condvar::new(),
            places,
            grace,
            opened: Instant::now(),
            shown_out: AtomicU64::new(0),
        }
    }

    /// A thread goes to `accept`; false once the house closes.
    pub fn stand(&self) -> bool {
        let mut inside = self.lock();
        inside.standing += 1;
        !inside.closing
    }

    /// Its `accept` gave a guest: lets it in; `None` once the house closes.
    pub fn enter(&self, stream: TcpStream, peer: IpAddr) -> Option<Place<'_>> {
        let guest = Arc::new(Guest::new(stream, peer, self.now()));
        let mut inside = self.lock();
        inside.standing -= 1;
        if inside.closing {
            return None;
        }
        inside.guests.push(Arc::clone(&guest));
        self.tell_if_full(&inside);
        if inside.standing == 0 {
            self.room.notify_one();
        }
        Some(Place { guests: self, guest })
    }

    /// Its `accept` failed, most likely for want of a descriptor: it waits until it is needed or may have better luck.
    pub fn park(&self) {
        let mut inside = self.lock();
        inside.standing -= 1;
        if inside.closing {
            return;
        }
        inside.parked += 1;
        self.tell_if_full(&inside);
        let pause = if inside.standing == 0 { NOBODY_THERE } else { NOT_NEEDED };
        inside = self.room.wait_timeout(inside, pause).unwrap_or_else(PoisonError::into_inner).0;
        inside.parked -= 1;
    }

    /// A new request begins: the guest waits from now on. False when it was shown out.
    pub fn waits(&self, guest: &Guest) -> bool {
        guest.wait(self.now())
    }

    /// Every place or descriptor is taken, or the house closes: no guest is served twice now.
    pub fn is_crowded(&self) -> bool {
        let inside = self.lock();
        inside.closing || self.is_full(&inside)
    }

    /// How many were shown out so far.
    pub fn shown_out(&self) -> u64 {
        self.shown_out.load(Ordering::Relaxed)
    }

    /// Nobody comes in and nothing more is read: who waits goes, who has asked goes after the answer, the doorkeeper
    /// leaves.
    pub fn close(&self) {
        let mut inside = self.lock();
        inside.closing = true;
        inside.guests.iter().for_each(|guest| guest.end());
        self.change.notify_all();
        self.room.notify_all();
    }

    /// Those who had their time since [`Guests::close`] and still do not take their answer go without it.
    pub fn hurry(&self) {
        self.lock().guests.iter().for_each(|guest| guest.hurry());
    }

    /// Sleeps until a guest had to be shown out and tells how many were so far; `None` once the house closes.
    pub fn next_shown_out(&self) -> Option<u64> {
        let mut inside = self.lock();
        while !inside.closing {
            inside = match self.next_to_go(&mut inside) {
                Next::Gone => return Some(self.shown_out.fetch_add(1, Ordering::Relaxed) + 1),
                Next::Nobody => self.change.wait(inside).unwrap_or_else(PoisonError::into_inner),
                Next::Later(pause) => {
                    self.change.wait_timeout(inside, pause).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        None
    }

    /// Shows the eldest out if the house is full and its grace is over. Silently: on a kept-alive connection a
    /// text would be taken for the next answer.
    fn next_to_go(&self, inside: &mut Inside) -> Next {
        if !self.is_full(inside) {
            return Next::Nobody;
        }
        let waiting = inside.guests.iter().enumerate();
        let waiting = waiting.filter_map(|(index, guest)| Some((guest.waits_since()?, index)));
        let Some((since, index)) = waiting.min() else { return Next::Later(ALL_SERVED) };
        let left = self.grace.saturating_sub(Duration::from_micros(self.now().saturating_sub(since)));
        if !left.is_zero() {
            return Next::Later(left);
        }
        if !inside.guests[index].show_out(since) {
            return Next::Later(Duration::ZERO); // its request has just become whole
        }
        inside.guests.swap_remove(index);
        inside.leaving += 1;
        Next::Gone
    }

    /// All places are taken, or nobody can be let in for want of descriptors.
    fn is_full(&self, inside: &Inside) -> bool {
        let starved = inside.parked > 0 && inside.standing + inside.leaving == 0;
        inside.guests.len() >= self.places || starved
    }

    fn tell_if_full(&self, inside: &Inside) {
        if self.is_full(inside) {
            self.change.notify_one();
        }
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

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut inside = self.guests.lock();
        match inside.guests.iter().position(|guest| Arc::ptr_eq(guest, &self.guest)) {
            Some(index) => drop(inside.guests.swap_remove(index)),
            None => inside.leaving -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, client)
    }

    fn enter(guests: &Guests) -> Place<'_> {
        assert!(guests.stand());
        guests.enter(pair().0, Ipv4Addr::LOCALHOST.into()).unwrap()
    }

    #[test]
    fn the_eldest_waiting_guest_of_a_full_house_goes() {
        let guests = Guests::new(3, Duration::ZERO);
        let (served, first, second) = (enter(&guests), enter(&guests), enter(&guests));
        assert!(guests.is_crowded() && served.guest.serve());
        assert!(second.guest.wait(1) && first.guest.wait(2));
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Gone));
        assert!(!second.guest.serve() && !guests.waits(&second.guest));
        assert!(guests.waits(&first.guest) && !guests.is_crowded());
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Nobody));
    }

    #[test]
    fn nobody_goes_before_the_grace_is_over_or_while_served() {
        let guests = Guests::new(1, Duration::from_mins(1));
        let place = enter(&guests);
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Later(_)));
        assert!(place.guest.serve());
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Later(ALL_SERVED)));
    }

    #[test]
    fn a_house_without_descriptors_is_full_while_nobody_is_at_the_door() {
        let guests = Guests::new(9, Duration::ZERO);
        guests.lock().parked = 1;
        let first = enter(&guests);
        assert!(guests.stand() && !guests.is_crowded());
        let second = guests.enter(pair().0, Ipv4Addr::LOCALHOST.into()).unwrap();
        assert!(guests.is_crowded() && first.guest.serve());
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Gone));
        assert!(matches!(guests.next_to_go(&mut guests.lock()), Next::Nobody));
        drop(second);
        assert!(guests.is_crowded() && guests.stand() && !guests.is_crowded());
    }

    #[test]
    fn a_parked_thread_is_woken_when_the_last_at_the_door_has_a_guest() {
        let guests = Guests::new(9, Duration::from_secs(9));
        assert!(guests.stand() && guests.stand());
        thread::scope(|threads| {
            let parked = thread::Builder::new().spawn_scoped(threads, || {
                let start = Instant::now();
                guests.park();
                start.elapsed()
            });
            while guests.lock().parked == 0 {
                thread::yield_now();
            }
            let _place = guests.enter(pair().0, Ipv4Addr::LOCALHOST.into()).unwrap();
            assert!(parked.unwrap().join().unwrap() < NOT_NEEDED / 2);
        });
        assert_eq!(guests.lock().parked, 0);
    }

    #[test]
    fn a_closing_house_lets_nobody_in_and_keeps_who_is_served() {
        let guests = Guests::new(9, Duration::ZERO);
        let (served, waiting) = (enter(&guests), enter(&guests));
        assert!(served.guest.serve());
        guests.close();
        assert!(guests.waits(&served.guest) && !guests.waits(&waiting.guest));
        assert!(!guests.stand());
        assert!(guests.enter(pair().0, Ipv4Addr::LOCALHOST.into()).is_none());
    }

    #[test]
    fn a_place_is_free_again_when_its_guest_leaves() {
        let guests = Guests::new(1, Duration::ZERO);
        drop(enter(&guests));
        assert!(!guests.is_crowded());
    }
}
