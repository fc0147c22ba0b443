//! What an answer means before anybody reads its body: go on, wait, mend the credentials, or try again.
//!
//! 403 is three things (GitHub, "Rate limits for the REST API"): a secondary limit, the primary limit, or permission.

use std::time::Duration;

use super::answer::{Answer, http_date};
use super::backoff::doubling;

/// No pause is longer, whatever GitHub says.
const LONGEST: Duration = Duration::from_hours(1);
/// No pause is shorter.
const SHORTEST: Duration = Duration::from_secs(1);
/// The first pause after a secondary limit that names none.
const UNNAMED: Duration = Duration::from_mins(1);

/// An answer's meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// GitHub answered; the caller reads the status.
    Answered,
    /// Wait, then ask again.
    Limited(Limit),
    /// 403 without a limit: what the credentials lack, as far as GitHub says it.
    Permission(Option<String>),
    /// 401.
    SignIn,
    /// 5xx, or something that is not GitHub's: try again, not before `wait`.
    Gateway { reason: String, wait: Duration },
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The quota is used up.
    Primary(Duration),
    /// Too much at once; without a time GitHub wants 60 s, doubling.
    Secondary(Option<Duration>),
}

/// The meaning of `answer`.
pub(super) fn judge(answer: &Answer) -> Verdict {
    let status = answer.status;
    if status >= 500 {
        return gateway(answer, format!("it answered {status}"));
    }
    if !is_githubs(answer) {
        return gateway(answer, format!("an answer {status} that is not JSON, as of a proxy or gateway"));
    }
    match status {
        401 => Verdict::SignIn,
        403 | 429 => limit(answer).map_or_else(|| no_limit(answer), Verdict::Limited),
        _ => Verdict::Answered,
    }
}

/// The pause for a limit: what GitHub says, else 60 s after the first in a row, doubling. Who says "now" again and
/// again is not believed.
pub(super) fn pause_for(limit: Limit, in_a_row: u32) -> Duration {
    match limit {
        Limit::Primary(wait) | Limit::Secondary(Some(wait)) => {
            wait.max(doubling(SHORTEST, in_a_row, UNNAMED))
        }
        Limit::Secondary(None) => doubling(UNNAMED, in_a_row, LONGEST),
    }
}

/// GitHub answers JSON, or nothing where nothing is to be said.
fn is_githubs(answer: &Answer) -> bool {
    let may_be_empty = matches!(answer.status, 202 | 204 | 205 | 304);
    if may_be_empty && answer.body.is_empty() { true } else { answer.is_json() }
}

fn gateway(answer: &Answer, reason: String) -> Verdict {
    Verdict::Gateway { reason, wait: retry_after(answer).unwrap_or_default() }
}

fn limit(answer: &Answer) -> Option<Limit> {
    let message = answer.message().to_ascii_lowercase();
    if answer.header("retry-after").is_some() {
        return Some(Limit::Secondary(retry_after(answer)));
    }
    if message.contains("secondary rate limit") || message.contains("abuse detection") {
        return Some(Limit::Secondary(None));
    }
    (answer.number("x-ratelimit-remaining") == Some(0))
        .then(|| until_reset(answer).map_or(Limit::Secondary(None), Limit::Primary))
}

/// 429 is always a limit; 403 is permission.
fn no_limit(answer: &Answer) -> Verdict {
    if answer.status == 429 {
        Verdict::Limited(Limit::Secondary(None))
    } else {
        Verdict::Permission(needs(answer))
    }
}

fn until_reset(answer: &Answer) -> Option<Duration> {
    let reset = answer.number("x-ratelimit-reset")?;
    Some(bounded(reset.saturating_sub(answer.date()?.unix_timestamp())))
}

/// Seconds, or a date.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.header("retry-after")?;
    let moment = || Some((http_date(text)? - answer.date()?).whole_seconds());
    text.parse().ok().or_else(moment).map(bounded)
}

fn bounded(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).clamp(SHORTEST, LONGEST)
}

