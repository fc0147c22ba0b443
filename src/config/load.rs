//! From the command line's and the environment's words to a checked configuration. Creates nothing.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::env::{self, Variables};
use super::keys::{self, Kind, Row};
use super::node::{Map, Node, Value};
use super::note::{Faults, Note, Place};
use super::raw::{self, MAX_BYTES, Written};
use super::real::url;
use super::report::Report;
use super::settings::Config;
use super::{check, resolve};

/// What decides which file is read and how.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// `-c FILE`.
    pub explicit_file: Option<PathBuf>,
    /// The environment, from [`env::read`].
    pub env: Variables,
    /// The user's home folder; `None` or empty: there is none.
    pub home: Option<PathBuf>,
    /// The current folder: relative paths start here.
    pub cwd: PathBuf,
}

/// A configuration without faults, and what is to be said about it.
#[derive(Debug)]
pub struct Checked {
    /// What it means.
    pub config: Config,
    /// To be logged as WARN.
    pub warnings: Vec<Note>,
    /// To be logged as INFO.
    pub infos: Vec<Note>,
}

/// Reads, checks and resolves the configuration; all its faults at once.
pub fn load(inputs: Inputs) -> Result<Checked, Faults> {
    let home = inputs.home.filter(|home| !home.as_os_str().is_empty());
    let source = source(inputs.explicit_file, &inputs.env, home.as_deref())?;
    let aggregates = is_aggregator(&inputs.env);
    let shown = source.as_ref().map_or(String::new(), |source| source.path.display().to_string());
    let whole = |text: String| Faults::one(note(&shown, Place::File, "", text));

    let bytes = match &source {
        Some(source) => read(&inputs.cwd.join(&source.path)),
        None => Err("there is no home folder, so there is no default file; give one with -c FILE".into()),
    };
    let is_default = source.as_ref().is_none_or(|source| source.is_default);
    let bytes = match bytes {
        Ok(bytes) => Some(bytes),
        Err(_) if is_default && aggregates => None,
        Err(why) => return Err(whole(why)),
    };
    let file = source.filter(|_| bytes.is_some()).map(|source| inputs.cwd.join(source.path));
    let bytes = bytes.unwrap_or_default();
    let Written { mut root, broken } = raw::parse(&bytes)
        .map_err(|broken| Faults::one(note(&shown, broken.place, &broken.key, broken.text)))?;
    if root.0.is_empty() && !aggregates {
        return Err(whole("is empty; config/example.yml shows every key".into()));
    }

    env::overlay(&mut root, &inputs.env);
    let report = Report::new(shown, home, inputs.cwd, secrets(&root));
    for broken in broken {
        report.fault(&broken.place, &report.unknown(&broken.key), broken.text);
    }
    env::check_names(&inputs.env, &report);
    check::check(&root, &report);
    // What follows works with plugins that may be wanting: beside faults its warnings would mislead.
    let beside_faults = report.warnings();
    let config = resolve::resolve(&root, &inputs.env, file, &report);
    let (faults, warnings, infos) = report.finish();
    match config {
        Some(config) if faults.is_empty() => Ok(Checked { config, warnings, infos }),
        _ => Err(Faults { faults, warnings: beside_faults }),
    }
}

struct Source {
    path: PathBuf,
    /// Named by nobody: it may be missing when the environment says all.
    is_default: bool,
}

/// `-c FILE`, else `ANKLET_CONFIG_FILE_NAME` or `config.yml` in the home folder.
fn source(explicit: Option<PathBuf>, env: &Variables, home: Option<&Path>) -> Result<Option<Source>, Faults> {
    if let Some(path) = explicit {
        return Ok(Some(Source { path, is_default: false }));
    }
    let variable = "ANKLET_CONFIG_FILE_NAME";
    let named = env.get(variable).map(|name| name.trim()).filter(|name| !name.is_empty());
    if let Some(name) = named.filter(|name| name.contains('/') || matches!(*name, "." | "..")) {
        let text = format!(
            "\"{name}\" is not a file's name; write a name in ~/.config/anklet, or give a path with -c"
        );
        return Err(Faults::one(note("", Place::Variable(variable.into()), "", text)));
    }
    let folder = home.map(|home| home.join(".config").join("anklet"));
    let is_default = named.is_none();
    Ok(folder.map(|folder| Source { path: folder.join(named.unwrap_or("config.yml")), is_default }))
}

fn is_aggregator(env: &Variables) -> bool {
    let value = env.get("ANKLET_METRICS_AGGREGATOR").map_or("", |value| value.trim());
    ["true", "yes", "on", "1"].iter().any(|yes| yes.eq_ignore_ascii_case(value))
}

/// At most one byte more than a configuration may have: the rest of an endless file is left.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "is not there; config/example.yml shows what to write".to_owned(),
        ErrorKind::PermissionDenied => "cannot be read by this user; change its owner or mode".to_owned(),
        ErrorKind::IsADirectory => "is a folder; name the file in it".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    let file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

fn note(file: &str, place: Place, key: &str, text: String) -> Note {
    Note { file: file.to_owned(), place, key: key.to_owned(), text }
}

/// Every secret that was written, so that no note shows one that slipped into another value.
fn secrets(root: &Map) -> Vec<String> {
    let mut found = Vec::new();
    gather(root, &keys::top_rows(), "", &mut found);
    for plugin in root.at("plugins").and_then(Node::as_list).unwrap_or_default() {
        if let Some(map) = plugin.as_map() {
            gather(map, &keys::plugin_rows(), "", &mut found);
        }
    }
    found
}

fn gather(map: &Map, rows: &[Row], base: &str, found: &mut Vec<String>) {
    for (name, node) in &map.0 {
        let path = format!("{base}{name}");
        let kind = rows.iter().find(|row| row.path == path).map(|row| row.key.kind);
        match (&node.value, kind) {
            (Value::Map(inner), _) => gather(inner, rows, &format!("{path}."), found),
            (Value::Text(text), Some(Kind::Secret | Kind::Secrets)) => found.push(text.trim().to_owned()),
            (Value::Text(text), Some(Kind::DatabaseUrl)) => {
                found.extend(url::database(text).ok().and_then(|parts| parts.password));
            }
            (Value::List(items), Some(Kind::Secrets)) => {
                found.extend(items.iter().filter_map(Node::as_text).map(|text| text.trim().to_owned()));
            }
            _ => {}
        }
    }
}
