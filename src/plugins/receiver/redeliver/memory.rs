//! What is remembered of a hook, as the store's memos: the only serde of redelivery. Version 1.
//!
//! Under `look` how far the looks have come, under `lost:GUID` what is known of a lost delivery.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::decide::{Asked, Course, Lost, Unfinished};
use crate::domain::ids::Millis;
use crate::store::{Change, Memos, StoreError};

const VERSION: u32 = 1;
const LOOK: &str = "look";
const LOST: &str = "lost:";

/// All that is remembered of a hook.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// How far the looks have come.
    pub course: Course,
    /// What is still lost, by its GUID.
    pub lost: BTreeMap<String, Lost>,
    memos: Memos,
}

impl Memory {
    /// From the store's memos. What cannot be read (a newer program may have written it) is an error: to begin anew
    /// would forget it.
    pub fn read(memos: Memos) -> Result<Memory, StoreError> {
        let mut memory = Memory { memos, ..Memory::default() };
        for (name, text) in &memory.memos {
            if name == LOOK {
                memory.course = decoded::<CourseRecord>(text)?.into();
            } else if let Some(guid) = name.strip_prefix(LOST) {
                memory.lost.insert(guid.to_owned(), decoded::<LostRecord>(text)?.into());
            }
        }
        Ok(memory)
    }

    /// To remember this of a delivery, or nothing more.
    pub fn change(&self, guid: &str, lost: Option<&Lost>) -> Change {
        self.to(format!("{LOST}{guid}"), lost.map(|lost| encoded(&LostRecord::from(lost))))
    }

    /// To remember this of the looks.
    pub fn change_course(&self, course: &Course) -> Change {
        self.to(LOOK.to_owned(), Some(encoded(&CourseRecord::from(course))))
    }

    fn to(&self, name: String, after: Option<String>) -> Change {
        Change { before: self.memos.get(&name).cloned(), name, after }
    }

    /// The changes have been made.
    pub fn made(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        for Change { name, after, .. } in changes {
            match (name.strip_prefix(LOST), &after) {
                (Some(guid), Some(text)) => {
                    self.lost.insert(guid.to_owned(), decoded::<LostRecord>(text)?.into());
                }
                (Some(guid), None) => drop(self.lost.remove(guid)),
                (None, Some(text)) => self.course = decoded::<CourseRecord>(text)?.into(),
                (None, None) => self.course = Course::default(),
            }
            match after {
                Some(text) => self.memos.insert(name, text),
                None => self.memos.remove(&name),
            };
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct LostRecord {
    v: u32,
    delivery: u64,
    failed: u64,
    since: u64,
    asked: Option<AskedRecord>,
    #[serde(default)]
    given_up: bool,
}

#[derive(Serialize, Deserialize)]
struct AskedRecord {
    at: u64,
    by: u64,
}

#[derive(Serialize, Deserialize)]
struct CourseRecord {
    v: u32,
    complete: Option<u64>,
    unfinished: Option<UnfinishedRecord>,
}

#[derive(Serialize, Deserialize)]
struct UnfinishedRecord {
    floor: u64,
    began: u64,
    cursor: String,
    good: BTreeSet<String>,
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

impl From<&Lost> for LostRecord {
    fn from(lost: &Lost) -> LostRecord {
        let asked = lost.asked.map(|asked| AskedRecord { at: asked.at.0, by: asked.by });
        let Lost { delivery, failed, since, given_up, .. } = *lost;
        LostRecord { v: VERSION, delivery, failed: failed.0, since: since.0, asked, given_up }
    }
}

impl From<LostRecord> for Lost {
    fn from(record: LostRecord) -> Lost {
        let asked = record.asked.map(|asked| Asked { at: Millis(asked.at), by: asked.by });
        let (failed, since) = (Millis(record.failed), Millis(record.since));
        Lost { delivery: record.delivery, failed, since, asked, given_up: record.given_up }
    }
}

impl From<&Course> for CourseRecord {
    fn from(course: &Course) -> CourseRecord {
        let unfinished = course.unfinished.clone().map(|look| {
            let Unfinished { floor, began, cursor, good } = look;
            UnfinishedRecord { floor: floor.0, began: began.0, cursor, good }
        });
        CourseRecord { v: VERSION, complete: course.complete.map(|at| at.0), unfinished }
    }
}

impl From<CourseRecord> for Course {
    fn from(record: CourseRecord) -> Course {
        let unfinished = record.unfinished.map(|look| {
            let UnfinishedRecord { floor, began, cursor, good } = look;
            Unfinished { floor: Millis(floor), began: Millis(began), cursor, good }
        });
        Course { complete: record.complete.map(Millis), unfinished }
    }
}

/// Numbers, words and lists of them: there is nothing that could fail.
fn encoded(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

fn decoded<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, StoreError> {
    let unreadable = |why: &str| StoreError::Unreadable(format!("what is remembered of the webhook: {why}"));
    match serde_json::from_str::<VersionOnly>(text) {
        Ok(VersionOnly { v }) if v > VERSION => Err(unreadable(&format!(
            "version {v} is newer than {VERSION}, the newest that this program knows"
        ))),
        _ => serde_json::from_str(text).map_err(|error| unreadable(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(asked: Option<Asked>) -> Lost {
        Lost { delivery: u64::MAX, failed: Millis(9), since: Millis(7), asked, given_up: asked.is_some() }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let mut memory = Memory::read(Memos::new()).unwrap();
        let asked = Asked { at: Millis(5), by: u64::MAX };
        let course = Course {
            complete: Some(Millis(3)),
            unfinished: Some(Unfinished {
                floor: Millis(1),
                began: Millis(4),
                cursor: "v1_\"7\"".into(),
                good: BTreeSet::from(["g".to_owned()]),
            }),
        };
        let changes = vec![
            memory.change("a", Some(&lost(None))),
            memory.change("b", Some(&lost(Some(asked)))),
            memory.change_course(&course),
        ];
        assert!(changes.iter().all(|change| change.before.is_none()));
        memory.made(changes).unwrap();
        let again = Memory::read(memory.memos.clone()).unwrap();
        for memory in [&memory, &again] {
            assert_eq!(memory.course, course);
            assert_eq!(memory.lost["b"], lost(Some(asked)));
        }
        memory.made(vec![again.change("a", None)]).unwrap();
        assert_eq!(memory.lost.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(Memory::read(memory.memos).unwrap().lost.len(), 1);
    }

    #[test]
    fn what_a_newer_program_wrote_is_not_overwritten() {
        for name in ["look", "lost:g"] {
            let of = |text: &str| Memory::read(Memos::from([(name.to_owned(), text.to_owned())]));
            assert!(of(r#"{"v":2,"x":1}"#).unwrap_err().to_string().contains("version 2 is newer"));
            assert!(of("{").is_err());
        }
        assert!(Memory::read(Memos::from([("else".to_owned(), "?".to_owned())])).is_ok());
    }
}
