//! A handler's card as JSON, with its version.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::keys::owner_name;
use crate::domain::ids::{Millis, Owner};
use crate::store::notes::NoteRecord;
use crate::store::scopes::ScopeRecord;
use crate::store::shelf::Seen;
use crate::store::{Card, REMEMBERED, StoreError};

/// The version that this program writes.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct CardRecord {
    v: u32,
    host: String,
    plugin: String,
    scope: ScopeRecord,
    voter: String,
    patience: u64,
    at: u64,
    #[serde(default)]
    note: NoteRecord,
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

/// The card under its handler's name.
pub fn encode(seen: &Seen) -> Result<(String, String), StoreError> {
    let Seen { card, at } = seen;
    let record = CardRecord {
        v: VERSION,
        host: card.owner.host.clone(),
        plugin: card.owner.plugin.clone(),
        scope: card.scope.clone().into(),
        voter: card.voter.clone(),
        patience: u64::try_from(card.patience.as_millis()).unwrap_or(u64::MAX),
        at: at.0,
        note: (&card.note).into(),
    };
    let text = serde_json::to_string(&record);
    text.map(|text| (owner_name(&card.owner), text)).map_err(|error| unreadable(&error.to_string()))
}

/// The card that `text` holds.
pub fn decode(text: &str) -> Result<Seen, StoreError> {
    let record = match serde_json::from_str::<CardRecord>(text) {
        Ok(record) if record.v <= VERSION => record,
        Ok(CardRecord { v, .. }) => return Err(newer(v)),
        Err(error) => {
            return Err(match serde_json::from_str::<VersionOnly>(text) {
                Ok(VersionOnly { v }) if v > VERSION => newer(v),
                _ => unreadable(&error.to_string()),
            });
        }
    };
    let card = Card {
        owner: Owner { host: record.host, plugin: record.plugin },
        scope: record.scope.into(),
        voter: record.voter,
        patience: Duration::from_millis(record.patience),
        note: record.note.into(),
    };
    Ok(Seen { card, at: Millis(record.at) })
}

/// Whether the handler has not been seen for so long that its card is thrown away.
pub fn is_old(seen: &Seen, now: Millis) -> bool {
    now.since(seen.at) > seen.card.patience.saturating_add(REMEMBERED)
}

fn newer(version: u32) -> StoreError {
    unreadable(&format!("version {version} is newer than {VERSION}, the newest that this program knows"))
}

fn unreadable(why: &str) -> StoreError {
    StoreError::Unreadable(format!("a handler's card: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::Scope;
    use crate::store::Note;

    fn seen(scope: Scope) -> Seen {
        let owner = Owner { host: "h".into(), plugin: "p".into() };
        let patience = Duration::from_secs(90);
        let note = Note { why: Some("draining".into()), ..Note::default() };
        let card = Card { owner, scope, voter: "v".into(), patience, note };
        Seen { card, at: Millis(5) }
    }

    #[test]
    fn a_card_comes_back_as_it_was() {
        let scopes = [
            Scope::Repository { owner: "acme".into(), repo: "app".into() },
            Scope::Organization { owner: "acme".into() },
            Scope::Enterprise { slug: "big".into() },
        ];
        for scope in scopes {
            let (name, text) = encode(&seen(scope.clone())).unwrap();
            assert_eq!((name.as_str(), decode(&text)), ("h/p", Ok(seen(scope))));
        }
    }

    #[test]
    fn a_newer_one_is_told_from_a_broken_one() {
        let says = |text: &str| decode(text).unwrap_err().to_string();
        assert!(says(r#"{"v":2,"owner":"x"}"#).contains("version 2 is newer"));
        assert!(!says(r#"{"v":1}"#).contains("newer"));
        let old = Millis(6 + REMEMBERED.as_millis() as u64 + 90_000);
        let one = seen(Scope::Enterprise { slug: "big".into() });
        assert!(is_old(&one, old) && !is_old(&one, Millis(old.0 - 1)));
    }
}
