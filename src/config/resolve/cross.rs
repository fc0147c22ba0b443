//! What plugins mean for one another: names, ports, queues.

use std::net::IpAddr;

use super::plugin::Resolved;
use super::reader::Reader;
use crate::config::database::Database;
use crate::config::keys;
use crate::config::plugin::Plugin;
use crate::config::settings::Metrics;

/// Prefixes whose variables are Anklet's own.
const TAKEN: &[&str] = &["ANKLET", "LOG"];

/// Every pair of plugins, and each plugin with the metrics page.
pub(super) fn check(plugins: &[Resolved<'_>], metrics: &Metrics) {
    names(plugins);
    ports(plugins, metrics);
    queues(plugins);
}

/// No variable may belong to two plugins, or to a plugin and Anklet.
fn names(plugins: &[Resolved<'_>]) {
    let mut seen: Vec<(String, String, String)> = Vec::new();
    for Resolved { reader, .. } in plugins {
        let (Some(written), Some(name)) = (reader.own("name"), reader.text("name")) else { continue };
        let prefix = keys::prefix(&name);
        if TAKEN.iter().any(|taken| prefix == *taken) || prefix.starts_with("ANKLET_") {
            let shown = reader.report.quote(&name);
            reader.fault(
                &written,
                format!(
                    "{shown} would make variables {prefix}_…, which are anklet's own; write another name"
                ),
            );
        }
        for (other, other_prefix, other_key) in &seen {
            if let Some(clash) = clash(&name, &prefix, other, other_prefix) {
                reader.fault(&written, format!("{clash} ({other_key}); write another name"));
            }
        }
        seen.push((name, prefix, written.key));
    }
}

fn clash(name: &str, prefix: &str, other: &str, other_prefix: &str) -> Option<String> {
    if name == other {
        return Some(format!("\"{name}\" is the name of another plugin too"));
    }
    if prefix == other_prefix {
        return Some(format!("\"{name}\" shares the prefix {prefix}_ for variables with \"{other}\""));
    }
    let theirs: Vec<String> = keys::plugin_variables(other_prefix).collect();
    let shared = keys::plugin_variables(prefix).find(|variable| theirs.contains(variable))?;
    Some(format!("\"{name}\" and \"{other}\" would both be set by the variable {shared}"))
}

/// Two listeners cannot share an address; better said here than by the second one's failure.
fn ports(plugins: &[Resolved<'_>], metrics: &Metrics) {
    let mut taken: Vec<(IpAddr, u16, String)> = Vec::new();
    if !metrics.port_auto {
        taken.push((metrics.bind, metrics.port, "metrics.port".into()));
    }
    for Resolved { reader, plugin } in plugins {
        let Some(Plugin::Receiver(receiver)) = plugin else { continue };
        let Some(written) = reader.own("port") else { continue };
        let clash =
            taken.iter().find(|(bind, port, _)| *port == receiver.port && overlap(*bind, receiver.bind));
        if let Some((_, port, other)) = clash {
            reader.fault(&written, format!("\"{port}\" is taken by {other}; write another port"));
        }
        taken.push((receiver.bind, receiver.port, written.key));
    }
}

fn overlap(a: IpAddr, b: IpAddr) -> bool {
    a == b || a.is_unspecified() || b.is_unspecified()
}

/// With the embedded store nobody elsewhere can fill or empty a queue of this host.
fn queues(plugins: &[Resolved<'_>]) {
    let here: Vec<(&Reader<'_>, &Plugin)> = plugins
        .iter()
        .filter_map(|resolved| Some((&resolved.reader, resolved.plugin.as_ref()?)))
        .filter(|(_, plugin)| plugin.common().database == Database::Embedded)
        .collect();
    for (reader, plugin) in &here {
        let queue = &plugin.common().queue;
        let is_met =
            here.iter().any(|(_, other)| other.kind() != plugin.kind() && other.common().queue == *queue);
        if is_met {
            continue;
        }
        let missing = match plugin {
            Plugin::Receiver(_) => "no handler here takes jobs from its queue",
            Plugin::Handler(_) => "no receiver here puts jobs into its queue",
        };
        let text = format!(
            "{missing} \"{queue}\", and without a shared database none elsewhere can; add one, or mend owner or queue_name"
        );
        reader.report.warn(&reader.place, reader.base.trim_end_matches('.'), text);
    }
}
