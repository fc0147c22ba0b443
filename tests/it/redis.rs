//! What a store of its own server must live through: waiting, outages, races, a long queue, other versions.

mod cluster; // slots that move, nodes that die
mod cost; // commands and bytes, whatever the queue's length
mod idle; // what those cost that have nothing to do
mod leases; // claims whose host is gone, late, or alive
mod leaving; // a stop while it is frozen
mod lost; // answers that never come, from a printed seed
mod outage; // gone, frozen, full, refusing
mod races; // many at once
pub mod tls; // certificates
mod versions; // newer and older records
mod waiting; // who is woken, by what, and how fast
mod words; // what an operator reads of a server that is not as the configuration says
