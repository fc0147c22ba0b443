//! The `anklet` binary: says what to run and turns the outcome into an exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use anklet::app::{self, exit::Exit};
use anklet::cli::{self, Command};
use anklet::commands;
use anklet::config::{self, Checked, Faults, Inputs, env};

fn main() -> ExitCode {
    // Redis' client takes the one that is installed; only ring is in the tree, and only we say so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let command = match cli::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(fault) => {
            eprintln!("anklet: {fault}");
            return Exit::Usage.into();
        }
    };
    match command {
        Command::Help(text) => print!("{text}"),
        Command::Version => println!("anklet {}", app::VERSION),
        Command::Check { config, offline } => {
            let variables = env::read();
            return commands::check::check(&load(config, &variables), &variables, offline).into();
        }
        Command::HealthCheck { config } => {
            return commands::healthcheck::healthcheck(&load(config, &env::read())).into();
        }
        Command::Queue(query) => {
            return commands::queue::run(&load(query.config.clone(), &env::read()), &query).into();
        }
        Command::Run(run) => {
            let variables = env::read();
            return match load(run.config, &variables) {
                Ok(checked) => app::run(&checked, &variables, run.once).into(),
                Err(faults) => {
                    eprintln!("{faults}");
                    Exit::Configuration.into()
                }
            };
        }
    }
    Exit::Done.into()
}

fn load(explicit_file: Option<PathBuf>, variables: &env::Variables) -> Result<Checked, Faults> {
    let home = variables.get("HOME").map(PathBuf::from);
    let cwd = std::env::current_dir().unwrap_or_default();
    config::load(Inputs { explicit_file, env: variables.clone(), home, cwd })
}
