//! The order of a delivery's checks, and the answers. Always a small JSON body.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::domain::event::{Told, Verdict};
use crate::domain::scope::Scope;
use crate::github::webhook::SigningKeys;
use crate::http::{Method, Reply, Request};
use crate::log::Seldom;
use crate::plugins::receiver::intake::{Intake, intake};
use crate::store::{Store, StoreError};

const RECEIVER: &str = "/jobs/v1/receiver";
const HEALTH: &str = "/healthcheck";
/// When GitHub, or a person, may try again while the store is away. In seconds.
const RETRY_AFTER: &str = "30";
/// How often a foreign repository is named in the log.
const SAY_AGAIN: Duration = Duration::from_hours(1);
/// How often a refused or unreadable delivery is: anybody can send them, and a log is finite.
const REFUSED_AGAIN: Duration = Duration::from_mins(1);

/// What answers.
pub(super) struct Desk {
    scope: Scope,
    keys: SigningKeys,
    store: Arc<dyn Store>,
    foreign: Seldom,
    refused: Seldom,
}

impl Desk {
    /// A desk for the deliveries of `scope`.
    pub fn new(scope: Scope, keys: SigningKeys, store: Arc<dyn Store>) -> Desk {
        Desk {
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
        let delivery = request.header("x-github-delivery").unwrap_or("without id");
        let verified = match self.keys.verify(request.header("x-hub-signature-256"), request.body) {
            Ok(verified) => verified,
            Err(fault) => {
                if self.refused.due(&fault.to_string()) {
                    log::warn!("delivery {delivery:?} is refused: {fault}");
                }
                return error(401, &fault.to_string());
            }
        };
        let name = request.header("x-github-event").unwrap_or_default();
        match verified.event(name, request.header("content-type")) {
            Ok(event) => self.take(event, delivery),
            Err(unreadable) => {
                if self.refused.due(&unreadable.to_string()) {
                    log::warn!("delivery {delivery:?} ({name}) cannot be read: {unreadable}");
                }
                error(400, &unreadable.to_string())
            }
        }
    }

    fn take(&self, event: crate::github::Event, delivery: &str) -> Reply {
        match intake(event, &self.scope) {
            Intake::Ignore(why) => result(200, why),
            Intake::OutOfScope(repository) => {
                if self.foreign.due(&repository) {
                    log::warn!("deliveries of {repository} are ignored: this receiver serves {}", self.scope);
                }
                result(200, "ignored: not this receiver's repository")
            }
            Intake::Note(event) => match self.store.apply(&event) {
                Ok(told) => noted(&told),
                Err(fault) => away(delivery, &fault),
            },
        }
    }
}

fn noted(told: &Told) -> Reply {
    match told.verdict {
        Verdict::Stored => result(202, "stored"),
        Verdict::Ignored => result(200, "ignored: a job that was never queued here"),
        Verdict::Known | Verdict::Lost | Verdict::Unanimous => result(200, "known"),
    }
}

fn away(delivery: &str, fault: &StoreError) -> Reply {
    log::warn!("delivery {delivery:?} could not be stored, GitHub is told so: {fault}");
    let mut reply = error(503, "the store is away; this delivery can be redelivered");
    reply.headers.push(("Retry-After", RETRY_AFTER.into()));
    reply
}

fn not_allowed(methods: &str) -> Reply {
    let mut reply = error(405, &format!("only {methods} here"));
    reply.headers.push(("Allow", methods.into()));
    reply
}

fn result(status: u16, what: &str) -> Reply {
    Reply::json(status, json!({ "result": what }).to_string())
}

fn error(status: u16, what: &str) -> Reply {
    Reply::json(status, json!({ "error": what }).to_string())
}
