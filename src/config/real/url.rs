//! URLs: GitHub's, to which tokens go, and Redis', which may hold a password.

use std::net::IpAddr;

use crate::config::report::Report;
use crate::domain::percent;

/// GitHub's address without a last slash, scheme and host in lower case.
pub(super) fn github(text: &str, path_allowed: bool, report: &Report) -> Result<String, String> {
    let written = text.trim();
    let shown = report.word(written);
    let (scheme, rest) = written
        .split_once("://")
        .ok_or(format!("{shown} is not a URL; write e.g. https://github.example.com"))?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let path = path.trim_end_matches('/');
    if authority.contains('@') {
        return Err(format!("{shown} holds a user or password; credentials go under token"));
    }
    let (host, port) = host_and_port(authority).ok_or(format!("{shown} has no host, or a broken one"))?;
    if path.contains(['?', '#']) || path.bytes().any(|b| !b.is_ascii_graphic()) {
        return Err(format!("{shown} has more than a host and a path; remove the rest"));
    }
    if !path.is_empty() && !path_allowed {
        return Err(format!("{shown} has more than a host; owner and repo are keys of their own"));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "https" => {}
        "http" if is_loopback(&host) => {}
        "http" => return Err(format!("{shown} would send tokens unencrypted; write https://")),
        _ => return Err(format!("{shown} is not a web address; write https://…")),
    }
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    Ok(format!("{}://{}{port}{path}", scheme.to_ascii_lowercase(), bracketed(&host)))
}

/// A page of metrics: http or https with a host. The URL is kept as it is written.
pub(super) fn page(text: &str, report: &Report) -> Result<String, String> {
    let shown = report.word(text);
    let bad = format!("{shown} is not a page's URL; write e.g. http://192.168.1.201:8080/metrics");
    let (scheme, rest) = text.split_once("://").ok_or(bad.clone())?;
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let is_clean = text.bytes().all(|b| b.is_ascii_graphic());
    if is_web && is_clean && host_and_port(host).is_some() { Ok(text.to_owned()) } else { Err(bad) }
}

/// The parts of a database's address. What is absent is left to the other keys of its block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::config) struct DatabaseUrl {
    /// Several where a cluster has several to begin with.
    pub hosts: Vec<(String, Option<u16>)>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub database: Option<u64>,
    pub tls: bool,
}

/// A host, `HOST:PORT`, `redis://…` or `rediss://…`, or several with commas between. Errors show nothing of it.
pub(in crate::config) fn database(text: &str) -> Result<DatabaseUrl, String> {
    let mut all: Option<DatabaseUrl> = None;
    for address in addresses(text.trim()) {
        let one = one_database(&address)?;
        let Some(first) = &mut all else {
            all = Some(one);
            continue;
        };
        if address.contains("://") && one.tls != first.tls {
            return Err(
                "names hosts with and without TLS; write rediss:// before each of them, or none".into()
            );
        }
        let signs_in = one.user.is_some() || one.password.is_some();
        if signs_in && (&one.user, &one.password) != (&first.user, &first.password) {
            return Err("signs in differently at its hosts; write user and password at the first only \
                        (a comma in a password is %2C)"
                .into());
        }
        if one.database.is_some() && first.database.is_some_and(|number| Some(number) != one.database) {
            return Err("names several database numbers; keep one".into());
        }
        first.database = first.database.or(one.database);
        first.hosts.extend(one.hosts);
    }
    all.ok_or_else(|| NO_HOST.to_owned())
}

const NO_HOST: &str = "has no host, or a broken one; write e.g. localhost, or redis://localhost:6379";

/// What stands between commas. One in the password behind a `redis://` parts nothing: the host is still to come.
fn addresses(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for piece in text.split(',') {
        let begun = all.iter().rposition(|one| one.contains(['@', '/']));
        let begun = begun.filter(|at| all[*at].contains("://") && !all[*at].contains('@'));
        let ends_one = piece.contains('@') && !piece.contains("://");
        let mut one = begun.filter(|_| ends_one).map_or_else(Vec::new, |at| all.split_off(at));
        one.push(piece.to_owned());
        all.push(one.join(","));
    }
    all
}

fn one_database(text: &str) -> Result<DatabaseUrl, String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("redis", text));
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "redis" => false,
        "rediss" => true,
        _ => return Err("is not a database's address; write a host, redis://HOST or rediss://HOST".into()),
    };
    if rest.contains(['?', '#']) {
        return Err("has options behind its address; they are keys of their own, such as tls_insecure".into());
    }
    let (user_info, place) = match rest.rsplit_once('@') {
        Some((info, place)) => (Some(info), place),
        None => (None, rest),
    };
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    let host = host_and_port(authority).ok_or(NO_HOST)?;
    let database = match path.trim_end_matches('/') {
        "" => None,
        number => {
            Some(number.parse().map_err(|_| "ends in a path that is no database number; write e.g. /0")?)
        }
    };
    let (user, password) = match user_info.map(|info| info.split_once(':').unwrap_or((info, ""))) {
        Some((user, password)) => (decoded(user), decoded(password)),
        None => (None, None),
    };
    Ok(DatabaseUrl { hosts: vec![host], user, password, database, tls })
}

/// Whether nothing sent there leaves this machine.
pub(in crate::config) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Host in lower case and without brackets, and the port where there is one.
pub(in crate::config) fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(inside) => {
            let (host, after) = inside.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None if authority.parse::<std::net::Ipv6Addr>().is_ok() => (authority, None),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None | Some("") => None,
        Some(port) => Some(port.parse::<u16>().ok().filter(|port| *port > 0)?),
    };
    let is_host = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
    is_host.then(|| (host.to_ascii_lowercase(), port))
}

/// An IPv6 host as URLs want it.
pub(in crate::config) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Nothing is `None`.
fn decoded(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| String::from_utf8_lossy(&percent::decoded(text)).into_owned())
}
