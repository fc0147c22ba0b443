//! anklet.yml(5): each key of the tables with its type, default and variables, and no other.

use anklet::config::keys::{DATABASE, Key, Kind, PLUGIN, READY, TOP, top_rows};
use anklet::config::{Inputs, load};

use super::page::{Item, displays, items};
use super::{read, sorted, sources};

const PAGE: &str = "man/anklet.yml.5";
const TOP_KEYS: &str = ".Ss Keys at the top";
const PLUGIN_KEYS: &str = ".Ss Keys of a plugin";
const DATABASE_KEYS: &str = ".Ss Keys of a database";

/// The page's item of a key.
fn entry(items: &[Item], key: &Key) -> usize {
    let found = items.iter().position(|item| item.head.split(' ').nth(1) == Some(key.name));
    found.unwrap_or_else(|| panic!("{} is not in the page", key.name))
}

/// How the page writes what a value looks like.
fn shape(kind: Kind) -> String {
    let word = match kind {
        Kind::Choice(words) => return format!("Cm {}", words.join(" | Cm ")),
        Kind::Folder => "Ar folder",
        Kind::FolderOrDash => "Ar folder | Cm -",
        Kind::Program => "Ar program",
        Kind::File => "Ar file",
        Kind::Text => "Ar text",
        Kind::Secret => "Ar secret",
        Kind::Secrets => "Ar secret | list",
        Kind::PrivateKey => "Ar file | PEM",
        Kind::Name | Kind::GithubName => "Ar name",
        Kind::Flag => "Cm true | false",
        Kind::Whole { .. } => "Ar number",
        Kind::Seconds { .. } => "Ar seconds",
        Kind::Millis => "Ar milliseconds",
        Kind::Percent => "Ar percent",
        Kind::Factor => "Ar factor",
        Kind::Address => "Ar address",
        Kind::GithubUrl { .. } => "Ar URL",
        Kind::Urls | Kind::Mounts | Kind::Plugins => "Ar list",
        Kind::DatabaseUrl => "Ar host | URL",
        Kind::Hook => "Cm app | Ar number",
        Kind::Database => "Ar block",
    };
    word.to_owned()
}

/// Type, default and bounds.
fn assert_described(item: &Item, key: &Key) {
    assert_eq!(item.head, format!("Ic {} : {}", key.name, shape(key.kind)));
    let shown = item.body.first().is_some_and(|line| line == "Default");
    let default = item.body.get(1).filter(|_| shown).and_then(|line| line.strip_prefix(".Ql "));
    let default = default.and_then(|text| text.split(' ').next()).unwrap_or_default();
    assert_eq!(default, key.default, "the default of {}", key.name);
    let text = item.body.join(" ");
    match key.kind {
        // GitHub's own numbers have no bounds that matter.
        Kind::Whole { least, most } if most < 1 << 50 => {
            assert!(text.contains(&format!("{least} to {most}")), "the bounds of {}: {text}", key.name);
        }
        Kind::Seconds { least: least @ 2.. } => {
            assert!(text.contains(&format!("At least {least}.")), "the bound of {}: {text}", key.name);
        }
        _ => {}
    }
    let told = text.contains(".Em Not yet :");
    assert_eq!(told, !READY.contains(&key.from), "whether {} does anything", key.name);
    let facts = ["Default", ".Ql", ".Ev", ".Pq", "for all plugins", ".Ic global_"];
    let is_told = item.body.iter().any(|line| !facts.iter().any(|fact| line.starts_with(fact)));
    assert!(is_told && text.ends_with('.'), "{} is not explained", key.name);
}

/// The variables that an item names at its front: before it begins to explain.
fn variables(item: &Item) -> Vec<String> {
    let lines = item.body.iter().filter(|line| line.starts_with(".Ev ") || line.starts_with(".Pq Ev "));
    let words = lines.flat_map(|line| line.split(' ').skip(1));
    sorted(words.filter(|word| word.len() > 3 && *word == word.to_uppercase()).map(str::to_owned))
}

fn capitals(prefix: &str, name: &str) -> String {
    format!("{prefix}_{}", name.to_uppercase().replace('.', "_"))
}

