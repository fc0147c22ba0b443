//! Plugins from their configuration.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::clients::Clients;
use super::host::Host;
use super::host_id::host_id;
use super::looks::Sights;
use super::metrics_server;
use super::stores::Stores;
use crate::anka::scripts::Scripts;
use crate::config::env::Variables;
use crate::config::{
    Config, HandlerConfig, Hook, Plugin as PluginConfig, ReceiverConfig, Redelivery, RunnerRegistration,
};
use crate::domain::ids::Owner;
use crate::domain::scope::Scope;
use crate::domain::undo::{Page, UndoLog};
use crate::github::hooks;
use crate::github::webhook::SigningKeys;
use crate::http::OpenError;
use crate::plugins::handler::journal::Journal;
use crate::plugins::handler::{self, Handler};
use crate::plugins::receiver::{self, Receiver, redeliver};
use crate::plugins::{Licensed, LicensedOptions};
use crate::runtime::board::{Cell, Identity};
use crate::runtime::plugin::Plugin;
use crate::runtime::status::Kind;

/// Connections at once that the process takes, metrics included.
const PLACES: usize = 128;

/// What plugins are made from.
pub struct Parts<'a> {
    config: &'a Config,
    stores: &'a Stores,
    clients: Clients<'a>,
    host: Host,
    once: bool,
    /// Handlers whose Anka turned out to be of no use.
    unusable: Arc<AtomicUsize>,
}

/// Why a plugin was not made.
pub enum Fault {
    /// Its port cannot be opened: the process ends.
    Listen(OpenError),
    /// It cannot work: it is shown as stopped, the others go on.
    Unusable(String),
}

/// A plugin's journal and the page that was found in it.
type OpenJournal = (Journal, Option<Page>);

/// A plugin that is no longer configured, and whose journal is still open.
pub struct Retired {
    name: String,
}

impl Retired {
    /// Its row in the metrics.
    pub fn identity(&self) -> Identity {
        Identity { name: self.name.clone(), kind: Kind::Handler, owner: String::new(), repo: None }
    }
}

/// The webhook that a receiver of `scope` names.
pub fn webhook(hook: Hook, scope: Scope) -> hooks::Hook {
    match (hook, scope) {
        (Hook::App, _) => hooks::Hook::App,
        (Hook::Number(id), Scope::Repository { owner, repo }) => hooks::Hook::Repository { owner, repo, id },
        (Hook::Number(id), scope) => hooks::Hook::Organization { owner: scope.owner_name().to_owned(), id },
    }
}

