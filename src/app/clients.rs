//! GitHub clients: one for each set of credentials and address, shared by all plugins that have the same.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::env::Variables;
use crate::config::{Common, Config, Credentials, Github, Plugin};
use crate::domain::scope::Scope;
use crate::github::{self, AppOptions, Client, Proxies, Secret, is_same_key};

/// The clients made so far.
pub struct Clients<'a> {
    plugins: &'a [Plugin],
    proxies: Proxies,
    ca_file: Option<&'a Path>,
    made: Mutex<Vec<(Account, Arc<Client>)>>,
}

/// What plugins have in common that share a client.
#[derive(Clone, PartialEq, Eq)]
struct Account {
    github: Github,
    credentials: github::Credentials,
}

impl<'a> Clients<'a> {
    /// None yet; the proxies are those of the environment.
    pub fn new(config: &'a Config, env: &Variables) -> Clients<'a> {
        let variable = |name: &str| {
            let either = env.get(name).or_else(|| env.get(&name.to_ascii_lowercase()));
            either.filter(|value| !value.trim().is_empty()).cloned()
        };
        let proxies = Proxies {
            https: variable("HTTPS_PROXY").map(Secret::new),
            all: variable("ALL_PROXY").map(Secret::new),
            none_for: variable("NO_PROXY").unwrap_or_default(),
        };
        Clients {
            plugins: &config.plugins,
            proxies,
            ca_file: config.ca_file.as_deref(),
            made: Mutex::default(),
        }
    }

    /// The client of a plugin; the fault says what is wrong with its settings.
    pub fn of(&self, plugin: &Common) -> Result<Arc<Client>, String> {
        let account = self.account(plugin)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = made.iter().find(|(known, _)| *known == account) {
            return Ok(client.clone());
        }
        let authorities = self.ca_file.map(read).transpose()?;
        let options = github::Options {
            api_url: account.github.api_url.clone(),
            web_url: account.github.url.clone(),
            credentials: account.credentials.clone(),
            authorities,
            proxies: self.proxies.clone(),
            limits: github::Limits::default(),
        };
        let client = Arc::new(Client::new(options).map_err(|fault| format!("failed to {fault}"))?);
        made.push((account, client.clone()));
        Ok(client)
    }

    fn account(&self, plugin: &Common) -> Result<Account, String> {
        let credentials = match &plugin.credentials {
            Credentials::None => return Err("there are no credentials; set token or global_token".into()),
            Credentials::Token(token) => github::Credentials::Token(token.clone()),
            Credentials::App { app_id, installation_id, private_key } => {
                let installation_id = installation_id.or_else(|| self.written_elsewhere(plugin));
                // One key may be written in two forms.
                let first = self.siblings(plugin).find_map(|other| match &other.credentials {
                    Credentials::App { private_key, .. } => Some(private_key),
                    _ => None,
                });
                github::Credentials::App(AppOptions {
                    app_id: *app_id,
                    installation_id,
                    private_key: first.unwrap_or(private_key).clone(),
                    homes: if installation_id.is_none() { self.homes(plugin) } else { Vec::new() },
                })
            }
        };
        Ok(Account { github: plugin.github.clone(), credentials })
    }

    /// An App has one installation for an owner: its number serves all of the owner's plugins.
    fn written_elsewhere(&self, plugin: &Common) -> Option<u64> {
        self.siblings(plugin).find_map(|other| match other.credentials {
            Credentials::App { installation_id, .. } => installation_id,
            _ => None,
        })
    }

    /// The scopes of all plugins that share the installation, each once.
    fn homes(&self, plugin: &Common) -> Vec<Scope> {
        let mut homes: Vec<Scope> = Vec::new();
        for other in self.siblings(plugin) {
            if !homes.contains(&other.scope) {
                homes.push(other.scope.clone());
            }
        }
        homes
    }

    /// Plugins that sign in as the same App for the same owner, the plugin itself among them.
    fn siblings<'b>(&'b self, plugin: &'b Common) -> impl Iterator<Item = &'b Common> {
        let same_app = |other: &Common| match (&plugin.credentials, &other.credentials) {
            (
                Credentials::App { app_id: a, private_key: key, .. },
                Credentials::App { app_id: b, private_key: other, .. },
            ) => a == b && is_same_key(key, other),
            _ => false,
        };
        let same_owner =
            |other: &Common| other.scope.owner_name().eq_ignore_ascii_case(plugin.scope.owner_name());
        self.plugins
            .iter()
            .map(Plugin::common)
            .filter(move |other| same_app(other) && same_owner(other) && other.github == plugin.github)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("failed to read {}: {error}", file.display()))
}
