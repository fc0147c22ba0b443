//! Stores to test, each with a clock that the test sets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anklet::domain::ids::{ClaimId, JobId, Millis};
use anklet::domain::scope::Scope;
use anklet::store::embedded::{Embedded, Onlooker, Options};
use anklet::store::look::Look;
use anklet::store::memory::Memory;
use anklet::store::{Ask, Card, Clock, Note, Store};

pub use crate::life::model::acme;
use crate::life::model::{job, owner};
use crate::support::redis;

/// A folder that is gone at the end of the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("ank-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("queue.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A clock that stands still until it is set.
#[derive(Clone)]
pub struct Hands(Arc<AtomicU64>);

impl Hands {
    pub fn at(millis: u64) -> Hands {
        Hands(Arc::new(AtomicU64::new(millis)))
    }

    pub fn set(&self, millis: Millis) {
        self.0.store(millis.0, Ordering::SeqCst);
    }

    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }

    pub fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }

    pub fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || hands.now())
    }
}

pub const START: u64 = 1_700_000_000_000;

/// One queue to test.
pub struct World {
    pub name: &'static str,
    pub store: Arc<dyn Store>,
    pub look: Box<dyn Look>,
    pub hands: Hands,
    _folder: Option<Folder>,
}

impl World {
    /// Whether hosts share it.
    pub fn is_shared(&self) -> bool {
        matches!(self.name, "redis" | "cluster")
    }
}

/// A new world of each kind.
pub fn worlds() -> Vec<World> {
    let hands = Hands::at(START);
    let memory = Arc::new(Memory::new(hands.clock()));
    let look = Box::new(Arc::clone(&memory));
    let memory = World { name: "memory", store: memory, look, hands, _folder: None };
    let (hands, folder) = (Hands::at(START), Folder::new());
    let store = open(folder.path(), &hands).queue("acme");
    let look = Box::new(Onlooker::new(folder.file(), "acme", hands.clock()));
    let embedded = World { name: "embedded", store, look, hands, _folder: Some(folder) };
    let single = shared(redis::shared().options(), "redis");
    let cluster = shared(redis::shared_cluster().options(0), "cluster");
    vec![memory, embedded, single, cluster]
}

/// A new queue of a Redis, by a clock that is set.
fn shared(options: anklet::store::redis::Options, name: &'static str) -> World {
    let hands = Hands::at(START);
    let options = anklet::store::redis::Options { clock: Some(hands.clock()), ..options };
    let (server, queue) = (redis::store(options), redis::new_queue());
    World { name, store: server.queue(&queue), look: server.view(&queue), hands, _folder: None }
}

pub fn options(folder: &Path, hands: &Hands) -> Options {
    Options {
        file: folder.join("queue.sqlite"),
        bells_dir: folder.join("bells"),
        locks_dir: folder.join("locks"),
        clock: hands.clock(),
    }
}

/// The embedded store of a folder.
pub fn open(folder: &Path, hands: &Hands) -> Embedded {
    Embedded::open(options(folder, hands)).expect("it opens")
}

/// What handler `h<n>` asks for in its turn `n`.
pub fn ask<'a>(claim: &'a ClaimId, scope: &'a Scope) -> Ask<'a> {
    Ask {
        claim,
        scope,
        voter: "v1",
        except: &[],
        absent: &[],
        hidden: &[],
        like: None,
        lease: Duration::from_mins(1),
    }
}

pub fn card(plugin: &str, voter: &str, patience: Duration) -> Card {
    Card { owner: owner(plugin), scope: acme(), voter: voter.into(), patience, note: Note::default() }
}

/// Which job a claim by this ask gives.
pub fn claimed(store: &dyn Store, ask: &Ask<'_>) -> Option<u64> {
    store.claim(ask).expect("an answer").map(|entry| entry.job.id.0)
}

/// Delivery `queued` of a job of a repository and these labels.
pub fn queued_of(id: u64, repo: &str, labels: &[&str]) -> anklet::domain::event::Event {
    let labels = labels.iter().map(ToString::to_string).collect();
    let job = anklet::domain::job::Job { repo: repo.into(), labels, ..job(id) };
    anklet::domain::event::Event::Queued { job, waiting: false }
}

pub fn ids(entries: &[anklet::domain::entry::Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.job.id.0).collect()
}

pub fn word(store: &dyn Store, id: u64) -> &'static str {
    store.entry(JobId(id)).expect("an answer").map_or("unknown", |entry| entry.state.word())
}
