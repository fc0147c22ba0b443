//! The `anklet` binary: says what to run and turns the outcome into an exit code.

fn main() {}
