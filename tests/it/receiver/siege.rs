//! Attacks on the open port.
