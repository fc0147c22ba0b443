//! What scripts/install puts where, what it keeps, and that it changes nothing when there is nothing to change.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use super::home::Home;

const SCRIPTS: &str = ".config/anklet/plugins/handlers/github";
const START: &str = ".config/anklet/plugins/handlers/github/start-runner.bash";

#[test]
fn a_first_time_puts_everything_and_a_second_changes_nothing() {
    let home = Home::new();
    let answer = home.install(&[]);
    for (path, mode) in [
        (".local/bin/anklet", 0o755),
        (".local/share/man/man1/anklet.1", 0o644),
        (".local/share/man/man5/anklet.yml.5", 0o644),
        (".local/share/bash-completion/completions/anklet", 0o644),
        (".local/share/zsh/site-functions/_anklet", 0o644),
        (".local/share/fish/vendor_completions.d/anklet.fish", 0o644),
        (".local/share/anklet/example.yml", 0o644),
        (".local/share/anklet/examples/single-mac.yml", 0o644),
        (START, 0o755),
        (".config/anklet/config.yml", 0o600),
    ] {
        assert_eq!(home.mode(path), mode, "{path}");
    }
    assert!(answer.out.contains("is not on your PATH"), "{}", answer.out);
    assert!(answer.out.contains("write your own values"), "{}", answer.out);
    let before = home.tree();
    let answer = home.install(&[]);
    assert_eq!(home.tree(), before);
    assert!(answer.out.contains("anklet 1 is installed, nothing has changed"), "{}", answer.out);
    assert_eq!(answer.err, "");
}

#[test]
fn a_dry_run_names_what_a_real_one_writes_and_changes_nothing() {
    let home = Home::new();
    for arguments in [&["--dry-run"][..], &["--dry-run", "--service"]] {
        let told = home.install(arguments).out;
        assert!(home.tree().is_empty());
        assert!(told.lines().filter(|line| line.starts_with("would write ")).count() > 12, "{told}");
    }
    let told = home.install(&["--dry-run"]).out;
    let done = home.install(&[]).out;
    let of = |text: &str, word: &str| {
        let files = text.lines().filter_map(|line| line.strip_prefix(word)).map(str::to_owned);
        files.collect::<Vec<_>>()
    };
    assert_eq!(of(&told, "would write "), of(&done, "wrote "));

    let before = home.tree();
    home.program("2");
    home.write(START, "# mine\n");
    let mine = home.tree();
    assert_ne!(before, mine);
    let told = home.install(&["--dry-run"]);
    assert!(told.out.contains("would write") && told.out.contains(".local/bin/anklet"), "{}", told.out);
    assert!(told.err.contains("is not as it was installed"), "{}", told.err);
    assert_eq!(home.tree(), mine);
}

#[test]
fn the_program_is_swapped_by_rename() {
    let home = Home::new();
    home.install(&[]);
    let mut old = fs::File::open(home.at(".local/bin/anklet")).unwrap();
    home.program("2");
    home.install(&[]);
    let mut text = String::new();
    old.read_to_string(&mut text).unwrap();
    assert!(text.contains("echo anklet 1"), "whoever runs it keeps it");
    assert!(home.read(".local/bin/anklet").contains("echo anklet 2"));
    assert!(home.tree().keys().all(|path| !path.to_string_lossy().contains("anklet-new")));
}

#[test]
fn a_script_that_was_changed_stays_and_ours_is_beside_it() {
    let home = Home::new();
    home.install(&[]);
    home.write(START, "# mine\n");
    let newer = home.package.join("scripts/runner");
    for script in ["start-runner.bash", "install-runner.bash"] {
        let text = fs::read_to_string(newer.join(script)).unwrap();
        fs::write(newer.join(script), text + "# newer\n").unwrap();
    }
    for _ in 0..2 {
        let answer = home.install(&[]);
        assert_eq!(home.read(START), "# mine\n");
        assert!(home.read(&format!("{START}.new")).ends_with("# newer\n"));
        assert!(home.read(&format!("{SCRIPTS}/install-runner.bash")).ends_with("# newer\n"));
        let warned: Vec<&str> = answer.err.lines().collect();
        assert_eq!(warned.len(), 1, "{}", answer.err);
        assert!(warned[0].starts_with("WARN: ") && warned[0].contains("start-runner.bash"), "{}", answer.err);
    }
}

#[test]
fn a_script_that_somebody_else_put_there_stays() {
    let home = Home::new();
    home.write(START, "# from before\n");
    home.write("scripts of mine/install.bash", "# mine\n");
    symlink(home.at("scripts of mine/install.bash"), home.at(SCRIPTS).join("install-runner.bash")).unwrap();
    symlink(home.at("gone"), home.at(SCRIPTS).join("register-runner.bash")).unwrap();
    let answer = home.install(&[]);
    assert_eq!(answer.err.lines().count(), 3, "{}", answer.err);
    assert_eq!(home.read(START), "# from before\n");
    assert_eq!(home.read("scripts of mine/install.bash"), "# mine\n");
    for script in ["install-runner.bash", "register-runner.bash"] {
        let about = fs::symlink_metadata(home.at(SCRIPTS).join(script)).unwrap();
        assert!(about.is_symlink(), "{script}");
        assert!(home.at(SCRIPTS).join(format!("{script}.new")).is_file(), "{script}");
    }
}

#[test]
fn a_configuration_stays_and_says_where_the_scripts_are() {
    let home = Home::new();
    home.write(".config/anklet/config.yml", "plugins_path: \"~/elsewhere/\" # mine\n");
    home.install(&[]);
    assert_eq!(home.read(".config/anklet/config.yml"), "plugins_path: \"~/elsewhere/\" # mine\n");
    assert!(home.at("elsewhere/handlers/github/start-runner.bash").is_file());
    assert!(!home.at(SCRIPTS).exists());
}

#[test]
fn another_prefix_and_another_folder_of_scripts_are_named() {
    let home = Home::new();
    let prefix = home.at("apps");
    let arguments = ["--prefix", prefix.to_str().unwrap(), "--plugins", "mine"];
    home.install(&arguments);
    assert!(home.at("apps/bin/anklet").is_file() && home.at("apps/share/man/man1/anklet.1").is_file());
    assert!(home.at("mine/handlers/github/start-runner.bash").is_file());
    assert!(!home.at(".local").exists());
    let before = home.tree();
    home.install(&arguments);
    assert_eq!(home.tree(), before);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_changed() {
    let home = Home::new();
    let broken = home.package.join("broken");
    fs::write(&broken, "no program").unwrap();
    for (arguments, code, said) in [
        (&["--binary", "/nowhere/anklet"][..], 1, "/nowhere/anklet"),
        (&["--binary", broken.to_str().unwrap()], 1, "does not run on this machine"),
        (&["--nope"], 2, "--nope"),
        (&["--prefix"], 2, "--prefix"),
    ] {
        let answer = home.run("install", arguments);
        assert_eq!(answer.code, code, "{arguments:?}");
        assert!(answer.err.contains(said), "{}", answer.err);
        assert!(home.tree().is_empty());
    }
    fs::remove_file(home.package.join("anklet")).unwrap();
    let answer = home.run("install", &[]);
    assert!(answer.code == 1 && answer.err.contains("--binary"), "{}", answer.err);
    for script in ["install", "uninstall"] {
        let help = home.run(script, &["--help"]);
        assert!(
            help.code == 0 && help.out.contains("--dry-run") && !help.out.contains("set -"),
            "{}",
            help.out
        );
    }
}
