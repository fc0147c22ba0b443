//! scripts/install and scripts/uninstall, in an empty home folder: what they put, keep, refuse and take away.
#![expect(clippy::disallowed_methods, reason = "the scripts are driven from outside")]

pub mod home; // an empty home folder, and a package of its own
mod put; // what is installed, kept and replaced
mod removed; // what uninstall takes away, and when it refuses
mod seen; // daemons, wherever they were started
mod service; // launchd and systemd, played by the test
mod upgrade; // jobs run on while the program is swapped
