//! The thread `store:writer`: it alone writes.
//!
//! What waits goes into one transaction, then all are told, so that one flush of the disk serves many.
//! Within it each step has a savepoint: one that fails takes no other with it.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::columns::stamp;
use super::fault::explain;
use super::file::File;
use super::post::Post;
use super::sheet::{Said, Sheet};
use crate::domain::event::Told;
use crate::domain::ids::Millis;
use crate::runtime::thread;
use crate::store::bells::Bells;
use crate::store::{Clock, StoreError};

/// Most steps of one transaction.
const GROUP: usize = 256;
/// How long an asker waits in all: well inside the ten seconds that GitHub gives a delivery.
const ANSWER: Duration = Duration::from_secs(6);

/// What one step works with.
pub struct Step<'s> {
    /// The queue, inside the transaction.
    pub sheet: Sheet<'s>,
    /// The moment of the step.
    pub now: Millis,
    /// What is to be told once the step is durable.
    pub told: Option<Told>,
}

/// Where steps are handed in. Dropping it ends the thread, after what was handed in.
pub struct Desk {
    requests: Option<Sender<Box<dyn Request>>>,
    writer: Option<JoinHandle<()>>,
}

impl Desk {
    /// Starts the thread.
    pub fn start(
        file: File,
        clock: Clock,
        bells: Arc<Bells>,
        post: Post,
        said: Arc<Said>,
    ) -> Result<Desk, StoreError> {
        let (requests, handed_in) = bounded(GROUP);
        let rung_until = clock();
        let mut writer = Writer { file, clock, bells, post, said, rung_until, version: None };
        let thread = thread::start("store:writer", move || writer.work(&handed_in))
            .map_err(|e| StoreError::Away(format!("no thread for its writer: {e}")))?;
        Ok(Desk { requests: Some(requests), writer: Some(thread) })
    }

