//! The metrics page and the aggregator.

use std::net::{IpAddr, Ipv4Addr};

use super::database;
use super::reader::Reader;
use crate::config::node::Map;
use crate::config::settings::{Aggregator, Metrics};
use crate::domain::percent;

/// Reads `metrics.…`.
pub(super) fn resolve(root: &Map, reader: &Reader<'_>) -> Metrics {
    let is_aggregator = reader.flag("metrics.aggregator");
    let open = if is_aggregator { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    if !is_aggregator {
        warn_of_rest(root, reader);
    }
    Metrics {
        port: reader.whole("metrics.port").unwrap_or_default() as u16,
        bind: reader.address("metrics.bind").unwrap_or(IpAddr::V4(open)),
        port_auto: reader.flag("metrics.port_auto"),
        aggregator: is_aggregator.then(|| aggregator(root, reader)),
    }
}

fn aggregator(root: &Map, reader: &Reader<'_>) -> Aggregator {
    if reader.own("metrics.metrics_urls").is_none() {
        reader.missing(
            "metrics.metrics_urls",
            "write the pages to gather, e.g. http://192.168.1.201:8080/metrics",
        );
    }
    if let Some(plugins) =
        reader.own("plugins").filter(|plugins| plugins.node.as_list().is_some_and(|l| !l.is_empty()))
    {
        reader.fault(&plugins, "an aggregator runs apart from plugins; remove them, or metrics.aggregator");
    }
    Aggregator {
        urls: urls(reader),
        sleep_interval: reader.time("metrics.sleep_interval").unwrap_or_default(),
        database: database::resolve(root, root, "metrics.database", "", reader.report),
    }
}

fn urls(reader: &Reader<'_>) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    let Some(written) = reader.own("metrics.metrics_urls") else { return urls };
    for url in reader.list("metrics.metrics_urls") {
        let shown = reader.report.quote(&url);
        for format in ["prometheus", "plain"] {
            if url.contains(&format!("format={format}")) {
                let said = format!("{shown} asks for {format} and is read as json; write format=json");
                reader.warn(&written, said);
            }
        }
        // Who is asked with a password is the same without.
        if urls.iter().any(|known| percent::apart(known).0 == percent::apart(&url).0) {
            reader.warn(&written, format!("{shown} stands twice and counts once"));
        } else {
            urls.push(url);
        }
    }
    urls
}

fn warn_of_rest(root: &Map, reader: &Reader<'_>) {
    for name in ["metrics.metrics_urls", "metrics.sleep_interval"] {
        if let Some(written) = reader.own(name) {
            reader.warn(&written, "does nothing without metrics.aggregator: true");
        }
    }
    if let Some(written) =
        reader.own("metrics.database").filter(|_| database::is_written(root.at("metrics.database")))
    {
        reader.warn(&written, "does nothing without metrics.aggregator: true");
    }
}
