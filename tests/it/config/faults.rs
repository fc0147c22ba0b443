//! One wrong value a case. The table is what a person would see.

use super::{Home, faults, handler, receiver, top};

/// Line at the top of the file → the whole fault.
const TOP: &[(&str, &str)] = &[
    (
        "lease_seconds: soon",
        "config.yml:1: lease_seconds: \"soon\" is not a number of seconds; write e.g. 60",
    ),
    ("lease_seconds: 2", "config.yml:1: lease_seconds: \"2\" is too short; write at least 3 (seconds)"),
    ("lease_seconds: -5", "config.yml:1: lease_seconds: \"-5\" is not a number of seconds; write e.g. 60"),
    ("lease_seconds: 1e3", "config.yml:1: lease_seconds: \"1e3\" is not a number of seconds; write e.g. 60"),
    (
        "lease_seconds: .inf",
        "config.yml:1: lease_seconds: \".inf\" is not a number of seconds; write e.g. 60",
    ),
    ("lease_seconds: 99999999999", "\"99999999999\" is more than a year of seconds; write e.g. 60"),
    ("lease_seconds: [60]", "config.yml:1: lease_seconds: is a list, not one value"),
    ("lease_seconds: {a: 1}", "config.yml:1: lease_seconds: is a mapping, not one value"),
    (
        "orphan_grace_seconds: 0",
        "config.yml:1: orphan_grace_seconds: \"0\" is too short; write at least 1 (seconds)",
    ),
    ("stop_on_term: later", "config.yml:1: stop_on_term: \"later\" is not known here; write wait or detach"),
    ("metrics: {port: 0}", "config.yml:1: metrics.port: \"0\" is out of bounds; write 1 to 65535"),
    ("metrics: {port: 65536}", "config.yml:1: metrics.port: \"65536\" is out of bounds; write 1 to 65535"),
    ("metrics: {port: 99999999999999999999999}", "is out of bounds; write 1 to 65535"),
    ("metrics: {port: http}", "config.yml:1: metrics.port: \"http\" is not a whole number; write e.g. 8080"),
    ("metrics: {port: 80.5}", "config.yml:1: metrics.port: \"80.5\" is not a whole number; write e.g. 8080"),
    ("metrics: {bind: everywhere}", "\"everywhere\" is not an IP address; write e.g. 127.0.0.1"),
    ("metrics: {bind: \"127.0.0.1:8080\"}", "and the port under port"),
    ("metrics: {port_auto: maybe}", "\"maybe\" is neither true nor false; write true or false"),
    ("metrics: 8080", "config.yml:1: metrics: is text, not a block of keys; write port: … indented below it"),
    ("metrics: {database: localhost}", "config.yml:1: metrics.database: is text, not a block of keys"),
    ("log: here", "config.yml:1: log: is text, not a block of keys; write file_dir: … indented below it"),
    (
        "log: {file_dir: nowhere}",
        "config.yml:1: log.file_dir: \"nowhere\" is not there; make it, or mend the path",
    ),
    (
        "log: {file_dir: config.yml}",
        "config.yml:1: log.file_dir: \"config.yml\" is not a folder; name another",
    ),
    (
        "pid_file_dir: nowhere",
        "config.yml:1: pid_file_dir: \"nowhere\" is not there; make it, or mend the path",
    ),
    (
        "work_dir: ~alice/tmp",
        "config.yml:1: work_dir: \"~alice/tmp\" names another user's home; write the whole path",
    ),
    ("work_dir: $HOME/tmp", "\"$HOME/tmp\" begins with a variable, and none is looked at here; write ~/…"),
    ("state_dir: config.yml", "config.yml:1: state_dir: \"config.yml\" is not a folder; name another"),
    ("ca_file: nowhere.pem", "config.yml:1: ca_file: \"nowhere.pem\" is not there; is the path right?"),
    ("ca_file: config.yml", "config.yml:1: ca_file: \"config.yml\" holds no certificate; give a PEM file"),
    ("github_url: github.com", "config.yml:1: github_url: \"github.com\" is not a URL; write e.g. https://"),
    ("github_url: http://github.com", "\"http://github.com\" would send tokens unencrypted; write https://"),
    ("github_url: http://localhost.example.com", "would send tokens unencrypted"),
    ("github_url: https://github.com/acme", "has more than a host; owner and repo are keys of their own"),
    ("github_url: https://u:p@ghe.acme.com", "holds a user or password; credentials go under token"),
    ("github_url: https://", "\"https://\" has no host, or a broken one"),
    ("github_url: https://ghe.acme.com:0", "has no host, or a broken one"),
    ("github_url: ftp://ghe.acme.com", "\"ftp://ghe.acme.com\" is not a web address; write https://…"),
    ("github_api_url: http://10.0.0.1/api/v3", "would send tokens unencrypted"),
    ("github_api_url: https://ghe.acme.com/api?x", "has more than a host and a path; remove the rest"),
    (
        "global_job_retry_attempts: 0",
        "config.yml:1: global_job_retry_attempts: \"0\" is out of bounds; write 1 to 1000",
    ),
    ("global_template_disk_buffer: 100", "\"100\" is not a percentage from 0 to 99; write e.g. 10.0"),
    ("global_template_disk_buffer: 10%", "\"10%\" is not a percentage from 0 to 99; write e.g. 10.0"),
    (
        "global_host_to_guest_folder_mounts: [\":cache\"]",
        "global_host_to_guest_folder_mounts[0]: names no folder",
    ),
    (
        "global_host_to_guest_folder_mounts: [{path: /x}]",
        "\"path\" is not a part of a mount; write host and guest",
    ),
    ("global_host_to_guest_folder_mounts: []", "is an empty list; fill it, or remove the key"),
    (
        "global_private_key: nowhere.pem",
        "global_private_key: \"nowhere.pem\" is not there; is the path right?",
    ),
    ("global_private_key: MIIEowIBAAKCAQEA7+=", "global_private_key: the file is not there"),
    ("global_private_key: config.yml", "\"config.yml\" is not a PEM file; give the .pem that GitHub made"),
    ("global_private_key: \"-----BEGIN PRIVATE KEY-----\\nQUJD\"", "global_private_key: holds a damaged key"),
    (
        "global_database_url: http://redis",
        "global_database_url: is not a database's address; write a host, redis://HOST",
    ),
    ("global_database_url: redis://h/x", "ends in a path that is no database number; write e.g. /0"),
    ("global_database_url: redis://h?tls=1", "has options behind its address; they are keys of their own"),
    ("global_database_url: redis://", "has no host, or a broken one; write e.g. localhost"),
    ("global_database_url: a b", "has no host, or a broken one"),
];

