//! A webhook's deliveries: what became of each, and sending one again.
//!
//! GitHub lists them newest first, a page at a time; where the next page begins stands only in `Link`. One that is
//! sent again is a new delivery under the same GUID. They are kept for three days (GitHub, "Redelivering webhooks";
//! an Enterprise Server keeps them for seven).

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::address::segment;
use super::answer::Answer;
use super::asker::Asker;
use super::call::Call;
use super::client::{Client, Request, Sign, parsed};
use super::error::GitHubError;
use super::fetch::Method;
use crate::domain::ids::Millis;

/// How long github.com keeps a delivery, and so sends it again.
pub const KEPT: Duration = Duration::from_hours(3 * 24);
/// Deliveries of a page: the most that GitHub gives.
const PAGE: usize = 100;
/// GitHub waits ten seconds for an answer; what is not known after this long was not answered.
const UNANSWERED: Duration = Duration::from_mins(2);
/// No cursor of GitHub's is nearly as long.
const LONGEST_CURSOR: usize = 512;

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Of one repository.
    Repository {
        /// User or organization.
        owner: String,
        /// Repository, without the owner.
        repo: String,
        /// GitHub's number.
        id: u64,
    },
    /// Of an organization.
    Organization {
        /// Its login.
        owner: String,
        /// GitHub's number.
        id: u64,
    },
    /// The App's own, with the deliveries of all its installations; GitHub wants the App itself to sign in.
    App,
}

/// One try to deliver an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// GitHub's number of this try.
    pub id: u64,
    /// The event's identity, the same for each try.
    pub guid: String,
    /// When, by GitHub's clock.
    pub at: Millis,
    /// Whether it was tried again.
    pub redelivery: bool,
    /// The answer's status, 0 where there was none; `None`: it is not known yet.
    pub status: Option<i64>,
    /// Such as `workflow_job`.
    pub event: String,
    /// Such as `queued`; empty where the event has none.
    pub action: String,
    /// Of an App's hook: the installation that it concerns.
    pub installation: Option<u64>,
}

/// Some deliveries, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most a hundred.
    pub deliveries: Vec<Delivery>,
    /// Where older ones begin; `None`: there are none.
    pub next: Option<String>,
    /// When GitHub answered, by its own clock.
    pub date: Option<Millis>,
}

impl Delivery {
    /// Whether it was answered with 2xx; `None`: not known yet.
    pub fn worked(&self) -> Option<bool> {
        self.status.map(|status| (200..300).contains(&status))
    }

    /// An answer that is still not known long after GitHub's patience has ended will not come.
    fn settled(mut self, now: Option<Millis>) -> Delivery {
        if now.is_some_and(|now| now >= self.at.plus(UNANSWERED)) {
            self.status = self.status.or(Some(0));
        }
        self
    }
}

impl Client {
    /// A page of a hook's deliveries, of every outcome; from `cursor` on, or the newest.
    pub fn deliveries(
        &self,
        asker: &Asker<'_>,
        hook: &Hook,
        cursor: Option<&str>,
    ) -> Result<Page, GitHubError> {
        let from = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("{}?per_page={PAGE}{from}", hook.path());
        let request = request(hook, Call::ListDeliveries, Method::Get, path);
        let answer = self.ask(asker, &request)?;
        if answer.status != 200 {
            return Err(request.refusal(&answer));
        }
        let rows: Vec<Value> = parsed(&request, &answer)?;
        let next = answer.header("link").and_then(next_link).map(cursor_of);
        let next = match next {
            None => None,
            Some(Some(next)) if Some(next.as_str()) != cursor => Some(next),
            // To take this for the end of the list would hide what was lost before.
            Some(_) => {
                return Err(GitHubError::Away { reason: "its list of deliveries leads nowhere".into() });
            }
        };
        let (rows_told, date) = (rows.len(), answered_at(&answer));
        let deliveries: Vec<Delivery> =
            rows.into_iter().filter_map(Delivery::read).map(|one| one.settled(date)).collect();
        match rows_told - deliveries.len() {
            0 => (),
            // A list of strangers is no empty list.
            _ if deliveries.is_empty() => {
                let reason = "its list of deliveries holds nothing that is one".into();
                return Err(GitHubError::Away { reason });
            }
            left_out => log::warn!("{left_out} deliveries of {hook} cannot be read and are left out"),
        }
        Ok(Page { deliveries, next, date })
    }

    /// Has GitHub send a delivery again.
    pub fn redeliver(&self, asker: &Asker<'_>, hook: &Hook, id: u64) -> Result<(), GitHubError> {
        let path = format!("{}/{id}/attempts", hook.path());
        let request = request(hook, Call::Redeliver, Method::Post, path);
        let answer = self.ask(asker, &request)?;
        if answer.status / 100 == 2 { Ok(()) } else { Err(request.refusal(&answer)) }
    }
}

impl Hook {
    /// Where its deliveries are.
    fn path(&self) -> String {
        match self {
            Hook::Repository { owner, repo, id } => {
                format!("/repos/{}/{}/hooks/{id}/deliveries", segment(owner), segment(repo))
            }
            Hook::Organization { owner, id } => format!("/orgs/{}/hooks/{id}/deliveries", segment(owner)),
            Hook::App => "/app/hook/deliveries".into(),
        }
    }

