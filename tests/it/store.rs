//! One conformance suite over every store, and what the embedded one must live through.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing there")]

mod bells; // who is woken
mod damage; // locked, full, damaged, removed, newer
mod flat; // what stands in front costs nothing
mod look; // what people see of each
mod memos; // what plugins remember beside jobs
mod processes; // several daemons on one file, and their deaths
mod pulse; // whose claims are abandoned
pub mod random; // any store against the state table, from a printed seed
mod repeated; // lost answers
mod verbs; // each verb, once and twice
pub mod world; // stores to test