/// Line in a handler → part of the fault.
const HANDLER: &[(&str, &str)] = &[
    (
        "sleep_interval: \"soon\"",
        "config.yml:6: plugins[0].sleep_interval: \"soon\" is not a number of seconds; write e.g. 10",
    ),
    (
        "start_timeout_seconds: 0",
        "config.yml:6: plugins[0].start_timeout_seconds: \"0\" is too short; write at least 1",
    ),
    ("script_timeout_seconds: 15m", "\"15m\" is not a number of seconds; write e.g. 900"),
    (
        "repo: acme/app",
        "config.yml:6: plugins[0].repo: \"acme/app\" is more than a name; write only e.g. app",
    ),
    ("repo: https://github.com/acme/app", "is more than a name; write only e.g. app"),
    ("repo: \"a b\"", "\"a …\" is not a name on GitHub; write letters, digits, -, _ and . only"),
    ("repo: ..", "\"..\" is not a name on GitHub"),
    ("repo: [a, b]", "plugins[0].repo: is a list, not one value"),
    (
        "private_key: nowhere.pem",
        "plugins[0].private_key: is a second credential beside token; keep one of the two",
    ),
    ("app_id: abc", "plugins[0].app_id: \"abc\" is not a whole number"),
    ("app_id: 0", "plugins[0].app_id: \"0\" is out of bounds"),
    ("enterprise: big", "plugins[0].owner: cannot stand beside enterprise; keep one of the two"),
    ("runner_registration: magic", "\"magic\" is not known here; write token or jit"),
    ("skip_pull: 2", "\"2\" is neither true nor false; write true or false"),
    ("registry_url: \"a\\nb\"", "has more than one line or a control character; write it in one line"),
    (
        "database: {url: h, cluster_mode: yes, database: 3}",
        "plugins[0].database.database: a cluster has database 0 only",
    ),
    (
        "database: {url: \"redis://h/3\", cluster_mode: yes}",
        "plugins[0].database.url: a cluster has database 0 only",
    ),
    (
        "database: {url: \"h:1\", port: 2}",
        "plugins[0].database.port: differs from 1, which url says; keep one of the two",
    ),
    (
        "database: {url: \"a:1,b:2\"}",
        "plugins[0].database.url: names several hosts, which only a cluster has; keep one, or write cluster_mode: true",
    ),
    (
        "database: {url: [a, b], cluster_mode: yes}",
        "plugins[0].database.url: is a list, not one value; write a",
    ),
    ("database: {url: \"a,\", cluster_mode: yes}", "plugins[0].database.url: has no host, or a broken one"),
    (
        "database: {url: \"a,b c\", cluster_mode: yes}",
        "plugins[0].database.url: has no host, or a broken one",
    ),
    (
        "database: {url: \"redis://a,rediss://b\", cluster_mode: yes}",
        "plugins[0].database.url: names hosts with and without TLS; write rediss:// before each",
    ),
    (
        "database: {url: \"redis://:canary1@a,redis://:canary2@b\", cluster_mode: yes}",
        "plugins[0].database.url: signs in differently at its hosts; write user and password at the first only",
    ),
    (
        "database: {url: \"a,redis://:canary@b\", cluster_mode: yes}",
        "plugins[0].database.url: signs in differently at its hosts",
    ),
    (
        "database: {url: \"redis://a/0,redis://b/1\", cluster_mode: yes}",
        "plugins[0].database.url: names several database numbers; keep one",
    ),
    ("database: {url: h, retry_backoff_factor: 0.5}", "\"0.5\" is not a factor from 1 to 100; write e.g. 2"),
    ("database: {url: h, retry_delay: 1.5}", "\"1.5\" is not a whole number; write e.g. 1000"),
    ("database: {enabled: yes}", "plugins[0].database.url: is missing; write the host of Redis"),
    (
        "database: localhost",
        "plugins[0].database: is text, not a block of keys; write enabled: … indented below it",
    ),
    ("database: [localhost]", "plugins[0].database: is a list, not a block of keys"),
];

