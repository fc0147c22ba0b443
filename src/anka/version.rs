//! What this Anka is: its version and its licence, both looked at before anything is claimed.

use std::fmt;

use serde_json::Value;

use super::client::{Anka, Call};
use super::error::{AnkaError, for_people};

/// Kinds of licence that cannot run VMs for others.
const UNUSABLE: [&str; 2] = ["com.veertu.anka.run", "com.veertu.anka.develop"];

/// `3.8.4`, perhaps followed by ` (build …)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major, minor, patch; 0 where the text does not say.
    pub numbers: [u32; 3],
    /// As Anka says it.
    pub text: String,
}

/// A valid licence of a usable kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// Its kind; none when Anka does not say.
    pub kind: Option<String>,
}

/// Why this host's licence does not do.
#[derive(Debug)]
pub enum LicenseError {
    /// Anka says so.
    NotValid(String),
    /// It is valid, but of a kind that cannot be used.
    Kind(String),
    /// Anka could not be asked.
    Anka(AnkaError),
}

impl Anka {
    /// Anka's version.
    pub fn version(&self) -> Result<Version, AnkaError> {
        let body = self.ask(Call::of("version"))?;
        let text = body["version"].as_str().or(body.as_str()).unwrap_or("unknown");
        Ok(Version { numbers: numbers(text), text: for_people(text) })
    }

    /// Whether the licence does.
    pub fn license(&self) -> Result<License, LicenseError> {
        let body = self.ask(Call::of("license").arg("show")).map_err(LicenseError::Anka)?;
        read_license(&body)
    }
}

fn read_license(body: &Value) -> Result<License, LicenseError> {
    let text = |field: &str| body[field].as_str().map(str::trim);
    match text("status") {
        Some(status) if status.eq_ignore_ascii_case("valid") => (),
        Some(status) => return Err(LicenseError::NotValid(for_people(status))),
        None => log::warn!("anka does not say whether its licence is valid: that is not checked"),
    }
    match text("license_type") {
        Some(kind) if UNUSABLE.contains(&kind) => Err(LicenseError::Kind(kind.to_owned())),
        kind => Ok(License { kind: kind.map(for_people) }),
    }
}

fn numbers(text: &str) -> [u32; 3] {
    let number = text.split_whitespace().next().unwrap_or_default();
    let mut parts = number.split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().unwrap_or(0)
    });
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

impl fmt::Display for LicenseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LicenseError::NotValid(status) => {
                write!(f, "Anka's licence is not valid ({status}); see `anka license show`")
            }
            LicenseError::Kind(kind) => {
                write!(f, "an Anka licence of kind {kind} cannot be used; Anka Build is needed")
            }
            LicenseError::Anka(e) => write!(f, "Anka's licence could not be asked for: {e}"),
        }
    }
}

impl std::error::Error for LicenseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LicenseError::Anka(e) => Some(e),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_read_from_whatever_is_there() {
        let cases = [
            ("3.8.4", [3, 8, 4]),
            ("3.9.0 (build 203)", [3, 9, 0]),
            (" 2.5", [2, 5, 0]),
            ("3.8.4-rc1", [3, 8, 4]),
            ("unknown", [0, 0, 0]),
            ("99999999999.1", [0, 1, 0]),
        ];
        for (text, want) in cases {
            assert_eq!(numbers(text), want, "{text}");
        }
    }

    #[test]
    fn a_licence_must_be_valid_and_of_a_kind_that_may_run_vms() {
        let told = |body: Value| read_license(&body).map_err(|e| e.to_string());
        assert!(told(json!({"status": "valid", "license_type": "com.veertu.anka.entplus"})).is_ok());
        assert_eq!(told(json!({"status": "valid"})), Ok(License { kind: None }));
        assert!(told(json!({"status": "expired"})).is_err_and(|e| e.contains("not valid")));
        for body in [json!({}), json!(null), json!([]), json!({"status": 1})] {
            assert!(told(body.clone()).is_ok(), "{body}: what is absent is not checked");
        }
        for kind in UNUSABLE {
            let text = told(json!({"status": "valid", "license_type": kind})).unwrap_err();
            assert!(text.contains(kind), "{text}");
        }
    }
}
