//! One HTTP answer, as far as it is read.

use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// The headers that anything here reads.
pub(super) const READ: [&str; 13] = [
    "date",
    "etag",
    "link",
    "location",
    "retry-after",
    "x-accepted-github-permissions",
    "x-accepted-oauth-scopes",
    "x-github-sso",
    "x-oauth-scopes",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-resource",
];

/// The most of GitHub's own words that is passed on.
const LONGEST_TEXT: usize = 200;

/// Status, headers and body of an answer; not `Debug`, since a body may hold a token.
#[derive(Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names as in [`READ`].
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the same was asked before, and the answer did not come: it may have been done then.
    pub(super) repeated: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.trim())
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.header(name)?.parse().ok()
    }

    /// A header's text, shortened, for people.
    pub(super) fn hint(&self, name: &str) -> Option<String> {
        self.header(name).map(shown).filter(|text| !text.is_empty())
    }

    /// When GitHub says it answered.
    pub(super) fn date(&self) -> Option<OffsetDateTime> {
        http_date(self.header("date")?)
    }

    /// From GitHub's `Date` to a moment in its body, so that no clock of this host matters.
    pub(super) fn until(&self, moment: &str) -> Option<Duration> {
        let then = OffsetDateTime::parse(moment, &Rfc3339).ok()?;
        (then - self.date()?).try_into().ok()
    }

    pub(super) fn is_json(&self) -> bool {
        serde_json::from_slice::<IgnoredAny>(&self.body).is_ok()
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Takes a secret out of the body, which may quote what was sent.
    pub(super) fn hide(&mut self, secret: &str) {
        if self.body.windows(secret.len().max(1)).any(|window| window == secret.as_bytes()) {
            self.body = String::from_utf8_lossy(&self.body).replace(secret, "***").into_bytes();
        }
    }

    /// GitHub's `message` and what its `errors` add, shortened; empty without one.
    pub(super) fn message(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Told {
            message: String,
            #[serde(default)]
            errors: Value,
        }
        let Ok(told) = self.json::<Told>() else { return String::new() };
        match fault_of(&told.errors) {
            Some(more) => shown(&format!("{}: {more}", told.message)),
            None => shown(&told.message),
        }
    }
}

/// The first of an answer's `errors`: a text, or an object with a message, or with a field and a code.
fn fault_of(errors: &Value) -> Option<String> {
    let first = errors.get(0).unwrap_or(errors);
    let text = |name: &str| first.get(name).and_then(Value::as_str);
    let said = first.as_str().or_else(|| text("message")).map(str::to_owned);
    said.or_else(|| Some(format!("{} {}", text("field")?, text("code")?)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<OffsetDateTime> {
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    PrimitiveDateTime::parse(text, form).ok().map(PrimitiveDateTime::assume_utc)
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_against_githubs_own_date() {
        let headers = vec![("date", "Tue, 22 Jan 2030 20:12:35 GMT".to_owned())];
        let answer = Answer { headers, ..Answer::default() };
        let left = |moment: &str| answer.until(moment).map(|d| d.as_secs());
        assert_eq!(left("2030-01-22T21:12:35Z"), Some(3600));
        assert_eq!(left("2030-01-22T12:13:35.123-08:00"), Some(60));
        assert_eq!(left("2030-01-22T20:12:34Z"), None, "past");
        assert_eq!(left("tomorrow"), None);
        assert_eq!(Answer::default().until("2030-01-22T21:12:35Z"), None, "no date");
    }

    #[test]
    fn what_was_sent_is_quoted_by_nobody() {
        let mut answer =
            Answer { body: br#"{"message":"no such token: ghs_x"}"#.into(), ..Answer::default() };
        answer.hide("ghs_x");
        assert_eq!(answer.message(), "no such token: ***");
        answer.hide("");
    }

    #[test]
    fn messages_are_short_and_plain() {
        let answer = |body: &str| Answer { body: body.into(), ..Answer::default() };
        assert_eq!(answer(r#"{"message":"Bad\ncredentials"}"#).message(), "Badcredentials");
        assert_eq!(answer(&format!(r#"{{"message":"{}"}}"#, "é".repeat(900))).message().chars().count(), 200);
        assert_eq!(answer("<html>").message(), "");
        for (errors, more) in [
            (r#"["too long"]"#, ": too long"),
            (r#""too long""#, ": too long"),
            (r#"[{"field":"labels","code":"invalid"}]"#, ": labels invalid"),
            (r#"[{"code":"custom","message":"no such group"},{}]"#, ": no such group"),
            ("[]", ""),
            ("null", ""),
        ] {
            let body = format!(r#"{{"message":"Validation Failed","errors":{errors}}}"#);
            assert_eq!(answer(&body).message(), format!("Validation Failed{more}"));
        }
        assert!(!answer("").is_json() && !answer("<html>").is_json() && answer("{}").is_json());
    }
}
