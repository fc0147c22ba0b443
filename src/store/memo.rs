//! What a plugin must remember across restarts and share with others of its kind: short texts by their names.
//!
//! A store knows nothing of what they say. They are changed as jobs are: read, decide, write if nothing of what was
//! read has changed meanwhile.

use std::collections::BTreeMap;

/// All memos of a topic, by their names.
pub type Memos = BTreeMap<String, String>;

/// A change of one memo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The memo's name.
    pub name: String,
    /// What it must say still; `None`: there must be none.
    pub before: Option<String>,
    /// What it is to say; `None`: it is thrown away.
    pub after: Option<String>,
}

impl Change {
    /// Whether it can be made to a memo that says this. One that was made already counts, so that an answer that
    /// was lost may be asked for again.
    pub fn fits(&self, is: Option<&str>) -> bool {
        is == self.before.as_deref() || is == self.after.as_deref()
    }
}