impl<'a> Parts<'a> {
    /// The shared parts.
    pub fn new(
        config: &'a Config,
        env: &Variables,
        stores: &'a Stores,
        once: bool,
    ) -> Result<Parts<'a>, String> {
        let id = host_id(&config.state_dir).map_err(|error| {
            format!("failed to name this host in {}: {error}", config.state_dir.display())
        })?;
        let host = Host::new(config, env, id).map_err(|error| {
            format!("failed to open the run folder {}: {error}", config.run_dir.display())
        })?;
        Ok(Parts { config, stores, clients: Clients::new(config, env), host, once, unusable: Arc::default() })
    }

    /// How many handlers have ended because this host's Anka cannot be used.
    pub fn unusable(&self) -> usize {
        self.unusable.load(Ordering::SeqCst)
    }

    /// What the looks in the background are at: each queue once, the clients and the host's places.
    pub fn sights(&self) -> Sights {
        let mut sights = Sights::default();
        for plugin in &self.config.plugins {
            let common = plugin.common();
            if !sights.queues.iter().any(|(name, _)| *name == common.queue)
                && let Ok(store) = self.stores.queue(&common.database, &common.queue)
            {
                sights.queues.push((common.queue.clone(), store));
            }
            if let Ok(client) = self.clients.of(common) {
                sights.clients.push((common.name.clone(), client));
            }
        }
        if let Some(handler) = self.handlers().next() {
            sights.slots = Some(self.host.slots.clone());
            sights.guests = self.host.anka(handler).ok().map(|anka| (self.host.guests.clone(), anka));
        }
        sights
    }

    /// Journals of handlers that are no longer configured, if there is a handler to finish them with.
    pub fn retired(&self) -> Vec<Retired> {
        let configured = |name: &str| self.config.plugins.iter().any(|plugin| plugin.name() == name);
        let left = Journal::left_in(&self.journal_dir(), &self.config.pid_file).into_iter();
        let left = left.filter(|name| !configured(name));
        left.filter(|_| self.handlers().next().is_some()).map(|name| Retired { name }).collect()
    }

    /// A configured plugin.
    pub fn plugin(&self, plugin: &PluginConfig, cell: Cell) -> Result<Box<dyn Plugin>, Fault> {
        match plugin {
            PluginConfig::Receiver(config) => Ok(Box::new(self.receiver(config, &cell)?)),
            PluginConfig::Handler(config) => {
                let scope = config.common.scope.clone();
                self.handler(config, &config.common.name, scope, cell)
            }
        }
    }

    /// A plugin that only finishes what its journal holds, with the credentials and the Anka of a handler that is
    /// configured: one that takes the same job's repository, if there is one.
    pub fn retired_plugin(&self, retired: &Retired, cell: Cell) -> Result<Box<dyn Plugin>, Fault> {
        log::warn!(
            "handler {} is no longer configured; what its journal holds is finished first",
            retired.name
        );
        let journal = self.open_journal(&retired.name)?;
        let job = journal.1.as_ref().map(|page| page.job.clone());
        let takes = |handler: &HandlerConfig| {
            job.as_ref().is_some_and(|job| handler.common.scope.takes(&job.owner, &job.repo))
        };
        let model = self.handlers().find(|handler| takes(handler)).or_else(|| self.handlers().next());
        let Some(model) = model else {
            return Err(Fault::Unusable("there is no handler to finish it with".into()));
        };
        let scope = match &job {
            Some(job) if !takes(model) => {
                Scope::Repository { owner: job.owner.clone(), repo: job.repo.clone() }
            }
            _ => model.common.scope.clone(),
        };
        self.handler_over(journal, model, &retired.name, scope, cell, true)
    }

    fn receiver(&self, config: &ReceiverConfig, cell: &Cell) -> Result<Receiver, Fault> {
        let common = &config.common;
        let receivers = self.config.plugins.iter().filter(|p| matches!(p, PluginConfig::Receiver(_))).count();

        let options = receiver::Options {
            name: common.name.clone(),
            fields: cell.identity().fields(),
            addr: (config.bind, config.port).into(),
            places: (PLACES - metrics_server::PLACES) / receivers.max(1),
            socket_dir: self.config.run_dir.clone(),
            scope: common.scope.clone(),
            keys: SigningKeys::new(&config.secrets),
            redelivery: self.redelivery(config, cell),
            once: self.once,
        };
        let store = self.stores.queue(&common.database, &common.queue).map_err(Fault::Unusable)?;
        let receiver = Receiver::open(options, store).map_err(Fault::Listen)?;
        if let Some(addr) = receiver.addr() {
            log::info!("takes deliveries of {} at http://{addr}/jobs/v1/receiver", common.scope);
        }
        Ok(receiver)
    }

    /// `None`: it is not wanted, or cannot be; then deliveries are taken all the same.
    fn redelivery(&self, config: &ReceiverConfig, cell: &Cell) -> Option<redeliver::Options> {
        let Redelivery { hook, reach, interval } = config.redelivery.clone()?;
        let hook = webhook(hook, config.common.scope.clone());
        let github = self.clients.of(&config.common);
        let github = github.inspect_err(|why| log::error!("lost deliveries stay lost: {why}")).ok()?;
        Some(redeliver::Options { github, hook, installation: None, reach, interval, cell: cell.clone() })
    }

    fn handler(
        &self,
        config: &HandlerConfig,
        name: &str,
        scope: Scope,
        cell: Cell,
    ) -> Result<Box<dyn Plugin>, Fault> {
        self.handler_over(self.open_journal(name)?, config, name, scope, cell, false)
    }

    fn handler_over(
        &self,
        journal: OpenJournal,
        config: &HandlerConfig,
        name: &str,
        scope: Scope,
        cell: Cell,
        retired: bool,
    ) -> Result<Box<dyn Plugin>, Fault> {
        let common = &config.common;
        let tools = handler::Tools {
            store: self.stores.queue(&common.database, &common.queue).map_err(Fault::Unusable)?,
            github: self.clients.of(common).map_err(Fault::Unusable)?,
            anka: self.host.anka(config).map_err(Fault::Unusable)?,
            scripts: Scripts::find(&self.config.plugins_path)
                .map_err(|fault| Fault::Unusable(fault.to_string()))?,
            slots: self.host.slots.clone(),
            guests: self.host.guests.clone(),
            cell,
        };
        let registry = config.registry_url.clone();
        let pulls =
            if config.skip_pull { "never pulls" } else { registry.as_deref().unwrap_or("default registry") };
        let options = handler::Options {
            owner: Owner { host: self.host.id.clone(), plugin: name.to_owned() },
            host_name: self.host.name.clone(),
            scope,
            voter: format!("{} {pulls}", self.host.id),
            sleep_interval: common.sleep_interval,
            registration_timeout: config.registration_timeout,
            job_retry_attempts: config.job_retry_attempts,
            lease: self.config.lease,
            registry,
            skip_pull: config.skip_pull,
            runner_group: config.runner_group.clone(),
            just_in_time: config.runner_registration == RunnerRegistration::Jit,
            web_url: common.github.url.clone(),
            once: self.once,
            retired,
            drain_file: Some(self.config.drain_file.clone()),
        };
        let (journal, page) = journal;
        let anka = tools.anka.clone();
        let handler = Handler::new(options, tools, UndoLog::new(Box::new(journal), page));
        let look = LicensedOptions { patient: !self.once, unusable: self.unusable.clone() };
        Ok(Box::new(Licensed::new(anka, handler, look)))
    }

    fn open_journal(&self, name: &str) -> Result<OpenJournal, Fault> {
        Journal::open(&self.journal_dir(), name, &self.config.pid_file)
            .map_err(|fault| Fault::Unusable(format!("failed to {fault}")))
    }

    fn journal_dir(&self) -> std::path::PathBuf {
        self.config.state_dir.join("journal")
    }

    fn handlers(&self) -> impl Iterator<Item = &HandlerConfig> {
        self.config.plugins.iter().filter_map(|plugin| match plugin {
            PluginConfig::Handler(handler) => Some(handler),
            PluginConfig::Receiver(_) => None,
        })
    }
}
