//! Variables, and which file is read.

use std::path::PathBuf;
use std::time::Duration;

use anklet::config::{Database, Inputs, LogDestination, LogLevel, Secret, load};

use super::{Home, handler, one_handler, one_receiver, receiver};

fn log_level(value: &str) -> (LogLevel, Vec<String>) {
    let checked = Home::new().env(&[("LOG_LEVEL", value)]).load(handler(&[])).unwrap();
    let said = checked.warnings.iter().map(ToString::to_string).filter(|w| w.contains("LOG_LEVEL")).collect();
    (checked.config.log.level, said)
}

#[test]
fn a_level_is_read_in_any_case() {
    let cases = [
        ("", LogLevel::Info),
        ("info", LogLevel::Info),
        ("Warn", LogLevel::Warn),
        ("ERROR", LogLevel::Error),
        ("debug", LogLevel::Debug),
        ("dev", LogLevel::Dev),
        ("DEV", LogLevel::Dev),
        ("DEBUG-PRETTY", LogLevel::Dev),
        ("debug-pretty", LogLevel::Dev),
    ];
    for (value, level) in cases {
        assert_eq!(log_level(value), (level, vec![]), "{value}");
    }
    let (level, said) = log_level("loud");
    assert_eq!(level, LogLevel::Info);
    assert_eq!(
        said,
        ["LOG_LEVEL: \"loud\" is not a level; INFO is used; write ERROR, WARN, INFO, DEBUG or dev"]
    );
}

#[test]
fn a_variable_wins_over_the_file_and_an_empty_one_is_not_set() {
    let text =
        format!("metrics: {{port: 1}}\nglobal_registry_url: file\n{}", handler(&["sleep_interval: 1"]));
    let home = Home::new().env(&[
        ("ANKLET_METRICS_PORT", "2"),
        ("ANKLET_METRICS_BIND", ""),
        ("ANKLET_GLOBAL_REGISTRY_URL", "variable"),
        ("ANKLET_STATE_DIR", "~/elsewhere"),
        ("ANKLET_LOG_FILE_DIR", "made/by/the/app"),
        ("ANKLET_PID_FILE_DIR", "made/too"),
        ("RUNNER1_SLEEP_INTERVAL", "3"),
        ("RUNNER1_REPO", "app"),
        ("RUNNER1_DATABASE_URL", "redis.acme.com"),
        ("RUNNER1_HOST_TO_GUEST_FOLDER_MOUNTS", "/a:x, /b"),
        ("RUNNER1_PLUGIN", ""),
    ]);
    let root = home.path.clone();
    let config = home.load(text).unwrap().config;
    let handler = one_handler(&config);
    assert_eq!((config.metrics.port, config.metrics.bind.to_string().as_str()), (2, "127.0.0.1"));
    assert_eq!(config.state_dir, root.join("elsewhere"));
    assert_eq!(config.log.destination, LogDestination::Folder(root.join("made/by/the/app")));
    assert_eq!(config.pid_file, root.join("made/too/anklet.pid"));
    assert_eq!(handler.common.sleep_interval, Some(Duration::from_secs(3)));
    assert_eq!(handler.common.scope.repo_name(), Some("app"));
    assert_eq!(handler.registry_url.as_deref(), Some("variable"));
    assert!(
        matches!(&handler.common.database, Database::Redis(redis) if redis.nodes[0].0 == "redis.acme.com")
    );
    assert_eq!(handler.mounts.len(), 2);
}

#[test]
fn a_plugins_prefix_is_its_name_in_capitals() {
    let text = handler(&[]).replace("RUNNER1", "my runner.1");
    let config = Home::new().env(&[("MY_RUNNER_1_REGISTRY_URL", "r")]).load(text).unwrap().config;
    assert_eq!(one_handler(&config).registry_url.as_deref(), Some("r"));
    assert_eq!(config.variable_prefixes(), ["MY_RUNNER_1"]);
}

#[test]
fn secrets_of_a_variable_are_split_at_commas_and_that_is_said() {
    let checked = Home::new().env(&[("HOOK_SECRET", "old,new")]).load(receiver(&[])).unwrap();
    let secrets: Vec<&str> = one_receiver(&checked.config).secrets.iter().map(Secret::expose).collect();
    assert_eq!(secrets, ["old", "new"]);
    assert_eq!(checked.infos[0].to_string(), "HOOK_SECRET: is read as 2 secrets: a comma separates them");
}

