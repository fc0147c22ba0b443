//! Moments as text, in the host's time zone.

use std::time::SystemTime;

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const MICROS: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6][offset_hour sign:mandatory]:[offset_minute]"
);
const SECONDS: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory]:[offset_minute]"
);
const OF_DAY: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");
const OF_DAY_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[hour]:[minute]:[second].[subsecond digits:3]");

/// `at` on the host's clock; the offset is that of the moment itself, so that it follows summer time.
pub fn local(at: SystemTime) -> OffsetDateTime {
    let utc = OffsetDateTime::from(at);
    utc.to_offset(UtcOffset::local_offset_at(utc).unwrap_or(UtcOffset::UTC))
}

/// RFC 3339 with microseconds: `2024-04-03T17:10:08.726639-04:00`.
pub fn micros(at: OffsetDateTime) -> String {
    text(at, MICROS)
}

/// RFC 3339 without a fraction: `2024-04-03T17:10:08-04:00`.
pub fn seconds(at: OffsetDateTime) -> String {
    text(at, SECONDS)
}

/// `17:10:08`.
pub fn of_day(at: OffsetDateTime) -> String {
    text(at, OF_DAY)
}

/// `17:10:08.726`.
pub fn of_day_millis(at: OffsetDateTime) -> String {
    text(at, OF_DAY_MILLIS)
}

fn text(at: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    at.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_offset_is_written_out_and_digits_are_kept() {
        let west = datetime!(2024-04-03 17:10:08.000639 -4);
        assert_eq!(micros(west), "2024-04-03T17:10:08.000639-04:00");
        assert_eq!(seconds(west), "2024-04-03T17:10:08-04:00");
        assert_eq!(micros(datetime!(2024-04-03 00:00 UTC)), "2024-04-03T00:00:00.000000+00:00");
        assert_eq!(micros(datetime!(2024-04-03 00:00 +5:30)), "2024-04-03T00:00:00.000000+05:30");
        assert_eq!(of_day_millis(west), "17:10:08.000");
    }
}
