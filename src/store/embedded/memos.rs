//! Memos in their table.

use rusqlite::{OptionalExtension, params};

use super::columns::stamp;
use super::sheet::Sheet;
use crate::domain::ids::Millis;
use crate::store::{Change, Memos, REMEMBERED, StoreError};

impl Sheet<'_> {
    /// All of a topic.
    pub fn memos(&self, topic: &str) -> Result<Memos, StoreError> {
        let mut statement = self.prepare("select name, body from memo where queue = ?1 and topic = ?2")?;
        let rows = statement.query_map(params![self.queue, topic], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.and_then(Iterator::collect).map_err(|e| self.trouble(&e))
    }

    /// Makes all of the changes, or none.
    pub fn write_memos(&self, topic: &str, changes: &[Change], now: Millis) -> Result<bool, StoreError> {
        for change in changes {
            if !change.fits(self.memo(topic, &change.name)?.as_deref()) {
                return Ok(false);
            }
        }
        for Change { name, after, .. } in changes {
            let done = match after {
                Some(text) => self
                    .prepare("insert or replace into memo (queue, topic, name, body, written) values (?1, ?2, ?3, ?4, ?5)")?
                    .execute(params![self.queue, topic, name, text, stamp(now)]),
                None => self
                    .prepare("delete from memo where queue = ?1 and topic = ?2 and name = ?3")?
                    .execute(params![self.queue, topic, name]),
            };
            done.map_err(|e| self.trouble(&e))?;
        }
        Ok(true)
    }

    /// Throws away what was not written for long: nobody looks at it any more.
    pub fn purge_memos(&self, now: Millis) -> Result<(), StoreError> {
        let before = stamp(Millis(now.0.saturating_sub(REMEMBERED.as_millis() as u64)));
        let mut statement = self.prepare("delete from memo where queue = ?1 and written < ?2")?;
        statement.execute(params![self.queue, before]).map(drop).map_err(|e| self.trouble(&e))
    }

    fn memo(&self, topic: &str, name: &str) -> Result<Option<String>, StoreError> {
        let sql = "select body from memo where queue = ?1 and topic = ?2 and name = ?3";
        let mut statement = self.prepare(sql)?;
        let found = statement.query_row(params![self.queue, topic, name], |row| row.get(0)).optional();
        found.map_err(|e| self.trouble(&e))
    }
}
