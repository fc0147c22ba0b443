//! What the process counts and times, for the metrics page.
//!
//! As with the log, there is one of each in a process: whoever does something counts it where it happens, and the page
//! reads them all. Each is a `static` in [`list`], so that a reader finds every name in one place.
//! Labels are bounded: what does not fit among a family's first series is counted as `other`.

mod counter;
mod histogram;
mod list;

pub use counter::{Counter, Series};
pub use histogram::{Histogram, Measured, Timer};
pub use list::*;
