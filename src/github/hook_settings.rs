//! Where a webhook sends what: asked by `anklet check`.
//!
//! Facts: GitHub's REST description, "repos/get-webhook", "orgs/get-webhook", "apps/get-webhook-config-for-app".

use serde::Deserialize;

use super::asker::Asker;
use super::call::Call;
use super::client::{Client, parsed};
use super::error::GitHubError;
use super::fetch::{Method, place};
use super::hooks::{Hook, request};

/// A webhook's settings, as far as GitHub says them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookSettings {
    /// Whether it is sent at all; an App's own does not say it.
    pub is_active: Option<bool>,
    /// The events that it is sent; an App's own does not say them.
    pub events: Option<Vec<String>>,
    /// Where to: without user and query, which may be secret; empty: nowhere.
    pub url: String,
    /// `json` or `form`.
    pub content_type: Option<String>,
}

#[derive(Deserialize)]
struct HookText {
    active: Option<bool>,
    events: Option<Vec<String>>,
    #[serde(default)]
    config: ConfigText,
}

#[derive(Default, Deserialize)]
struct ConfigText {
    url: Option<String>,
    content_type: Option<String>,
}

impl Client {
    /// The settings of a webhook.
    pub fn hook_settings(&self, asker: &Asker<'_>, hook: &Hook) -> Result<HookSettings, GitHubError> {
        let request = request(hook, Call::GetHook, Method::Get, hook.settings_path());
        let answer = self.ask(asker, &request)?;
        if answer.status / 100 != 2 {
            return Err(request.refusal(&answer));
        }
        match hook {
            Hook::App => {
                let config = parsed(&request, &answer)?;
                Ok(HookSettings::of(HookText { active: None, events: None, config }))
            }
            Hook::Repository { .. } | Hook::Organization { .. } => {
                Ok(HookSettings::of(parsed(&request, &answer)?))
            }
        }
    }
}

impl HookSettings {
    fn of(text: HookText) -> HookSettings {
        let url = text.config.url.filter(|url| !url.is_empty()).map(|url| place(&url)).unwrap_or_default();
        HookSettings {
            is_active: text.active,
            events: text.events,
            url,
            content_type: text.config.content_type,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_in_an_address_is_left_out() {
        let config = ConfigText { url: Some("https://me:pw@a.com/x?key=1".into()), content_type: None };
        let text = HookText { active: Some(true), events: None, config };
        assert_eq!(HookSettings::of(text).url, "https://a.com/x");
        let none = HookText { active: None, events: None, config: ConfigText::default() };
        assert_eq!(HookSettings::of(none).url, "");
    }
}
