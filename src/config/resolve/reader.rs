//! Reads a block by the names of its keys: what is written here, else what `global_…` says, else the default.
//!
//! Values were checked before: one that cannot be converted has its fault already and reads as its default.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::keys::Key;
use crate::config::node::{Map, Node};
use crate::config::note::Place;
use crate::config::real::{self, Real};
use crate::config::report::Report;
use crate::config::settings::Mount;

/// A block of keys.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    /// The block itself.
    pub own: &'a Map,
    /// Where it begins: the place of faults about what is absent.
    pub place: Place,
    /// Leads to the block, as in `plugins[1].`.
    pub base: String,
    /// The top of the file, where `global_…` keys stand; `None` for a block without such.
    pub globals: Option<&'a Map>,
    /// Its table.
    pub keys: &'static [Key],
    pub report: &'a Report,
}

/// A value that is set.
#[derive(Clone)]
pub(super) struct Written<'a> {
    pub node: &'a Node,
    /// Its whole path.
    pub key: String,
}

impl<'a> Reader<'a> {
    /// What the block itself says.
    pub fn own(&self, name: &str) -> Option<Written<'a>> {
        self.own.at(name).map(|node| Written { node, key: format!("{}{name}", self.base) })
    }

    /// What `global_…` says.
    pub fn global(&self, name: &str) -> Option<Written<'a>> {
        let key = format!("global_{}", self.key(name).filter(|key| !key.global.is_empty())?.global);
        self.globals?.at(&key).map(|node| Written { node, key })
    }

    /// A key at the top that has the same name as one of the block.
    pub fn top(&self, name: &str) -> Option<Written<'a>> {
        self.globals?.at(name).map(|node| Written { node, key: name.to_owned() })
    }

    /// What is written anywhere.
    pub fn written(&self, name: &str) -> Option<Written<'a>> {
        self.own(name).or_else(|| self.global(name))
    }

    pub fn convert(&self, name: &str, written: &Written<'_>) -> Option<Real> {
        real::convert(self.key(name)?, written.node, self.report).ok()
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.real(name).and_then(|real| if let Real::Text(text) = real { Some(text) } else { None })
    }

    pub fn flag(&self, name: &str) -> bool {
        self.real(name) == Some(Real::Flag(true))
    }

    pub fn whole(&self, name: &str) -> Option<u64> {
        self.real(name).and_then(|real| if let Real::Whole(number) = real { Some(number) } else { None })
    }

    pub fn decimal(&self, name: &str) -> f64 {
        self.real(name).map_or(0.0, |real| if let Real::Decimal(number) = real { number } else { 0.0 })
    }

    pub fn time(&self, name: &str) -> Option<Duration> {
        self.real(name).and_then(|real| if let Real::Time(time) = real { Some(time) } else { None })
    }

    pub fn address(&self, name: &str) -> Option<IpAddr> {
        self.real(name).and_then(|real| if let Real::Address(address) = real { Some(address) } else { None })
    }

    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.real(name).and_then(|real| if let Real::Path(path) = real { Some(path) } else { None })
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        self.real(name)
            .map_or(Vec::new(), |real| if let Real::List(items) = real { items } else { Vec::new() })
    }

    /// The global ones first, then the block's own.
    pub fn mounts(&self, name: &str) -> Vec<Mount> {
        [self.global(name), self.own(name)]
            .into_iter()
            .flatten()
            .filter_map(|written| self.convert(name, &written))
            .flat_map(|real| if let Real::Mounts(mounts) = real { mounts } else { Vec::new() })
            .collect()
    }

    /// A fault about a key that must be there and is not.
    pub fn missing(&self, name: &str, remedy: &str) {
        let key = format!("{}{name}", self.base);
        self.report.fault(&self.place, &key, format!("is missing; {remedy}"));
    }

    pub fn fault(&self, about: &Written<'_>, text: impl Into<String>) {
        self.report.fault(&about.node.place, &about.key, text);
    }

    pub fn warn(&self, about: &Written<'_>, text: impl Into<String>) {
        self.report.warn(&about.node.place, &about.key, text);
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        let key = self.keys.iter().find(|key| key.name == name);
        debug_assert!(key.is_some(), "{name} is in no table");
        key
    }

    fn real(&self, name: &str) -> Option<Real> {
        self.written(name).and_then(|written| self.convert(name, &written)).or_else(|| self.default(name))
    }

    fn default(&self, name: &str) -> Option<Real> {
        let key = self.key(name)?;
        let node = Node::text(Place::File, key.default);
        if node.is_unset() { None } else { real::convert(key, &node, self.report).ok() }
    }
}
