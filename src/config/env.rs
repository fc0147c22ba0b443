//! The environment: read once, laid over what the file says, and kept from the children.

use std::collections::BTreeMap;

use super::keys::{self, VARIABLES};
use super::node::{Map, Node, Value};
use super::note::Place;
use super::report::Report;
use super::suggest;

/// The variables of a process by name.
pub type Variables = BTreeMap<String, String>;

/// The process's environment. What is not UTF-8 cannot be ours and is left out.
pub fn read() -> Variables {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Whether a variable is Anklet's own, so that no child inherits it: `ANKLET_…`, `LOG_LEVEL`, and the variables
/// of plugins with these prefixes (of known keys only: a plugin named `ANKA` takes no `ANKA_LOG_LEVEL` away).
pub fn is_ours(variable: &str, plugin_prefixes: &[String]) -> bool {
    variable.starts_with("ANKLET_")
        || VARIABLES.iter().any(|(name, _)| *name == variable)
        || plugin_prefixes.iter().any(|prefix| keys::plugin_variables(prefix).any(|name| name == variable))
}

/// Puts the variables that are set, and not empty, over the file's values.
pub(super) fn overlay(root: &mut Map, env: &Variables) {
    for row in keys::top_rows() {
        if let Some(node) = node_of(env, &row.variable) {
            root.put(&row.path, node);
        }
    }
    let Some(Node { value: Value::List(plugins), .. }) = root.get_mut("plugins") else { return };
    for plugin in plugins.iter_mut().filter_map(Node::as_map_mut) {
        let Some(name) = plugin.get("name").and_then(Node::as_text) else { continue };
        let prefix = keys::prefix(name.trim());
        for row in keys::plugin_rows().into_iter().filter(|row| !row.variable.is_empty()) {
            if let Some(node) = node_of(env, &format!("{prefix}_{}", row.variable)) {
                plugin.put(&row.path, node);
            }
        }
    }
}

/// A variable that looks like a mistyped one of ours. Others may use `ANKLET_…` for things of their own.
pub(super) fn check_names(env: &Variables, report: &Report) {
    let rows = keys::top_rows();
    let known: Vec<&str> =
        rows.iter().map(|row| row.variable.as_str()).chain(VARIABLES.iter().map(|(name, _)| *name)).collect();
    for (name, value) in env.iter().filter(|(name, _)| name.starts_with("ANKLET_")) {
        if value.is_empty() || known.contains(&name.as_str()) {
            continue;
        }
        if let Some((0..=2, meant)) = suggest::nearest(name, known.iter().map(|known| (*known, *known))) {
            let text = format!("is not a variable that anklet knows; the nearest known one is {meant}");
            report.warn(&Place::Variable(name.clone()), "", text);
        }
    }
}

fn node_of(env: &Variables, variable: &str) -> Option<Node> {
    let value = env.get(variable).filter(|value| !value.trim().is_empty())?;
    Some(Node::text(Place::Variable(variable.to_owned()), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_kept_from_our_variables_and_from_no_others() {
        let prefixes = ["ANKA".to_owned(), "PATH".to_owned(), "RUNNER1".to_owned()];
        let ours =
            ["ANKLET_WORK_DIR", "ANKLET_ANYTHING", "LOG_LEVEL", "RUNNER1_TOKEN", "RUNNER1_DATABASE_PASSWORD"];
        let not_ours = [
            "PATH",
            "HOME",
            "ANKA_LOG_LEVEL",
            "ANKA_DEFAULT_USER",
            "RUNNER2_TOKEN",
            "RUNNER1_NAME",
            "ANKLETS",
        ];
        for name in ours {
            assert!(is_ours(name, &prefixes), "{name}");
        }
        for name in not_ours {
            assert!(!is_ours(name, &prefixes), "{name}");
        }
    }
}
