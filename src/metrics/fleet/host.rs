//! One host's page as it was read: of this program, or of the old one.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::metrics::table::FIGURES;

/// What a plugin's row may say; all of it as text.
const ROW: [&str; 10] = [
    "name",
    "plugin_name",
    "repo_name",
    "owner_name",
    "status",
    "last_successful_run_job_url",
    "last_failed_run_job_url",
    "last_successful_run",
    "last_failed_run",
    "status_since",
];

/// What is known of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its URL as written, without user and password.
    pub url: String,
    /// The last page that could be read; each scrape has all of them in hand.
    pub object: Option<Arc<Map<String, Value>>>,
    /// When that was.
    pub seen: Option<SystemTime>,
    /// Why the last fetch brought nothing; none when it did.
    pub error: Option<String>,
}

/// Why an answer is no page of metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no JSON object.
    NotJson,
    /// It has none of the figures.
    NoFigures,
    /// Something that it should say by a value of this kind is of another.
    WrongType {
        /// Where in the page: `total_running_vms`, `plugins[1].status`.
        place: String,
        /// What stands there.
        found: &'static str,
        /// What should.
        wanted: &'static str,
    },
}

impl Host {
    /// A host that was not asked yet.
    pub fn unknown(url: String) -> Host {
        Host { url, object: None, seen: None, error: Some("not asked yet since the start".into()) }
    }

    /// Whether the last fetch brought a page.
    pub fn is_up(&self) -> bool {
        self.error.is_none() && self.object.is_some()
    }

    /// How old its page is.
    pub fn age(&self, now: SystemTime) -> Option<Duration> {
        self.seen.map(|seen| now.duration_since(seen).unwrap_or_default())
    }

    /// A number of its page.
    pub(super) fn figure(&self, name: &str) -> Option<&Value> {
        self.object.as_ref()?.get(name).filter(|value| value.is_number())
    }

    /// The rows of its plugins.
    pub(super) fn plugins(&self) -> impl Iterator<Item = Row<'_>> {
        let rows = self.object.as_ref().and_then(|object| object.get("plugins")?.as_array());
        rows.into_iter().flatten().filter_map(Value::as_object).map(Row)
    }
}

/// A plugin's row in a host's page.
#[derive(Clone, Copy)]
pub(super) struct Row<'a>(&'a Map<String, Value>);

impl<'a> Row<'a> {
    /// A text of the row; empty when there is none.
    pub fn text(self, key: &str) -> &'a str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the row has this text at all: a receiver's has no runs.
    pub fn has(self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

/// The page that `body` holds. What is in it beside the order's names is nobody's concern.
pub fn read(body: &str) -> Result<Map<String, Value>, Unreadable> {
    let Ok(Value::Object(object)) = serde_json::from_str(body) else { return Err(Unreadable::NotJson) };
    let mut has_figures = false;
    for (name, ..) in FIGURES {
        has_figures |= has(&object, "", name, "a number", Value::is_number)?;
    }
    if has(&object, "", "plugins", "a list", Value::is_array)? {
        let rows = object["plugins"].as_array().into_iter().flatten();
        rows.enumerate().try_for_each(|(at, row)| check_row(&format!("plugins[{at}]"), row))?;
    }
    if has_figures { Ok(object) } else { Err(Unreadable::NoFigures) }
}

fn check_row(place: &str, row: &Value) -> Result<(), Unreadable> {
    let Value::Object(row) = row else { return Err(wrong(place.to_owned(), row, "an object")) };
    let before = format!("{place}.");
    ROW.iter().try_for_each(|name| has(row, &before, name, "a text", Value::is_string).map(drop))
}

/// Whether this is there, and is what it should be. A null is as good as nothing: the old program writes it for an
/// empty list.
fn has(
    object: &Map<String, Value>,
    before: &str,
    name: &str,
    wanted: &'static str,
    is_right: fn(&Value) -> bool,
) -> Result<bool, Unreadable> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(value) if is_right(value) => Ok(true),
        Some(value) => Err(wrong(format!("{before}{name}"), value, wanted)),
    }
}

fn wrong(place: String, value: &Value, wanted: &'static str) -> Unreadable {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Unreadable::WrongType { place, found, wanted }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NotJson => f.write_str("the answer is no JSON object"),
            Unreadable::NoFigures => f.write_str("the answer has no figures of anklet"),
            Unreadable::WrongType { place, found, wanted } => {
                write!(f, "{place} is {found} in the answer, not {wanted}")
            }
        }
    }
}

/// What the forms are tested with: a host that is up, one that was, and one that never answered.
#[cfg(test)]
pub(super) mod example {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Host, read};

    pub fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_716_318_976)
    }

    pub fn hosts() -> Vec<Host> {
        let body = r#"{"total_running_vms":1,"total_successful_runs_since_start":2,
            "total_failed_runs_since_start":3,"host_cpu_count":8,"host_cpu_usage_percentage":20.5,"odd":"x",
            "plugins":[{"name":"RUNNER\"3","plugin_name":"github","repo_name":"anklet","owner_name":"acme",
            "status":"idle","last_successful_run_job_url":"https://job/1","last_failed_run_job_url":"",
            "last_successful_run":"2024-05-21T14:16:06.5-05:00","last_failed_run":"0001-01-01T00:00:00Z",
            "status_since":"2024-05-21T14:16:06-05:00"},
            {"name":"HOOKS","plugin_name":"github_receiver","repo_name":"","owner_name":"acme",
            "status":"running","status_since":"2024-05-21T14:16:06-05:00"}]}"#;
        let object = read(body).unwrap();
        let seen = Some(now() - Duration::from_millis(1_500));
        let up = Host { url: "http://a/metrics".into(), object: Some(Arc::new(object)), seen, error: None };
        let gone = Host { url: "http://b/metrics".into(), error: Some("no connection".into()), ..up.clone() };
        vec![up, gone, Host::unknown("http://c/metrics".into())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(body: &str) -> String {
        read(body).expect_err(body).to_string()
    }

    #[test]
    fn only_a_page_of_metrics_is_one() {
        for body in ["", "<html>", "[1]"] {
            assert_eq!(why(body), "the answer is no JSON object", "{body}");
        }
        for body in ["{}", r#"{"plugins":[],"total_running_vms":null}"#] {
            assert_eq!(why(body), "the answer has no figures of anklet", "{body}");
        }
        for body in [
            r#"{"total_running_vms":0}"#,
            r#"{"total_running_vms":0,"plugins":null}"#,
            r#"{"total_running_vms":0,"more":{"a":[]},"plugins":[{"name":"A","repo_name":null,"more":1}]}"#,
        ] {
            assert!(read(body).is_ok(), "{body}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_named_with_its_place() {
        for (part, said) in [
            (r#""total_running_vms":"two""#, "total_running_vms is a text in the answer, not a number"),
            (r#""host_disk_used_bytes":{}"#, "host_disk_used_bytes is an object in the answer, not a number"),
            (r#""plugins":"x""#, "plugins is a text in the answer, not a list"),
            (r#""plugins":[{},3]"#, "plugins[1] is a number in the answer, not an object"),
            (
                r#""plugins":[{"status":true}]"#,
                "plugins[0].status is true or false in the answer, not a text",
            ),
            (r#""plugins":[{"name":[]}]"#, "plugins[0].name is a list in the answer, not a text"),
        ] {
            assert_eq!(why(&format!(r#"{{"host_cpu_count":8,{part}}}"#)), said);
        }
    }
}
