//! Lists: as YAML writes them, one value alone, or separated by commas in a variable.

use super::{Complaint, path, text, url};
use crate::config::node::{Node, Value};
use crate::config::note::Place;
use crate::config::report::Report;
use crate::config::settings::Mount;

/// A list is bounded, as everything that an operator writes is.
const MOST: usize = 1000;

/// Secrets as they are written.
pub(super) fn secrets(node: &Node) -> Result<Vec<String>, Vec<Complaint>> {
    each(node, |item| match item.as_text() {
        Some(written) => text::secret(written),
        None => Err(format!("is {}, not a secret", item.shape())),
    })
}

/// Metrics pages as they are written.
pub(super) fn urls(node: &Node, report: &Report) -> Result<Vec<String>, Vec<Complaint>> {
    each(node, |item| match item.as_text() {
        Some(written) => url::page(written.trim(), report),
        None => Err(format!("is {}, not a URL", item.shape())),
    })
}

/// `HOST[:GUEST]`, or `{host, guest}`.
pub(super) fn mounts(node: &Node, report: &Report) -> Result<Vec<Mount>, Vec<Complaint>> {
    each(node, |item| match &item.value {
        Value::Text(written) => {
            let (host, guest) =
                written.split_once(':').map_or((written.as_str(), None), |(h, g)| (h, Some(g)));
            mount(host, guest, report)
        }
        Value::Map(map) => {
            if let Some((other, _)) = map.0.iter().find(|(key, _)| key != "host" && key != "guest") {
                return Err(format!(
                    "{} is not a part of a mount; write host and guest",
                    report.quote(other)
                ));
            }
            let part = |key| map.at(key).and_then(Node::as_text);
            mount(part("host").unwrap_or_default(), part("guest"), report)
        }
        _ => Err(format!("is {}, not a mount; write HOST:GUEST", item.shape())),
    })
}

fn mount(host: &str, guest: Option<&str>, report: &Report) -> Result<Mount, String> {
    if host.trim().is_empty() {
        return Err("names no folder of the host; write HOST:GUEST, e.g. ~/cache:cache".into());
    }
    let guest = guest.map(str::trim).filter(|guest| !guest.is_empty());
    match guest {
        Some(guest) if guest.contains(':') || guest.chars().any(char::is_control) => {
            Err(format!("{} cannot be a folder in the guest; write one name", report.quote(guest)))
        }
        _ => Ok(Mount { host: path::expand(host, report)?, guest: guest.map(str::to_owned) }),
    }
}

/// Converts the items one by one; all complaints together.
fn each<T>(node: &Node, convert: impl Fn(&Node) -> Result<T, String>) -> Result<Vec<T>, Vec<Complaint>> {
    let split: Vec<Node>;
    let (items, is_list) = match (&node.value, &node.place) {
        (Value::List(items), _) => (items.as_slice(), true),
        (Value::Text(text), Place::Variable(_)) => {
            split = text
                .split(',')
                .filter(|part| !part.trim().is_empty())
                .map(|part| Node::text(node.place.clone(), part.trim()))
                .collect();
            (split.as_slice(), false)
        }
        _ => (std::slice::from_ref(node), false),
    };
    if items.is_empty() || items.len() > MOST {
        let text = if items.is_empty() {
            "is an empty list; fill it, or remove the key"
        } else {
            "has too many items"
        };
        return Err(vec![Complaint { place: node.place.clone(), below: String::new(), text: text.into() }]);
    }
    let mut values = Vec::new();
    let mut complaints = Vec::new();
    for (n, item) in items.iter().enumerate() {
        match convert(item) {
            Ok(value) => values.push(value),
            Err(text) => {
                let below = if is_list { format!("[{n}]") } else { String::new() };
                complaints.push(Complaint { place: item.place.clone(), below, text });
            }
        }
    }
    if complaints.is_empty() { Ok(values) } else { Err(complaints) }
}
