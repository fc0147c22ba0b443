//! `config/example.yml` names every key and loads, as it is and with every key switched on; two files of the Go program do.

use anklet::config::keys::{DATABASE, PLUGIN, Row, TOP, plugin_rows, top_rows};

use super::Home;

const EXAMPLE: &str = include_str!("../../../config/example.yml");

#[test]
fn the_example_loads_as_it_is() {
    let checked = Home::new().load(EXAMPLE).unwrap();
    assert_eq!(checked.warnings, []);
    assert_eq!(checked.config.plugins.len(), 2);
}

#[test]
fn the_example_loads_with_every_key_switched_on() {
    let text = switched_on();
    let home = Home::new()
        .file(".config/anklet/app.private-key.pem", include_str!("../../keys/app.pem"))
        .file(".config/anklet/ca.pem", include_str!("../../keys/ca.pem"));
    let checked = home.load(&text).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    assert_eq!(checked.config.plugins.len(), 4);
    let unknown: Vec<String> =
        checked.warnings.iter().map(ToString::to_string).filter(|w| w.contains("anklet knows")).collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn the_example_names_every_key() {
    let (top, plugins) = EXAMPLE.split_once("\nplugins:\n").unwrap();
    let missing: Vec<String> = top_rows()
        .iter()
        .filter(|row| row.path != "plugins" && !is_named(row, top))
        .chain(plugin_rows().iter().filter(|row| !is_named(row, plugins)))
        .map(|row| row.path.clone())
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_example_shows_the_defaults_that_hold() {
    let rows = top_rows().into_iter().chain(plugin_rows());
    for row in rows.filter(|row| !row.key.default.is_empty()) {
        let leaf = row.path.rsplit('.').next().unwrap();
        let shown = format!("{leaf}: {}", row.key.default);
        // Two keys are set, so that the example runs.
        let is_set = ["work_dir", "skip_redeliver"].contains(&leaf);
        assert!(is_set || EXAMPLE.contains(&shown), "{shown}");
    }
}

/// A key that nobody reads would be checked and then do nothing, silently.
#[test]
fn every_key_is_read() {
    let room = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/resolve")).unwrap();
    let code: String = room.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    for key in TOP.iter().chain(PLUGIN).chain(DATABASE) {
        assert!(code.contains(&format!("\"{}\"", key.name)), "{}", key.name);
    }
}

#[test]
fn the_go_programs_file_points_at_its_crooked_line() {
    let seed = include_str!("go-plugins.yml");
    let line = 1 + seed.lines().position(|line| line == "      plugin: github").unwrap();
    let faults = Home::new().load(seed).map(|_| ()).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with(&format!("config.yml:{line}: ")), "{faults:?}");

    let straight = seed
        .replace("\n      ", "\n    ")
        .replace("/Users/me/app.private-key.pem", "key.pem")
        .replace("/Users/me/Library/Logs/", "/tmp/");
    let loaded = Home::new().file("key.pem", include_str!("../../keys/app.pem")).load(&straight);
    let checked = loaded.unwrap_or_else(|faults| panic!("{straight}{faults:#?}"));
    assert_eq!(checked.config.plugins.len(), 3);
}

#[test]
fn the_go_programs_aggregator_file_loads_as_an_aggregator() {
    let seed = include_str!("go-aggregator.yml").replace("/Users/me/Library/Logs/", "/tmp/");
    let checked = Home::new().load(&seed).unwrap();
    assert_eq!(checked.config.metrics.aggregator.as_ref().map(|a| a.urls.len()), Some(3));
    let said: Vec<String> = checked.warnings.iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "{said:?}");
}

/// A line behind `#` with no space is a key that is off.
fn switched_on() -> String {
    let line = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        match line.trim_start().strip_prefix('#') {
            Some(key) if !key.starts_with(' ') && !key.is_empty() => format!("{}{key}\n", &line[..indent]),
            _ => format!("{line}\n"),
        }
    };
    EXAMPLE.lines().map(line).collect()
}

fn is_named(row: &Row, text: &str) -> bool {
    let leaf = row.path.rsplit('.').next().unwrap();
    text.lines().any(|line| line.trim_start_matches([' ', '#', '-']).starts_with(&format!("{leaf}:")))
}
