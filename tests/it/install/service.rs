//! `--service`: the service file and the calls of the service managers, which the test plays.

use std::fs;

use super::home::Home;

/// Notes its calls; the service runs from `start` to `stop`.
const SYSTEMCTL: &str = r#"
echo "$*" >>"$HOME/calls"
case $* in
  *is-active*) [[ -e $HOME/runs ]] ;;
  *restart*) : >"$HOME/runs" ;;
esac"#;

const LAUNCHCTL: &str = r#"
echo "$*" >>"$HOME/calls"
case $1 in
  print) [[ -e $HOME/runs ]] && printf 'state = running\n\tpid = 7\n' ;;
  bootstrap) : >"$HOME/runs" ;;
  bootout) rm "$HOME/runs" ;;
esac"#;

struct Flavour {
    file: &'static str,
    start: &'static str,
}

const FLAVOURS: [Flavour; 2] = [
    Flavour { file: ".config/systemd/user/anklet.service", start: "--user restart anklet.service" },
    Flavour { file: "Library/LaunchAgents/anklet.plist", start: "bootstrap gui/" },
];

fn home_of(flavour: &Flavour) -> Home {
    let home = Home::new();
    home.tool("systemctl", SYSTEMCTL);
    home.tool("launchctl", LAUNCHCTL);
    let system = if flavour.file.starts_with("Library") { "Darwin" } else { "Linux" };
    home.tool("uname", &format!("echo {system}"));
    home
}

/// How often the service was started.
fn starts(home: &Home, flavour: &Flavour) -> usize {
    home.read("calls").lines().filter(|line| line.starts_with(flavour.start)).count()
}

#[test]
fn a_service_starts_once_its_configuration_is_somebody_s_own() {
    for flavour in &FLAVOURS {
        let home = home_of(flavour);
        let told = home.install(&["--service"]).out;
        assert!(told.contains("the service was not started: edit"), "{told}");
        assert_eq!(starts(&home, flavour), 0);
        let service = home.read(flavour.file);
        let program = home.at(".local/bin/anklet").display().to_string();
        let written = if flavour.file.ends_with("plist") { program.replace('&', "&amp;") } else { program };
        assert!(service.contains(&written), "{service}");
        let (_, told) = service.split_once("ANKLET_STOP_ON_TERM").unwrap();
        assert!(told.trim_start_matches(['=', '<', '>', '/', 'k', 'e', 'y', '\n', ' ']).contains("detach"));
        let rest: Vec<&str> = service.lines().filter(|line| line.contains("@BIN@")).collect();
        assert!(rest.iter().all(|line| line.trim_start().starts_with(['#', '"', 's'])), "{rest:?}");

        home.install(&["--service"]);
        assert_eq!(starts(&home, flavour), 1);
        let told = home.install(&["--service"]).out;
        assert!(told.contains("the service runs as it is to be"), "{told}");
        assert_eq!(starts(&home, flavour), 1, "nothing has changed");
    }
}

#[test]
fn what_was_swapped_before_is_started_all_the_same() {
    for flavour in &FLAVOURS {
        let home = home_of(flavour);
        home.write(".config/anklet/config.yml", "plugins: []\n");
        home.install(&["--service"]);
        home.program("2");
        home.install(&[]);
        assert_eq!(starts(&home, flavour), 1, "not asked for");
        let told = home.install(&["--service"]).out;
        assert!(told.contains("(re)started, as anklet 2"), "{told}");
        assert_eq!(starts(&home, flavour), 2);
    }
}

#[test]
fn a_wrong_configuration_leaves_the_service_as_it_is() {
    for flavour in &FLAVOURS {
        let home = home_of(flavour);
        home.write(".config/anklet/config.yml", "plugins: []\n");
        home.install(&["--service"]);
        home.write(".config/anklet/config.yml", "faulty\n");
        home.program("2");
        let answer = home.run("install", &["--service"]);
        assert_eq!(answer.code, 1);
        assert!(answer.err.contains("checked") && answer.err.contains("mend them"), "{}", answer.err);
        assert_eq!(starts(&home, flavour), 1);
        assert!(home.at("runs").exists());
    }
}

#[test]
fn a_service_file_that_was_changed_stays() {
    for flavour in &FLAVOURS {
        let home = home_of(flavour);
        home.write(".config/anklet/config.yml", "faulty, unless a variable mends it\n");
        home.write(flavour.file, "mine\n");
        let answer = home.install(&["--service"]);
        assert_eq!(home.read(flavour.file), "mine\n");
        assert!(home.read(&format!("{}.new", flavour.file)).contains("anklet"));
        assert!(answer.err.contains("it stays") && answer.err.contains("variables"), "{}", answer.err);
        assert_eq!(starts(&home, flavour), 1, "{}", answer.err);
    }
}

#[test]
fn a_service_is_removed_once_it_does_not_run() {
    for flavour in &FLAVOURS {
        let home = home_of(flavour);
        home.write(".config/anklet/config.yml", "plugins: []\n");
        home.install(&["--service"]);
        let answer = home.run("uninstall", &[]);
        assert_eq!(answer.code, 1);
        assert!(answer.err.contains("the service runs"), "{}", answer.err);
        assert!(home.at(flavour.file).exists());
        fs::remove_file(home.at("runs")).unwrap();
        let answer = home.run("uninstall", &[]);
        assert_eq!(answer.code, 0, "{}", answer.err);
        assert!(!home.at(flavour.file).exists());
        let forgotten = home.read("calls");
        assert!(forgotten.contains("disable anklet") || forgotten.contains("bootout gui/"), "{forgotten}");
    }
}
