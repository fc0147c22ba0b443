//! `anklet-sim calls DIR`: what the call log says, as JSON: counts, durations, the most at a time, failures.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Default)]
struct Tally {
    count: u64,
    failed: u64,
    unended: u64,
    open: u64,
    most_at_once: u64,
    micros: Vec<i128>,
}

pub fn main(args: &[String]) -> Result<(), String> {
    let [dir] = args else { return Err("usage: calls DIR".into()) };
    let path = Path::new(dir).join("calls.log");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    println!("{:#}", summary(&text));
    Ok(())
}

fn summary(log: &str) -> Value {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut begun: BTreeMap<&str, i128> = BTreeMap::new();
    for line in log.lines() {
        let mut parts = line.splitn(5, ' ');
        let (Some(at), Some(pid), Some(what), Some(code), Some(argv)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let at = OffsetDateTime::parse(at, &Rfc3339).map_or(0, |at| at.unix_timestamp_nanos() / 1000);
        let tally = tallies.entry(name(argv)).or_default();
        if what == "start" {
            begun.insert(pid, at);
            tally.count += 1;
            tally.open += 1;
            tally.most_at_once = tally.most_at_once.max(tally.open);
        } else {
            tally.open = tally.open.saturating_sub(1);
            tally.failed += u64::from(code != "0");
            tally.micros.push(at - begun.get(pid).copied().unwrap_or(at));
        }
    }
    for tally in tallies.values_mut() {
        tally.unended = tally.open;
        tally.micros.sort_unstable();
    }
    tallies.into_iter().map(|(name, tally)| (name, described(&tally))).collect::<Map<_, _>>().into()
}

fn described(tally: &Tally) -> Value {
    let median = tally.micros.get(tally.micros.len() / 2);
    json!({
        "count": tally.count, "failed": tally.failed, "unended": tally.unended,
        "most_at_once": tally.most_at_once, "median_us": median,
    })
}

/// The call's name: its first word, and for the registry the second too.
fn name(argv: &str) -> String {
    let words: Vec<String> = serde_json::from_str(argv).unwrap_or_default();
    let mut words = words.iter().map(String::as_str).filter(|word| !word.starts_with('-'));
    match words.next() {
        Some("registry") => {
            let verb = words.find(|word| matches!(*word, "list" | "show" | "pull")).unwrap_or("--list");
            format!("registry {verb}")
        }
        Some(name) => name.into(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_overlaps_and_calls_that_never_ended() {
        let log = r#"2026-01-01T00:00:00.000000Z 1 start - ["-j","clone","a","b"]
2026-01-01T00:00:00.000100Z 2 start - ["-j","clone","a","c"]
2026-01-01T00:00:00.000300Z 1 end 0 ["-j","clone","a","b"]"#;
        let clone = &summary(log)["clone"];
        assert_eq!(clone["count"], 2);
        assert_eq!(clone["most_at_once"], 2);
        assert_eq!(clone["unended"], 1);
        assert_eq!(clone["median_us"], 300);
    }
}
