//! What an App's installation has on a scope.
//!
//! Facts: GitHub's REST description, "apps/get-repo-installation" and its like.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::installation::look_ups;
use crate::domain::scope::Scope;
use crate::github::asker::Asker;
use crate::github::call::Call;
use crate::github::client::{Client, Request, Sign, parsed};
use crate::github::error::GitHubError;
use crate::github::fetch::Method;

/// An App's installation, as GitHub describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// GitHub's number.
    pub id: u64,
    /// The organization's or user's login, where GitHub says it.
    pub account: Option<String>,
    /// An owner has suspended it.
    pub is_suspended: bool,
    /// Such as `administration: write`; empty where GitHub does not say it.
    pub permissions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct InstallationText {
    id: u64,
    account: Option<AccountText>,
    suspended_at: Option<String>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct AccountText {
    login: Option<String>,
}

impl Client {
    /// The App's installation that has `scope`; `None`: there is none, or a token signs in.
    pub fn installation_on(
        &self,
        asker: &Asker<'_>,
        scope: &Scope,
    ) -> Result<Option<Installation>, GitHubError> {
        let Some(app) = self.app() else { return Ok(None) };
        for path in look_ups(scope) {
            let request = Request::new(Call::FindInstallation, Method::Get, path).signed_by(Sign::App);
            let answer = self.ask(asker, &request)?;
            match answer.status {
                200 => {
                    let text: InstallationText = parsed(&request, &answer)?;
                    app.state().installation.get_or_insert(text.id);
                    return Ok(Some(Installation {
                        id: text.id,
                        account: text.account.and_then(|account| account.login),
                        is_suspended: text.suspended_at.is_some(),
                        permissions: text.permissions,
                    }));
                }
                404 => {}
                _ => return Err(request.refusal(&answer)),
            }
        }
        Ok(None)
    }
}
