//! The doorkeeper: asleep until the house is full, then it shows guests out and tells the operator.
//!
//! The guest that took the last place must not do this itself: with a whole request in hand it would wait for the
//! grace of another, and so would everybody after it.

use std::time::{Duration, Instant};

use super::guests::Guests;
use crate::runtime::meters;

/// How often an operator is told of guests shown out.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// The doorkeeper's work; ends when the house of `name` closes.
pub fn keep(guests: &Guests, name: &str) {
    meters::SHOWN_OUT.begin(&[name]);
    let mut told: Option<Instant> = None;
    let mut before = 0;
    while let Some(count) = guests.next_shown_out() {
        meters::SHOWN_OUT.add(&[name]);
        if told.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            log::warn!(
                "the house of {name} is full: {} slow or silent clients were shown out",
                count - before
            );
            (told, before) = (Some(Instant::now()), count);
        }
    }
}
