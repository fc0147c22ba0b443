//! What valid configurations mean: defaults, precedence, what is said without being a fault.

use std::path::Path;
use std::time::Duration;

use anklet::config::{
    Config, Credentials, Database, Hook, LogDestination, LogLevel, Plugin, RunnerRegistration, Secret,
    StopOnTerm, Tls,
};
use anklet::domain::scope::Scope;

use super::{Home, checked, config, handler, one_handler, one_receiver, receiver, top, warnings};

const NOT_YET: &str = "not yet: it is read and checked, but this version does not act on it";
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_short_handler_has_every_default() {
    let home = Home::new();
    let root = home.path.clone();
    let Config { folders, plugins, log, metrics, .. } = &home.load(handler(&[])).unwrap().config;
    let Some(Plugin::Handler(handler)) = plugins.first() else { panic!("no handler") };
    let common = &handler.common;
    assert_eq!(
        (common.name.as_str(), common.sleep_interval, common.queue.as_str()),
        ("RUNNER1", None, "acme")
    );
    assert_eq!(common.scope, Scope::Organization { owner: "acme".into() });
    assert_eq!(common.database, Database::Embedded);
    assert_eq!(
        (&*common.github.url, &*common.github.api_url),
        ("https://github.com", "https://api.github.com")
    );
    assert!(matches!(&common.credentials, Credentials::Token(token) if token.expose() == "tokentokentoken"));
    assert_eq!(handler.runner_registration, RunnerRegistration::Token);
    assert_eq!((handler.job_retry_attempts, handler.registration_timeout), (5, 300 * SECOND));
    assert_eq!((handler.start_timeout, handler.script_timeout), (300 * SECOND, 900 * SECOND));
    assert_eq!((handler.command_timeout, handler.pull_stall), (120 * SECOND, 900 * SECOND));
    assert!((handler.template_disk_buffer - 10.0).abs() < f64::EPSILON);
    assert!(!handler.skip_pull && !handler.skip_resource_checks && handler.mounts.is_empty());
    assert_eq!((&handler.registry_url, &handler.runner_group), (&None, &None));
    assert_eq!(
        (metrics.port, metrics.bind.to_string().as_str(), metrics.port_auto),
        (8080, "127.0.0.1", false)
    );
    assert_eq!((log.level, log.split_by_plugin), (LogLevel::Info, false));
    assert_eq!(log.destination, LogDestination::Folder(root.clone()));
    let made: Vec<(&str, &Path, Option<u32>)> =
        folders.iter().map(|f| (f.key, f.path.as_path(), f.mode)).collect();
    let expected = [
        ("state_dir", &*root.join(".config/anklet/state"), Some(0o700)),
        ("run_dir", &*root.join(".config/anklet/run"), Some(0o700)),
        ("work_dir", &*root, None),
        ("plugins_path", &*root.join(".config/anklet/plugins"), None),
        ("log.file_dir", &*root, None),
        ("pid_file_dir", &*root, None),
    ];
    assert_eq!(made, expected);
}

#[test]
fn loading_creates_nothing() {
    let home = Home::new().file("config.yml", top(&["state_dir: deep/state", "work_dir: deep/work"]));
    assert!(anklet::config::load(home.inputs(Some("config.yml"))).is_ok());
    let left: Vec<_> =
        std::fs::read_dir(&home.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["config.yml"]);
}

#[test]
fn a_short_receiver_has_every_default() {
    let loaded = config(&receiver(&[]));
    let receiver = one_receiver(&loaded);
    assert_eq!((receiver.port, receiver.bind.to_string().as_str()), (54321, "0.0.0.0"));
    assert_eq!(receiver.redelivery, None);
    assert_eq!(receiver.common.credentials, Credentials::None);
    assert_eq!(receiver.secrets.iter().map(Secret::expose).collect::<Vec<_>>(), ["s3cr3t"]);
}

#[test]
fn numbers_flags_and_texts_are_read_as_people_write_them() {
    let lines = [
        "sleep_interval: \"0.5\"",
        "job_retry_attempts: '007'",
        "skip_pull: Yes",
        "registry_url: 00.50",
        "template_disk_buffer: 7",
        "start_timeout_seconds: 86400",
    ];
    let loaded = config(&handler(&lines));
    let handler = one_handler(&loaded);
    assert_eq!(handler.common.sleep_interval, Some(SECOND / 2));
    assert_eq!((handler.job_retry_attempts, handler.skip_pull), (7, true));
    assert_eq!(handler.registry_url.as_deref(), Some("00.50"));
    assert_eq!(handler.start_timeout, 86_400 * SECOND);
}

