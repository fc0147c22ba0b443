//! Webhook deliveries: signed, sent once as GitHub does, each kept with its answer; and what goes wrong with them.

use super::state::{Hook, Job};
use crate::{clock, secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// GitHub waits ten seconds for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
const KEPT_OF_AN_ANSWER: u64 = 2000;

/// What happens to the webhooks of one action of a job.
#[derive(Serialize, Deserialize, Clone, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Knob {
    /// Lost on the way; can be redelivered.
    pub drop: bool,
    /// So many more copies of the same delivery.
    pub copies: u64,
    pub delay_ms: u64,
    /// Not before the job's delivery of this action has been tried: `queued` after `completed` is a swap.
    pub after: String,
}

/// A delivery that was tried (or lost), as `/_sim/deliveries` lists it.
#[derive(Serialize, Clone)]
pub struct Delivery {
    pub id: u64,
    pub guid: String,
    pub hook_id: u64,
    pub event: String,
    pub action: String,
    pub job: u64,
    pub redelivery: bool,
    /// Of an App's hook.
    pub installation_id: Option<u64>,
    pub sent_at: String,
    pub answered_at: String,
    pub duration: f64,
    /// 0: no answer.
    pub status_code: u16,
    pub status: String,
    pub answer: String,
    #[serde(skip)]
    pub hook: Hook,
    #[serde(skip)]
    pub body: Vec<u8>,
}

struct Pending {
    due: Instant,
    after: String,
    lost: bool,
    delivery: Delivery,
}

#[derive(Default)]
struct Room {
    pending: Vec<Pending>,
    /// Jobs with a delivery on its way: their next one waits, so that order is kept unless a knob changes it.
    on_the_way: HashSet<u64>,
    tried: Vec<Delivery>,
    last_id: u64,
}

impl Delivery {
    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.status_code)
    }

    /// What it carried, read back from its bytes.
    pub fn payload(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        let text = text.strip_prefix("payload=").map_or_else(|| text.to_string(), super::http::unescaped);
        serde_json::from_str(&text).unwrap_or_default()
    }
}

pub struct Outbox {
    room: Mutex<Room>,
    rung: Condvar,
    pub url: String,
    /// Nothing arrives.
    pub outage: AtomicBool,
}

impl Outbox {
    pub fn new(url: String) -> Self {
        Self { room: Mutex::default(), rung: Condvar::new(), url, outage: AtomicBool::new(false) }
    }

    /// Takes one event for one hook, with all that the knob makes of it.
    pub fn post(&self, hook: &Hook, event: &str, action: &str, job: u64, payload: &Value, knob: &Knob) {
        let guid = secret::random_uuid();
        for copy in 0..=knob.copies {
            let delivery = Delivery {
                id: 0,
                guid: guid.clone(),
                hook_id: hook.id,
                event: event.into(),
                action: action.into(),
                job,
                redelivery: copy > 0,
                installation_id: payload["installation"]["id"].as_u64().filter(|_| hook.app != 0),
                sent_at: String::new(),
                answered_at: String::new(),
                duration: 0.0,
                status_code: 0,
                status: String::new(),
                answer: String::new(),
                hook: hook.clone(),
                body: written(&hook.content_type, payload),
            };
            let due = Instant::now() + Duration::from_millis(knob.delay_ms);
            self.add(Pending { due, after: knob.after.clone(), lost: knob.drop, delivery });
        }
    }

    /// Sends a delivery once more, with the same identity and the same bytes.
    pub fn redeliver(&self, id: u64, delay_ms: u64) -> bool {
        let found = self.room().tried.iter().find(|delivery| delivery.id == id).cloned();
        let Some(found) = found else { return false };
        let delivery = Delivery { redelivery: true, ..found };
        let due = Instant::now() + Duration::from_millis(delay_ms);
        self.add(Pending { due, after: String::new(), lost: false, delivery });
        true
    }

    /// Notes a delivery as tried, though nobody has sent it.
    pub fn note(&self, mut delivery: Delivery) -> u64 {
        let mut room = self.room();
        room.last_id += 1;
        delivery.id = room.last_id;
        room.tried.push(delivery);
        room.last_id
    }

    pub fn tried(&self) -> Vec<Delivery> {
        self.room().tried.clone()
    }

    pub fn waiting(&self) -> usize {
        let room = self.room();
        room.pending.len() + room.on_the_way.len()
    }

