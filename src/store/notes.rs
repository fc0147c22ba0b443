//! How a handler's note is written down, as a part of its card.

use serde::{Deserialize, Serialize};

use super::Note;
use crate::domain::ids::JobId;

/// A note as JSON. All of it may be absent: older programs write none.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct NoteRecord {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    host_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held_up: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aside: Vec<(u64, String)>,
}

impl From<&Note> for NoteRecord {
    fn from(note: &Note) -> NoteRecord {
        NoteRecord {
            host_name: note.host_name.clone(),
            why: note.why.clone(),
            held_up: note.held_up.clone(),
            aside: note.aside.iter().map(|(job, why)| (job.0, why.clone())).collect(),
        }
    }
}

impl From<NoteRecord> for Note {
    fn from(record: NoteRecord) -> Note {
        Note {
            host_name: record.host_name,
            why: record.why,
            held_up: record.held_up,
            aside: record.aside.into_iter().map(|(job, why)| (JobId(job), why)).collect(),
        }
    }
}
