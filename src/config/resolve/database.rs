//! Which database a plugin or the aggregator uses. The global block wins as a whole once it has an address.

use super::reader::{Reader, Written};
use crate::config::database::{Database, Redis, Tls};
use crate::config::keys::DATABASE;
use crate::config::node::{Map, Node};
use crate::config::note::Place;
use crate::config::real::url::{self, DatabaseUrl};
use crate::config::report::Report;
use crate::domain::secret::Secret;

const GLOBAL: &str = "global_database_";

/// The database of the block at `path` in `own`, unless the global one has an address.
pub(super) fn resolve(root: &Map, own: &Map, path: &str, base: &str, report: &Report) -> Database {
    let global = global_block(root);
    if let Some(address) = global.at("url") {
        return of_block(&block(&global, address.place.clone(), GLOBAL, report));
    }
    let Some(node) = own.at(path) else { return Database::Embedded };
    let Some(map) = node.as_map() else { return Database::Embedded };
    of_block(&block(map, node.place.clone(), &format!("{base}{path}."), report))
}

/// `global_database_…` without an address does nothing, which is hardly meant.
pub(super) fn check_globals(root: &Map, report: &Report) {
    let global = global_block(root);
    if global.at("url").is_none()
        && let Some((name, node)) = global.0.iter().find(|(_, node)| !node.is_unset())
    {
        report.warn(&node.place, &format!("{GLOBAL}{name}"), "does nothing without global_database_url");
    }
}

fn global_block(root: &Map) -> Map {
    let entries =
        root.0.iter().filter_map(|(name, node)| Some((name.strip_prefix(GLOBAL)?.to_owned(), node.clone())));
    Map(entries.collect())
}

fn block<'a>(own: &'a Map, place: Place, base: &str, report: &'a Report) -> Reader<'a> {
    Reader { own, place, base: base.to_owned(), globals: None, keys: DATABASE, report }
}

fn of_block(reader: &Reader<'_>) -> Database {
    if !reader.flag("enabled") {
        return Database::Embedded;
    }
    let Some(address) = reader.own("url") else {
        if reader.own("enabled").is_some() {
            reader.missing("url", "write the host of Redis, e.g. localhost");
        } else if reader.own.0.iter().any(|(_, node)| !node.is_unset()) {
            reader.report.warn(&reader.place, reader.base.trim_end_matches('.'), "does nothing without url");
        }
        return Database::Embedded;
    };
    let parts = address.node.as_text().and_then(|text| url::database(text).ok()).unwrap_or_default();
    Database::Redis(redis(reader, parts))
}

fn redis(reader: &Reader<'_>, parts: DatabaseUrl) -> Redis {
    if let [(_, port)] = parts.hosts.as_slice() {
        agree(reader, "port", port.map(u64::from));
    }
    agree(reader, "database", parts.database);
    let database = parts.database.or(reader.whole("database")).unwrap_or_default();
    let cluster_mode = reader.flag("cluster_mode");
    if cluster_mode && database != 0 {
        let about = reader.own("database").or_else(|| reader.own("url"));
        if let Some(about) = about {
            reader.fault(&about, "a cluster has database 0 only; write 0, or no cluster_mode");
        }
    }
    if let Some(url) = reader.own("url").filter(|_| parts.hosts.len() > 1 && !cluster_mode) {
        reader.fault(
            &url,
            "names several hosts, which only a cluster has; keep one, or write cluster_mode: true",
        );
    }
    let usual_port = reader.whole("port").unwrap_or_default() as u16;
    Redis {
        nodes: parts.hosts.into_iter().map(|(host, port)| (host, port.unwrap_or(usual_port))).collect(),
        user: reader.text("user").or(parts.user),
        password: reader.text("password").or(parts.password).map(Secret::new),
        database: database as u32,
        max_retries: reader.whole("max_retries").unwrap_or_default() as u32,
        retry_delay: reader.time("retry_delay").unwrap_or_default(),
        retry_backoff_factor: reader.decimal("retry_backoff_factor"),
        cluster_mode,
        tls: tls(reader, parts.tls),
    }
}

fn tls(reader: &Reader<'_>, by_scheme: bool) -> Tls {
    let insecure: Option<Written<'_>> = reader.own("tls_insecure").filter(|_| reader.flag("tls_insecure"));
    match (by_scheme || reader.flag("tls_enabled"), insecure) {
        (true, Some(_)) => Tls::Insecure,
        (true, None) => Tls::Verified,
        (false, Some(insecure)) => {
            reader.warn(&insecure, "does nothing without tls_enabled or rediss://");
            Tls::Off
        }
        (false, None) => Tls::Off,
    }
}

/// A part that stands both in the address and under its own key must be the same.
fn agree(reader: &Reader<'_>, name: &str, in_address: Option<u64>) {
    let Some(written) = reader.own(name) else { return };
    let Some(in_address) = in_address else { return };
    let by_key = reader.whole(name);
    if by_key.is_some_and(|by_key| by_key != in_address) {
        reader.fault(&written, format!("differs from {in_address}, which url says; keep one of the two"));
    }
}

/// Whether any value of the block is set; for the aggregator's warning.
pub(super) fn is_written(node: Option<&Node>) -> bool {
    node.and_then(Node::as_map).is_some_and(|map| map.0.iter().any(|(_, node)| !node.is_unset()))
}
