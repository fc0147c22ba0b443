//! The asking: each set of credentials on a thread of its own, all of them within one time limit.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::finding::Finding;
use super::plan::{Account, Place};
use super::{hook, rights, say};
use crate::github::hooks::Hook;
use crate::github::whoami::{Identity, Whoami};
use crate::github::{Asker, GitHubError, Installation, Refusal, Watcher};
use crate::runtime::stop::{Stop, StopHandle, Urgency, breathe, stop};
use crate::runtime::thread;

/// For all calls: somebody sits there and waits.
const LIMIT: Duration = Duration::from_secs(12);
/// One fault of the network in between is borne.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A set of credentials that is being asked about.
pub(super) struct Asked {
    names: String,
    thread: Option<JoinHandle<Vec<Finding>>>,
}

/// Begins to ask, about all at once.
pub(super) fn begin(accounts: Vec<Account>) -> Vec<Asked> {
    accounts.into_iter().map(Asked::begin).collect()
}

impl Asked {
    fn begin(account: Account) -> Asked {
        let (handle, stop) = stop();
        let limit = Limit(Arc::new(Mutex::new(handle)));
        let for_all = limit.clone();
        // Whatever it cannot begin, the calls' own time limits end.
        let _ = thread::start("check:limit", move || {
            breathe(LIMIT);
            for_all.end();
        });
        let names = account.names();
        Asked { names, thread: thread::start("check:github", move || ask(&account, &stop, &limit)).ok() }
    }

    /// Waits for what was found.
    pub(super) fn end(self) -> Vec<Finding> {
        let found = self.thread.and_then(|thread| thread.join().ok());
        found.unwrap_or_else(|| {
            vec![Finding::GitHubAway(format!("{}: GitHub could not be asked: no thread for it", self.names))]
        })
    }
}

/// Ends the questions about one account: when their time is up, or GitHub lets us wait for longer.
#[derive(Clone)]
struct Limit(Arc<Mutex<StopHandle>>);

impl Limit {
    fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain();
    }
}

impl Watcher for Limit {
    fn paused(&self, left: Duration) {
        if left > LIMIT {
            self.end();
        }
    }

    fn resumed(&self) {}
}

fn ask(account: &Account, stop: &Stop, limit: &Limit) -> Vec<Finding> {
    let asker = Asker::new(stop, Urgency::Drain, PATIENCE, limit);
    let mut walk = Walk { account, asker, found: Vec::new() };
    // The rest of the way leads past what does not answer now.
    let _ = walk.all();
    walk.found
}

/// No further question makes sense.
struct Over;

/// The way through all that an account is used for.
struct Walk<'a> {
    account: &'a Account,
    asker: Asker<'a>,
    found: Vec<Finding>,
}

