//! As whom the credentials sign in, and whether they reach a scope's runners: asked by `anklet check`.
//!
//! Facts: GitHub's REST description, "users/get-authenticated" and "apps/get-authenticated"; the scopes of a classic
//! token stand in `X-OAuth-Scopes`, which a fine-grained one has not.

use serde::Deserialize;

use super::answer::Answer;
use super::app::off;
use super::asker::Asker;
use super::call::Call;
use super::client::{Client, Request, Sign, parsed};
use super::error::GitHubError;
use super::fetch::Method;
use super::refusal::Refusal;
use super::runners::{RunnersAnswer, runners_path};
use crate::domain::scope::Scope;

/// Who signs in, and GitHub's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whoami {
    /// Who.
    pub identity: Identity,
    /// How many seconds GitHub's clock is ahead of this host's; `None`: it did not say.
    pub clock_ahead: Option<i64>,
}

/// Who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A user, by a personal access token.
    User {
        /// The login, where GitHub says it.
        login: Option<String>,
        /// Of a classic token; `None`: GitHub says nothing of them.
        scopes: Option<Vec<String>>,
    },
    /// An App, by its key.
    App {
        /// Its number.
        id: u64,
        /// Its name in addresses, where GitHub says it.
        slug: Option<String>,
        /// What its webhook is sent, where GitHub says it.
        events: Option<Vec<String>>,
    },
}

#[derive(Deserialize)]
struct UserText {
    login: String,
}

#[derive(Deserialize)]
struct AppText {
    #[serde(rename = "id")]
    _id: u64,
    slug: Option<String>,
    events: Option<Vec<String>>,
}

impl Client {
    /// Signs in: an App by its own key, whatever its installations are.
    pub fn whoami(&self, asker: &Asker<'_>) -> Result<Whoami, GitHubError> {
        match self.app() {
            Some(app) => self.which_app(asker, app.id),
            None => self.which_user(asker),
        }
    }

    /// Whether the runners of `scope` can be listed: its fault tells which right is missing.
    pub fn reaches_runners(&self, asker: &Asker<'_>, scope: &Scope) -> Result<(), GitHubError> {
        let path = format!("{}?per_page=1", runners_path(scope));
        let request = Request::new(Call::ListRunners, Method::Get, path);
        self.ask_json::<RunnersAnswer>(asker, &request).map(drop)
    }

    /// A token that is good may still not be allowed to ask for its user.
    fn which_user(&self, asker: &Asker<'_>) -> Result<Whoami, GitHubError> {
        let request = Request::new(Call::GetUser, Method::Get, "/user".into());
        let (answer, login) = match self.ask(asker, &request) {
            Err(GitHubError::Permission { .. }) => (Answer::default(), None),
            answer => {
                let answer = answer?;
                let user: Option<UserText> =
                    if answer.status / 100 == 2 { Some(parsed(&request, &answer)?) } else { None };
                (answer, user.map(|user| user.login))
            }
        };
        let scopes = answer.header("x-oauth-scopes").map(words);
        Ok(Whoami { identity: Identity::User { login, scopes }, clock_ahead: clock_ahead(&answer) })
    }

    fn which_app(&self, asker: &Asker<'_>, id: u64) -> Result<Whoami, GitHubError> {
        let request = Request::new(Call::GetApp, Method::Get, "/app".into()).signed_by(Sign::App);
        let answer = self.ask(asker, &request)?;
        if answer.status == 404 && answer.message().to_ascii_lowercase().contains("integration") {
            self.health.refused(&Refusal::Key { app: id, said: answer.message() });
            return Err(GitHubError::SignInRefused);
        }
        if answer.status / 100 != 2 {
            return Err(request.refusal(&answer));
        }
        let AppText { slug, events, .. } = parsed(&request, &answer)?;
        Ok(Whoami { identity: Identity::App { id, slug, events }, clock_ahead: clock_ahead(&answer) })
    }
}

fn words(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn clock_ahead(answer: &Answer) -> Option<i64> {
    answer.date().map(|date| off(date.unix_timestamp()))
}