    /// One of the senders: never returns.
    pub fn send_all(&self) {
        let agent = agent();
        loop {
            let mut pending = self.next();
            let lost = pending.lost || self.outage.load(Ordering::Relaxed);
            send(&agent, &mut pending.delivery, lost);
            let mut room = self.room();
            room.on_the_way.remove(&pending.delivery.job);
            room.tried.push(pending.delivery);
            drop(room);
            self.rung.notify_all();
        }
    }

    fn add(&self, mut pending: Pending) {
        let mut room = self.room();
        room.last_id += 1;
        pending.delivery.id = room.last_id;
        room.pending.push(pending);
        drop(room);
        self.rung.notify_one();
    }

    fn next(&self) -> Pending {
        let mut room = self.room();
        loop {
            let now = Instant::now();
            if let Some(at) = room.ready(now) {
                let pending = room.pending.remove(at);
                room.on_the_way.insert(pending.delivery.job);
                return pending;
            }
            let due = room.pending.iter().map(|pending| pending.due).filter(|due| *due > now).min();
            let pause = due.map_or(Duration::from_mins(1), |due| due - now);
            room = self.rung.wait_timeout(room, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn ready(&self, now: Instant) -> Option<usize> {
        self.pending.iter().position(|one| {
            let job = one.delivery.job;
            let waits = !one.after.is_empty()
                && !self.tried.iter().any(|done| done.job == job && done.action == one.after);
            one.due <= now && !waits && !(job != 0 && self.on_the_way.contains(&job))
        })
    }
}

impl Hook {
    pub fn hears(&self, job: &Job) -> bool {
        (self.owner.is_empty() || self.owner.eq_ignore_ascii_case(&job.spec.owner))
            && (self.repo.is_empty() || self.repo.eq_ignore_ascii_case(&job.spec.repo))
    }
}

/// A new connection each time, as GitHub does: a pooled one that the receiver has closed would be tried twice.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(0)
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .build()
        .new_agent()
}

/// Starts the senders.
pub fn start(hub: &std::sync::Arc<super::hub::Hub>) {
    for _ in 0..16 {
        let hub = std::sync::Arc::clone(hub);
        thread::spawn(move || hub.outbox.send_all());
    }
}

fn send(agent: &ureq::Agent, delivery: &mut Delivery, lost: bool) {
    delivery.sent_at = clock::stamp();
    let begun = Instant::now();
    let ended = if lost { Err("failed to connect to host".into()) } else { sent(agent, delivery) };
    delivery.duration = begun.elapsed().as_secs_f64();
    delivery.answered_at = clock::stamp();
    (delivery.status_code, delivery.status, delivery.answer) = match ended {
        Ok((code @ 200..=299, text)) => (code, "OK".into(), text),
        Ok((code, text)) => (code, format!("Invalid HTTP Response: {code}"), text),
        Err(why) => (0, why, String::new()),
    };
}

fn sent(agent: &ureq::Agent, delivery: &Delivery) -> Result<(u16, String), String> {
    let hook = &delivery.hook;
    let kind = match hook {
        Hook { app: 1.., .. } => "integration",
        Hook { repo, .. } if repo.is_empty() => "organization",
        _ => "repository",
    };
    let content_type =
        if hook.content_type == "form" { "application/x-www-form-urlencoded" } else { "application/json" };
    let mut request = agent
        .post(&hook.url)
        .header("Accept", "*/*")
        .header("User-Agent", "GitHub-Hookshot/5ab2c91")
        .header("Content-Type", content_type)
        .header("X-GitHub-Event", &delivery.event)
        .header("X-GitHub-Delivery", &delivery.guid)
        .header("X-GitHub-Hook-ID", hook.id.to_string())
        .header("X-GitHub-Hook-Installation-Target-ID", "79929171")
        .header("X-GitHub-Hook-Installation-Target-Type", kind);
    if !hook.secret.is_empty() {
        request = request.header("X-Hub-Signature-256", secret::signature(&hook.secret, &delivery.body));
    }
    let mut response = request.send(&delivery.body[..]).map_err(|e| e.to_string())?;
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(KEPT_OF_AN_ANSWER).lossy_utf8(true).read_to_string();
    Ok((status, text.unwrap_or_default()))
}

/// The body as GitHub writes it for this content type.
pub fn written(content_type: &str, payload: &Value) -> Vec<u8> {
    let text = payload.to_string();
    if content_type != "form" {
        return text.into_bytes();
    }
    let mut form = b"payload=".to_vec();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(byte);
        } else {
            form.extend(format!("%{byte:02X}").bytes());
        }
    }
    form
}
