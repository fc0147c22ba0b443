//! Words and lines: what is taken as it is written, within what its place can carry.

use std::net::{IpAddr, Ipv4Addr};

use crate::config::report::Report;

const LONGEST_LINE: usize = 4096;
const LONGEST_NAME: usize = 64;
/// GitHub's own bound for a repository's name; owners' are shorter.
const LONGEST_GITHUB_NAME: usize = 100;

/// One line that is never shown. A block (`|`) ends with a line break that is not meant.
pub(super) fn secret(text: &str) -> Result<String, String> {
    let line = text.trim_end_matches(['\n', '\r']);
    if line.trim().is_empty() {
        return Err("is empty; write the secret, or remove the key".into());
    }
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("has more than one line; write it in one".into());
    }
    if line.len() > LONGEST_LINE {
        return Err(format!("is longer than {LONGEST_LINE} bytes; is it the right one?"));
    }
    Ok(line.to_owned())
}

/// One line of text.
pub(super) fn line(text: &str) -> Result<String, String> {
    let line = text.trim();
    if line.chars().any(char::is_control) {
        return Err("has more than one line or a control character; write it in one line".into());
    }
    if line.len() > LONGEST_LINE {
        return Err(format!("is longer than {LONGEST_LINE} bytes"));
    }
    Ok(line.to_owned())
}

/// A plugin's name: it becomes part of file names.
pub(super) fn name(text: &str, report: &Report) -> Result<String, String> {
    let name = line(text)?;
    let is_fit = !name.starts_with('.') && !name.contains(['/', '\\', ':']) && name.len() <= LONGEST_NAME;
    if is_fit {
        Ok(name)
    } else {
        Err(format!(
            "{} cannot name a plugin; write at most {LONGEST_NAME} letters, digits, - and _, e.g. RUNNER1",
            report.quote(text)
        ))
    }
}

/// An owner, a repository or an enterprise's slug: it becomes part of GitHub's addresses.
pub(super) fn github_name(text: &str, report: &Report) -> Result<String, String> {
    let name = text.trim();
    if let Some((_, last)) = name.trim_end_matches('/').rsplit_once('/') {
        return Err(format!("{} is more than a name; write only e.g. {last}", report.word(text)));
    }
    let is_fit = name.len() <= LONGEST_GITHUB_NAME
        && !matches!(name, "." | "..")
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if is_fit {
        Ok(name.to_owned())
    } else {
        Err(format!("{} is not a name on GitHub; write letters, digits, -, _ and . only", report.word(text)))
    }
}

/// One of a few words, in any case.
pub(super) fn choice(text: &str, words: &[&str], report: &Report) -> Result<String, String> {
    match words.iter().find(|word| word.eq_ignore_ascii_case(text.trim())) {
        Some(word) => Ok((*word).to_owned()),
        None => Err(format!("{} is not known here; write {}", report.word(text), words.join(" or "))),
    }
}

/// Yes or no, in every way that YAML and shells have written it.
pub(super) fn flag(text: &str, report: &Report) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" | "1" => Ok(true),
        "false" | "no" | "off" | "n" | "f" | "0" => Ok(false),
        _ => Err(format!("{} is neither true nor false; write true or false", report.word(text))),
    }
}

/// An address to listen on.
pub(super) fn address(text: &str, report: &Report) -> Result<IpAddr, String> {
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
    match bare {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        "*" => Ok(Ipv4Addr::UNSPECIFIED.into()),
        _ => bare.parse().map_err(|_| {
            format!(
                "{} is not an IP address; write e.g. 127.0.0.1, and the port under port",
                report.word(text)
            )
        }),
    }
}
