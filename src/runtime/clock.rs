//! The clock of the wall; what is measured goes by `std::time::Instant`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::ids::Millis;
use crate::log::stamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the one room that asks")]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// Now, in milliseconds since 1970.
pub fn millis() -> Millis {
    Millis(since_1970(now()).as_millis() as u64)
}

/// `at` in RFC 3339 with the host's offset and microseconds.
pub fn text(at: SystemTime) -> String {
    stamp::micros(stamp::local(at))
}

/// As [`text`], without the fraction.
pub fn text_in_seconds(at: SystemTime) -> String {
    stamp::seconds(stamp::local(at))
}

/// The moment that an RFC 3339 text names; none before 1970, where the old program's "never" lies.
pub fn read(text: &str) -> Option<SystemTime> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let nanos = u64::try_from(at.unix_timestamp_nanos()).ok()?;
    Some(UNIX_EPOCH + Duration::from_nanos(nanos))
}

/// `at` since 1970; nothing for what was before.
pub fn since_1970(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The moment of a store's or a journal's milliseconds.
pub fn at(millis: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_mean_one_moment() {
        let moment = at(Millis(1_712_178_608_726));
        assert_eq!(read(&text(moment)), Some(moment));
        assert_eq!(read(&text_in_seconds(moment)), Some(at(Millis(1_712_178_608_000))));
        for never in ["0001-01-01T00:00:00Z", "", "soon"] {
            assert_eq!(read(never), None);
        }
        assert!(millis().since(Millis(1_712_178_608_726)) > Duration::ZERO);
    }
}
