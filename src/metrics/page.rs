//! Which form a request gets.

use super::snapshot::Snapshot;
use super::{json, plain, prometheus};

const JSON: &str = "application/json; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Paths on which the page is served; the second is the old program's.
pub const PATHS: [&str; 2] = ["/metrics", "/metrics/v1"];

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status: 200 or 400.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Prometheus,
    Plain,
}

/// The page for a query (`format=json`, without the question mark) and an `Accept` header.
pub fn page(query: &str, accept: Option<&str>, snapshot: &Snapshot) -> Page {
    written(query, accept, |format| match format {
        Format::Json => json::page(snapshot),
        Format::Prometheus => prometheus::page(snapshot),
        Format::Plain => plain::page(snapshot),
    })
}

/// A page in the form that is asked for.
///
/// Without a format Prometheus gets its own, told by what it accepts, and all others get JSON.
pub(super) fn written(query: &str, accept: Option<&str>, write: impl Fn(Format) -> String) -> Page {
    let format = query.split('&').find_map(|pair| pair.strip_prefix("format="));
    let default = if accept.is_some_and(is_prometheus) { "prometheus" } else { "json" };
    let (format, content_type) = match format.unwrap_or(default) {
        "json" => (Format::Json, JSON),
        "prometheus" => (Format::Prometheus, PROMETHEUS),
        "plain" => (Format::Plain, PLAIN),
        _ => return Page { status: 400, content_type: JSON, body: unknown() },
    };
    Page { status: 200, content_type, body: write(format) }
}

/// The asked-for word is not repeated: it is a stranger's.
fn unknown() -> String {
    let error = "unknown format; known are json, prometheus and plain";
    format!("{}\n", serde_json::json!({ "error": error }))
}

/// Whether an `Accept` names the text format in its version 0.0.4, or OpenMetrics.
fn is_prometheus(accept: &str) -> bool {
    accept.to_ascii_lowercase().split(',').any(|range| {
        let mut parts = range.split(';').map(|part| part.replace([' ', '\t', '"'], ""));
        match parts.next().as_deref() {
            Some("application/openmetrics-text") => true,
            Some("text/plain") => parts.any(|part| part == "version=0.0.4"),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::example::snapshot;
    use super::*;

    fn kind(query: &str, accept: Option<&str>) -> (u16, &'static str) {
        let page = page(query, accept, &snapshot());
        (page.status, page.content_type)
    }

    #[test]
    fn a_format_decides() {
        assert_eq!(kind("format=json", Some("text/plain;version=0.0.4")), (200, JSON));
        assert_eq!(kind("x=1&format=prometheus", None), (200, PROMETHEUS));
        assert_eq!(kind("format=plain", None), (200, PLAIN));
        assert_eq!(page("format=plain", None, &snapshot()).body, plain::page(&snapshot()));
    }

    #[test]
    fn without_a_format_prometheus_is_known_by_what_it_accepts() {
        let scraper =
            "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(kind("", Some(scraper)), (200, PROMETHEUS));
        assert_eq!(kind("", Some("text/html, Text/Plain; Version=0.0.4")), (200, PROMETHEUS));
        for other in [
            "*/*",
            "text/plain",
            "text/plain;q=0.9",
            "application/json",
            "text/html,application/xhtml+xml",
            "",
        ] {
            assert_eq!(kind("", Some(other)), (200, JSON), "{other}");
        }
        assert_eq!(kind("pretty=1", None), (200, JSON));
    }

    #[test]
    fn an_unknown_format_is_told_in_json() {
        for query in ["format=xml", "format=", "format=JSON%20"] {
            let page = page(query, None, &snapshot());
            assert_eq!((page.status, page.content_type), (400, JSON));
            let body: serde_json::Value = serde_json::from_str(&page.body).unwrap();
            assert!(body["error"].as_str().unwrap().starts_with("unknown format"));
        }
    }
}