impl Walk<'_> {
    fn all(&mut self) -> Result<(), Over> {
        let told = self.account.client.whoami(&self.asker);
        let Some(Whoami { identity, clock_ahead }) = self.answer(&self.account.names(), told)? else {
            return Ok(());
        };
        self.note(say::who(self.account, &identity));
        self.found.extend(clock_ahead.and_then(|ahead| say::clock(ahead, &self.account.api_url)));
        for place in &self.account.places {
            let may = self.rights(place, &identity)?;
            if place.has_handlers {
                let told = self.account.client.reaches_runners(&self.asker, &place.scope);
                self.unless_known(may, &place.scope.to_string(), told)?;
                self.groups(place, may)?;
            }
            for hook in &place.hooks {
                self.hook(hook, &identity, may)?;
            }
        }
        Ok(())
    }

    /// Whether all is granted, as far as it can be told.
    fn rights(&mut self, place: &Place, identity: &Identity) -> Result<bool, Over> {
        let needed = rights::permissions(place);
        if needed.is_empty() && place.hooks.is_empty() {
            return Ok(true);
        }
        let scope = &place.scope;
        match identity {
            Identity::User { scopes: Some(granted), .. } => {
                let missing = rights::missing_scopes(place, granted);
                for scope_of_token in &missing {
                    self.fault(format!(
                        "{scope}: the token lacks the scope {scope_of_token}; add it, at GitHub under Settings, \
                         Developer settings, Personal access tokens"
                    ));
                }
                Ok(missing.is_empty())
            }
            Identity::User { scopes: None, .. } => {
                self.note(format!(
                    "{scope}: whether the token may write {} cannot be told; only classic tokens name their scopes",
                    needed.join(" and ")
                ));
                Ok(true)
            }
            Identity::App { id, .. } => {
                let told = self.account.client.installation_on(&self.asker, scope);
                Ok(match self.answer(&scope.to_string(), told)? {
                    Some(Some(installation)) => self.installation(place, *id, &installation),
                    Some(None) => {
                        let what = format!("no installation on {scope}");
                        self.fault(format!("{scope}: {}", Refusal::NotInstalled { app: *id, what }));
                        false
                    }
                    None => false,
                })
            }
        }
    }

    fn installation(&mut self, place: &Place, app: u64, told: &Installation) -> bool {
        let (scope, id, before) = (&place.scope, told.id, self.found.len());
        if told.is_suspended {
            self.fault(format!("{scope}: {}", Refusal::Suspended { app }));
        }
        if let Some(written) = self.account.installation.filter(|written| *written != id) {
            self.fault(format!(
                "{scope}: installation_id {written} is another one than App {app} has there; write {id}"
            ));
        }
        let account = told.account.as_deref().unwrap_or("an account that GitHub does not name");
        if told.permissions.is_empty() {
            let needed = rights::permissions(place).join(" and ");
            self.note(format!(
                "{scope}: installation {id} of {account}; whether it may write {needed} cannot be told"
            ));
            return self.found.len() == before + 1;
        }
        for (permission, level) in rights::missing_permissions(place, &told.permissions) {
            self.fault(format!(
                "{scope}: installation {id} has the permission {permission}: {}, and write is needed; change it in \
                 the App's settings, and have the owner accept the change",
                level.unwrap_or("none")
            ));
        }
        if self.found.len() > before {
            return false;
        }
        self.note(format!("{scope}: installation {id} of {account} grants what is needed"));
        true
    }

    fn groups(&mut self, place: &Place, may: bool) -> Result<(), Over> {
        if place.groups.is_empty() {
            return Ok(());
        }
        let (scope, told) = (&place.scope, self.account.client.runner_groups(&self.asker, &place.scope));
        let Some(groups) = self.unless_known(may, &scope.to_string(), told)? else { return Ok(()) };
        for wanted in &place.groups {
            match groups.iter().find(|group| group.name.eq_ignore_ascii_case(wanted)) {
                Some(_) => self.note(format!("{scope}: the runner group {wanted:?} is there")),
                None => self.fault(format!(
                    "{scope}: there is no runner group {wanted:?}; correct runner_group, there are {}",
                    say::names(&groups)
                )),
            }
        }
        Ok(())
    }

    fn hook(&mut self, hook: &Hook, identity: &Identity, may: bool) -> Result<(), Over> {
        let client = &self.account.client;
        let told = match client.hook_settings(&self.asker, hook) {
            Err(GitHubError::NotFound { .. }) => {
                self.fault(format!(
                    "{hook} is not there, or the credentials may not see it; correct hook_id (the number at the end \
                     of its address on GitHub), owner or repo"
                ));
                return Ok(());
            }
            told => told,
        };
        let Some(told) = self.unless_known(may, &hook.to_string(), told)? else { return Ok(()) };
        let events = match identity {
            Identity::App { events, .. } if *hook == Hook::App => events.as_deref(),
            _ => told.events.as_deref(),
        };
        self.found.extend(hook::settings(hook, &told, events));
        let page = client.deliveries(&self.asker, hook, None);
        if let Some(page) = self.unless_known(may, &hook.to_string(), page)? {
            self.found.push(hook::deliveries(hook, &page.deliveries));
        }
        Ok(())
    }

    /// As [`Walk::answer`], but silent on what follows from a missing right that was told already.
    fn unless_known<T>(
        &mut self,
        may: bool,
        subject: &str,
        told: Result<T, GitHubError>,
    ) -> Result<Option<T>, Over> {
        match told {
            Err(GitHubError::Permission { .. } | GitHubError::NotFound { .. }) if !may => Ok(None),
            Err(GitHubError::SignInRefused) if !may => Err(Over),
            told => self.answer(subject, told),
        }
    }

    /// The answer; `None`: it is a fault, which is told.
    fn answer<T>(&mut self, subject: &str, told: Result<T, GitHubError>) -> Result<Option<T>, Over> {
        let error = match told {
            Ok(told) => return Ok(Some(told)),
            Err(error) => error,
        };
        self.found.push(say::setback(self.account, subject, &error, LIMIT));
        match error {
            GitHubError::Permission { .. } | GitHubError::NotFound { .. } | GitHubError::Refused { .. } => {
                Ok(None)
            }
            _ => Err(Over),
        }
    }

    fn note(&mut self, text: String) {
        self.found.push(Finding::Note(text));
    }

    fn fault(&mut self, text: String) {
        self.found.push(Finding::Fault(text));
    }
}
