//! A handler's card as JSON, with its version.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::keys::owner_name;
use crate::domain::ids::{Millis, Owner};
use crate::domain::scope::Scope;
use crate::store::notes::NoteRecord;
use crate::store::scopes::ScopeRecord;
use crate::store::shelf::Seen;
use crate::store::{Card, Note, REMEMBERED, StoreError};

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

/// What is known of a handler whose card a newer program wrote: it may have whatever jobs ask for. Each version is to
/// keep `host`, `plugin`, `at` and `patience`, so that older ones know whom and for how long; else it counts as live.
pub fn stranger(text: &str, now: Millis) -> Option<Seen> {
    let card: Value = serde_json::from_str(text).ok()?;
    card["v"].as_u64().filter(|v| *v > u64::from(VERSION))?;
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let owner = Owner { host: word(&card["host"]), plugin: word(&card["plugin"]) };
    let scope = ScopeRecord::deserialize(&card["scope"]).ok();
    let note = Note {
        host_name: card["note"]["host_name"].as_str().unwrap_or_default().to_owned(),
        why: Some("its anklet is newer than this one, which cannot read what it says".into()),
        ..Note::default()
    };
    let seen = card["at"].as_u64().zip(card["patience"].as_u64());
    let (at, patience) =
        seen.map_or((now, REMEMBERED), |(at, patience)| (Millis(at), Duration::from_millis(patience)));
    let card = Card {
        voter: format!("newer: {}", owner_name(&owner)),
        owner,
        scope: scope.map_or_else(|| Scope::Enterprise { slug: "?".into() }, Scope::from),
        patience,
        note,
    };
    Some(Seen { card, at })
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
        let stranger_of = |text: &str| stranger(text, Millis(7));
        assert_eq!(
            (stranger_of(r#"{"v":1}"#), stranger_of(r#"{"a":1}"#), stranger_of("x")),
            (None, None, None)
        );
        let bare = stranger_of(r#"{"v":2,"voter":7,"at":"x","patience":3}"#).unwrap();
        assert!(bare.lives(Millis(7)) && bare.card.scope.takes("any", "thing"));
        let (_, text) = encode(&one).unwrap();
        let known = stranger_of(&text.replace("\"v\":1", "\"v\":2")).unwrap();
        assert_eq!(
            (&known.card.owner, &known.card.scope, known.at),
            (&one.card.owner, &one.card.scope, one.at)
        );
        assert!(known.card.voter != one.card.voter && known.card.patience == one.card.patience);
        assert!(is_old(&one, old) && !is_old(&one, Millis(old.0 - 1)));
    }
}
