//! The wiring of an aggregator, which runs apart from plugins.

use std::sync::Arc;

use super::exit::Exit;
use super::looks::{self, Sights};
use super::metrics_server::{self, Sources};
use super::stores::Stores;
use super::{PATIENCE, listen_fault};
use crate::config::{Aggregator as Settings, Config, StopOnTerm};
use crate::metrics::fleet;
use crate::plugins::aggregator::{Address, Aggregator, Fleet};
use crate::runtime::board::{Board, Identity};
use crate::runtime::clock;
use crate::runtime::outlook::Outlook;
use crate::runtime::signals::Signal;
use crate::runtime::status::Kind;
use crate::runtime::supervisor::{Options, Supervisor};

/// The queue whose memos hold what the hosts said.
pub const QUEUE: &str = "aggregator";

/// Gathers until it is stopped.
pub fn serve(
    config: &Config,
    settings: &Settings,
    stores: &Stores,
    once: bool,
    signals: &crossbeam_channel::Receiver<Signal>,
) -> Result<Exit, (Exit, String)> {
    let store = stores.queue(&settings.database, QUEUE).map_err(|fault| (Exit::Configuration, fault))?;
    let identity =
        Identity { name: QUEUE.to_owned(), kind: Kind::Aggregator, owner: String::new(), repo: None };
    let (_, mut cells) = Board::new(vec![identity]);
    let addresses: Vec<Address> = settings.urls.iter().map(|url| Address::of(url)).collect();
    let gathered = Fleet::new(&addresses);
    let outlook = Outlook::default();
    let sources = sources(gathered.clone(), outlook.clone());
    let metrics = metrics_server::open(config, sources).map_err(|fault| listen_fault(&fault))?;
    let sights = Sights { queues: vec![(QUEUE.to_owned(), Arc::clone(&store))], ..Sights::default() };
    let looks = looks::begin(sights, &outlook);
    log::info!("gathers the metrics of {} hosts", addresses.len());
    let aggregator = Aggregator::new(addresses, settings.sleep_interval, gathered, store);
    let options =
        Options { once, detach_on_term: config.stop_on_term == StopOnTerm::Detach, patience: PATIENCE };
    let plugins = cells.pop().map(|cell| (Box::new(aggregator) as _, cell)).into_iter().collect();
    let ended = Supervisor::start(plugins, options).run_until_end(signals);
    drop(looks);
    metrics.close();
    Ok(if ended.faults == 0 { Exit::Done } else { Exit::PluginFault })
}

fn sources(gathered: Fleet, outlook: Outlook) -> Sources {
    let seen = outlook.clone();
    Sources {
        page: Box::new(move |query, accept| {
            let (hosts, now, found) = (gathered.hosts(), clock::now(), seen.found());
            let view = fleet::View { hosts, now, found, log_lines_dropped: crate::log::dropped_lines() };
            fleet::page(query, accept, &view)
        }),
        // The memos' queue is nobody's: its name says nothing.
        unready: Box::new(move || {
            let found = outlook.found();
            found.queues.iter().filter_map(|queue| Some(queue.is_away()?.to_string())).collect()
        }),
    }
}
