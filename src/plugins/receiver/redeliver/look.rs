//! One look: down the hook's list of deliveries, page by page, and then the requests to send what was lost again.
//!
//! Each page's news and the way to the next page are one write: a look that is broken off, by whatever, is gone on
//! with. A request is written down before it is made, so that of several receivers one makes it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::decide::{self, Asked, Lost};
use super::memory::Memory;
use super::walk::Walk;
use crate::domain::ids::Millis;
use crate::github::hooks::Hook;
use crate::github::{Asker, Client, GitHubError};
use crate::runtime::board::Cell;
use crate::runtime::random;
use crate::runtime::stop::{Stop, Urgency};
use crate::store::{Change, Store, StoreError};

/// Pages of a look.
const MOST_PAGES: u32 = 50;
/// How long a call is tried again where GitHub is away.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests a minute. GitHub bears 900 points a minute, of which a request costs five and a page one; what it has had
/// enough of, it stops for everybody who signs in alike.
const BATCH: usize = 150;
const MINUTE: Duration = Duration::from_mins(1);
/// How old a failure must be: whoever refused a delivery because the store was away refuses for a moment longer.
const SETTLED: Duration = Duration::from_secs(2);
/// How often a page is offered to a store that others write to as well.
const TRIES: u32 = 10;

/// Whose deliveries are looked at, and with what.
pub struct Looker {
    /// GitHub.
    pub github: Arc<Client>,
    /// The queue, which remembers.
    pub store: Arc<dyn Store>,
    /// The hook.
    pub hook: Hook,
    /// Of an App's hook: the installation whose deliveries are ours.
    pub installation: Option<u64>,
    /// How far back the first look goes.
    pub reach: Duration,
    /// Shows that a limit of GitHub is waited for.
    pub cell: Cell,
}

/// What a look came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The GUIDs that were asked for.
    pub asked: Vec<String>,
    /// How many GitHub will not send again.
    pub refused: usize,
    /// How many it keeps no longer.
    pub given_up: usize,
    /// Whether the end was reached.
    pub complete: bool,
    /// Whether it was broken off because little of GitHub's quota is left.
    pub held_back: bool,
    /// When the last page came, by GitHub's clock and by ours.
    read: Option<(Millis, Instant)>,
}

/// Why a look was broken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookFault {
    /// The store.
    Store(StoreError),
    /// GitHub.
    GitHub(GitHubError),
}

impl fmt::Display for LookFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookFault::Store(error) => write!(f, "remember what was found: {error}"),
            LookFault::GitHub(error) => error.fmt(f),
        }
    }
}

impl From<StoreError> for LookFault {
    fn from(error: StoreError) -> LookFault {
        LookFault::Store(error)
    }
}

impl From<GitHubError> for LookFault {
    fn from(error: GitHubError) -> LookFault {
        LookFault::GitHub(error)
    }
}

impl Seen {
    /// How long it takes until a failure is old enough.
    fn unsettled(&self, lost: &Lost) -> Duration {
        let age = self.read.map(|(date, at)| date.plus(at.elapsed()).since(lost.failed));
        age.map_or(Duration::ZERO, |age| SETTLED.saturating_sub(age))
    }
}

impl Looker {
    /// Looks, and asks for what was lost.
    pub fn look(&self, stop: &Stop) -> Result<Seen, LookFault> {
        let asker = Asker::new(stop, Urgency::Drain, PATIENCE, &self.cell);
        let mut memory = self.remembered()?;
        let (mut seen, mut pages) = (Seen::default(), MOST_PAGES);
        loop {
            let was_unfinished = memory.course.unfinished.is_some();
            seen.complete = self.walk(&mut memory, &mut pages, &asker, &mut seen)?;
            // What came while the former look was unfinished has waited long enough.
            if !(seen.complete && was_unfinished && pages > 0) {
                break;
            }
        }
        self.ask(&mut memory, stop, &asker, &mut seen)?;
        Ok(seen)
    }

