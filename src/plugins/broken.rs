//! A plugin that cannot work on this host: it says why, is shown as stopped, and leaves the others alone.

use crate::runtime::plugin::{Line, Plugin, Turn};
use crate::runtime::stop::Stop;

/// The plugin in whose place another cannot be.
pub struct Broken {
    why: String,
}

impl Broken {
    /// With the reason, for the operator.
    pub fn new(why: String) -> Broken {
        Broken { why }
    }
}

impl Plugin for Broken {
    fn turn(&mut self, _stop: &Stop, _line: &mut Line) -> Turn {
        Turn::Failed(self.why.clone())
    }
}
