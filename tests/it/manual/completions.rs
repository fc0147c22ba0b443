//! The shells' completions know every command and option, and no other.

use super::{commands, options, read, run, sorted};

const BASH: &str = "config/completions/anklet.bash";
const ZSH: &str = "config/completions/_anklet";
const FISH: &str = "config/completions/anklet.fish";

/// The options that a file offers: words that begin with a dash.
fn offered(text: &str) -> Vec<String> {
    let words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')));
    let is_long = |word: &&str| word.len() > 2 && word.starts_with("--");
    sorted(words.filter(is_long).map(str::to_owned))
}

fn long_options() -> Vec<String> {
    options().into_iter().filter(|option| option.starts_with("--")).collect()
}

fn short_options() -> Vec<String> {
    options().into_iter().filter(|option| !option.starts_with("--")).collect()
}

#[test]
fn bash_and_zsh_offer_every_option() {
    for file in [BASH, ZSH] {
        let text = read(file);
        assert_eq!(offered(&text), long_options(), "{file}");
        for option in short_options() {
            assert!(text.contains(&option), "{option} is not in {file}");
        }
    }
}

#[test]
fn fish_offers_every_option() {
    let text = read(FISH);
    let lines = text.lines().filter(|line| line.starts_with("complete "));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let behind = |flag: &str, dashes: &str| {
        let pairs = words.windows(2).filter(|pair| pair[0] == flag);
        sorted(pairs.map(|pair| format!("{dashes}{}", pair[1])))
    };
    assert_eq!(behind("-l", "--"), long_options());
    assert_eq!(behind("-s", "-"), short_options());
}

#[test]
fn every_shell_offers_every_command() {
    for file in [BASH, ZSH, FISH] {
        let text = read(file);
        let words = sorted(text.split(|c: char| !c.is_ascii_lowercase()).map(str::to_owned));
        for command in commands().iter().flat_map(|command| command.split(' ')) {
            assert!(words.iter().any(|word| word == command), "{command} is not in {file}");
        }
    }
}

#[test]
fn shells_can_read_their_file() {
    for (shell, file) in [("bash", BASH), ("zsh", ZSH), ("fish", FISH)] {
        let Some(output) = run(shell, &["-n", file]) else { continue };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What bash offers at the end of this line, as a person would see it.
fn bash_offers(line: &[&str]) -> Vec<String> {
    let ask = "source config/completions/anklet.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
               _anklet anklet \"${@: -1}\" \"${@: -2:1}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = run("bash", &[&["--norc", "-c", ask, "bash"], line].concat()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_what_fits() {
    assert_eq!(bash_offers(&["anklet", "q"]), ["queue"]);
    assert_eq!(bash_offers(&["anklet", "queue", "l"]), ["list"]);
    assert_eq!(bash_offers(&["anklet", "queue", "list", "--l"]), ["--limit"]);
    assert_eq!(bash_offers(&["anklet", "queue", "show", "--l"]), [""]);
    assert_eq!(bash_offers(&["anklet", "-c", "config/example."]), ["config/example.yml"]);
    assert_eq!(bash_offers(&["anklet", "check", "--o"]), ["--offline"]);
    assert_eq!(bash_offers(&["anklet", "healthcheck", "--o"]), [""]);
}
