//! What a written value means, by the kind of its key: one conversion for files, variables and defaults.

mod list;
mod number;
mod path;
pub(super) mod pem;
mod text;
pub(super) mod url;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::keys::{Key, Kind};
use super::node::{Node, Value};
use super::note::Place;
use super::report::Report;
use super::settings::Mount;

/// A value with its meaning.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Real {
    Text(String),
    Flag(bool),
    Whole(u64),
    Decimal(f64),
    Time(Duration),
    Address(IpAddr),
    Path(PathBuf),
    List(Vec<String>),
    Mounts(Vec<Mount>),
}

/// What is wrong with a value, or with an item of it.
#[derive(Debug, PartialEq)]
pub(super) struct Complaint {
    pub place: Place,
    /// What follows the key's path: empty, or `[1]`.
    pub below: String,
    /// Value and remedy.
    pub text: String,
}

const LISTED: &str =
    "is a list, not one value; write a cluster's nodes in one, with commas between: a:7000,b:7001";

/// Converts a value that is set. Structure (database blocks, the list of plugins) is not a value.
pub(super) fn convert(key: &Key, node: &Node, report: &Report) -> Result<Real, Vec<Complaint>> {
    match key.kind {
        Kind::Secrets => list::secrets(node).map(Real::List),
        Kind::Urls => list::urls(node, report).map(Real::List),
        Kind::Mounts => list::mounts(node, report).map(Real::Mounts),
        Kind::Database | Kind::Plugins => Ok(Real::Text(String::new())),
        _ => match &node.value {
            Value::Text(text) => scalar(key, text, report).map_err(|text| vec![complaint(node, text)]),
            Value::List(_) if key.kind == Kind::DatabaseUrl => Err(vec![complaint(node, LISTED.to_owned())]),
            _ => Err(vec![complaint(node, format!("is {}, not one value", node.shape()))]),
        },
    }
}

fn scalar(key: &Key, text: &str, report: &Report) -> Result<Real, String> {
    match key.kind {
        Kind::FolderOrDash if text.trim() == "-" => Ok(Real::Text("-".into())),
        Kind::Folder | Kind::FolderOrDash => path::folder(text, report).map(Real::Path),
        Kind::Program => path::program(text, report).map(Real::Path),
        Kind::File => path::certificates(text, report).map(Real::Path),
        Kind::PrivateKey => pem::read(text, report).map(Real::Text),
        Kind::Secret => text::secret(text).map(Real::Text),
        Kind::Text => text::line(text).map(Real::Text),
        Kind::Name => text::name(text, report).map(Real::Text),
        Kind::GithubName => text::github_name(text, report).map(Real::Text),
        Kind::Choice(words) => text::choice(text, words, report).map(Real::Text),
        Kind::Flag => text::flag(text, report).map(Real::Flag),
        Kind::Hook if text.trim().eq_ignore_ascii_case("app") => Ok(Real::Text("app".into())),
        Kind::Hook => number::hook(text, report).map(Real::Whole),
        Kind::Whole { least, most } => number::whole(text, least, most, key.default, report).map(Real::Whole),
        Kind::Seconds { least } => number::seconds(text, least, key.default, report).map(Real::Time),
        Kind::Millis => number::whole(text, 0, 600_000, key.default, report)
            .map(|ms| Real::Time(Duration::from_millis(ms))),
        Kind::Percent => number::percent(text, report).map(Real::Decimal),
        Kind::Factor => number::factor(text, report).map(Real::Decimal),
        Kind::Address => text::address(text, report).map(Real::Address),
        Kind::GithubUrl { path } => url::github(text, path, report).map(Real::Text),
        Kind::DatabaseUrl => url::database(text).map(|_| Real::Text(text.trim().to_owned())),
        Kind::Secrets | Kind::Urls | Kind::Mounts | Kind::Database | Kind::Plugins => {
            Ok(Real::Text(text.into()))
        }
    }
}

fn complaint(node: &Node, text: String) -> Complaint {
    Complaint { place: node.place.clone(), below: String::new(), text }
}
