//! One host's page as it was read: of this program, or of the old one.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::metrics::table::FIGURES;

/// What is known of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its URL as written, without user and password.
    pub url: String,
    /// The last page that could be read.
    pub object: Option<Map<String, Value>>,
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

/// The page that `body` holds.
pub fn read(body: &str) -> Result<Map<String, Value>, Unreadable> {
    let Ok(Value::Object(object)) = serde_json::from_str(body) else { return Err(Unreadable::NotJson) };
    let is_page = FIGURES.iter().any(|(name, ..)| object.get(*name).is_some_and(Value::is_number));
    if is_page { Ok(object) } else { Err(Unreadable::NoFigures) }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreadable::NotJson => "the answer is no JSON object",
            Unreadable::NoFigures => "the answer has no figures of anklet",
        })
    }
}

/// What the forms are tested with: a host that is up, one that was, and one that never answered.
#[cfg(test)]
pub(super) mod example {
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
        let up = Host { url: "http://a/metrics".into(), object: Some(object), seen, error: None };
        let gone = Host { url: "http://b/metrics".into(), error: Some("no connection".into()), ..up.clone() };
        vec![up, gone, Host::unknown("http://c/metrics".into())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_metrics_is_one() {
        for (body, why) in [
            ("", Unreadable::NotJson),
            ("<html>", Unreadable::NotJson),
            ("[1]", Unreadable::NotJson),
            ("{}", Unreadable::NoFigures),
            (r#"{"total_running_vms":"1"}"#, Unreadable::NoFigures),
        ] {
            assert_eq!(read(body), Err(why), "{body}");
        }
        assert!(read(r#"{"total_running_vms":0}"#).is_ok());
    }
}
