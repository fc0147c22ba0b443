//! Every value against its key's row: unknown keys, wrong values, values that this version does not act on yet.
//!
//! Works by the tables alone; what several keys mean together is `resolve`'s.

use std::cell::Cell;

use super::keys::{self, Key, Kind, PLUGIN, READY, Row};
use super::node::{Map, Node, Value};
use super::note::Place;
use super::real::{self, Real};
use super::report::Report;
use super::suggest;

/// What is said of a value that a later capability acts on.
pub(super) const NOT_YET: &str = "not yet: it is read and checked, but this version does not act on it";

const UNKNOWN: &str = "is not a key that anklet knows";
/// A file with more unknown keys than this is no configuration of ours, and looking for near ones takes time.
const MOST_SUGGESTIONS: usize = 100;

/// Keys of the Go program that did nothing there either.
const FORGOTTEN: &[&str] = &["workflows"];

/// Checks the whole file.
pub(super) fn check(root: &Map, report: &Report) {
    let top = keys::top_rows();
    let plugin = keys::plugin_rows();
    let walk = Walk { unknown: Cell::new(0), report, top: &top, plugin: &plugin };
    walk.map(root, &top, "", "");
}

struct Walk<'a> {
    unknown: Cell<usize>,
    report: &'a Report,
    top: &'a [Row],
    plugin: &'a [Row],
}

impl Walk<'_> {
    /// `base` leads to the map for people, `inner` within the rows.
    fn map(&self, map: &Map, rows: &[Row], base: &str, inner: &str) {
        for (name, node) in &map.0 {
            let path = format!("{inner}{name}");
            let shown = format!("{base}{name}");
            if let Some(row) = rows.iter().find(|row| row.path == path) {
                self.value(row, node, rows, &shown);
            } else if rows.iter().any(|row| row.path.starts_with(&format!("{path}."))) {
                self.block(node, rows, &shown, &path);
            } else {
                self.unknown(name, node, rows, &shown, inner);
            }
        }
    }

    fn value(&self, row: &Row, node: &Node, rows: &[Row], shown: &str) {
        match row.key.kind {
            Kind::Plugins => self.plugins(node),
            Kind::Database => self.block(node, rows, shown, &row.path),
            _ if node.is_unset() => {}
            _ => match real::convert(row.key, node, self.report) {
                Ok(real) => self.not_yet(row, node, &real, shown),
                Err(complaints) => {
                    for complaint in complaints {
                        let key = format!("{shown}{}", complaint.below);
                        self.report.fault(&complaint.place, &key, complaint.text);
                    }
                }
            },
        }
    }

    /// A block of keys: a mapping, or nothing.
    fn block(&self, node: &Node, rows: &[Row], shown: &str, path: &str) {
        match &node.value {
            Value::Map(map) => self.map(map, rows, &format!("{shown}."), &format!("{path}.")),
            _ if node.is_unset() => {}
            _ => {
                let first =
                    rows.iter().find_map(|row| row.path.strip_prefix(&format!("{path}."))).unwrap_or("key");
                let text =
                    format!("is {}, not a block of keys; write {first}: … indented below it", node.shape());
                self.report.fault(&node.place, shown, text);
            }
        }
    }

    fn plugins(&self, node: &Node) {
        let Some(items) = node.as_list() else {
            if !node.is_unset() {
                let text = format!("is {}, not a list; begin each plugin with - name:", node.shape());
                self.report.fault(&node.place, "plugins", text);
            }
            return;
        };
        for (n, item) in items.iter().enumerate() {
            let shown = format!("plugins[{n}]");
            if let Some(map) = item.as_map() {
                self.map(map, self.plugin, &format!("{shown}."), "");
            } else {
                let text = format!("is {}, not a plugin; write - name: …, and its keys below", item.shape());
                self.report.fault(&item.place, &shown, text);
            }
        }
    }

    fn not_yet(&self, row: &Row, node: &Node, real: &Real, shown: &str) {
        if row.key.follows || READY.contains(&row.key.from) {
            return;
        }
        let default = Node::text(Place::File, row.key.default);
        let is_default =
            !default.is_unset() && real::convert(row.key, &default, self.report).as_ref() == Ok(real);
        if !is_default {
            self.report.warn(&node.place, shown, NOT_YET);
        }
    }

    fn unknown(&self, name: &str, node: &Node, rows: &[Row], shown: &str, inner: &str) {
        let in_plugin = rows.as_ptr() == self.plugin.as_ptr();
        if in_plugin && FORGOTTEN.contains(&name) {
            self.report.info(&node.place, shown, "does nothing, as in earlier versions; it may be removed");
            return;
        }
        let text = match counterpart(name, in_plugin) {
            Some(text) => text,
            None if self.unknown.replace(self.unknown.get() + 1) >= MOST_SUGGESTIONS => UNKNOWN.to_owned(),
            None => {
                format!("{UNKNOWN}; the nearest known one is {}", self.nearest(name, rows, inner, in_plugin))
            }
        };
        self.report.warn(&node.place, &self.report.unknown(shown), text);
    }

    /// Names of the same block come first: of equally near ones they are meant.
    fn nearest(&self, name: &str, rows: &[Row], inner: &str, in_plugin: bool) -> String {
        let beside =
            rows.iter().filter_map(|row| row.path.strip_prefix(inner)).filter(|path| !path.contains('.'));
        let beside = beside.map(|path| (path, path.to_owned()));
        let same_table = rows.iter().map(|row| (row.path.as_str(), row.path.clone()));
        let (other, prefix) = if in_plugin { (self.top, "") } else { (self.plugin, "plugins[].") };
        let farther = other.iter().map(|row| (row.path.as_str(), format!("{prefix}{}", row.path)));
        suggest::nearest(name, beside.chain(same_table).chain(farther))
            .map_or(String::new(), |(_, path)| path)
    }
}

/// A plugin's key at the top lacks its `global_`, and a `global_…` key in a plugin has it in vain.
fn counterpart(name: &str, in_plugin: bool) -> Option<String> {
    let global = |key: &Key| format!("global_{}", key.global);
    let mut keys = PLUGIN.iter().filter(|key| !key.global.is_empty());
    if in_plugin {
        let key = keys.find(|key| global(key) == name)?;
        Some(format!("stands at the top of the file; the nearest known one here is {}", key.name))
    } else {
        let key = keys.find(|key| key.name == name)?;
        Some(format!("stands in a plugin; the nearest known one here is {}", global(key)))
    }
}
