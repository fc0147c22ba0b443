//! Memos: a hash for each topic.

use std::time::Instant;

use super::read::Desk;
use super::script::{MEMOS, WRITE_MEMOS};
use crate::store::{Change, Memos, REMEMBERED, StoreError};

impl Desk {
    /// All of a topic.
    pub fn memos(&self, topic: &str, end: Instant) -> Result<Memos, StoreError> {
        let key = self.keys.memos(topic);
        let mut call = self.call(&MEMOS, Vec::new());
        call.keys.push(&key);
        let texts: Vec<(String, String)> = self.pool.call(&call, end)?;
        Ok(texts.into_iter().collect())
    }

    /// Makes all of the changes, or none.
    pub fn write_memos(&self, topic: &str, changes: &[Change], end: Instant) -> Result<bool, StoreError> {
        let key = self.keys.memos(topic);
        let mut args = vec![REMEMBERED.as_millis().to_string()];
        for Change { name, before, after } in changes {
            args.extend([
                name.clone(),
                before.clone().unwrap_or_default(),
                after.clone().unwrap_or_default(),
            ]);
        }
        let mut call = self.call(&WRITE_MEMOS, args);
        call.keys.push(&key);
        self.pool.call::<u8>(&call, end).map(|written| written == 1)
    }
}