/// Line in a receiver → part of the fault.
const RECEIVER: &[(&str, &str)] = &[
    ("bind: 0.0.0.0:54321", "config.yml:8: plugins[0].bind: \"0.0.0.0:54321\" is not an IP address"),
    (
        "hook_id: mine",
        "\"mine\" is not a webhook's number; write the digits at the end of its address on GitHub, or app",
    ),
    ("hook_id: 0", "\"0\" is not a webhook's number"),
    (
        "hook_id: app",
        "plugins[0].hook_id: app needs the App's sign-in; write app_id and private_key, and no token",
    ),
    ("redeliver_hours: 0", "\"0\" is out of bounds; write 1 to 72"),
    ("redeliver_hours: 73", "\"73\" is out of bounds; write 1 to 72"),
    ("redeliver_interval_seconds: often", "\"often\" is not a number of seconds; write e.g. 600"),
    (
        "app_id: 7",
        "plugins[0].app_id: has no key beside it; write private_key here, or global_private_key at the top",
    ),
];

/// Whole files → parts of all their faults, in this order.
const FILES: &[(&str, &[&str])] = &[
    ("work_dir: /tmp\n", &["config.yml: plugins: is missing; write at least one plugin"]),
    ("plugins: []\n", &["config.yml: plugins: is missing"]),
    ("plugins:\n", &["config.yml: plugins: is missing"]),
    ("plugins: none\n", &["config.yml:1: plugins: is text, not a list; begin each plugin with - name:"]),
    ("plugins: {name: A}\n", &["config.yml:1: plugins: is a mapping, not a list"]),
    ("plugins:\n  - RUNNER1\n", &["config.yml:2: plugins[0]: is text, not a plugin; write - name: …"]),
    (
        "plugins:\n  - sleep_interval: 1\n",
        &["plugins[0].name: is missing", "plugins[0].plugin: is missing", "plugins[0].owner: is missing"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github, owner: \"\", token: tttt}\n",
        &["config.yml:2: plugins[0].owner: is missing; write the user or organization"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github, owner: a}\n",
        &["config.yml:2: plugins[0].token: is missing; write token"],
    ),
    (
        "plugins:\n  - {name: A, plugin: gitlab, owner: a, token: tttt}\n",
        &["config.yml:2: plugins[0].plugin: \"gitlab\" is not known here; write github_receiver or github"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github_receiver, owner: a}\n",
        &["plugins[0].port: is missing", "plugins[0].secret: is missing; write the webhook's secret here"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github_receiver, owner: a, port: 1, secret: s, hook_id: 5}\n",
        &["plugins[0].hook_id: needs a sign-in to ask for lost deliveries; write token"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github_receiver, owner: a, port: 1, secret: []}\n",
        &["config.yml:2: plugins[0].secret: is an empty list"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github_receiver, owner: a, port: 1, secret: [ok, \"\", {a: b}]}\n",
        &["plugins[0].secret[1]: is empty", "plugins[0].secret[2]: is a mapping, not a secret"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github_receiver, enterprise: e, port: 1, secret: s, hook_id: 5, token: tttt}\n",
        &["plugins[0].hook_id: cannot serve an enterprise: GitHub lists no deliveries"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github, enterprise: e, app_id: 5}\n",
        &[
            "plugins[0].app_id: cannot sign in for an enterprise: GitHub refuses Apps there; write token instead",
        ],
    ),
    (
        "plugins:\n  - {name: A, plugin: github, owner: a, private_key: x.pem}\n",
        &[
            "plugins[0].private_key: \"x.pem\" is not there",
            "plugins[0].private_key: has no app_id beside it",
        ],
    ),
    (
        "plugins:\n  - {name: A, plugin: github, owner: a, token: a b}\n",
        &["plugins[0].token: holds a space or a character that no token has"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github, owner: a, token: \"aaaa\\nbbbb\"}\n",
        &["plugins[0].token: has more than one line; write it in one"],
    ),
    (
        "plugins:\n  - name: R\n    plugin: github_receiver\n  - name: H\n    plugin: github\n",
        &[
            "plugins[0].owner: is missing",
            "plugins[0].port: is missing",
            "plugins[0].secret: is missing",
            "plugins[1].owner: is missing",
            "plugins[1].token: is missing",
        ],
    ),
    (
        "global_token: aaaa\nglobal_private_key: k.pem\nplugins:\n  - {name: A, plugin: github, owner: a}\n",
        &[
            "config.yml:2: global_private_key: \"k.pem\" is not there",
            "is a second credential beside global_token",
        ],
    ),
    (
        "plugins:\n  - {name: A, plugin: github, owner: a, token: tttt}\n  - {name: A, plugin: github, owner: a, token: tttt}\n",
        &["config.yml:3: plugins[1].name: \"A\" is the name of another plugin too (plugins[0].name)"],
    ),
    (
        "plugins:\n  - {name: r-1, plugin: github, owner: a, token: tttt}\n  - {name: R_1, plugin: github, owner: a, token: tttt}\n",
        &["config.yml:3: plugins[1].name: \"R_1\" shares the prefix R_1_ for variables with \"r-1\""],
    ),
    (
        "plugins:\n  - {name: A, plugin: github, owner: a, token: tttt}\n  - {name: A_DATABASE, plugin: github, owner: a, token: tttt}\n",
        &["\"A_DATABASE\" and \"A\" would both be set by the variable A_DATABASE_"],
    ),
    (
        "plugins:\n  - {name: anklet, plugin: github, owner: a, token: tttt}\n",
        &["plugins[0].name: \"anklet\" would make variables ANKLET_…, which are anklet's own"],
    ),
    ("plugins:\n  - {name: Log, plugin: github, owner: a, token: tttt}\n", &["would make variables LOG_…"]),
    (
        "plugins:\n  - {name: anklet-metrics, plugin: github, owner: a, token: tttt}\n",
        &["variables ANKLET_METRICS_…"],
    ),
    (
        "plugins:\n  - {name: ../x, plugin: github, owner: a, token: tttt}\n",
        &["\"../x\" cannot name a plugin"],
    ),
    ("plugins:\n  - {name: .x, plugin: github, owner: a, token: tttt}\n", &["\".x\" cannot name a plugin"]),
    (
        "metrics: {port: 5}\nplugins:\n  - {name: A, plugin: github_receiver, owner: a, port: 5, secret: s}\n",
        &["config.yml:3: plugins[0].port: \"5\" is taken by metrics.port; write another port"],
    ),
    (
        "plugins:\n  - {name: A, plugin: github_receiver, owner: a, port: 5, secret: s}\n  - {name: B, plugin: github_receiver, owner: a, port: 5, secret: s}\n",
        &["config.yml:3: plugins[1].port: \"5\" is taken by plugins[0].port; write another port"],
    ),
    ("metrics: {aggregator: true}\n", &["metrics.metrics_urls: is missing; write the pages to gather"]),
    (
        "metrics: {aggregator: true, metrics_urls: [host:8080/metrics]}\n",
        &["metrics.metrics_urls[0]: \"host:8080/metrics\" is not a page's URL; write e.g. http://"],
    ),
    (
        "metrics: {aggregator: true, metrics_urls: [\"http://h/metrics\"]}\nplugins:\n  - {name: A, plugin: github, owner: a, token: tttt}\n",
        &["config.yml:2: plugins: an aggregator runs apart from plugins; remove them, or metrics.aggregator"],
    ),
];

#[test]
fn a_wrong_value_at_the_top_is_named_with_place_and_remedy() {
    for (line, said) in TOP {
        assert_one(&top(&[line]), said);
    }
}

#[test]
fn a_wrong_value_in_a_handler_is_named_with_place_and_remedy() {
    for (line, said) in HANDLER {
        assert_first(&handler(&[line]), said);
    }
}

#[test]
fn a_wrong_value_in_a_receiver_is_named_with_place_and_remedy() {
    for (line, said) in RECEIVER {
        assert_one(&receiver(&[line]), said);
    }
}

#[test]
fn whole_files_are_judged_with_all_their_faults() {
    for (text, said) in FILES {
        let found = faults(text);
        assert_eq!(found.len(), said.len(), "{text}\n{found:#?}");
        for (fault, part) in found.iter().zip(*said) {
            assert!(fault.contains(part), "{text}\n{part}\n{fault}");
        }
    }
}

#[test]
fn all_faults_of_a_file_come_at_once_and_in_its_order() {
    let text = "metrics:\n  port: high\nlease_seconds: 1\nplugins:\n  - name: A\n    plugin: github\n    owner: a/b\n    \
                sleep_interval: soon\n  - name: B\n    plugin: nothing\n";
    let home = Home::new().env(&[("ANKLET_STOP_ON_TERM", "never"), ("A_SKIP_PULL", "maybe")]);
    let found = home.load(text).map(|_| ()).unwrap_err();
    let starts = [
        "config.yml:2: metrics.port: ",
        "config.yml:3: lease_seconds: ",
        "config.yml:5: plugins[0].token: is missing",
        "config.yml:7: plugins[0].owner: ",
        "config.yml:8: plugins[0].sleep_interval: \"soon\" is not a number of seconds; write e.g. 10",
        "config.yml:9: plugins[1].owner: is missing",
        "config.yml:10: plugins[1].plugin: ",
        "ANKLET_STOP_ON_TERM: \"never\" is not known here",
        "A_SKIP_PULL: \"maybe\" is neither",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (fault, start) in found.iter().zip(starts) {
        assert!(fault.starts_with(start), "{start}\n{fault}");
    }
}

/// Exactly one fault, which holds this.
fn assert_one(text: &str, said: &str) {
    let found = faults(text);
    assert!(found.len() == 1 && found[0].contains(said), "{text}\n{said}\n{found:#?}");
}

/// The first fault that is about this; others may follow from it.
fn assert_first(text: &str, said: &str) {
    let found = faults(text);
    assert!(found.iter().any(|fault| fault.contains(said)), "{text}\n{said}\n{found:#?}");
}
