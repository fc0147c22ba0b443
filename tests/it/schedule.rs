//! No schedule lets one job be run twice while GitHub counts it once.
//!
//! A schedule is a list of small steps: deliveries in any order and again, handlers that take one step each, lost
//! answers, deaths, leases that end, take-overs. It is played against a GitHub that starts a job once, on one runner,
//! and against a queue: the state table alone, or a real Redis beside it, where a delivery may come between the two
//! calls of a verb. After every step all rules are checked. A schedule that fails is made shorter, and shown.

mod end; // how a turn ends
mod github; // what GitHub knows, and has not told yet
mod handler; // one handler, step by step
mod once; // the tests
mod queue; // the state table alone
mod rules; // what holds after every step
mod shared; // a real Redis beside it
mod stage; // everything together
mod steps; // schedules: made, shortened
mod turn; // a turn, from the claim to the runner
mod watch; // waiting for the start and the end
mod wire; // a wire that lets something happen in between