    /// Does a step and waits until it is durable.
    pub fn ask<T: Send + 'static>(
        &self,
        queue: &Arc<str>,
        step: impl FnOnce(&mut Step<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = bounded(1);
        let asked = Asked { queue: Arc::clone(queue), step: Some(step), result: None, tell };
        let away = |what: &str| StoreError::Away(format!("its writer {what}"));
        let requests = self.requests.as_ref().ok_or_else(|| away("has ended"))?;
        let deadline = Instant::now() + ANSWER;
        requests.send_deadline(Box::new(asked), deadline).map_err(|_| away("takes nothing more"))?;
        told.recv_deadline(deadline).map_err(|_| away("did not answer in time"))?
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// A step that waits, whatever it gives back.
trait Request: Send {
    fn queue(&self) -> &Arc<str>;
    /// Does it; false when what it did is to be undone.
    fn run(&mut self, step: &mut Step<'_>) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Asked<T, F> {
    queue: Arc<str>,
    step: Option<F>,
    result: Option<Result<T, StoreError>>,
    tell: Sender<Result<T, StoreError>>,
}

impl<T: Send, F: Send + FnOnce(&mut Step<'_>) -> Result<T, StoreError>> Request for Asked<T, F> {
    fn queue(&self) -> &Arc<str> {
        &self.queue
    }

    fn run(&mut self, step: &mut Step<'_>) -> bool {
        self.result = self.step.take().map(|deed| {
            thread::caught(|| deed(step))
                .unwrap_or_else(|panic| Err(StoreError::Away(format!("a step of it broke: {panic}"))))
        });
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let undone = || Err(StoreError::Away("the step was not reached".into()));
        let Asked { result, tell, .. } = *self;
        // Whoever asked may have given up.
        let _ = tell.send(committed.and_then(|()| result.unwrap_or_else(undone)));
    }
}

struct Writer {
    file: File,
    clock: Clock,
    bells: Arc<Bells>,
    post: Post,
    said: Arc<Said>,
    /// Pauses that were over by then have been rung for.
    rung_until: Millis,
    /// SQLite's counter of what others have committed.
    version: Option<i64>,
}

/// What a durable group has changed: by queue.
type News = Vec<(Arc<str>, Told)>;

impl Writer {
    fn work(&mut self, requests: &Receiver<Box<dyn Request>>) {
        loop {
            let nap = if self.bells.is_empty() { Duration::MAX } else { self.next_look() };
            match requests.recv_timeout(nap) {
                Ok(first) => self.serve(first, requests),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn serve(&mut self, first: Box<dyn Request>, requests: &Receiver<Box<dyn Request>>) {
        let mut group = vec![first];
        group.extend(requests.try_iter().take(GROUP - 1));
        let outcome = self.commit(&mut group);
        let committed = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        let sound = outcome.as_ref().is_ok_and(|(_, sound)| *sound);
        for request in group {
            request.answer(committed.clone());
        }
        if let Ok((news, _)) = outcome {
            self.ring(&news);
        }
        if !sound {
            self.file.let_go();
        }
    }

    /// All of the group's steps in one transaction. False beside the news: a step failed.
    fn commit(&mut self, group: &mut [Box<dyn Request>]) -> Result<(News, bool), StoreError> {
        let path = self.file.path().to_owned();
        let trouble = |e: rusqlite::Error| explain(&path, &e);
        let connection = self.file.connection()?;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(trouble)?;
        let (mut news, mut sound) = (News::new(), true);
        for request in group {
            let queue = Arc::clone(request.queue());
            let sheet = Sheet::new(&transaction, &path, &queue, &self.said);
            let mut step = Step { sheet, now: (self.clock)(), told: None };
            let done = within_savepoint(&transaction, || request.run(&mut step)).map_err(trouble)?;
            sound &= done;
            news.extend(step.told.filter(|_| done).map(|told| (Arc::clone(&queue), told)));
        }
        transaction.commit().map_err(trouble)?;
        Ok((news, sound))
    }

    fn ring(&self, news: &News) {
        let mut others = false;
        for (queue, told) in news {
            others |= self.bells.tell(queue, told);
        }
        if others {
            self.post.ring_others();
        }
    }

    /// Rings for what nobody has rung for: changes of other processes whose ring was lost, and pauses that are
    /// over. Says how long until the next look.
    fn next_look(&mut self) -> Duration {
        let now = (self.clock)();
        let since = std::mem::replace(&mut self.rung_until, now);
        let Ok((version, due)) = self.glance(since) else {
            self.version = None;
            return self.post.patience();
        };
        let changed = self.version.replace(version).is_some_and(|before| before != version);
        if changed || due.is_some_and(|due| due <= now) {
            self.bells.ring_all(None);
        }
        let next = self.pause_after(now).map_or(Duration::MAX, |due| due.since(now));
        next.max(Duration::from_millis(1)).min(self.post.patience())
    }

    fn glance(&mut self, since: Millis) -> Result<(i64, Option<Millis>), StoreError> {
        let path = self.file.path().to_owned();
        let connection = self.file.connection()?;
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0));
        let version = version.map_err(|e| explain(&path, &e))?;
        Ok((version, first_pause(connection, since)))
    }

    fn pause_after(&mut self, now: Millis) -> Option<Millis> {
        first_pause(self.file.connection().ok()?, now)
    }
}

/// When the first pause after `since` is over, in any queue.
fn first_pause(connection: &Connection, since: Millis) -> Option<Millis> {
    let sql = "select min(due) from job where state = 'queued' and due > 0 and due > ?1";
    let mut statement = connection.prepare_cached(sql).ok()?;
    let due: Option<i64> = statement.query_row(params![stamp(since)], |row| row.get(0)).ok()?;
    due.map(|due| Millis(due as u64))
}

/// Whether the step stands. An error means that the whole transaction is broken off.
fn within_savepoint(transaction: &Transaction<'_>, step: impl FnOnce() -> bool) -> rusqlite::Result<bool> {
    let say = |sql| transaction.prepare_cached(sql)?.execute([]).map(drop);
    say("savepoint step")?;
    let done = step();
    // After a full disk SQLite may have rolled everything back: then this fails, and nothing is half done.
    if !done {
        say("rollback to step")?;
    }
    say("release step")?;
    Ok(done)
}
