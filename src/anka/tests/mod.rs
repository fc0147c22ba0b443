//! The calls against small bash scripts that stand in for `anka` and lie, hang, flood and die.
#![expect(clippy::disallowed_methods, reason = "the tests' own set-up starts programs and sleeps")]

mod ends; // how children end, and what they leave
mod pulls; // registry and pull
mod runs; // commands inside a VM
mod vms; // the calls on VMs
mod world; // a folder with an `anka` of its own