fn needs(answer: &Answer) -> Option<String> {
    if answer.header("x-github-sso").is_some() {
        return Some("the token to be authorized for the organization's single sign-on".into());
    }
    if let Some(permissions) = answer.hint("x-accepted-github-permissions") {
        return Some(format!("the permission {permissions}"));
    }
    let scopes = answer.hint("x-accepted-oauth-scopes")?;
    let has = answer.hint("x-oauth-scopes").unwrap_or_else(|| "none".into());
    Some(format!("one of the scopes {scopes} (the token has: {has})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: (&str, &str) = ("date", "Thu, 01 Jan 1970 00:16:40 GMT");

    fn judged(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
        let headers = headers.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        judge(&Answer { status, headers, body: body.into(), repeated: false })
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_403_is_one_of_three_things_and_a_429_always_a_limit() {
        let primary = |n| Verdict::Limited(Limit::Primary(secs(n)));
        let secondary = |n: Option<u64>| Verdict::Limited(Limit::Secondary(n.map(secs)));
        let (used_up, left) = (("x-ratelimit-remaining", "0"), ("x-ratelimit-remaining", "9"));
        let reset = |at| ("x-ratelimit-reset", at);
        let spoken = r#"{"message":"You have exceeded a Secondary Rate Limit. Please wait"}"#;
        for status in [403, 429] {
            let of = |headers: &[(&'static str, &str)], body: &str| judged(status, headers, body);
            assert_eq!(of(&[DATE, used_up, reset("1090")], "{}"), primary(90));
            assert_eq!(of(&[DATE, used_up, reset("999999")], "{}"), primary(3600), "one hour at most");
            assert_eq!(of(&[DATE, used_up, reset("5")], "{}"), primary(1), "already over");
            assert_eq!(of(&[DATE, used_up, reset("-9223372036854775808")], "{}"), primary(1), "nonsense");
            assert_eq!(of(&[used_up, reset("1090")], "{}"), secondary(None), "no date to count against");
            assert_eq!(of(&[DATE, used_up], "{}"), secondary(None));
            assert_eq!(of(&[used_up, ("retry-after", "7")], "{}"), secondary(Some(7)));
            assert_eq!(of(&[("retry-after", "-7")], "{}"), secondary(Some(1)));
            assert_eq!(of(&[("retry-after", "soon")], "{}"), secondary(None));
            assert_eq!(
                of(&[DATE, ("retry-after", "Thu, 01 Jan 1970 00:17:00 GMT")], "{}"),
                secondary(Some(20))
            );
            assert_eq!(of(&[left], spoken), secondary(None));
        }
        assert_eq!(judged(429, &[left], "{}"), secondary(None));
        assert_eq!(judged(403, &[left], "{}"), Verdict::Permission(None));
        assert_eq!(judged(403, &[], r#"{"message":"Resource not accessible"}"#), Verdict::Permission(None));
    }

    #[test]
    fn what_is_not_json_is_a_gateways_fault_and_never_permission() {
        for (status, body) in [
            (500, "{}"),
            (503, ""),
            (403, "<html>"),
            (401, ""),
            (200, "<html>"),
            (200, ""),
            (204, "<p>"),
            (404, "no"),
        ] {
            assert!(matches!(judged(status, &[], body), Verdict::Gateway { .. }), "{status} {body}");
        }
        for (status, body) in
            [(204, ""), (202, ""), (202, "{}"), (304, ""), (200, "[]"), (404, "{}"), (409, "{}")]
        {
            assert_eq!(judged(status, &[], body), Verdict::Answered, "{status} {body}");
        }
        assert_eq!(judged(401, &[], "{}"), Verdict::SignIn);
        let Verdict::Gateway { wait, .. } = judged(503, &[("retry-after", "9")], "") else { panic!() };
        assert_eq!(wait, secs(9));
    }

    #[test]
    fn permission_says_what_is_missing() {
        let scopes = [("x-accepted-oauth-scopes", "admin:org"), ("x-oauth-scopes", "repo, gist")];
        let Verdict::Permission(Some(text)) = judged(403, &scopes, "{}") else { panic!() };
        assert_eq!(text, "one of the scopes admin:org (the token has: repo, gist)");
        let fine = [("x-accepted-github-permissions", "administration=write")];
        let Verdict::Permission(Some(text)) = judged(403, &fine, "{}") else { panic!() };
        assert_eq!(text, "the permission administration=write");
    }

    #[test]
    fn an_unnamed_secondary_limit_doubles() {
        let of = |n| pause_for(Limit::Secondary(None), n).as_secs();
        assert_eq!([1, 2, 3, 7, 30].map(of), [60, 120, 240, 3600, 3600]);
        assert_eq!(pause_for(Limit::Secondary(Some(secs(5))), 2), secs(5));
        let now = [1, 2, 4, 20].map(|n| pause_for(Limit::Primary(secs(1)), n).as_secs());
        assert_eq!(now, [1, 2, 8, 60], "a reset that is over each time");
    }
}