#[test]
fn keys_at_the_top_are_all_there() {
    let items = items(&read(PAGE), TOP_KEYS);
    assert_eq!(items.len(), TOP.len());
    let rows = top_rows();
    for key in TOP {
        let item = &items[entry(&items, key)];
        assert_described(item, key);
        let variable = rows.iter().find(|row| row.path == key.name).unwrap().variable.clone();
        // Where the program is looked up, and the folder of the journals.
        let told = variables(item).into_iter().filter(|name| name != "PATH");
        assert_eq!(told.collect::<String>(), variable, "{}", key.name);
    }
}

#[test]
fn keys_of_a_plugin_are_all_there_with_their_global_form() {
    let items = items(&read(PAGE), PLUGIN_KEYS);
    assert_eq!(items.len(), PLUGIN.len());
    for key in PLUGIN {
        let item = &items[entry(&items, key)];
        assert_described(item, key);
        let own = !matches!(key.kind, Kind::Database | Kind::Name);
        let mut wanted: Vec<String> = own.then(|| capitals("NAME", key.name)).into_iter().collect();
        if !key.global.is_empty() {
            wanted.push(capitals("ANKLET_GLOBAL", key.global));
            let at_the_top = format!(".Ic global_{}", key.global);
            assert!(item.body.contains(&at_the_top), "{at_the_top} of {}", key.name);
        }
        assert_eq!(variables(item), sorted(wanted), "{}", key.name);
    }
}

#[test]
fn keys_of_a_database_are_all_there_with_their_three_places() {
    let items = items(&read(PAGE), DATABASE_KEYS);
    assert_eq!(items.len(), DATABASE.len());
    for key in DATABASE {
        let item = &items[entry(&items, key)];
        assert_described(item, key);
        let places = ["ANKLET_GLOBAL_DATABASE", "ANKLET_METRICS_DATABASE", "NAME_DATABASE"];
        assert_eq!(variables(item), places.map(|place| capitals(place, key.name)), "{}", key.name);
    }
}

/// Keys of a plugin that are read and not acted on.
fn not_yet() -> Vec<String> {
    sorted(PLUGIN.iter().filter(|key| !READY.contains(&key.from)).map(|key| key.name.to_owned()))
}

#[test]
fn what_is_called_not_yet_is_acted_on_nowhere() {
    let resolved = read("src/config/resolve/handler.rs");
    let sources = sources().concat();
    for key in not_yet() {
        // `field: reader.kind("key")`
        let line = resolved.lines().find(|line| line.contains(&format!("(\"{key}\")"))).unwrap();
        let field = line.trim().split(':').next().unwrap();
        let used = sources.split(&format!(".{field}")).skip(1).any(|rest| !rest.starts_with('('));
        assert!(!used, "{key} is acted on, by its field {field}");
    }
}

#[test]
fn what_is_not_yet_is_the_same_in_the_example_and_the_readme() {
    let example = read("config/example.yml");
    let mut comment = String::new();
    for line in example.lines() {
        let Some(text) = line.strip_prefix("    #") else {
            comment.clear();
            continue;
        };
        if text.starts_with(' ') {
            comment += text;
            continue;
        }
        if let Some(key) = PLUGIN.iter().find(|key| text.starts_with(&format!("{}:", key.name))) {
            let told = comment.contains("Not yet");
            assert_eq!(told, !READY.contains(&key.from), "whether {} does anything: {comment}", key.name);
        }
        comment.clear();
    }
    let readme = read("README.md");
    let row = readme.lines().find(|line| line.contains("not acted on yet")).unwrap();
    let keys = row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2).map(str::to_owned);
    assert_eq!(sorted(keys), not_yet());
}

#[test]
fn the_examples_of_the_page_load() {
    let page = read(PAGE);
    let home = std::env::temp_dir().join(format!("anklet-manual-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let examples: Vec<String> =
        displays(&page).into_iter().filter(|display| !display.starts_with('$')).collect();
    assert_eq!(examples.len(), 3);
    for text in examples {
        let file = home.join("config.yml");
        std::fs::write(&file, &text).unwrap();
        let inputs = Inputs {
            explicit_file: Some(file),
            env: std::collections::BTreeMap::default(),
            home: Some(home.clone()),
            cwd: home.clone(),
        };
        if let Err(faults) = load(inputs) {
            panic!("{faults}\n{text}");
        }
    }
    std::fs::remove_dir_all(home).unwrap();
}
