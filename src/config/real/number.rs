//! Numbers, with their unit and bounds.

use std::time::Duration;

use crate::config::report::Report;

/// A year: whoever writes more means something else.
const LONGEST_SECONDS: f64 = 31_536_000.0;

/// A whole number within bounds.
pub(super) fn whole(
    text: &str,
    least: u64,
    most: u64,
    example: &str,
    report: &Report,
) -> Result<u64, String> {
    let example = if example.is_empty() { least.to_string() } else { example.to_owned() };
    let Some(number) = digits(text) else {
        return Err(format!("{} is not a whole number; write e.g. {example}", report.word(text)));
    };
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{} is out of bounds; write {least} to {most}", report.word(text)))
    }
}

/// A webhook's number; that it may also be `app` is the caller's to know.
pub(super) fn hook(text: &str, report: &Report) -> Result<u64, String> {
    match digits(text) {
        Some(number) if (1..u64::MAX).contains(&number) => Ok(number),
        _ => Err(format!(
            "{} is not a webhook's number; write the digits at the end of its address on GitHub, or app",
            report.word(text)
        )),
    }
}

/// Seconds, decimals allowed.
pub(super) fn seconds(text: &str, least: u64, example: &str, report: &Report) -> Result<Duration, String> {
    let example = if example.is_empty() { "10" } else { example };
    let Some(number) = decimal(text) else {
        return Err(format!("{} is not a number of seconds; write e.g. {example}", report.word(text)));
    };
    if number < least as f64 {
        return Err(format!("{} is too short; write at least {least} (seconds)", report.word(text)));
    }
    if number > LONGEST_SECONDS {
        return Err(format!("{} is more than a year of seconds; write e.g. {example}", report.word(text)));
    }
    Ok(Duration::from_secs_f64(number))
}

/// A percentage below 100.
pub(super) fn percent(text: &str, report: &Report) -> Result<f64, String> {
    match decimal(text) {
        Some(number) if number < 100.0 => Ok(number),
        _ => Err(format!("{} is not a percentage from 0 to 99; write e.g. 10.0", report.word(text))),
    }
}

/// A factor from 1 to 100.
pub(super) fn factor(text: &str, report: &Report) -> Result<f64, String> {
    match decimal(text) {
        Some(number) if (1.0..=100.0).contains(&number) => Ok(number),
        _ => Err(format!("{} is not a factor from 1 to 100; write e.g. 2", report.word(text))),
    }
}

/// Digits only. What does not fit 64 bits is larger than any bound.
fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Digits, perhaps with a point and more digits: no sign, no exponent, no `inf`.
fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let (before, after) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (is_digits(before) && is_digits(after)).then(|| text.parse().ok()).flatten()
}
