//! Reading and writing the jobs of one queue over one connection.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, ToSql, params};

use super::columns::{card, due, kind, lower, note_text, runner, stamp};
use super::fault::explain;
use crate::domain::entry::Entry;
use crate::domain::ids::{ClaimId, JobId, Millis, Owner, RunnerName};
use crate::domain::life::taken_back;
use crate::domain::scope::Scope;
use crate::store::shelf::{Seen, Shelf};
use crate::store::{Ask, Depth, REMEMBERED, StoreError, record};

/// Most jobs that are forgotten in one step, so that no delivery waits for it.
pub const PORTION: u64 = 1000;

/// A queue as one connection sees it: inside the writer's transaction, or to look only.
pub struct Sheet<'c> {
    connection: &'c Connection,
    file: &'c Path,
    pub(super) queue: &'c str,
    said: &'c Said,
}

/// Which jobs were said to be unreadable: each once, however often it is passed.
#[derive(Debug, Default)]
pub struct Said(Mutex<BTreeSet<(String, i64)>>);

impl Said {
    fn is_new(&self, queue: &str, job: i64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((queue.to_owned(), job))
    }
}

impl<'c> Sheet<'c> {
    /// Over a connection to `file`.
    pub fn new(connection: &'c Connection, file: &'c Path, queue: &'c str, said: &'c Said) -> Sheet<'c> {
        Sheet { connection, file, queue, said }
    }

    /// All that a handler holds, eldest first.
    pub fn held_by(&self, owner: &Owner) -> Result<Vec<Entry>, StoreError> {
        self.all(
            "select id, record from job where queue = ?1 and host = ?2 and plugin = ?3 order by age, id",
            params![self.queue, owner.host, owner.plugin],
        )
    }

    /// All that is claimed or runs by a claim, eldest first.
    pub fn claimed(&self) -> Result<Vec<Entry>, StoreError> {
        self.all(
            "select id, record from job where queue = ?1 and host is not null \
             and state in ('claimed', 'running') order by age, id",
            params![self.queue],
        )
    }

    /// All that is not over, eldest first.
    pub fn open_jobs(&self) -> Result<Vec<Entry>, StoreError> {
        self.all(
            "select id, record from job where queue = ?1 \
             and state in ('queued', 'parked', 'claimed', 'running', 'dead') order by age, id",
            params![self.queue],
        )
    }

    /// The first jobs of a state, eldest first, and how many of them cannot be read.
    pub fn first_in(&self, state: &str, most: usize) -> Result<(Vec<Entry>, usize), StoreError> {
        let sql = "select id, record from job where queue = ?1 and state = ?2 order by age, id limit ?3";
        let mut found = Vec::new();
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let left_alone = self.each(sql, params![self.queue, state, most], &mut |entry| {
            found.push(entry);
            false
        })?;
        Ok((found, left_alone))
    }

    /// All that a claim holds, over or not.
    pub fn all_held(&self) -> Result<Vec<Entry>, StoreError> {
        self.all(
            "select id, record from job where queue = ?1 and host is not null order by age, id",
            params![self.queue],
        )
    }

    /// All cards; `note` is the column that has their notes.
    pub fn cards_with(&self, note: &str) -> Result<Vec<Seen>, StoreError> {
        let sql = format!(
            "select host, plugin, kind, owner, repo, voter, patience, seen, {note} from card where queue = ?1"
        );
        let mut statement = self.prepare(&sql)?;
        let cards = statement.query_map(params![self.queue], card).map_err(|e| self.trouble(&e))?;
        cards.collect::<Result<_, _>>().map_err(|e| self.trouble(&e))
    }

    /// How many jobs stand where.
    pub fn depth(&self, now: Millis) -> Result<Depth, StoreError> {
        let mut depth = Depth::default();
        for (state, count) in [
            ("queued", &mut depth.queued),
            ("parked", &mut depth.parked),
            ("claimed", &mut depth.claimed),
            ("running", &mut depth.running),
            ("dead", &mut depth.dead),
        ] {
            let sql = "select count(*) from job where queue = ?1 and state = ?2";
            *count = self.number(sql, params![self.queue, state])?.unwrap_or(0);
        }
        let sql = "select age from job where queue = ?1 and state = 'queued' order by age, id limit 1";
        let eldest = self.number(sql, params![self.queue])?;
        depth.eldest = eldest.map_or(Duration::ZERO, |age| now.since(Millis(age)));
        Ok(depth)
    }

    /// Forgets some of what is remembered no longer; says how many. Fewer than [`PORTION`]: that was all.
    pub fn purge(&self, now: Millis) -> Result<u64, StoreError> {
        let before = stamp(Millis(now.0.saturating_sub(REMEMBERED.as_millis() as u64)));
        let sql = "delete from job where rowid in (\
                   select rowid from job indexed by standing \
                   where queue = ?1 and state in ('over', 'dead', 'running') and due < ?2 \
                   and (state <> 'running' or host is null) limit ?3)";
        let forgotten = self.prepare(sql)?.execute(params![self.queue, before, PORTION as i64]);
        forgotten.map(|n| n as u64).map_err(|e| self.trouble(&e))
    }

    /// Takes back a voter's old words, as far as the first jobs that wait tell.
    pub fn take_back(&mut self, voter: &str, now: Millis) -> Result<(), StoreError> {
        let sql = "select id, record from (select id, record from job indexed by standing \
                   where queue = ?1 and state = 'queued' limit 10000) where instr(record, '\"absent\":')";
        let refused = self.all(sql, params![self.queue])?;
        for entry in refused.iter().filter_map(|entry| taken_back(entry, voter, now)).take(PORTION as usize) {
            self.put(&entry)?;
        }
        Ok(())
    }

    pub(super) fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>, StoreError> {
        self.connection.prepare_cached(sql).map_err(|e| self.trouble(&e))
    }

    fn number(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Option<u64>, StoreError> {
        let found = self.prepare(sql)?.query_row(values, |row| row.get::<_, i64>(0)).optional();
        found.map(|n| n.map(|n| n as u64)).map_err(|e| self.trouble(&e))
    }

    fn all(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, values, &mut |entry| {
            found.push(entry);
            false
        })?;
        Ok(found)
    }

    fn first(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Option<Entry>, StoreError> {
        Ok(self.all(sql, values)?.into_iter().next())
    }

    /// Shows each entry until one is `enough`; what cannot be read is left alone, said, and counted.
    fn each(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        enough: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<usize, StoreError> {
        let mut left_alone = 0;
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(values).map_err(|e| self.trouble(&e))?;
        while let Some(row) = rows.next().map_err(|e| self.trouble(&e))? {
            match self.read(row)? {
                Ok(entry) => {
                    if enough(entry) {
                        return Ok(left_alone);
                    }
                }
                Err((id, why)) => {
                    left_alone += 1;
                    if self.said.is_new(self.queue, id) {
                        log::warn!("a job is left alone: {why}");
                    }
                }
            }
        }
        Ok(left_alone)
    }

    /// The row's entry; beside its number, why it cannot be read.
    fn read(&self, row: &Row<'_>) -> Result<Result<Entry, (i64, StoreError)>, StoreError> {
        let id: i64 = row.get(0).map_err(|e| self.trouble(&e))?;
        let text = row.get_ref(1).map_err(|e| self.trouble(&e))?;
        let text = text.as_str().map_err(|e| e.to_string());
        let entry = text.and_then(|text| record::decode(text).map_err(|e| e.to_string()));
        Ok(entry.map_err(|why| {
            let file = self.file.display();
            (id, StoreError::Unreadable(format!("{file}, queue {}, job {id}: {why}", self.queue)))
        }))
    }

    pub(super) fn trouble(&self, error: &rusqlite::Error) -> StoreError {
        explain(self.file, error)
    }
}

impl Shelf for Sheet<'_> {
    fn get(&mut self, job: JobId) -> Result<Option<Entry>, StoreError> {
        let mut statement = self.prepare("select id, record from job where queue = ?1 and id = ?2")?;
        let mut rows = statement.query(params![self.queue, job.0 as i64]).map_err(|e| self.trouble(&e))?;
        match rows.next().map_err(|e| self.trouble(&e))? {
            Some(row) => self.read(row)?.map(Some).map_err(|(_, why)| why),
            None => Ok(None),
        }
    }

    fn held(&mut self, claim: &ClaimId) -> Result<Option<Entry>, StoreError> {
        self.first(
            "select id, record from job where queue = ?1 and host = ?2 and plugin = ?3 and turn = ?4",
            params![self.queue, claim.owner.host, claim.owner.plugin, claim.turn as i64],
        )
    }

    fn tied_to(&mut self, runner: &RunnerName, besides: Option<JobId>) -> Result<Option<Entry>, StoreError> {
        let sql =
            "select id, record from job where queue = ?1 and runner = ?2 order by host is null, age, id";
        let mut tied = None;
        self.each(sql, params![self.queue, runner.0], &mut |entry| {
            if Some(entry.job.id) != besides {
                tied = Some(entry);
            }
            tied.is_some()
        })?;
        Ok(tied)
    }

    fn eldest(
        &mut self,
        ask: &Ask<'_>,
        now: Millis,
        fits: &mut dyn FnMut(&Entry) -> bool,
    ) -> Result<Option<Entry>, StoreError> {
        let kin = ask.like.map(|job| job.label_set().join("\n"));
        let (owner, repo) = match ask.scope {
            Scope::Enterprise { .. } => (None, None),
            scope => (Some(lower(scope.owner_name())), scope.repo_name().map(lower)),
        };
        // Left to itself SQLite takes another index and sorts all that waits.
        let (index, by_scope) = match (&owner, &repo) {
            (Some(_), Some(_)) => ("waiting_repo", "and owner = ?4 and repo = ?5"),
            (Some(_), None) => ("waiting", "and owner = ?4 and ?5 is null"),
            _ => ("waiting", "and ?4 is null and ?5 is null"),
        };
        let sql = format!(
            "select id, record from job indexed by {index} where queue = ?1 and state = 'queued' \
             and due <= ?2 and (?3 is null or kin = ?3) {by_scope} order by age, id"
        );
        let mut found = None;
        self.each(&sql, params![self.queue, stamp(now), kin, owner, repo], &mut |entry| {
            if fits(&entry) {
                found = Some(entry);
            }
            found.is_some()
        })?;
        Ok(found)
    }

    fn parked_until(&mut self, now: Millis) -> Result<Vec<Entry>, StoreError> {
        self.all(
            "select id, record from job where queue = ?1 and state = 'parked' and due <= ?2 order by age, id",
            params![self.queue, stamp(now)],
        )
    }

    fn cards(&mut self) -> Result<Vec<Seen>, StoreError> {
        self.cards_with("note")
    }

    fn put(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let sql = "insert or replace into job \
                   (queue, id, age, state, due, owner, repo, kin, host, plugin, turn, runner, record) \
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        let claim = entry.hold().map(|hold| &hold.claim);
        let values = params![
            self.queue,
            entry.job.id.0 as i64,
            stamp(entry.age),
            entry.state.word(),
            stamp(due(entry)),
            lower(&entry.job.owner),
            lower(&entry.job.repo),
            entry.job.label_set().join("\n"),
            claim.map(|claim| &claim.owner.host),
            claim.map(|claim| &claim.owner.plugin),
            claim.map(|claim| claim.turn as i64),
            runner(entry),
            record::encode(entry)?,
        ];
        self.prepare(sql)?.execute(values).map(drop).map_err(|e| self.trouble(&e))
    }

    fn put_card(&mut self, seen: &Seen) -> Result<(), StoreError> {
        let sql = "insert or replace into card \
                   (queue, host, plugin, kind, owner, repo, voter, patience, seen, note) \
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let Seen { card, at } = seen;
        let values = params![
            self.queue,
            card.owner.host,
            card.owner.plugin,
            kind(&card.scope),
            card.scope.owner_name(),
            card.scope.repo_name().unwrap_or_default(),
            card.voter,
            card.patience.as_millis() as i64,
            stamp(*at),
            note_text(&card.note),
        ];
        self.prepare(sql)?.execute(values).map(drop).map_err(|e| self.trouble(&e))
    }
}