    /// Where its settings are.
    pub(super) fn settings_path(&self) -> String {
        match self {
            Hook::Repository { .. } | Hook::Organization { .. } => {
                self.path().trim_end_matches("/deliveries").to_owned()
            }
            Hook::App => "/app/hook/config".into(),
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hook::Repository { owner, repo, id } => write!(f, "webhook {id} of {owner}/{repo}"),
            Hook::Organization { owner, id } => write!(f, "webhook {id} of {owner}"),
            Hook::App => f.write_str("the App's webhook"),
        }
    }
}

/// A call about a hook, signed as that hook wants it.
pub(super) fn request(hook: &Hook, call: Call, method: Method, path: String) -> Request {
    let sign = match hook {
        Hook::Repository { .. } | Hook::Organization { .. } => Sign::Installation,
        Hook::App => Sign::App,
    };
    Request::new(call, method, path).signed_by(sign)
}

#[derive(Deserialize)]
struct DeliveryText {
    id: u64,
    guid: String,
    delivered_at: String,
    #[serde(default)]
    redelivery: Option<bool>,
    #[serde(default)]
    status_code: Option<i64>,
    event: String,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    installation_id: Option<u64>,
}

impl Delivery {
    /// One that cannot be read must not hide the others: it is left out.
    fn read(row: Value) -> Option<Delivery> {
        let text: DeliveryText = serde_json::from_value(row).ok()?;
        let at = OffsetDateTime::parse(&text.delivered_at, &Rfc3339).ok()?;
        Some(Delivery {
            id: text.id,
            guid: text.guid,
            at: millis(at),
            redelivery: text.redelivery.unwrap_or(false),
            status: text.status_code,
            event: text.event,
            action: text.action.unwrap_or_default(),
            installation: text.installation_id,
        })
    }
}

fn answered_at(answer: &Answer) -> Option<Millis> {
    answer.date().map(millis)
}

fn millis(at: OffsetDateTime) -> Millis {
    Millis(u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0))
}

/// The URL of the `next` link.
fn next_link(link: &str) -> Option<&str> {
    let is_next = |rest: &str| rest.split([';', ',']).any(|part| part.trim().replace('"', "") == "rel=next");
    let mut links = link.split('<').skip(1).filter_map(|one| one.split_once('>'));
    links.find(|(_, rest)| is_next(rest)).map(|(url, _)| url)
}

/// The cursor in a link's URL, of which nothing else is used.
fn cursor_of(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let cursor = query.split(['&', '#']).find_map(|pair| pair.strip_prefix("cursor="))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~%=+:/".contains(&b);
    let known = !cursor.is_empty() && cursor.len() <= LONGEST_CURSOR && cursor.bytes().all(plain);
    known.then(|| cursor.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cursor_of_the_next_page_is_taken() {
        let github =
            "<https://api.github.com/repos/a/b/hooks/1/deliveries?per_page=100&cursor=v1_12>; rel=\"next\"";
        let cases = [
            (github, Some(Some("v1_12"))),
            ("<https://evil.com/?cursor=v1_9%3D&x>; rel=next", Some(Some("v1_9%3D"))),
            ("</x?cursor=a>; rel=\"prev\", </x?cursor=b#c>; rel=\"next\"", Some(Some("b"))),
            ("</x?cursor=a>; rel=\"next\", </x?cursor=b>; rel=\"first\"", Some(Some("a"))),
            ("</x?cursor=a>; rel=\"prev\"", None),
            ("</x?page=2>; rel=\"next\"", Some(None)),
            ("</x?cursor=>; rel=\"next\"", Some(None)),
            ("</x?cursor=a b>; rel=\"next\"", Some(None)),
            ("nonsense", None),
            ("", None),
        ];
        for (link, cursor) in cases {
            let told = next_link(link).map(cursor_of);
            assert_eq!(told.as_ref().map(Option::as_deref), cursor, "{link}");
        }
    }

    #[test]
    fn a_delivery_is_read_as_github_writes_it() {
        let row = serde_json::json!({
            "id": 12_345_678, "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516",
            "delivered_at": "2019-06-03T00:57:16Z", "redelivery": false, "duration": 0.27, "status": "OK",
            "status_code": 200, "event": "issues", "action": null, "installation_id": 123,
            "repository_id": 456, "throttled_at": null,
        });
        let read = Delivery::read(row.clone()).unwrap();
        assert_eq!((read.id, read.at, read.worked()), (12_345_678, Millis(1_559_523_436_000), Some(true)));
        assert_eq!((read.action.as_str(), read.installation), ("", Some(123)));
        let with = |key: &str, value: Value| {
            let mut row = row.clone();
            row[key] = value;
            Delivery::read(row)
        };
        let worked = |code: Value| with("status_code", code).unwrap().worked();
        assert_eq!(
            [0, 199, 204, 300, 502].map(|n| worked(n.into())),
            [false, false, true, false, false].map(Some)
        );
        assert_eq!(worked(Value::Null), None);
        let late =
            |after| with("status_code", Value::Null).unwrap().settled(Some(read.at.plus(after))).worked();
        assert_eq!((late(UNANSWERED / 2), late(UNANSWERED)), (None, Some(false)));
        assert_eq!(with("delivered_at", "yesterday".into()), None);
        assert_eq!(with("id", "x".into()), None);
    }
}
