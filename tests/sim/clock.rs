//! Time as the two simulated houses write it.

use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

const MICROS: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
const SECONDS: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const FAR: &[FormatItem<'_>] = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3][offset_hour sign:mandatory]:[offset_minute]"
);
const HTTP: &[FormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// Now, RFC 3339 in UTC with microseconds: what the call logs carry.
pub fn stamp() -> String {
    written(OffsetDateTime::now_utc(), MICROS)
}

/// The stamp so many seconds from now.
pub fn stamp_in(seconds: i64) -> String {
    written(OffsetDateTime::now_utc() + Duration::seconds(seconds), MICROS)
}

/// Now, RFC 3339 in UTC to the second: as GitHub and Anka write dates.
pub fn date() -> String {
    date_in(0)
}

/// The date so many seconds from now.
pub fn date_in(seconds: i64) -> String {
    written(OffsetDateTime::now_utc() + Duration::seconds(seconds), SECONDS)
}

/// The same moment as GitHub writes the end of a registration token: another offset, with fractions.
pub fn far_date_in(seconds: i64) -> String {
    let moment = OffsetDateTime::now_utc() + Duration::seconds(seconds);
    written(moment.to_offset(time::macros::offset!(-8)), FAR)
}

/// So many seconds from now, as the `Date` header of HTTP.
pub fn http_date_in(seconds: i64) -> String {
    written(OffsetDateTime::now_utc() + Duration::seconds(seconds), HTTP)
}

/// Seconds since 1970: as GitHub's `x-ratelimit-reset` counts.
pub fn epoch_seconds() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn written(moment: OffsetDateTime, format: &[FormatItem<'_>]) -> String {
    moment.format(format).unwrap_or_default()
}
