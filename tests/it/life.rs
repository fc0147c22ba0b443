//! The state table, cell by cell, judged by what its page says and not by how it is written.

mod approval; // a person must agree first
mod crossing; // a VM's runner takes another job than its own
pub mod dice; // chance from a printed seed
mod giving_back; // attempts, pauses, "not here"
pub mod model; // a queue as small as it can be
mod orders; // deliveries that come late, twice, in any order
mod random; // a long simulated day, from a printed seed
mod table; // every state by every event
