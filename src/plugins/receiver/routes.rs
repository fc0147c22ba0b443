//! The order of a delivery's checks, and the answers. Always a small JSON body.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::arrivals::Arrivals;
use super::intake::{Intake, intake};
use super::outage::Outage;
use crate::domain::event::{Event, Told, Verdict};
use crate::domain::scope::Scope;
use crate::github::webhook::SigningKeys;
use crate::http::{Method, Reply, Request};
use crate::log::{Fields, Seldom, scope};
use crate::plugins::fields;
use crate::runtime::meters;
use crate::store::Store;

const RECEIVER: &str = "/jobs/v1/receiver";
const HEALTH: &str = "/healthcheck";
/// When GitHub, or a person, may try again while the store is away. In seconds.
const RETRY_AFTER: &str = "30";
/// How often a foreign repository is named in the log.
const SAY_AGAIN: Duration = Duration::from_hours(1);
/// How often a refused or unreadable delivery is: anybody can send them, and a log is finite.
const REFUSED_AGAIN: Duration = Duration::from_mins(1);

/// Actions of a `workflow_job` delivery, and what can become of one.
const ACTIONS: [&str; 4] = ["queued", "waiting", "in_progress", "completed"];
const RESULTS: [&str; 5] = ["stored", "known", "ignored", "out_of_scope", "store_away"];
/// Event, action and result of all others.
const OTHERS: [[&str; 3]; 3] =
    [["workflow_job", "other", "ignored"], ["ping", "", "ignored"], ["other", "", "ignored"]];
const UNREADABLE: [&str; 3] = ["unreadable", "", "refused"];

/// What answers.
pub(super) struct Desk {
    scope: Scope,
    keys: SigningKeys,
    store: Arc<dyn Store>,
    outage: Arc<Outage>,
    /// Of a run-once: what has come.
    arrivals: Option<Arc<Arrivals>>,
    /// What every line of a delivery carries.
    fields: Fields,
    foreign: Seldom,
    refused: Seldom,
}

impl Desk {
    /// A desk for the deliveries of `scope`; its log lines carry `fields`.
    pub fn new(
        fields: Fields,
        scope: Scope,
        keys: SigningKeys,
        store: Arc<dyn Store>,
        outage: Arc<Outage>,
        arrivals: Option<Arc<Arrivals>>,
    ) -> Desk {
        for (action, result) in ACTIONS.iter().flat_map(|action| RESULTS.map(|result| (action, result))) {
            meters::DELIVERIES.begin(&["workflow_job", action, result]);
        }
        OTHERS.iter().chain([&UNREADABLE]).for_each(|delivery| meters::DELIVERIES.begin(delivery));
        Desk {
            outage,
            arrivals,
            fields,
            scope,
            keys,
            store,
            foreign: Seldom::new(SAY_AGAIN, 64),
            refused: Seldom::new(REFUSED_AGAIN, 8),
        }
    }

    /// Path 404, method 405, signature 401, JSON 400; then what the event is.
    pub fn answer(&self, request: &Request<'_>) -> Reply {
        match (request.path, &request.method) {
            (HEALTH, Method::Get) => result(200, "ok"),
            (HEALTH, _) => not_allowed("GET, HEAD"),
            (RECEIVER, Method::Post) => self.delivery(request),
            (RECEIVER, _) => not_allowed("POST"),
            _ => error(404, "there is nothing here; deliveries go to /jobs/v1/receiver"),
        }
    }

    fn delivery(&self, request: &Request<'_>) -> Reply {
        let _scope = scope::enter(self.fields.clone());
        let delivery = request.header("x-github-delivery").unwrap_or("without id");
        let verified = match self.keys.verify(request.header("x-hub-signature-256"), request.body) {
            Ok(verified) => verified,
            Err(fault) => {
                meters::SIGNATURE_FAILURES.add(&[]);
                return self.refuse(401, delivery, &fault.to_string());
            }
        };
        let Some(name) = request.header("x-github-event").filter(|name| !name.is_empty()) else {
            return self.refuse(400, delivery, "no X-GitHub-Event header");
        };
        match verified.event(name, request.header("content-type")) {
            Ok(event) => {
                let (event_word, action) = event.words();
                let (reply, what) = self.take(event, delivery);
                meters::DELIVERIES.add(&[event_word, action, what]);
                if let Some(arrivals) = &self.arrivals {
                    arrivals.came(delivery);
                }
                reply
            }
            Err(unreadable) => {
                meters::DELIVERIES.add(&UNREADABLE);
                self.refuse(400, delivery, &unreadable.to_string())
            }
        }
    }

    fn refuse(&self, status: u16, delivery: &str, why: &str) -> Reply {
        if self.refused.due(why) {
            log::warn!("delivery {delivery:?} is refused: {why}");
        }
        error(status, why)
    }

    /// The answer, and in a word what became of the delivery.
    fn take(&self, event: crate::github::Event, delivery: &str) -> (Reply, &'static str) {
        match intake(event, &self.scope) {
            Intake::Ignore(why) => {
                log::debug!("delivery {delivery:?}: {why}");
                (result(200, why), "ignored")
            }
            Intake::OutOfScope(repository) => {
                if self.foreign.due(&repository.to_ascii_lowercase()) {
                    log::warn!("deliveries of {repository} are ignored: this receiver serves {}", self.scope);
                }
                (result(200, "ignored: not this receiver's repository"), "out_of_scope")
            }
            Intake::Note(event) => self.note(&event, delivery),
        }
    }

    fn note(&self, event: &Event, delivery: &str) -> (Reply, &'static str) {
        if self.outage.is_fresh() {
            return (away(), "store_away");
        }
        match self.store.apply(event) {
            Ok(told) => {
                self.outage.over();
                tell(event, told.verdict, delivery);
                noted(&told)
            }
            Err(fault) => {
                self.outage.failed(delivery, &fault);
                (away(), "store_away")
            }
        }
    }
}

/// One line a job at its beginning; the rest is for who looks closer.
fn tell(event: &Event, verdict: Verdict, delivery: &str) {
    match event {
        Event::Queued { job, .. } if verdict == Verdict::Stored => {
            let _scope = scope::enter(fields::of(job));
            log::info!("the job is queued");
        }
        event => log::debug!("delivery {delivery:?}: {}, {verdict:?}", event.word()),
    }
}

fn noted(told: &Told) -> (Reply, &'static str) {
    match told.verdict {
        Verdict::Stored => (result(202, "stored"), "stored"),
        Verdict::Ignored => (result(200, "ignored: a job that was never queued here"), "ignored"),
        Verdict::Known | Verdict::Lost | Verdict::Unanimous => (result(200, "known"), "known"),
    }
}

fn away() -> Reply {
    error(503, "the store is away; this delivery can be redelivered").with("Retry-After", RETRY_AFTER)
}

fn not_allowed(methods: &str) -> Reply {
    error(405, &format!("only {methods} here")).with("Allow", methods)
}

fn result(status: u16, what: &str) -> Reply {
    Reply::json(status, json!({ "result": what }).to_string())
}

fn error(status: u16, what: &str) -> Reply {
    Reply::json(status, json!({ "error": what }).to_string())
}
