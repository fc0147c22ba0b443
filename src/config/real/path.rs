//! Paths: `~` is the user's home, what is relative starts at the current folder. Nothing is created here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::report::Report;
use crate::domain::base64;

/// A bundle of certificates is some hundred kilobytes.
const LARGEST_BUNDLE: u64 = 16 << 20;

/// A folder, which need not be there; what is there must be one.
pub(super) fn folder(text: &str, report: &Report) -> Result<PathBuf, String> {
    let path = expand(text, report)?;
    match fs::metadata(&path) {
        Ok(found) if !found.is_dir() => Err(format!("{} is not a folder; name another", report.quote(text))),
        _ => Ok(path),
    }
}

/// A program: a path, or a name to be looked up on PATH.
pub(super) fn program(text: &str, report: &Report) -> Result<PathBuf, String> {
    let name = text.trim();
    if name.contains('/') || name.starts_with('~') { expand(text, report) } else { Ok(name.into()) }
}

/// A readable file that holds certificates.
pub(super) fn certificates(text: &str, report: &Report) -> Result<PathBuf, String> {
    let path = expand(text, report)?;
    let bundle = read_small(&path, LARGEST_BUNDLE).map_err(|why| format!("{} {why}", report.quote(text)))?;
    let mut certificates = bundle.split("-----BEGIN CERTIFICATE-----").skip(1).peekable();
    if certificates.peek().is_none() {
        let shown = report.quote(text);
        return Err(format!("{shown} holds no certificate; give a PEM file with BEGIN CERTIFICATE in it"));
    }
    if certificates.all(is_whole) {
        Ok(path)
    } else {
        Err(format!("{} holds a damaged certificate; fetch the file again", report.quote(text)))
    }
}

/// What follows `BEGIN CERTIFICATE`: an encoded sequence, and its end.
fn is_whole(rest: &str) -> bool {
    let body = rest.split_once("-----END CERTIFICATE-----").map(|(body, _)| body);
    body.and_then(base64::decode).is_some_and(|der| der.first() == Some(&0x30))
}

/// The text of a regular file that is not too large. The error fits after the path.
pub(super) fn read_small(path: &Path, most: u64) -> Result<String, String> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "is not there; is the path right?".to_owned(),
        std::io::ErrorKind::PermissionDenied => {
            "cannot be read by this user; change its owner or mode".to_owned()
        }
        _ => format!("cannot be read: {error}"),
    };
    let found = fs::metadata(path).map_err(cannot)?;
    if !found.is_file() {
        return Err("is not a file".into());
    }
    if found.len() > most {
        return Err("is too large for what it should be".into());
    }
    Ok(String::from_utf8_lossy(&fs::read(path).map_err(cannot)?).into_owned())
}

/// An absolute path.
pub(super) fn expand(text: &str, report: &Report) -> Result<PathBuf, String> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err("has more than one line or a control character; write a path in one line".into());
    }
    if text.starts_with('$') {
        return Err(format!(
            "{} begins with a variable, and none is looked at here; write ~/…",
            report.quote(text)
        ));
    }
    let Some(below) = text.strip_prefix('~') else { return Ok(tidy(&report.cwd.join(text))) };
    if !below.is_empty() && !below.starts_with('/') {
        return Err(format!("{} names another user's home; write the whole path", report.quote(text)));
    }
    match &report.home {
        Some(home) => Ok(tidy(&home.join(below.trim_start_matches('/')))),
        None => Err(format!(
            "{} needs a home folder, and HOME is not set; write the whole path",
            report.quote(text)
        )),
    }
}

/// Without `.` parts and the last slash, so that paths look the same wherever they are shown.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}
