//! Memory for bodies: small ones as they come, large ones from one purse and in blocks of their own.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::refusal::Refusal;

/// Up to this size a body is small and costs nothing: the number of places bounds the sum.
const SMALL: usize = 64 << 10;

/// Address space for a large body, of which only what is written takes memory.
/// More than glibc's greatest threshold (32 MiB) goes back to the system when it is freed; below, each of its arenas
/// would keep a body's worth for ever.
const BLOCK: usize = 33 << 20;

/// Bytes that large bodies may still take.
#[derive(Debug)]
pub struct Budget {
    left: AtomicUsize,
}

/// What one body has taken; given back on drop.
#[derive(Debug)]
pub struct Held<'a> {
    budget: &'a Budget,
    taken: usize,
}

impl Budget {
    /// A purse of `bytes`.
    pub fn new(bytes: usize) -> Budget {
        Budget { left: AtomicUsize::new(bytes) }
    }

    /// Nothing taken yet.
    pub fn hold(&self) -> Held<'_> {
        Held { budget: self, taken: 0 }
    }
}

/// Sees to it that `body` can grow to `size` bytes; a large one is moved once and never again.
pub fn make_room(body: &mut Vec<u8>, size: usize) {
    if size <= SMALL {
        body.reserve(size.saturating_sub(body.len()));
    } else if size > body.capacity() {
        body.reserve_exact(size.max(BLOCK) - body.len());
    }
}

impl Held<'_> {
    /// Takes what a body of `size` bytes costs in all.
    /// It is called as the bytes arrive, not when they are announced: an announcement costs an attacker nothing.
    pub fn cover(&mut self, size: usize) -> Result<(), Refusal> {
        if size <= SMALL || size <= self.taken {
            return Ok(());
        }
        let more = size - self.taken;
        let took = self
            .budget
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(more));
        took.map_err(|_| Refusal::Busy("too many large bodies at once"))?;
        self.taken = size;
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_bodies_are_free_large_ones_share_and_give_back() {
        let budget = Budget::new(200 << 10);
        let (mut one, mut two) = (budget.hold(), budget.hold());
        assert!(one.cover(SMALL).is_ok());
        assert_eq!(one.taken, 0);
        assert!(one.cover(150 << 10).is_ok());
        assert!(one.cover(160 << 10).is_ok());
        assert_eq!(two.cover(SMALL + 1), Err(Refusal::Busy("too many large bodies at once")));
        drop(one);
        assert!(two.cover(200 << 10).is_ok());
        drop(two);
        assert_eq!(budget.left.load(Ordering::Relaxed), 200 << 10);
    }

    #[test]
    fn a_large_body_gets_a_block_and_stays_there() {
        let mut body = vec![1; 10];
        make_room(&mut body, SMALL);
        assert!((SMALL..BLOCK).contains(&body.capacity()));
        make_room(&mut body, 2 * SMALL);
        let place = body.as_ptr();
        make_room(&mut body, BLOCK);
        assert_eq!((body.capacity(), body.as_ptr(), &*body), (BLOCK, place, &[1; 10][..]));
    }
}
