//! One plugin: what it is, whose jobs it takes, which queue it shares.

use super::reader::Reader;
use super::{credentials, database, github, handler, receiver};
use crate::config::keys::{PLUGIN, UsedBy};
use crate::config::node::{Map, Node};
use crate::config::plugin::{Common, Credentials, Github, Plugin};
use crate::config::report::Report;
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;

/// A plugin as it was written and, when it has no faults, as it is meant.
pub(super) struct Resolved<'a> {
    pub reader: Reader<'a>,
    pub plugin: Option<Plugin>,
}

/// All plugins, in the order of the file.
pub(super) fn resolve_all<'a>(root: &'a Map, report: &'a Report) -> Vec<Resolved<'a>> {
    let items = root.at("plugins").and_then(Node::as_list).unwrap_or_default();
    let blocks = items.iter().enumerate().filter_map(|(n, item)| Some((n, item, item.as_map()?)));
    blocks
        .map(|(n, item, own)| {
            let base = format!("plugins[{n}].");
            let reader =
                Reader { own, place: item.place.clone(), base, globals: Some(root), keys: PLUGIN, report };
            let plugin = resolve(root, &reader);
            Resolved { reader, plugin }
        })
        .collect()
}

fn resolve(root: &Map, reader: &Reader<'_>) -> Option<Plugin> {
    if reader.own("name").is_none() {
        reader.missing("name", "write a name of your own, e.g. RUNNER1");
    }
    let kind = reader.text("plugin");
    if reader.own("plugin").is_none() {
        reader.missing("plugin", "write github_receiver or github");
    }
    let (common, is_whole) = common(root, reader);
    let plugin = if kind? == "github_receiver" {
        warn_of_others(reader, UsedBy::Receiver, "a receiver");
        receiver::say_how_many(reader);
        receiver::resolve(reader, common).map(Plugin::Receiver)
    } else {
        warn_of_others(reader, UsedBy::Handler, "a handler");
        if common.credentials == Credentials::None {
            reader.missing(
                "token",
                "write token (or private_key with app_id) here, or global_token at the top",
            );
        }
        Some(Plugin::Handler(handler::resolve(reader, common)))
    };
    plugin.filter(|_| is_whole)
}

/// All parts are looked at before a fault ends it, so that each part's faults are said.
/// False: a part has a fault, which was reported, and something stands in its place.
fn common(root: &Map, reader: &Reader<'_>) -> (Common, bool) {
    let scope = scope(reader);
    let is_enterprise = reader.own("enterprise").is_some();
    let credentials = credentials::resolve(reader, is_enterprise);
    let database = database::resolve(root, reader.own, "database", &reader.base, reader.report);
    let github = github::resolve(reader);
    let name = reader.text("name");
    let is_whole = name.is_some() && scope.is_some() && credentials.is_some();
    let scope = scope.unwrap_or_else(|| Scope::Organization { owner: String::new() });
    let common = Common {
        name: name.unwrap_or_default(),
        sleep_interval: reader.time("sleep_interval").filter(|pause| !pause.is_zero()),
        // In the place of faulty ones: credentials that are there, so that they are not missed as well.
        credentials: credentials.unwrap_or_else(|| Credentials::Token(Secret::new(""))),
        queue: queue(reader, &scope, &github),
        database,
        github,
        scope,
    };
    (common, is_whole)
}

fn scope(reader: &Reader<'_>) -> Option<Scope> {
    if reader.own("enterprise").is_some() {
        let beside: Vec<_> = ["owner", "repo"].into_iter().filter_map(|name| reader.own(name)).collect();
        for other in &beside {
            reader.fault(other, "cannot stand beside enterprise; keep one of the two");
        }
        return reader.text("enterprise").map(|slug| Scope::Enterprise { slug });
    }
    if reader.own("owner").is_none() {
        reader.missing("owner", "write the user or organization whose jobs these are");
    }
    let owner = reader.text("owner")?;
    match reader.own("repo") {
        None => Some(Scope::Organization { owner }),
        Some(_) => Some(Scope::Repository { owner, repo: reader.text("repo")? }),
    }
}

/// The owner in lower case, behind the GitHub host where that is not github.com. A name of one's own is taken as
/// written, but `enterprise:SLUG` names the queue that an enterprise's handler has by default.
fn queue(reader: &Reader<'_>, scope: &Scope, github: &Github) -> String {
    let default = match scope {
        Scope::Enterprise { slug } => format!("enterprise:{slug}"),
        _ => scope.owner_name().to_owned(),
    };
    let name = match reader.text("queue_name") {
        Some(name) if !name.to_ascii_lowercase().starts_with("enterprise:") => return name,
        Some(name) => name,
        None => default,
    };
    let name = name.to_ascii_lowercase();
    github::queue_host(github).map_or(name.clone(), |host| format!("{host}/{name}"))
}

/// Keys of the other kind of plugin are not wrong, but they do nothing.
fn warn_of_others(reader: &Reader<'_>, kind: UsedBy, called: &str) {
    let others = PLUGIN.iter().filter(|key| key.used_by != UsedBy::All && key.used_by != kind);
    for written in others.filter_map(|key| reader.own(key.name)) {
        reader.warn(&written, format!("does nothing for {called}; remove it"));
    }
}
