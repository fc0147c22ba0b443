//! The command line: what is to be run.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use crate::commands::queue::{Query, Subject, help};

/// What `--help` prints.
pub const HELP: &str = "\
anklet gives every GitHub Actions job its own fresh macOS VM.

Usage: anklet [OPTIONS] [COMMAND]

Without a command it runs in the foreground until it is stopped: Ctrl+C lets running
jobs finish, a second one leaves them to the next start, a third ends at once.

Commands:
  check              report every fault, here, at GitHub and Redis; start nothing
  queue list         what waits, since when, who holds what, why nobody takes it
  queue show ID      the same of one job; see anklet queue --help for --json and more
  healthcheck        ask the running daemon whether it is ready: 0, or 1 and why

Options:
  -c, --config FILE  configuration (default: ~/.config/anklet/config.yml)
      --once         one turn: handlers run at most one job each, then all ends
      --offline      check: ask neither GitHub nor Redis
  -V, --version      print the version
  -h, --help         print this

Environment: ANKLET_CONFIG_FILE_NAME names another file beside the default one,
LOG_LEVEL is INFO, WARN, ERROR, DEBUG or dev; config/example.yml lists every key
with its variable.

Exit codes: 0 done, 1 a plugin failed (check: GitHub away; queue show: no such job),
2 usage, 3 configuration (check: or what it needs at GitHub), 4 already running,
5 address in use, 6 store away (--once, check, queue), 7 no usable plugin,
130 third signal.
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
        /// `--offline`.
        offline: bool,
    },
    /// `healthcheck`.
    HealthCheck {
        /// `-c`.
        config: Option<PathBuf>,
    },
    /// `queue list`, `queue show`.
    Queue(Query),
    /// `--help`, with the text to print.
    Help(&'static str),
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

/// What stands on a line, whatever it means together.
#[derive(Default)]
struct Line {
    words: Vec<String>,
    config: Option<PathBuf>,
    once: bool,
    offline: bool,
    json: bool,
    queue: Option<String>,
    limit: Option<usize>,
}

/// Reads the command line, without the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut parser = Parser::from_args(arguments);
    let mut line = Line::default();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help(line.help())),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Version),
            Arg::Short('c') | Arg::Long("config") => line.config = Some(PathBuf::from(value(&mut parser)?)),
            Arg::Long("once") => line.once = true,
            Arg::Long("offline") => line.offline = true,
            Arg::Long("json") => line.json = true,
            Arg::Long("queue") => line.queue = Some(text(value(&mut parser)?)?),
            Arg::Long("limit") => line.limit = Some(number(&text(value(&mut parser)?)?)?),
            Arg::Value(word) => line.words.push(text(word)?),
            other => return Err(format!("{}; see --help", other.unexpected())),
        }
    }
    line.meaning()
}

impl Line {
    fn help(&self) -> &'static str {
        if self.words.first().is_some_and(|word| word == "queue") { help::HELP } else { HELP }
    }

    fn meaning(self) -> Result<Command, String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] => {
                self.only(&["--once"], "running the daemon")?;
                Ok(Command::Run(Run { config: self.config, once: self.once }))
            }
            ["check"] => {
                self.only(&["--offline"], "check")?;
                Ok(Command::Check { config: self.config, offline: self.offline })
            }
            ["healthcheck"] => {
                self.only(&[], "healthcheck")?;
                Ok(Command::HealthCheck { config: self.config })
            }
            ["queue", "list"] => {
                self.only(&["--json", "--queue", "--limit"], "queue list")?;
                let limit = self.limit.unwrap_or(help::LIMIT);
                Ok(self.query(Subject::All { limit }))
            }
            ["queue", "show", job] => {
                self.only(&["--json", "--queue"], "queue show")?;
                let job = job
                    .parse()
                    .map_err(|_| format!("{job:?} is not the number of a job; see anklet queue --help"))?;
                Ok(self.query(Subject::One(job)))
            }
            ["queue"] | ["queue", "show"] => Err(format!(
                "{} wants more; write anklet queue list, or anklet queue show ID; see anklet queue --help",
                words.join(" ")
            )),
            _ => Err(format!("there is no command {:?}; see --help", words.join(" "))),
        }
    }

    /// Complains of the first option that the command does not know.
    fn only(&self, known: &[&str], command: &str) -> Result<(), String> {
        let given = [
            ("--once", self.once),
            ("--offline", self.offline),
            ("--json", self.json),
            ("--queue", self.queue.is_some()),
            ("--limit", self.limit.is_some()),
        ];
        match given.iter().find(|(option, given)| *given && !known.contains(option)) {
            Some((option, _)) => Err(format!("{option} does not go with {command}; see --help")),
            None => Ok(()),
        }
    }

    fn query(self, subject: Subject) -> Command {
        Command::Queue(Query { config: self.config, queue: self.queue, json: self.json, subject })
    }
}

fn value(parser: &mut Parser) -> Result<OsString, String> {
    parser.value().map_err(|error| error.to_string())
}

fn text(value: OsString) -> Result<String, String> {
    value.string().map_err(|error| format!("{error}; see --help"))
}

fn number(value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| format!("--limit {value:?} is not a whole number; see --help"))
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
        let check = |offline| Command::Check { config: config.clone(), offline };
        assert_eq!(read("check --config=a.yml"), Ok(check(false)));
        assert_eq!(read("--offline -ca.yml check"), Ok(check(true)));
        assert_eq!(read("healthcheck -c a.yml"), Ok(Command::HealthCheck { config }));
        assert_eq!(read("--help"), Ok(Command::Help(HELP)));
        assert_eq!(read("queue list --help"), Ok(Command::Help(help::HELP)));
        assert_eq!(read("-V"), Ok(Command::Version));
    }

    #[test]
    fn a_queue_is_listed_or_one_job_shown() {
        let query = |subject| Query { config: None, queue: None, json: false, subject };
        let all = |limit| query(Subject::All { limit });
        assert_eq!(read("queue list"), Ok(Command::Queue(all(100))));
        assert_eq!(read("--limit 7 queue list"), Ok(Command::Queue(all(7))));
        let one = Query {
            config: Some("a.yml".into()),
            queue: Some("q".into()),
            json: true,
            ..query(Subject::One(12))
        };
        assert_eq!(read("queue --json show -c a.yml 12 --queue=q"), Ok(Command::Queue(one)));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, named) in [
            ("--nope", "--nope"),
            ("run", "run"),
            ("-c", "-c"),
            ("check --once", "--once"),
            ("--offline", "--offline"),
            ("check check", "check"),
            ("--json", "--json"),
            ("check --limit 3", "--limit"),
            ("queue", "queue list"),
            ("queue show", "show ID"),
            ("queue show five", "five"),
            ("queue show -5", "-5"),
            ("queue show 1 2", "queue show 1 2"),
            ("queue show 1 --limit 2", "--limit"),
            ("queue list 1", "queue list 1"),
            ("queue list --limit many", "many"),
            ("queue list --limit", "--limit"),
            ("queue drop", "drop"),
        ] {
            let said = read(line).unwrap_err();
            assert!(said.contains(named), "{line}: {said}");
        }
    }
}
