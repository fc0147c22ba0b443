//! Rules: REST calls that are answered otherwise than they should be.

use super::http::{Answer, Reply, Request};
use super::state::State;
use crate::clock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// The first rule that a call meets decides; one is taken away when it has struck `times` times.
#[derive(Serialize, Deserialize, Clone, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Empty: any.
    pub method: String,
    /// A part of the path, in which `*` stands for anything.
    pub path: String,
    pub skip: u64,
    /// 0: always.
    pub times: u64,
    /// 0: as it should be, after `delay_ms`.
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub delay_ms: u64,
    pub drop_connection: bool,
    /// The call does what it should, and then is answered by the rule: an answer lost on its way.
    pub after: bool,
    /// A known misery in place of status, headers and body.
    pub preset: Option<Preset>,
    /// How long a limit of a preset lasts.
    pub seconds: i64,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    Unauthorized,
    /// 403 for want of a permission.
    Permission,
    /// 403 with `x-ratelimit-remaining: 0`.
    Primary,
    /// 403 with `retry-after`.
    Secondary,
    /// 403 that only its message tells.
    SecondaryMessage,
    /// 429 with `retry-after`.
    TooMany,
    NotFound,
    ServerError,
    /// 502 with a gateway's HTML.
    Html,
    /// 200 with HTML: a captive portal.
    HtmlOk,
    /// 200 with half of a JSON.
    Truncated,
}

impl Rule {
    /// The rule that this call meets, counted.
    pub fn take(state: &mut State, request: &Request) -> Option<Self> {
        let mut met = None;
        for rule in state.rules.iter_mut().filter(|rule| rule.meets(request)) {
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            met = Some(rule.clone());
            rule.times = if rule.times == 1 { u64::MAX } else { rule.times.saturating_sub(1) };
            break;
        }
        state.rules.retain(|rule| rule.times != u64::MAX);
        met
    }

    fn meets(&self, request: &Request) -> bool {
        let method = self.method.is_empty() || self.method.eq_ignore_ascii_case(&request.method);
        let mut rest = request.path.as_str();
        method
            && self.path.split('*').all(|part| match rest.find(part) {
                Some(at) => {
                    rest = &rest[at + part.len()..];
                    true
                }
                None => false,
            })
    }

    /// What it answers, or `None` when it only delays.
    pub fn answer(&self) -> Option<Reply> {
        if self.drop_connection {
            return Some(Reply::Close);
        }
        let mut answer = match self.preset {
            Some(preset) => preset.answer(self.seconds.max(1)),
            None if self.status == 0 => return None,
            None => Answer { status: self.status, ..Answer::default() },
        };
        if let Some(body) = &self.body {
            answer.body = body.clone().into_bytes();
        }
        for (name, value) in &self.headers {
            answer = answer.with(name, value);
        }
        Some(Reply::Send(answer))
    }
}

impl Preset {
    fn answer(self, seconds: i64) -> Answer {
        let reset = (clock::epoch_seconds() + seconds).to_string();
        let left = |answer: Answer| answer.with("X-RateLimit-Remaining", "4980");
        let secondary = |status: u16| left(message(status, SECONDARY));
        match self {
            Self::Unauthorized => message(401, "Bad credentials"),
            Self::Permission => left(message(403, "Resource not accessible by personal access token"))
                .with("X-Accepted-GitHub-Permissions", "administration=write"),
            Self::Primary => message(403, "API rate limit exceeded for user ID 1.")
                .with("X-RateLimit-Limit", "5000")
                .with("X-RateLimit-Remaining", "0")
                .with("X-RateLimit-Reset", reset),
            Self::Secondary => secondary(403).with("Retry-After", seconds.to_string()),
            Self::SecondaryMessage => secondary(403),
            Self::TooMany => secondary(429).with("Retry-After", seconds.to_string()),
            Self::NotFound => message(404, "Not Found"),
            Self::ServerError => message(500, "Server Error"),
            Self::Html => html(502, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
            Self::HtmlOk => html(200, "<html><body>Please sign in to the network</body></html>"),
            Self::Truncated => Answer {
                status: 200,
                headers: vec![("Content-Type".into(), "application/json; charset=utf-8".into())],
                body: b"{\"total_count\": 1, \"token\": \"AAB".to_vec(),
            },
        }
    }
}

const SECONDARY: &str =
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

/// GitHub's way to say what is wrong.
pub fn message(status: u16, text: &str) -> Answer {
    let body = json!({
        "message": text, "documentation_url": "https://docs.github.com/rest", "status": status.to_string(),
    });
    Answer {
        status,
        headers: vec![("Content-Type".into(), "application/json; charset=utf-8".into())],
        body: body.to_string().into_bytes(),
    }
}

fn html(status: u16, text: &str) -> Answer {
    Answer {
        status,
        headers: vec![("Content-Type".into(), "text/html; charset=utf-8".into())],
        body: text.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let request = |path: &str| Request {
            method: "GET".into(),
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let rule = Rule { path: "/repos/*/jobs/".into(), ..Rule::default() };
        assert!(rule.meets(&request("/repos/a/b/actions/jobs/7")));
        assert!(!rule.meets(&request("/repos/a/b/actions/runners")));
        let other = Rule { method: "POST".into(), ..Rule::default() };
        assert!(!other.meets(&request("/")));
    }
}
