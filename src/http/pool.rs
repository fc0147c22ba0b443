//! Things that many threads borrow, each for a while: whoever waits longest is next, and nobody waits for ever.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};

/// The things that are not lent out now.
#[derive(Debug)]
pub struct Pool<T> {
    give: Sender<T>,
    take: Receiver<T>,
}

/// One borrowed thing; returned on drop.
#[derive(Debug)]
pub struct Loan<'a, T> {
    pool: &'a Pool<T>,
    /// `None` only while it is dropped.
    thing: Option<T>,
}

impl<T> Pool<T> {
    /// Room for as many things as `things` holds.
    pub fn of(things: Vec<T>) -> Pool<T> {
        let (give, take) = bounded(things.len());
        for thing in things {
            let _ = give.send(thing);
        }
        Pool { give, take }
    }

    /// Waits for a thing until `deadline`.
    pub fn borrow(&self, deadline: Instant) -> Option<Loan<'_, T>> {
        let thing = self.take.recv_deadline(deadline).ok()?;
        Some(Loan { pool: self, thing: Some(thing) })
    }

    /// Takes for good what is not lent out now.
    pub fn empty(&self) -> Vec<T> {
        self.take.try_iter().collect()
    }
}

impl<T> Deref for Loan<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("a loan has its thing until it is dropped")
    }
}

impl<T> DerefMut for Loan<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("a loan has its thing until it is dropped")
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        if let Some(thing) = self.thing.take() {
            let _ = self.pool.give.try_send(thing);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thing_is_lent_once_and_comes_back() {
        let pool = Pool::of(vec![1]);
        let soon = || Instant::now() + Duration::from_millis(5);
        let mut loan = pool.borrow(soon()).unwrap();
        *loan += 1;
        assert!(pool.borrow(soon()).is_none());
        drop(loan);
        assert_eq!(*pool.borrow(soon()).unwrap(), 2);
        assert_eq!(pool.empty(), [2]);
    }
}
