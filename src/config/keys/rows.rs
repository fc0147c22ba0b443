//! The tables unfolded: one row for each way to write a key.

use super::{DATABASE, Key, Kind, PLUGIN, TOP};

/// A key as it is written at one place, with its variable.
#[derive(Clone, Debug)]
pub struct Row {
    /// Path from the top of the file, or from the plugin.
    pub path: String,
    /// The environment variable; empty: none. For a plugin's key, what follows the prefix.
    pub variable: String,
    /// The table's row.
    pub key: &'static Key,
}

/// Everything that may stand at the top: own keys, `global_…`, and the aggregator's database block.
pub fn top_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for key in TOP {
        rows.push(top_row(key.name.to_owned(), key));
        if key.kind == Kind::Database {
            rows.extend(DATABASE.iter().map(|k| top_row(format!("{}.{}", key.name, k.name), k)));
        }
    }
    for key in PLUGIN.iter().filter(|key| !key.global.is_empty()) {
        rows.push(top_row(format!("global_{}", key.global), key));
    }
    rows.extend(DATABASE.iter().map(|key| top_row(format!("global_database_{}", key.name), key)));
    rows
}

/// Everything that may stand in a plugin, with what follows the prefix in its variable.
pub fn plugin_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for key in PLUGIN {
        rows.push(plugin_row(key.name.to_owned(), key));
        if key.kind == Kind::Database {
            rows.extend(DATABASE.iter().map(|k| plugin_row(format!("{}.{}", key.name, k.name), k)));
        }
    }
    rows
}

/// The variables of a plugin with this prefix.
pub fn plugin_variables(prefix: &str) -> impl Iterator<Item = String> {
    plugin_rows()
        .into_iter()
        .filter(|row| !row.variable.is_empty())
        .map(move |row| format!("{prefix}_{}", row.variable))
}

/// What a plugin's variables begin with: its name in capitals, `_` for all but letters and digits.
pub fn prefix(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn top_row(path: String, key: &'static Key) -> Row {
    let variable = match (key.kind, key.variable) {
        (Kind::Database | Kind::Plugins, _) => String::new(),
        (_, "") => format!("ANKLET_{}", capitals(&path)),
        (_, own) => own.to_owned(),
    };
    Row { path, variable, key }
}

fn plugin_row(path: String, key: &'static Key) -> Row {
    let variable = match key.kind {
        Kind::Database | Kind::Name => String::new(),
        _ => capitals(&path),
    };
    Row { path, variable, key }
}

fn capitals(path: &str) -> String {
    path.to_ascii_uppercase().replace('.', "_")
}
