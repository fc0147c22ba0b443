//! Hosts that share one queue in one Redis, through the real binary.

mod alone; // what only several hosts can show
mod away; // frozen, refusing, through TLS, a cluster; and what idling costs
mod chaos; // blows at random moments, from a printed seed
mod hosts; // what one host does for another
mod plan; // what happens to whom, and when
mod rows; // what holds on one host holds on two
mod verdict; // every job once, nothing left
