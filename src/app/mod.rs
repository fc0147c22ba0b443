//! The only wiring: from a checked configuration to running plugins, and back to an exit code.

pub mod exit;
pub mod views; // queues, to look at

mod aggregate; // an aggregator instead of plugins
mod build; // plugins from their configuration
mod clients; // GitHub, one client a set of credentials
mod folders; // made before anything else
mod host; // what all handlers of the host share
mod host_id; // this host's name
mod log_setup; // where lines go
mod looks; // what the page shows without asking anybody
mod metrics_server; // the page
mod presence; // told to the scripts that install and uninstall
mod stores; // queues by their names

use std::io::IsTerminal;
use std::time::Duration;

use crate::config::env::Variables;
use crate::config::{Checked, Config, Plugin as PluginConfig, StopOnTerm};
use crate::http::OpenError;
use crate::log::scope;
use crate::plugins::Broken;
use crate::runtime::board::{Board, Identity};
use crate::runtime::outlook::Outlook;
use crate::runtime::pidlock::{PidLock, PidLockError};
use crate::runtime::signals;
use crate::runtime::status::Kind;
use crate::runtime::supervisor::{Options, Supervisor};

use exit::Exit;

pub use build::webhook;
pub use clients::Clients;
pub use log_setup::VERSION;
pub use metrics_server::address as metrics_address;
pub use stores::{damaged, examine};

/// How long jobs before their start may clean up after an interrupt.
const PATIENCE: Duration = Duration::from_secs(10);
const NOTHING: &str = "none of the plugins can work on this host; what each lacks is said above";

/// Runs the daemon until it is stopped. Faults before the log begins go to standard error.
pub fn run(checked: &Checked, env: &Variables, once: bool) -> Exit {
    let config = &checked.config;
    if let Err(fault) = folders::make(config) {
        return early(Exit::Configuration, &fault);
    }
    if let Err(fault) = log_setup::begin(config, std::io::stderr().is_terminal()) {
        return early(Exit::Configuration, &fault);
    }
    let _written = Written;
    let pid_lock = match PidLock::take(&config.pid_file) {
        Ok(lock) => lock,
        Err(fault @ PidLockError::Held { .. }) => {
            return late(Exit::AlreadyRunning, &format!("failed to {fault}"));
        }
        Err(fault) => return late(Exit::Configuration, &format!("failed to {fault}")),
    };
    let signals = match signals::listen() {
        Ok(signals) => signals,
        Err(fault) => return late(Exit::PluginFault, &format!("failed to {fault}")),
    };
    log::info!("anklet {VERSION} begins, as process {}", std::process::id());
    checked.infos.iter().for_each(|note| log::info!("{note}"));
    checked.warnings.iter().for_each(|note| log::warn!("{note}"));
    let presence = presence::announce(config);
    let exit = match serve(config, env, once, &signals) {
        Ok(exit) => exit,
        Err((exit, fault)) => late(exit, &fault),
    };
    drop(presence);
    drop(pid_lock);
    log::info!("anklet ends with {}", exit.code());
    exit
}

fn serve(
    config: &Config,
    env: &Variables,
    once: bool,
    signals: &crossbeam_channel::Receiver<signals::Signal>,
) -> Result<Exit, (Exit, String)> {
    let stores = stores::open(config, once).map_err(|fault| (Exit::StoreAway, fault))?;
    if let Some(settings) = &config.metrics.aggregator {
        return aggregate::serve(config, settings, &stores, once, signals);
    }
    let parts =
        build::Parts::new(config, env, &stores, once).map_err(|fault| (Exit::Configuration, fault))?;
    let retired = parts.retired();
    let identities = config.plugins.iter().map(identity).chain(retired.iter().map(build::Retired::identity));
    let (board, cells) = Board::new(identities.collect());
    let outlook = Outlook::default();
    let sources = metrics_server::of_daemon(config, board, outlook.clone());
    let metrics = metrics_server::open(config, sources).map_err(|fault| listen_fault(&fault))?;
    let (mut plugins, mut broken) = (Vec::new(), 0);
    for (at, cell) in cells.into_iter().enumerate() {
        let _scope = scope::enter(cell.identity().fields());
        let built = match config.plugins.get(at) {
            Some(plugin) => parts.plugin(plugin, cell.clone()),
            None => parts.retired_plugin(&retired[at - config.plugins.len()], cell.clone()),
        };
        let plugin = match built {
            Ok(plugin) => plugin,
            Err(build::Fault::Listen(fault)) => return Err(listen_fault(&fault)),
            Err(build::Fault::Unusable(why)) => {
                broken += 1;
                Box::new(Broken::new(why))
            }
        };
        plugins.push((plugin, cell));
    }
    let all = plugins.len();
    let looks = looks::begin(parts.sights(), &outlook);
    let options =
        Options { once, detach_on_term: config.stop_on_term == StopOnTerm::Detach, patience: PATIENCE };
    let ended = Supervisor::start(plugins, options).run_until_end(signals);
    if ended.left_behind > 0 {
        log::warn!(
            "{} plugins did not end in time and are left behind; what they hold is in their journals",
            ended.left_behind
        );
    }
    drop(looks);
    metrics.close();
    match (all - broken - parts.unusable(), ended.faults) {
        (0, _) => Err((Exit::NoPlugin, NOTHING.to_owned())),
        (_, 0) => Ok(Exit::Done),
        _ => Ok(Exit::PluginFault),
    }
}

fn identity(plugin: &PluginConfig) -> Identity {
    let kind = match plugin {
        PluginConfig::Receiver(_) => Kind::Receiver,
        PluginConfig::Handler(_) => Kind::Handler,
    };
    let scope = &plugin.common().scope;
    Identity {
        name: plugin.name().to_owned(),
        kind,
        owner: scope.owner_name().to_owned(),
        repo: scope.repo_name().map(str::to_owned),
    }
}

fn listen_fault(fault: &OpenError) -> (Exit, String) {
    let in_use = matches!(fault, OpenError::InUse(_) | OpenError::AllInUse(..));
    let exit = if in_use { Exit::AddressInUse } else { Exit::Configuration };
    (exit, format!("failed to {fault}"))
}

/// However `run` ends, what was told is written first: lines for a terminal or a pipe are written by a thread, which the
/// end of the process would cut off. Only the third signal does cut it off, since it waits for nobody.
struct Written;

impl Drop for Written {
    fn drop(&mut self) {
        log::logger().flush();
    }
}

fn early(exit: Exit, fault: &str) -> Exit {
    eprintln!("anklet: {fault}");
    exit
}

/// After the log has begun: said there, and to whoever started us.
fn late(exit: Exit, fault: &str) -> Exit {
    log::error!("{fault}");
    if !std::io::stderr().is_terminal() {
        eprintln!("anklet: {fault}");
    }
    exit
}
