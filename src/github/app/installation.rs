//! The App's installation: its number, where that was not written, and its token.
//!
//! Facts: GitHub's REST description, "apps/get-repo-installation" and its like, "apps/create-installation-access-token".

use std::time::Duration;

use serde::Deserialize;

use super::App;
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;
use crate::github::address::segment;
use crate::github::answer::Answer;
use crate::github::asker::Asker;
use crate::github::attempt::Setback;
use crate::github::backoff::pause_after;
use crate::github::call::Call;
use crate::github::client::{Client, Request, Sign, one_line, parsed};
use crate::github::error::GitHubError;
use crate::github::fetch::Method;
use crate::github::refusal::Refusal;

/// An installation's token lives this long where the answer does not say it.
const USUAL_LIFE: Duration = Duration::from_hours(1);

/// Whatever the answer says, a token that is older is not trusted.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

#[derive(Deserialize)]
struct InstallationText {
    id: u64,
    #[serde(default)]
    suspended_at: Option<String>,
}

#[derive(Deserialize)]
struct TokenText {
    #[serde(deserialize_with = "one_line")]
    token: String,
    expires_at: String,
}

impl Client {
    /// The App's installation, found if need be; `None` for who signs in with a token.
    pub fn installation_id(&self, asker: &Asker<'_>) -> Result<Option<u64>, GitHubError> {
        let Some(app) = self.app() else { return Ok(None) };
        self.trying(asker, |failed| self.installation(asker, app, failed)).map(Some)
    }

    /// Whether an App signs in, for the first time if need be: a job is not the one to find out that it cannot.
    /// Always true for a token, which shows itself only when it is used.
    pub(in crate::github) fn app_signs_in(&self, asker: &Asker<'_>) -> bool {
        let Some(app) = self.app() else { return true };
        match app.first_try() {
            None => true,
            Some(false) => false,
            Some(true) => {
                let signed_in = self.trying(asker, |failed| self.installation_token(asker, app, failed));
                signed_in.inspect_err(|_| app.try_later()).is_ok()
            }
        }
    }

    /// The token that signs calls; `failed` is the number of this try.
    pub(in crate::github) fn installation_token(
        &self,
        asker: &Asker<'_>,
        app: &App,
        failed: u32,
    ) -> Result<Secret, Setback> {
        if let Some(token) = app.fresh() {
            return Ok(token);
        }
        let _turn = app.turn(asker).ok_or(GitHubError::Stopped)?;
        if let Some(token) = app.fresh() {
            return Ok(token);
        }
        // Somebody else has just been refused: all wait for one and the same next try.
        if let Some(left) = self.health.refused_for() {
            return Err(Setback::Later(left, GitHubError::SignInRefused));
        }
        match self.renew(asker, app, failed) {
            Err(setback @ Setback::Later(_, GitHubError::Away { .. })) => app.living().ok_or(setback),
            renewed => renewed,
        }
    }

    fn renew(&self, asker: &Asker<'_>, app: &App, failed: u32) -> Result<Secret, Setback> {
        let id = self.installation(asker, app, failed)?;
        let path = format!("/app/installations/{id}/access_tokens");
        let request = Request::new(Call::InstallationToken, Method::Post, path).signed_by(Sign::App);
        let answer = self.attempt(asker, &request, failed)?;
        match answer.status {
            200..=299 => {}
            404 => {
                app.state().installation = app.homes.is_empty().then_some(id);
                return Err(self.not_there(app, &answer, failed, format!("no installation {id}")));
            }
            _ => return Err(request.refusal(&answer).into()),
        }
        let told: TokenText =
            parsed(&request, &answer).map_err(|fault| Setback::Later(pause_after(failed), fault))?;
        let token = Secret::new(told.token);
        app.keep(&token, answer.until(&told.expires_at).unwrap_or(USUAL_LIFE).min(LONGEST_LIFE));
        Ok(token)
    }

    /// Its number: as written, else as GitHub finds it.
    fn installation(&self, asker: &Asker<'_>, app: &App, failed: u32) -> Result<u64, Setback> {
        let known = app.state().installation;
        if let Some(id) = known {
            return Ok(id);
        }
        let mut last = Answer::default();
        for path in app.homes.iter().flat_map(look_ups) {
            let request = Request::new(Call::FindInstallation, Method::Get, path).signed_by(Sign::App);
            let answer = self.attempt(asker, &request, failed)?;
            if answer.status == 200 {
                let found: InstallationText = parsed(&request, &answer)?;
                if found.suspended_at.is_some() {
                    return Err(self.refused(&Refusal::Suspended { app: app.id }, failed));
                }
                app.state().installation = Some(found.id);
                return Ok(found.id);
            }
            if answer.status != 404 {
                return Err(request.refusal(&answer).into());
            }
            last = answer;
        }
        let homes: Vec<String> = app.homes.iter().map(Scope::to_string).collect();
        Err(self.not_there(app, &last, failed, format!("no installation on {}", homes.join(" or "))))
    }

    /// 404: the App itself, or what it should be installed on.
    fn not_there(&self, app: &App, answer: &Answer, failed: u32, what: String) -> Setback {
        let said = answer.message();
        let refusal = if said.to_ascii_lowercase().contains("integration") {
            Refusal::Key { app: app.id, said }
        } else {
            Refusal::NotInstalled { app: app.id, what }
        };
        self.refused(&refusal, failed)
    }
}

/// Where an App's installation for `scope` is asked for: an owner may be an organization or a user.
pub(super) fn look_ups(scope: &Scope) -> Vec<String> {
    match scope {
        Scope::Repository { owner, repo } => {
            vec![format!("/repos/{}/{}/installation", segment(owner), segment(repo))]
        }
        Scope::Organization { owner } => {
            ["orgs", "users"].map(|kind| format!("/{kind}/{}/installation", segment(owner))).into()
        }
        Scope::Enterprise { .. } => Vec::new(),
    }
}
