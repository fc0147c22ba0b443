//! The command line: what is to be run.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` prints.
pub const HELP: &str = "\
anklet gives every GitHub Actions job its own fresh macOS VM.

Usage: anklet [OPTIONS] [COMMAND]

Without a command it runs in the foreground until it is stopped: Ctrl+C lets running
jobs finish, a second one leaves them to the next start, a third ends at once.

Commands:
  check              read the configuration, report every fault, start nothing
  healthcheck        ask the running daemon whether it is ready: 0, or 1 and why

Options:
  -c, --config FILE  configuration (default: ~/.config/anklet/config.yml)
      --once         one turn: handlers run at most one job each, then all ends
  -V, --version      print the version
  -h, --help         print this

Environment: ANKLET_CONFIG_FILE_NAME names another file beside the default one,
LOG_LEVEL is INFO, WARN, ERROR, DEBUG or dev; config/example.yml lists every key
with its variable.

Exit codes: 0 done, 1 a plugin failed, 2 usage, 3 configuration, 4 already running,
5 address in use, 6 store away (--once, check), 7 no usable plugin, 130 third signal.
";

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The daemon.
    Run(Run),
    /// `check`.
    Check {
        /// `-c`.
        config: Option<PathBuf>,
    },
    /// `healthcheck`.
    HealthCheck {
        /// `-c`.
        config: Option<PathBuf>,
    },
    /// `--help`.
    Help,
    /// `--version`.
    Version,
}

/// How the daemon is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// `-c`.
    pub config: Option<PathBuf>,
    /// `--once`.
    pub once: bool,
}

/// Reads the command line, without the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut parser = Parser::from_args(arguments);
    let (mut run, mut command) = (Run::default(), None);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Version),
            Arg::Short('c') | Arg::Long("config") => {
                let file = parser.value().map_err(|error| error.to_string())?;
                run.config = Some(PathBuf::from(file));
            }
            Arg::Long("once") => run.once = true,
            Arg::Value(word) if command.is_none() && (word == "check" || word == "healthcheck") => {
                command = word.into_string().ok();
            }
            Arg::Value(word) => {
                return Err(format!(
                    "there is no command {:?}; see --help",
                    word.string().unwrap_or_default()
                ));
            }
            other => return Err(format!("{}; see --help", other.unexpected())),
        }
    }
    match (command.as_deref(), run.once) {
        (None, _) => Ok(Command::Run(run)),
        (Some(command), true) => Err(format!("--once does not go with {command}; see --help")),
        (Some("healthcheck"), false) => Ok(Command::HealthCheck { config: run.config }),
        (Some(_), false) => Ok(Command::Check { config: run.config }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn words_and_options_come_in_any_order() {
        let config = Some(PathBuf::from("a.yml"));
        assert_eq!(read(""), Ok(Command::Run(Run::default())));
        assert_eq!(read("--once -c a.yml"), Ok(Command::Run(Run { config: config.clone(), once: true })));
        assert_eq!(read("check --config=a.yml"), Ok(Command::Check { config: config.clone() }));
        assert_eq!(read("-ca.yml check"), Ok(Command::Check { config: config.clone() }));
        assert_eq!(read("healthcheck -c a.yml"), Ok(Command::HealthCheck { config }));
        assert_eq!(read("--help"), Ok(Command::Help));
        assert_eq!(read("-V"), Ok(Command::Version));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, named) in [
            ("--nope", "--nope"),
            ("run", "run"),
            ("-c", "-c"),
            ("check --once", "--once"),
            ("check check", "check"),
        ] {
            let said = read(line).unwrap_err();
            assert!(said.contains(named), "{line}: {said}");
        }
    }
}
