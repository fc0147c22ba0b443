//! What scripts/uninstall takes away, and when it refuses.

use std::fs;

use super::home::Home;

const START: &str = ".config/anklet/plugins/handlers/github/start-runner.bash";

/// It refuses with these words, and everything is as it was.
#[track_caller]
fn refused(home: &Home, words: &str) {
    let before = home.tree();
    for arguments in [&[][..], &["--dry-run"]] {
        let answer = home.run("uninstall", arguments);
        assert_eq!(answer.code, 1, "{}", answer.out);
        assert!(answer.err.contains(words), "{words}: {}", answer.err);
        assert_eq!(home.tree(), before);
    }
}

#[test]
fn all_that_was_installed_goes_and_nothing_else() {
    let home = Home::new();
    home.write(".local/share/man/man1/other.1", "");
    home.write(".config/anklet/state/host_id", "me\n");
    home.install(&[]);
    home.write(START, "# mine\n");
    let before = home.tree();
    let told = home.run("uninstall", &["--dry-run"]);
    assert_eq!((told.code, home.tree()), (0, before));
    assert!(told.out.contains("would remove"), "{}", told.out);
    let answer = home.run("uninstall", &[]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.err.contains("start-runner.bash is not as it was installed: it stays"), "{}", answer.err);
    let left: Vec<String> = home
        .tree()
        .into_keys()
        .map(|path| path.strip_prefix(&home.dir).unwrap().display().to_string())
        .collect();
    let config = [".config/anklet/config.yml", START, ".config/anklet/state/host_id"];
    assert_eq!(left, [&config[..], &[".local/share/man/man1/other.1"]].concat());
    assert!(!home.at(".local/share/anklet").exists(), "an empty folder is left");
    assert_eq!(home.run("uninstall", &[]).code, 1, "there is nothing to remove any more");
}

#[test]
fn an_open_journal_is_refused_wherever_it_is() {
    let mut home = Home::new();
    home.install(&[]);
    home.write(".config/anklet/state/journal/RUNNER1.lock", "");
    home.write(".config/anklet/state/journal/RUNNER1.json", "{}");
    refused(&home, "RUNNER1.json");
    fs::remove_file(home.at(".config/anklet/state/journal/RUNNER1.json")).unwrap();
    home.write(".config/anklet/mac.yml", "state_dir: ~/elsewhere\n");
    home.env.push(("ANKLET_CONFIG_FILE_NAME".into(), "mac.yml".into()));
    home.write("elsewhere/journal/RUNNER2.json", "{}");
    refused(&home, "RUNNER2.json");
    fs::remove_file(home.at("elsewhere/journal/RUNNER2.json")).unwrap();
    assert_eq!(home.run("uninstall", &[]).code, 0);
}

#[test]
fn where_nothing_was_installed_nothing_is_removed() {
    let home = Home::new();
    home.write(".local/bin/anklet", "somebody else's");
    refused(&home, "on record");
}