    /// Reads pages until the end of what is to be looked at (then it is true), or of what this look may read.
    fn walk(
        &self,
        memory: &mut Memory,
        pages: &mut u32,
        asker: &Asker<'_>,
        seen: &mut Seen,
    ) -> Result<bool, LookFault> {
        let mut walk = Walk::of(&memory.course);
        while *pages > 0 && self.may_call(seen) {
            *pages -= 1;
            let page = match self.github.deliveries(asker, &self.hook, walk.cursor.as_deref()) {
                // The place where it was to go on is no longer known: from the top, then.
                Err(GitHubError::Refused { status: 400 | 422, .. }) if walk.cursor.is_some() => {
                    walk = walk.again();
                    continue;
                }
                answer => answer?,
            };
            let now = match page.date {
                Some(date) => date,
                None => self.store.now()?,
            };
            walk.take(&page, now, &memory.course, self.reach, self.installation);
            seen.read = Some((now, Instant::now()));
            seen.given_up += self.keep(memory, &walk, now)?;
            if walk.cursor.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes down what the walk has come to; says how many deliveries were given up.
    fn keep(&self, memory: &mut Memory, walk: &Walk, now: Millis) -> Result<usize, LookFault> {
        for _ in 0..TRIES {
            let lost = decide::changes(&memory.lost, &walk.found, now);
            let given_up = decide::given_up(&memory.lost, &walk.found, &lost);
            let mut changes: Vec<Change> =
                lost.iter().map(|(guid, is)| memory.change(guid, is.as_ref())).collect();
            changes.push(memory.change_course(&walk.course(&memory.course)));
            if self.store.write_memos(&self.topic(), &changes)? {
                memory.made(changes)?;
                return Ok(given_up);
            }
            // Another receiver of the hook was faster.
            *memory = self.remembered()?;
        }
        Err(StoreError::Away("too many receivers look at the same webhook at once".into()).into())
    }

    /// Asks for all that is due.
    fn ask(
        &self,
        memory: &mut Memory,
        stop: &Stop,
        asker: &Asker<'_>,
        seen: &mut Seen,
    ) -> Result<(), LookFault> {
        let (now, began) = (self.store.now()?, Instant::now());
        let (mut made, mut batch) = (0, began);
        for guid in decide::due(&memory.lost, now) {
            let Some(before) = memory.lost.get(&guid).cloned() else { continue };
            if made == BATCH {
                (made, batch) = (0, Instant::now() + MINUTE.saturating_sub(batch.elapsed()));
            }
            let pace = batch.saturating_duration_since(Instant::now());
            if !stop.pause(Urgency::Drain, pace.max(seen.unsettled(&before))) || !self.may_call(seen) {
                break;
            }
            let request = Asked { at: now.plus(began.elapsed()), by: random::number() };
            if !self.mark(memory, &guid, &Lost { asked: Some(request), ..before.clone() })? {
                continue;
            }
            made += 1;
            match self.github.redeliver(asker, &self.hook, before.delivery) {
                Ok(()) => {
                    log::debug!("asked GitHub for delivery {guid:?} again");
                    seen.asked.push(guid);
                }
                Err(GitHubError::NotFound { .. } | GitHubError::Refused { .. }) => seen.refused += 1,
                Err(error) => {
                    // Not asked for after all, as far as is known: the next look may.
                    self.mark(memory, &guid, &before)?;
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Remembers this of a delivery; false when another receiver has written something else meanwhile.
    fn mark(&self, memory: &mut Memory, guid: &str, lost: &Lost) -> Result<bool, StoreError> {
        let change = vec![memory.change(guid, Some(lost))];
        let done = self.store.write_memos(&self.topic(), &change)?;
        if done {
            memory.made(change)?;
        }
        Ok(done)
    }

    fn remembered(&self) -> Result<Memory, StoreError> {
        Memory::read(self.store.memos(&self.topic())?)
    }

    /// What all receivers of the hook call it.
    fn topic(&self) -> String {
        let installation = self.installation.map(|id| format!(" installation {id}")).unwrap_or_default();
        format!("{}{installation}", self.hook).to_lowercase()
    }

    /// The last tenth of GitHub's quota belongs to jobs.
    fn may_call(&self, seen: &mut Seen) -> bool {
        seen.held_back = self.github.is_scarce();
        !seen.held_back
    }
}
