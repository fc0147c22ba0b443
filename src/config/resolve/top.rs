//! The top of the file, and the order in which everything is resolved.

use std::path::PathBuf;

use super::reader::Reader;
use super::{credentials, cross, database, folders, metrics, plugin};
use crate::config::env::Variables;
use crate::config::keys::TOP;
use crate::config::node::Map;
use crate::config::note::Place;
use crate::config::report::Report;
use crate::config::settings::{Config, Log, LogDestination, LogLevel, Metrics, StopOnTerm};

/// A folder that the daemon's own files have below the home folder.
const HOME_FOLDER: &str = ".config/anklet";

/// The whole configuration. `None`: faults were reported.
pub(in crate::config) fn resolve(
    root: &Map,
    env: &Variables,
    file: Option<PathBuf>,
    report: &Report,
) -> Option<Config> {
    let reader =
        Reader { own: root, place: Place::File, base: String::new(), globals: None, keys: TOP, report };
    let metrics = metrics::resolve(root, &reader);
    credentials::check_globals(root, report);
    database::check_globals(root, report);
    folders::check(&reader);
    let plugins = plugin::resolve_all(root, report);
    cross::check(&plugins, &metrics);
    if root.at("plugins").is_none_or(|node| node.as_list().is_some_and(<[_]>::is_empty))
        && metrics.aggregator.is_none()
    {
        reader.missing("plugins", "write at least one plugin, beginning with - name:, below plugins:");
    }
    let plugins = plugins.into_iter().filter_map(|resolved| resolved.plugin).collect();
    let mut config = Config { file, plugins, log: log(&reader, env)?, ..top(&reader, metrics)? };
    config.folders = folders::needed(&config);
    Some(config)
}

fn top(reader: &Reader<'_>, metrics: Metrics) -> Option<Config> {
    let Some(state_dir) = reader.path("state_dir") else {
        if reader.own("state_dir").is_none() {
            reader.missing(
                "state_dir",
                "there is no home folder to put it in (HOME is not set), so write a path",
            );
        }
        return None;
    };
    let ours = reader.report.home.as_ref().map_or_else(|| state_dir.clone(), |home| home.join(HOME_FOLDER));
    let pid_file = if metrics.aggregator.is_some() { "anklet-aggregator.pid" } else { "anklet.pid" };
    Some(Config {
        file: None,
        work_dir: reader.path("work_dir")?,
        run_dir: ours.join("run"),
        drain_file: ours.join(".drain"),
        pid_file: reader.path("pid_file_dir")?.join(pid_file),
        plugins_path: reader.path("plugins_path").unwrap_or_else(|| state_dir.join("plugins")),
        log: Log { destination: LogDestination::Stdout, split_by_plugin: false, level: LogLevel::Info },
        anka_path: reader.path("anka_path")?,
        ca_file: reader.path("ca_file"),
        stop_on_term: match reader.text("stop_on_term")?.as_str() {
            "detach" => StopOnTerm::Detach,
            _ => StopOnTerm::Wait,
        },
        lease: reader.time("lease_seconds")?,
        orphan_grace: reader.time("orphan_grace_seconds")?,
        orphan_check: reader.time("orphan_check_seconds")?,
        metrics,
        plugins: Vec::new(),
        folders: Vec::new(),
        state_dir,
    })
}

fn log(reader: &Reader<'_>, env: &Variables) -> Option<Log> {
    let destination = match reader.text("log.file_dir") {
        Some(_) => LogDestination::Stdout,
        None => LogDestination::Folder(reader.path("log.file_dir")?),
    };
    let split_by_plugin = reader.flag("log.split_by_plugin");
    if destination == LogDestination::Stdout && split_by_plugin {
        let written = reader.own("log.split_by_plugin");
        if let Some(written) = written {
            reader.warn(&written, "does nothing when log.file_dir is -");
        }
    }
    Some(Log { destination, split_by_plugin, level: log_level(env, reader.report) })
}

fn log_level(env: &Variables, report: &Report) -> LogLevel {
    let written = env.get("LOG_LEVEL").map_or("", |level| level.trim());
    match written.to_ascii_uppercase().as_str() {
        "" | "INFO" => LogLevel::Info,
        "ERROR" => LogLevel::Error,
        "WARN" | "WARNING" => LogLevel::Warn,
        "DEBUG" => LogLevel::Debug,
        "DEV" | "DEBUG-PRETTY" => LogLevel::Dev,
        _ => {
            let text = format!(
                "{} is not a level; INFO is used; write ERROR, WARN, INFO, DEBUG or dev",
                report.word(written)
            );
            report.warn(&Place::Variable("LOG_LEVEL".into()), "", text);
            LogLevel::Info
        }
    }
}
