//! A logger of ours, as simplelog's combined logger takes them: a level, a form, an outlet.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use log::{Level, LevelFilter, Log, Metadata, Record};
use simplelog::{Config, SharedLogger};

use super::event::{Event, Source, is_ours, level_of};
use super::fields::Fields;
use super::outlet::Outlet;
use super::{json, scope, stamp, terminal};

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Short,
    Dev,
}

/// Renders each record with its thread's fields, and hands it to its outlet.
#[derive(Debug)]
pub(super) struct Logger {
    pub form: Form,
    pub filter: LevelFilter,
    pub version: &'static str,
    pub clock: fn() -> SystemTime,
    pub outlet: Mutex<Outlet>,
}

impl Logger {
    fn render(&self, event: &Event<'_>) -> String {
        match self.form {
            Form::Json => json::line(event),
            Form::Short => terminal::short(event),
            Form::Dev => terminal::dev(event),
        }
    }

    fn event<'a>(&'a self, level: Level, msg: &'a str, fields: &'a Fields, source: Source<'a>) -> Event<'a> {
        let time = stamp::local((self.clock)());
        Event { time, level, msg, version: self.version, fields, source }
    }

    fn lost(&self, lines: u64, reason: &str) -> String {
        let msg = format!("{lines} log lines were dropped: {reason}");
        self.render(&self.event(Level::Warn, &msg, &Fields::new(), Source::default()))
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.filter && (is_ours(metadata.target()) || metadata.level() <= Level::Warn)
    }

    fn log(&self, record: &Record<'_>) {
        let level = level_of(record);
        if !self.enabled(record.metadata()) || level > self.filter {
            return;
        }
        // All that may panic or tell something itself happens before the outlet is locked.
        let (msg, fields) = (record.args().to_string(), scope::current());
        let line = self.render(&self.event(level, &msg, &fields, Source::of(record)));
        let mut outlet = self.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        outlet.put(&line, &fields, |lines, reason| self.lost(lines, reason));
    }

    fn flush(&self) {
        self.outlet.lock().unwrap_or_else(PoisonError::into_inner).flush();
    }
}

impl SharedLogger for Logger {
    fn level(&self) -> LevelFilter {
        self.filter
    }

    fn config(&self) -> Option<&Config> {
        None
    }

    fn as_log(self: Box<Self>) -> Box<dyn Log> {
        self
    }
}
