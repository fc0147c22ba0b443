//! A handler whose Anka is looked at first: its version and its licence, on the handler's own thread.
//!
//! An Anka that hangs or fails is asked again, for nothing else would take up what the last daemon left running: its
//! service may not be up yet. One that says that it has no licence ends the plugin.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::anka::{Anka, AnkaError, LicenseError};
use crate::plugins::handler::Handler;
use crate::runtime::pace::paced;
use crate::runtime::plugin::{Line, Plugin, Turn};
use crate::runtime::stop::{Stop, Urgency};

/// How long until Anka is asked again; the last for all that follow.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15), Duration::from_mins(1)];
/// Failures in a row that an operator must hear of.
const ALARM: usize = 5;

/// A handler behind the look at Anka.
pub struct Licensed {
    anka: Anka,
    handler: Handler,
    /// There is no licence, and this is why. What an earlier run has left is cleaned up before the plugin ends.
    unlicensed: Option<String>,
    options: Options,
    looked: bool,
    failures: usize,
}

/// How the look is taken.
pub struct Options {
    /// Whether there is a second turn to ask again in; a run-once has none.
    pub patient: bool,
    /// Counts the plugins that this host cannot run.
    pub unusable: Arc<AtomicUsize>,
}

/// Why the look came to nothing.
enum Fault {
    /// It may be otherwise the next time.
    Passing(String),
    /// Somebody must mend it.
    Lasting(String),
    /// A stop came first.
    Stopped,
}

impl Licensed {
    /// `handler`, once `anka` has been looked at.
    pub fn new(anka: Anka, handler: Handler, options: Options) -> Licensed {
        Licensed { anka, handler, unlicensed: None, options, looked: false, failures: 0 }
    }

    /// Why there is no licence that can be used, if there is none.
    fn look(&self, stop: &Stop) -> Result<Option<String>, Fault> {
        let anka = self.anka.until(stop.ends_at(Urgency::Drain));
        let version = anka.version().map_err(|error| sorted(&error, "ask anka for its version"))?;
        let license = match anka.license() {
            Ok(license) => license,
            Err(LicenseError::Anka(why)) => return Err(sorted(&why, "ask anka for its licence")),
            Err(error) => return Ok(Some(format!("failed to use this host's Anka: {error}"))),
        };
        let kind = license.kind.as_deref().unwrap_or("of an unnamed kind");
        log::info!("anka {}, licence {kind}", version.text);
        Ok(None)
    }

    /// Anka deletes VMs without a licence too.
    fn retire(&mut self, why: String) {
        if self.handler.retire() {
            log::warn!("{why}; what an earlier run has left is cleaned up all the same");
        }
        self.unlicensed = Some(why);
    }

    fn failed(&mut self, fault: Fault) -> Turn {
        let why = match fault {
            Fault::Stopped => return Turn::Pause(Duration::ZERO),
            Fault::Lasting(why) => return self.unusable(why),
            Fault::Passing(why) => why,
        };
        if !self.options.patient {
            return Turn::Failed(why);
        }
        let pause = PAUSES[self.failures.min(PAUSES.len() - 1)];
        self.failures += 1;
        if self.failures == ALARM {
            log::error!("{why}; {ALARM} times in a row, and it is tried on each minute");
        } else {
            log::warn!("{why}; it is tried again in {} s", pause.as_secs());
        }
        Turn::Pause(paced(pause))
    }

    fn unusable(&self, why: String) -> Turn {
        self.options.unusable.fetch_add(1, Ordering::SeqCst);
        Turn::Failed(why)
    }
}

impl Plugin for Licensed {
    fn turn(&mut self, stop: &Stop, line: &mut Line) -> Turn {
        if !self.looked && self.unlicensed.is_none() {
            match self.look(stop) {
                Ok(None) => self.looked = true,
                Ok(Some(why)) => self.retire(why),
                Err(fault) => return self.failed(fault),
            }
        }
        let turn = self.handler.turn(stop, line);
        match &self.unlicensed {
            None => turn,
            Some(_) if self.options.patient && matches!(turn, Turn::Again | Turn::Pause(_)) => turn,
            Some(why) => self.unusable(why.clone()),
        }
    }

    fn bell(&self) -> Option<Receiver<()>> {
        if self.looked { self.handler.bell() } else { None }
    }
}

fn sorted(error: &AnkaError, what: &str) -> Fault {
    let why = format!("failed to {what}: {error}");
    match error {
        AnkaError::Stopped => Fault::Stopped,
        AnkaError::NotStarted(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) =>
        {
            Fault::Lasting(why)
        }
        _ => Fault::Passing(why),
    }
}
