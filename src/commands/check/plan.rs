//! What is to be asked: each set of credentials once, with what its plugins use it for.

use std::sync::Arc;

use super::finding::Finding;
use crate::app::{Clients, webhook};
use crate::config::env::Variables;
use crate::config::{self, Common, Config, Credentials, Plugin};
use crate::domain::scope::Scope;
use crate::github::Client;
use crate::github::hooks::Hook;

/// A set of credentials.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) client: Arc<Client>,
    pub(super) api_url: String,
    /// The names of the plugins that share it.
    pub(super) plugins: Vec<String>,
    /// An App's installation, where its number was written.
    pub(super) installation: Option<u64>,
    pub(super) places: Vec<Place>,
}

/// What plugins of one scope do with their credentials.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) scope: Scope,
    /// Runners are made there, and runs are cancelled.
    pub(super) has_handlers: bool,
    /// Runner groups, by name.
    pub(super) groups: Vec<String>,
    /// Webhooks whose lost deliveries are asked for again.
    pub(super) hooks: Vec<Hook>,
}

impl Account {
    /// The plugins, for people.
    pub(super) fn names(&self) -> String {
        match self.plugins.as_slice() {
            [a, b, c, rest @ ..] if rest.len() > 1 => format!("{a}, {b}, {c} and {} more", rest.len()),
            few => few.join(", "),
        }
    }
}

/// Plugins without credentials have nothing to ask; credentials that nobody could sign in with are faults.
pub(super) fn accounts(config: &Config, env: &Variables) -> (Vec<Account>, Vec<Finding>) {
    let clients = Clients::new(config, env);
    let (mut accounts, mut faults) = (Vec::<Account>::new(), Vec::new());
    for plugin in config.plugins.iter().filter(|plugin| plugin.common().credentials != Credentials::None) {
        let common = plugin.common();
        let client = match clients.of(common) {
            Ok(client) => client,
            Err(why) => {
                faults.push(Finding::Fault(format!("{}: {why}", common.name)));
                continue;
            }
        };
        let known = accounts.iter().position(|account| Arc::ptr_eq(&account.client, &client));
        let at = known.unwrap_or_else(|| {
            accounts.push(new(client, common));
            accounts.len() - 1
        });
        add(&mut accounts[at], plugin);
    }
    (accounts, faults)
}

fn new(client: Arc<Client>, common: &Common) -> Account {
    let api_url = common.github.api_url.clone();
    Account { client, api_url, plugins: Vec::new(), installation: None, places: Vec::new() }
}

fn add(account: &mut Account, plugin: &Plugin) {
    let common = plugin.common();
    account.plugins.push(common.name.clone());
    if let Credentials::App { installation_id, .. } = common.credentials {
        account.installation = account.installation.or(installation_id);
    }
    let known = account.places.iter().position(|place| place.scope == common.scope);
    let at = known.unwrap_or_else(|| {
        let (scope, groups, hooks) = (common.scope.clone(), Vec::new(), Vec::new());
        account.places.push(Place { scope, has_handlers: false, groups, hooks });
        account.places.len() - 1
    });
    let place = &mut account.places[at];
    match plugin {
        Plugin::Handler(handler) => {
            place.has_handlers = true;
            once(&mut place.groups, handler.runner_group.clone());
        }
        Plugin::Receiver(receiver) => {
            let hook = receiver.redelivery.as_ref().map(|config::Redelivery { hook, .. }| *hook);
            once(&mut place.hooks, hook.map(|hook| webhook(hook, common.scope.clone())));
        }
    }
}

fn once<T: PartialEq>(list: &mut Vec<T>, item: Option<T>) {
    list.extend(item.filter(|item| !list.contains(item)));
}
