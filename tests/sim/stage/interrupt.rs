//! The user's Ctrl+C: counted, and left to whoever plays to act on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How often the user wanted an end.
#[derive(Clone)]
pub struct Interrupt {
    presses: Arc<AtomicUsize>,
    terminated: Arc<AtomicBool>,
}

impl Interrupt {
    /// From here on SIGINT, SIGTERM and SIGHUP end nothing by themselves.
    pub fn listen() -> Result<Self, String> {
        let presses = Arc::new(AtomicUsize::new(0));
        let terminated = Arc::new(AtomicBool::new(false));
        let counted = Arc::clone(&presses);
        ctrlc::set_handler(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        })
        .map_err(|e| format!("signals: {e}"))?;
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&terminated))
                .map_err(|e| format!("signals: {e}"))?;
        }
        Ok(Self { presses, terminated })
    }

    pub fn presses(&self) -> usize {
        self.presses.load(Ordering::Relaxed) + usize::from(self.terminated.load(Ordering::Relaxed))
    }
}
