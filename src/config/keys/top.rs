//! Keys at the top of the file. The `global_…` ones are derived from the plugin's and the database block's tables.

use super::key::{From, Key, Kind};

const PORT: Kind = Kind::Whole { least: 1, most: 65_535 };

/// All of them, in the order of the example file. A variable is `ANKLET_` and the path in capitals.
#[rustfmt::skip]
pub const TOP: &[Key] = &[
    Key::new("work_dir", Kind::Folder, "./", "Folder for temporary files."),
    Key::new("state_dir", Kind::Folder, "~/.config/anklet/state",
        "Folder (0700) for what must survive a crash: journal, embedded store, locks, host id, runner archives."),
    Key::new("pid_file_dir", Kind::Folder, "./", "Folder of anklet.pid (aggregator: anklet-aggregator.pid)."),
    Key::new("plugins_path", Kind::Folder, "~/.config/anklet/plugins/",
        "Folder of the runner scripts, in handlers/github/."),
    Key::new("log.file_dir", Kind::FolderOrDash, "./", "Folder of anklet.log, or - for standard output."),
    Key::new("log.split_by_plugin", Kind::Flag, "false", "Also write one file a plugin, anklet-NAME.log."),
    Key::new("anka_path", Kind::Program, "anka", "The Anka program; a bare name is looked up on PATH."),
    Key::new("github_url", Kind::GithubUrl { path: false }, "https://github.com", "GitHub's address; http:// for loopback only."),
    Key::new("github_api_url", Kind::GithubUrl { path: true }, "https://api.github.com",
        "Address of GitHub's API; derived from github_url when that is set."),
    Key::new("ca_file", Kind::File, "", "PEM bundle, added to the built-in roots, for GitHub and Redis."),
    Key::new("stop_on_term", Kind::Choice(&["wait", "detach"]), "wait",
        "What SIGTERM does to running jobs: wait for them, or leave them to the next start."),
    Key::new("lease_seconds", Kind::Seconds { least: 3 }, "60",
        "How long a host may be silent before others ask GitHub about its jobs (shared store).")
        .from(From::Redis),
    Key::new("orphan_grace_seconds", Kind::Seconds { least: 1 }, "900",
        "Age from which a VM of ours that no journal knows is deleted.").from(From::Anka),
    Key::new("orphan_check_seconds", Kind::Seconds { least: 1 }, "300", "Pause between looks for such VMs.")
        .from(From::Anka),
    Key::new("metrics.port", PORT, "8080", "Port of the metrics page."),
    Key::new("metrics.bind", Kind::Address, "", "Its address: 127.0.0.1, or 0.0.0.0 for an aggregator."),
    Key::new("metrics.port_auto", Kind::Flag, "false", "Take the next free port when that one is in use.")
        .from(From::Metrics),
    Key::new("metrics.aggregator", Kind::Flag, "false",
        "Gather the metrics of other hosts instead of running plugins.").from(From::Metrics),
    Key::new("metrics.metrics_urls", Kind::Urls, "", "The pages to gather.")
        .follows(From::Metrics).variable("ANKLET_METRICS_URLS"),
    Key::new("metrics.sleep_interval", Kind::Seconds { least: 1 }, "10", "Pause between two rounds.")
        .follows(From::Metrics),
    Key::new("metrics.database", Kind::Database, "", "Where the aggregator keeps what it gathered.")
        .follows(From::Metrics),
    Key::new("plugins", Kind::Plugins, "", "The receivers and handlers of this process."),
];

/// Variables that stand for no key, with their meaning.
pub const VARIABLES: &[(&str, &str)] = &[
    ("ANKLET_CONFIG_FILE_NAME", "Another file name in ~/.config/anklet/."),
    ("LOG_LEVEL", "ERROR, WARN, INFO, DEBUG or dev, in any case."),
];
