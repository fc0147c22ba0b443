//! GitHub clients: one for each set of credentials and address, shared by all plugins that have the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::env::Variables;
use crate::config::{Common, Credentials};
use crate::github::{self, Client, Proxies, Secret};

/// The clients made so far, by both of GitHub's addresses and the token.
pub struct Clients {
    proxies: Proxies,
    made: Mutex<HashMap<[String; 3], Arc<Client>>>,
}

impl Clients {
    /// None yet; the proxies are those of the environment.
    pub fn new(env: &Variables) -> Clients {
        let variable = |name: &str| {
            let either = env.get(name).or_else(|| env.get(&name.to_ascii_lowercase()));
            either.filter(|value| !value.trim().is_empty()).cloned()
        };
        let proxies = Proxies {
            https: variable("HTTPS_PROXY").map(Secret::new),
            all: variable("ALL_PROXY").map(Secret::new),
            none_for: variable("NO_PROXY").unwrap_or_default(),
        };
        Clients { proxies, made: Mutex::default() }
    }

    /// The client of a plugin; the fault says what is wrong with its settings.
    pub fn of(&self, plugin: &Common) -> Result<Arc<Client>, String> {
        let token = match &plugin.credentials {
            Credentials::Token(token) => token,
            Credentials::App { .. } => {
                return Err("signing in as a GitHub App is not there yet; set a token".into());
            }
            Credentials::None => return Err("there are no credentials; set token or global_token".into()),
        };
        let key = [&plugin.github.api_url, &plugin.github.url, token.expose()].map(str::to_owned);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&key) {
            return Ok(client.clone());
        }
        let options = github::Options {
            api_url: plugin.github.api_url.clone(),
            web_url: plugin.github.url.clone(),
            credentials: github::Credentials::Token(token.clone()),
            proxies: self.proxies.clone(),
            limits: github::Limits::default(),
        };
        let client = Arc::new(Client::new(options).map_err(|fault| format!("failed to {fault}"))?);
        made.insert(key, client.clone());
        Ok(client)
    }
}