#[test]
fn secrets_are_the_written_text() {
    let cases = [
        ("secret: 00000000", vec!["00000000"]),
        ("secret: 0x10", vec!["0x10"]),
        ("secret: yes", vec!["yes"]),
        ("secret: 1_000", vec!["1_000"]),
        ("secret: 12:30", vec!["12:30"]),
        ("secret: 1.0", vec!["1.0"]),
        ("secret: \"null\"", vec!["null"]),
        ("secret: \"a,b\"", vec!["a,b"]),
        ("secret: 2024-01-01", vec!["2024-01-01"]),
        ("secret: [old, 007]", vec!["old", "007"]),
        ("secret: |\n      block", vec!["block"]),
        ("secret: 'quote''d # no comment'", vec!["quote'd # no comment"]),
    ];
    for (line, expected) in cases {
        let text = receiver(&[]).replace("secret: s3cr3t", line);
        let loaded = config(&text);
        let found: Vec<&str> = one_receiver(&loaded).secrets.iter().map(Secret::expose).collect();
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn the_plugins_own_key_wins_over_the_global_one_and_mounts_are_joined() {
    let globals = [
        "global_job_retry_attempts: 3",
        "global_registry_url: one",
        "global_pull_stall_seconds: 7",
        "global_host_to_guest_folder_mounts: [/a, ~/b:bee]",
    ];
    let own = ["registry_url: two", "host_to_guest_folder_mounts: [{host: /c, guest: sea}]"];
    let home = Home::new();
    let root = home.path.clone();
    let checked = home.load(format!("{}\n{}", globals.join("\n"), handler(&own))).unwrap();
    let handler = one_handler(&checked.config);
    assert_eq!((handler.job_retry_attempts, handler.pull_stall), (3, 7 * SECOND));
    assert_eq!(handler.registry_url.as_deref(), Some("two"));
    let mounts: Vec<(&Path, Option<&str>)> =
        handler.mounts.iter().map(|mount| (mount.host.as_path(), mount.guest.as_deref())).collect();
    assert_eq!(
        mounts,
        [(Path::new("/a"), None), (&*root.join("b"), Some("bee")), (Path::new("/c"), Some("sea"))]
    );
}

#[test]
fn the_queue_is_the_owner_or_what_was_named() {
    let cases: &[(&[&str], &str)] = &[
        (&["owner: AcMe"], "acme"),
        (&["owner: AcMe", "repo: App"], "acme"),
        (&["owner: acme", "queue_name: Mine"], "Mine"),
        (&["enterprise: Big"], "enterprise:big"),
        (&["owner: acme", "queue_name: enterprise:Big"], "enterprise:big"),
        (&["owner: acme", "github_url: https://GHE.acme.com/"], "ghe.acme.com/acme"),
        (&["owner: acme", "github_url: https://github.com/"], "acme"),
        (&["owner: acme", "github_url: http://127.0.0.1:81"], "127.0.0.1:81/acme"),
        (&["enterprise: big", "github_url: https://ghe.acme.com"], "ghe.acme.com/enterprise:big"),
        (
            &["owner: a", "queue_name: enterprise:big", "github_url: https://g.a.com"],
            "g.a.com/enterprise:big",
        ),
    ];
    for (lines, queue) in cases {
        let text = handler(lines).replace("    owner: acme\n    token", "    token");
        assert_eq!(one_handler(&config(&text)).common.queue, *queue, "{lines:?}");
    }
}

#[test]
fn a_token_goes_only_where_the_plugins_own_address_points() {
    let cases: &[(&[&str], &[&str], &str, &str)] = &[
        (&[], &[], "https://github.com", "https://api.github.com"),
        (&["github_url: https://www.github.com"], &[], "https://github.com", "https://api.github.com"),
        (&["github_url: https://ghe.acme.com/"], &[], "https://ghe.acme.com", "https://ghe.acme.com/api/v3"),
        (&["github_url: https://sub.ghe.com"], &[], "https://sub.ghe.com", "https://api.sub.ghe.com"),
        (&["github_url: http://127.0.0.1:81"], &[], "http://127.0.0.1:81", "http://127.0.0.1:81/api/v3"),
        (&["github_url: http://[::1]:81"], &[], "http://[::1]:81", "http://[::1]:81/api/v3"),
        (&["github_api_url: http://localhost:81/"], &[], "https://github.com", "http://localhost:81"),
        (&["global_github_url: https://g.a.com"], &[], "https://g.a.com", "https://g.a.com/api/v3"),
        (
            &["github_url: https://a.com", "github_api_url: https://api.a.com"],
            &["github_url: https://b.com"],
            "https://b.com",
            "https://b.com/api/v3",
        ),
        (
            &["github_url: https://a.com"],
            &["github_api_url: https://x.a.com/"],
            "https://a.com",
            "https://x.a.com",
        ),
    ];
    for (globals, own, url, api_url) in cases {
        let text = format!("{}\n{}", globals.join("\n"), handler(own));
        let loaded = config(&text);
        let github = &one_handler(&loaded).common.github;
        assert_eq!((github.url.as_str(), github.api_url.as_str()), (*url, *api_url), "{text}");
    }
}

#[test]
fn a_database_is_read_from_its_address_and_its_keys() {
    let text =
        handler(&["database: {url: \"rediss://me:p%40ss@[::1]:7000/3\", tls_insecure: on, max_retries: 0}"]);
    let loaded = config(&text);
    let Database::Redis(redis) = &one_handler(&loaded).common.database else { panic!("not Redis") };
    assert_eq!((redis.place().as_str(), redis.max_retries), ("[::1]:7000/3", 0));
    assert_eq!(redis.user.as_deref(), Some("me"));
    assert_eq!(redis.password.as_ref().map(Secret::expose), Some("p@ss"));
    assert_eq!((redis.tls, redis.cluster_mode, redis.retry_delay), (Tls::Insecure, false, SECOND));
}

#[test]
fn a_cluster_may_be_named_by_several_nodes() {
    let redis = |database: &str| {
        let loaded = config(&handler(&[&format!("database: {{cluster_mode: yes, {database}}}")]));
        let Database::Redis(redis) = one_handler(&loaded).common.database.clone() else {
            panic!("not Redis")
        };
        redis
    };
    let named = redis("url: \"a, b:7001,redis://c:7002,[::1]:7003,::2/0\", port: 7000");
    assert_eq!(named.place(), "a:7000,b:7001,c:7002,[::1]:7003,[::2]:7000/0");
    assert_eq!((named.tls, named.user, named.password), (Tls::Off, None, None));
    for url in
        ["rediss://me:s3cret@a,b", "rediss://me:s3cret@a,rediss://b", "rediss://me:s3cret@a,me:s3cret@b"]
    {
        let named = redis(&format!("url: \"{url}\""));
        assert_eq!((named.place().as_str(), named.tls), ("a:6379,b:6379/0", Tls::Verified), "{url}");
        assert_eq!((named.user.as_deref(), named.password.unwrap().expose()), (Some("me"), "s3cret"));
    }
    // As it was read when one host was all that could be written.
    let comma = redis("url: \"redis://me:pa,ss,word@a,b\"");
    assert_eq!((comma.place().as_str(), comma.password.unwrap().expose()), ("a:6379,b:6379/0", "pa,ss,word"));
}

#[test]
fn the_global_database_wins_as_a_whole() {
    let own = handler(&["database: {url: own, password: ownpassword}"]);
    let redis = |text: &str| match &one_handler(&config(text)).common.database {
        Database::Redis(redis) => (redis.place(), redis.password.is_some()),
        Database::Embedded => panic!("not Redis"),
    };
    assert_eq!(redis(&own), ("own:6379/0".into(), true));
    assert_eq!(redis(&format!("global_database_url: all:7\n{own}")), ("all:7/0".into(), false));
    assert_eq!(redis(&format!("global_database_port: 7\n{own}")), ("own:6379/0".into(), true));
    let off = handler(&["database: {url: own, enabled: false}"]);
    assert_eq!(one_handler(&config(&off)).common.database, Database::Embedded);
}

#[test]
fn what_is_odd_but_no_fault_is_a_warning() {
    let cases: &[(String, &str)] = &[
        (handler(&[]), "config.yml:2: plugins[0]: no receiver here puts jobs into its queue \"acme\""),
        (receiver(&[]), "config.yml:2: plugins[0]: no handler here takes jobs from its queue \"acme\""),
        (handler(&["app_id: 7"]), "config.yml:6: plugins[0].app_id: is not used: the token wins"),
        (handler(&["runner_group: G", "repo: r"]), "config.yml:6: plugins[0].runner_group: is ignored"),
        (
            receiver(&[])
                .replace("owner: acme", "enterprise: e")
                .replace("skip_redeliver: yes", "bind: \"::\""),
            "plugins[0].enterprise: deliveries that are lost stay lost: GitHub lists no",
        ),
        (handler(&["port: 5"]), "plugins[0].port: does nothing for a handler; remove it"),
        (receiver(&["skip_pull: no"]), "plugins[0].skip_pull: does nothing for a receiver; remove it"),
        (
            receiver(&[]).replace("    skip_redeliver: yes\n", ""),
            "plugins[0].hook_id: is missing: deliveries that are lost",
        ),
        (
            handler(&["slep_interval: 5"]),
            "plugins[0].slep_interval: is not a key that anklet knows; the nearest known one is sleep_interval",
        ),
        (handler(&["registry: r"]), "the nearest known one is registry_url"),
        (
            handler(&["global_token: r"]),
            "global_token: stands at the top of the file; the nearest known one here is token",
        ),
        (
            top(&["log_file_dir: /tmp"]),
            "config.yml:1: log_file_dir: is not a key that anklet knows; the nearest known one is log.file_dir",
        ),
        (
            top(&["token: tttt"]),
            "config.yml:1: token: stands in a plugin; the nearest known one here is global_token",
        ),
        (
            top(&["log: {filedir: /tmp}"]),
            "config.yml:1: log.filedir: is not a key that anklet knows; the nearest known one is file_dir",
        ),
        (
            top(&["hook_id: 5"]),
            "config.yml:1: hook_id: is not a key that anklet knows; the nearest known one is plugins[].hook_id",
        ),
        (top(&["global_database_port: 5"]), "global_database_port: does nothing without global_database_url"),
        (handler(&["database: {port: 5}"]), "plugins[0].database: does nothing without url"),
        (
            top(&["metrics: {sleep_interval: 5}"]),
            "metrics.sleep_interval: does nothing without metrics.aggregator: true",
        ),
        (
            top(&["log: {file_dir: \"-\", split_by_plugin: true}"]),
            "log.split_by_plugin: does nothing when log.file_dir is -",
        ),
    ];
    for (text, said) in cases {
        let found = warnings(text);
        assert!(found.iter().any(|warning| warning.contains(said)), "{text}\n{said}\n{found:#?}");
    }
}

#[test]
fn a_repositorys_runners_are_in_no_group() {
    let group = |more: &[&str]| one_handler(&config(&handler(more))).runner_group.clone();
    assert_eq!(group(&["runner_group: Mac"]).as_deref(), Some("Mac"));
    assert_eq!(group(&["runner_group: Mac", "repo: app"]), None);
}

#[test]
fn a_dash_is_standard_output_quoted_or_not() {
    for dash in ["file_dir: -", "file_dir: \"-\"", "file_dir: -   # to standard output", "file_dir:  '-'\r"] {
        let text = top(&[&format!("log:\n  {dash}")]);
        assert_eq!(config(&text).log.destination, LogDestination::Stdout, "{text}");
    }
    let folder = config(&top(&["log:", "  file_dir: ./."])).log.destination;
    assert!(matches!(folder, LogDestination::Folder(_)));
}

#[test]
fn a_pair_on_one_queue_has_nothing_to_be_warned_of() {
    let text = receiver(&[]) + &handler(&["repo: app"]).replace("plugins:\n", "");
    assert_eq!(warnings(&text), Vec::<String>::new());
    let shared = handler(&["database: {url: redis}"]);
    assert!(warnings(&shared).iter().all(|warning| !warning.contains("queue")), "{:?}", warnings(&shared));
}

#[test]
fn what_a_later_capability_acts_on_says_not_yet() {
    let cases: &[(String, &str)] = &[
        (top(&["orphan_grace_seconds: 1"]), "config.yml:1: orphan_grace_seconds: not yet"),
        (top(&["global_template_disk_buffer: 11"]), "config.yml:1: global_template_disk_buffer: not yet"),
        (handler(&["template_disk_buffer: 11"]), "plugins[0].template_disk_buffer: not yet"),
        (handler(&["host_to_guest_folder_mounts: [/a]"]), "plugins[0].host_to_guest_folder_mounts: not yet"),
    ];
    for (text, said) in cases {
        let checked = Home::new().load(text).unwrap_or_else(|faults| panic!("{text}\n{faults:?}"));
        let found: Vec<String> = checked.warnings.iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|warning| warning.contains(said)), "{text}\n{said}\n{found:#?}");
    }
    let twice = format!("global_template_disk_buffer: 11\n{}", two_handlers());
    let said = warnings(&twice);
    let not_yet: Vec<&String> = said.iter().filter(|warning| warning.contains("not yet")).collect();
    assert_eq!(
        not_yet,
        [&format!("config.yml:1: global_template_disk_buffer: {NOT_YET}")],
        "once, though two use it"
    );
    let shared = format!("global_database_url: redis\nlease_seconds: 61\n{}", two_handlers());
    assert_eq!(warnings(&shared), [""; 0]);
    let acted_on = warnings(&top(&["global_skip_pull: true"]));
    assert!(acted_on.iter().all(|warning| !warning.contains("not yet")), "{acted_on:?}");
    let defaults =
        top(&["lease_seconds: \"60\"", "metrics: {port_auto: false}", "global_template_disk_buffer: 10"]);
    assert!(
        warnings(&defaults).iter().all(|warning| !warning.contains("not yet")),
        "{:?}",
        warnings(&defaults)
    );
    let hook = receiver(&["hook_id: 7", "token: tttt"]).replace("skip_redeliver: yes", "skip_redeliver: no");
    assert!(warnings(&hook).iter().all(|warning| !warning.contains("not yet")));
}

