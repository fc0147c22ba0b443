//! `anklet healthcheck`: asks the daemon of a configuration whether it is ready. For containers and scripts.

use std::time::Duration;

use crate::app::exit::Exit;
use crate::app::metrics_address;
use crate::config::{Checked, Faults};
use crate::http::fetch::Fetcher;
use crate::metrics::health;

/// Containers wait 30 s by default.
const DEADLINE: Duration = Duration::from_secs(5);
const LONGEST: u64 = 64 << 10;

/// Ready: 0, and silence; else 1, and why on standard error.
pub fn healthcheck(loaded: &Result<Checked, Faults>) -> Exit {
    let addr = match loaded {
        Ok(checked) => metrics_address(&checked.config),
        Err(faults) => {
            eprintln!("{faults}");
            return Exit::Configuration;
        }
    };
    let why = match Fetcher::new(DEADLINE, LONGEST).get(&format!("http://{addr}{}", health::READY)) {
        Ok(page) => match health::heard(page.status, &page.body) {
            Some(reasons) if reasons.is_empty() => return Exit::Done,
            Some(reasons) => reasons.join("; "),
            None => format!("what answers at {addr} (status {}) is no anklet", page.status),
        },
        Err(why) => format!("nobody answers for the daemon at {addr}: {why}"),
    };
    eprintln!("anklet: not ready: {why}");
    Exit::PluginFault
}
