//! The two call logs, line by line: those of the simulated Anka and of the simulated GitHub.

use super::when;
use time::OffsetDateTime;

/// One end or start of an `anka` process: `TIME PID start|end CODE ["-j","clone",…]`.
pub struct AnkaCall {
    pub at: OffsetDateTime,
    /// The exit code of one that has ended.
    pub ended: Option<u8>,
    /// What was called: `clone`, `start`, …; empty for a call without words.
    pub verb: String,
    /// The last word: the VM, for most.
    pub last: String,
}

/// One REST call: `TIME METHOD PATH STATUS …`.
pub struct RestCall {
    pub at: OffsetDateTime,
    pub path: String,
}

impl AnkaCall {
    pub fn read(line: &str) -> Option<Self> {
        let mut parts = line.splitn(5, ' ');
        let at = when::read(parts.next()?)?;
        let (_pid, what, code) = (parts.next()?, parts.next()?, parts.next()?);
        let words: Vec<String> = serde_json::from_str(parts.next()?).ok()?;
        let verb = words.iter().find(|word| !word.starts_with('-')).cloned().unwrap_or_default();
        let ended = (what == "end").then(|| code.parse().unwrap_or(u8::MAX));
        Some(Self { at, ended, verb, last: words.last().cloned().unwrap_or_default() })
    }
}

impl RestCall {
    pub fn read(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let at = when::read(parts.next()?)?;
        Some(Self { at, path: parts.nth(1)?.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_simulators_write() {
        let line = r#"2026-01-01T00:00:00.000000Z 17 end 3 ["-j","clone","-t","v 1","a","anklet-vm-1"]"#;
        let call = AnkaCall::read(line).unwrap();
        assert_eq!((call.verb.as_str(), call.last.as_str(), call.ended), ("clone", "anklet-vm-1", Some(3)));
        let call = RestCall::read("2026-01-01T00:00:00.000000Z POST /a/runs/7/cancel 202 oken").unwrap();
        assert_eq!(call.path, "/a/runs/7/cancel");
        assert!(AnkaCall::read("half a li").is_none());
    }
}