#[test]
fn an_aggregator_counts_each_page_once() {
    let urls = "[\"http://a/m\", \"http://a/m\", \"http://u:pw@a/m\", \"http://u:p4ssword@b/m?format=prometheus\", \"http://c/m?format=plain\"]";
    let checked = checked(&format!("metrics:\n  aggregator: true\n  metrics_urls: {urls}\n"));
    let aggregator = checked.config.metrics.aggregator.as_ref().expect("an aggregator");
    assert_eq!(
        aggregator.urls,
        ["http://a/m", "http://u:p4ssword@b/m?format=prometheus", "http://c/m?format=plain"]
    );
    assert_eq!((aggregator.sleep_interval, &aggregator.database), (10 * SECOND, &Database::Embedded));
    assert_eq!(checked.config.metrics.bind.to_string(), "0.0.0.0");
    assert!(checked.config.pid_file.ends_with("anklet-aggregator.pid"));
    let found: Vec<String> = checked.warnings.iter().map(ToString::to_string).collect();
    let twice = found.iter().filter(|w| w.contains("\"http://a/m\" stands twice and counts once"));
    assert_eq!(twice.count(), 1, "of both the same is said: {found:?}");
    assert!(
        found.iter().any(|w| w.contains("\"http://b/m?format=prometheus\" asks for prometheus")),
        "{found:?}"
    );
    assert!(found.iter().any(|w| w.contains("asks for plain")), "{found:?}");
}