#[test]
fn a_secret_may_come_from_the_top_or_its_variable() {
    let text = receiver(&[]).replace("    secret: s3cr3t\n", "");
    for (file, variables) in [
        (format!("global_receiver_secret: all\n{text}"), vec![]),
        (text.clone(), vec![("ANKLET_GLOBAL_RECEIVER_SECRET", "all")]),
    ] {
        let config = Home::new().env(&variables).load(file).unwrap().config;
        assert_eq!(one_receiver(&config).secrets[0].expose(), "all");
    }
}

#[test]
fn a_mistyped_variable_of_ours_is_a_warning_and_a_strange_one_is_nothing() {
    let home = Home::new().env(&[
        ("ANKLET_WORKDIR", "/x"),
        ("ANKLET_SOMETHING_ELSE", "1"),
        ("ANKLET_WORK_DIRS", ""),
    ]);
    let checked = home.load(handler(&[])).unwrap();
    let said: Vec<String> =
        checked.warnings.iter().map(ToString::to_string).filter(|w| w.starts_with("ANKLET")).collect();
    assert_eq!(
        said,
        ["ANKLET_WORKDIR: is not a variable that anklet knows; the nearest known one is ANKLET_WORK_DIR"]
    );
}

/// `-c`, files, variables → the file that is read, or part of the fault.
type Case<'a> =
    (Option<&'a str>, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], Result<Option<&'a str>, &'a str>);

#[test]
fn the_file_is_found_as_the_pages_say() {
    const AGGREGATOR: (&str, &str) = ("ANKLET_METRICS_AGGREGATOR", "true");
    const URLS: (&str, &str) = ("ANKLET_METRICS_URLS", "http://a/m,http://b/m");
    const OTHER: (&str, &str) = ("ANKLET_CONFIG_FILE_NAME", "other.yml");
    let default = ".config/anklet/config.yml";
    let text = handler(&[]);
    let cases: &[Case<'_>] = &[
        (None, &[(default, &text)], &[], Ok(Some(default))),
        (None, &[(".config/anklet/other.yml", &text)], &[OTHER], Ok(Some(".config/anklet/other.yml"))),
        (Some("my.yml"), &[("my.yml", &text)], &[OTHER], Ok(Some("my.yml"))),
        (Some("my.yml"), &[(default, &text)], &[], Err("my.yml: is not there")),
        (Some("my.yml"), &[], &[AGGREGATOR, URLS], Err("my.yml: is not there")),
        (Some("."), &[], &[], Err(".: is a folder; name the file in it")),
        (None, &[], &[], Err("config.yml: is not there")),
        (None, &[(default, "")], &[], Err("config.yml: is empty")),
        (None, &[(default, &text)], &[OTHER], Err("other.yml: is not there")),
        (
            None,
            &[],
            &[("ANKLET_CONFIG_FILE_NAME", "../x.yml")],
            Err("ANKLET_CONFIG_FILE_NAME: \"../x.yml\" is not a file's name"),
        ),
        (None, &[], &[AGGREGATOR, URLS], Ok(None)),
        (None, &[(default, "")], &[AGGREGATOR, URLS], Ok(Some(default))),
        (None, &[], &[AGGREGATOR], Err("metrics.metrics_urls: is missing")),
    ];
    for (explicit, files, variables, expected) in cases {
        let home = files.iter().fold(Home::new().env(variables), |home, (name, text)| home.file(name, text));
        match (load(home.inputs(*explicit)), expected) {
            (Ok(checked), Ok(file)) => assert_eq!(checked.config.file, file.map(|file| home.path.join(file))),
            (Err(faults), Err(part)) => assert!(faults.to_string().contains(part), "{part}\n{faults}"),
            (found, _) => panic!("{explicit:?} {variables:?} {expected:?}\n{found:?}"),
        }
    }
}

#[test]
fn without_a_home_the_state_folder_must_be_named() {
    let home = Home::new().file("config.yml", handler(&[]));
    let no_home = |env: &[(&str, &str)]| Inputs {
        explicit_file: Some("config.yml".into()),
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        home: Some(PathBuf::new()),
        cwd: home.path.clone(),
    };
    let fault = load(no_home(&[])).unwrap_err().to_string();
    assert_eq!(
        fault,
        "config.yml: state_dir: is missing; there is no home folder to put it in (HOME is not set), so write a path"
    );
    let config = load(no_home(&[("ANKLET_STATE_DIR", "/state")])).unwrap().config;
    assert_eq!(config.run_dir, PathBuf::from("/state/run"));
    assert_eq!(config.drain_file, PathBuf::from("/state/.drain"));
    assert_eq!(config.plugins_path, PathBuf::from("/state/plugins"));
    let inputs = Inputs { explicit_file: None, ..no_home(&[]) };
    assert!(load(inputs).unwrap_err().to_string().contains("no home folder, so there is no default file"));
}