#[test]
fn redelivery_and_stop_are_read() {
    let text =
        receiver(&["hook_id: 7", "token: tttt", "redeliver_hours: 2", "redeliver_interval_seconds: 5"])
            .replace("    skip_redeliver: yes\n", "");
    let loaded = config(&format!("stop_on_term: DETACH\n{text}"));
    let redelivery = one_receiver(&loaded).redelivery.as_ref().expect("redelivery");
    assert_eq!(
        (redelivery.hook, redelivery.reach, redelivery.interval),
        (Hook::Number(7), 7200 * SECOND, 5 * SECOND)
    );
    assert_eq!(loaded.stop_on_term, StopOnTerm::Detach);
}

#[test]
fn old_keys_that_did_nothing_are_remarked_on_only() {
    let checked = checked(&handler(&["workflows: {include: [a], exclude: [b]}"]));
    let infos: Vec<String> = checked.infos.iter().map(ToString::to_string).collect();
    assert_eq!(
        infos,
        ["config.yml:6: plugins[0].workflows: does nothing, as in earlier versions; it may be removed"]
    );
    assert!(checked.warnings.iter().all(|warning| !warning.key.contains("workflows")));
}

fn two_handlers() -> String {
    handler(&[]) + &handler(&[]).replace("plugins:\n", "").replace("RUNNER1", "RUNNER2")
}
