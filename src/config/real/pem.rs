//! A GitHub App's private key: PEM text, or the path of a file that holds it.
//!
//! The signing library judges it at start, so that a key which cannot sign is a fault and not a surprise.

use ring::error::KeyRejected;
use ring::rsa::KeyPair;

use super::path;
use crate::config::report::Report;
use crate::domain::base64;

const LARGEST_KEY: u64 = 64 << 10;
const LONGEST_SHOWN_PATH: usize = 200;
const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
const PKCS1: &str = "RSA PRIVATE KEY";
const PKCS8: &str = "PRIVATE KEY";

/// The PEM text.
pub(super) fn read(written: &str, report: &Report) -> Result<String, String> {
    if written.contains(BEGIN) {
        return check(written).map_err(str::to_owned);
    }
    let file = path::expand(written, report)?;
    // Key text without its BEGIN line must not be shown as if it were a path. It has neither of these, and begins
    // with "MI".
    let is_path = written.contains(['.', '~']) || written.trim().starts_with('/');
    let is_short = written.len() <= LONGEST_SHOWN_PATH && !written.trim().contains('\n');
    let shown = if is_path && is_short { report.quote(written) } else { "the file".into() };
    let text = path::read_small(&file, LARGEST_KEY).map_err(|why| format!("{shown} {why}"))?;
    check(&text).map_err(|why| format!("{shown} {why}"))
}

/// The text with real line breaks: in a variable or in one line of YAML they are often written as `\n`.
fn check(text: &str) -> Result<String, &'static str> {
    let text = text.replace("\\n", "\n").replace('\r', "");
    let begin = text.find(BEGIN).ok_or("is not a PEM file; give the .pem that GitHub made for the App")?;
    let after = &text[begin + BEGIN.len()..];
    let (label, rest) = after.split_once(DASHES).ok_or(TORN)?;
    match label {
        PKCS1 | PKCS8 => {}
        "ENCRYPTED PRIVATE KEY" => return Err("is encrypted; decrypt it with openssl pkey -in OLD -out NEW"),
        "OPENSSH PRIVATE KEY" => return Err("is an OpenSSH key; give the .pem that GitHub made for the App"),
        _ => return Err("holds no RSA private key; give the .pem that GitHub made for the App"),
    }
    let end = format!("-----END {label}-----");
    let (body, _) = rest.split_once(end.as_str()).ok_or(TORN)?;
    if body.contains(':') {
        return Err("is encrypted; decrypt it with openssl rsa -in OLD -out NEW");
    }
    let der = base64::decode(body).ok_or(TORN)?;
    let key = if label == PKCS8 { KeyPair::from_pkcs8(&der) } else { KeyPair::from_der(&der) };
    key.map_err(|fault| refusal(&fault))?;
    Ok(format!("{BEGIN}{label}{DASHES}\n{}\n{end}\n", body.split_whitespace().collect::<Vec<_>>().join("\n")))
}

const TORN: &str = "holds a damaged key; fetch it again, or make a new one in the App's settings";

/// What the signing library has against a key.
fn refusal(fault: &KeyRejected) -> &'static str {
    match fault.to_string().as_str() {
        "TooSmall" => "is shorter than 2048 bits; make a new key in the App's settings",
        "TooLarge" => "is longer than 4096 bits; make a new key in the App's settings",
        "WrongAlgorithm" => "is no RSA key; give the .pem that GitHub made for the App",
        _ => TORN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = include_str!("../../../tests/keys/app.pem");
    const NEWER: &str = include_str!("../../../tests/keys/app.pkcs8.pem");
    const SHORT: &str = include_str!("../../../tests/keys/short.pem");
    const ELLIPTIC: &str = include_str!("../../../tests/keys/elliptic.pem");

    #[test]
    fn both_forms_are_taken_also_in_one_line() {
        let whole = Ok(WHOLE.to_owned());
        assert_eq!(check(WHOLE), whole);
        assert_eq!(check(&WHOLE.replace('\n', "\\n")), whole);
        assert_eq!(check(&WHOLE.replace('\n', "\r\n")), whole);
        assert_eq!(check(&WHOLE.replace('\n', " ")), whole, "as YAML folds lines");
        assert_eq!(check(NEWER), Ok(NEWER.to_owned()));
    }

    #[test]
    fn what_cannot_sign_is_refused_with_its_remedy() {
        let labelled = |label: &str| NEWER.replace("PRIVATE KEY", label);
        let line = NEWER.lines().nth(5).unwrap();
        let cases = [
            (labelled("PUBLIC KEY"), "no RSA private key"),
            (labelled("ENCRYPTED PRIVATE KEY"), "encrypted"),
            (labelled("OPENSSH PRIVATE KEY"), "OpenSSH"),
            (labelled("RSA PRIVATE KEY"), "damaged"),
            (
                WHOLE.replace(
                    "BEGIN RSA PRIVATE KEY-----",
                    "BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED",
                ),
                "encrypted",
            ),
            (NEWER.replace(line, ""), "damaged"),
            (NEWER.replace(line, &line.replace(|c: char| c.is_ascii_digit(), "!")), "damaged"),
            (NEWER.replace("-----END", "-----ENDE"), "damaged"),
            (SHORT.into(), "shorter than 2048"),
            (ELLIPTIC.into(), "no RSA key"),
            ("-----BEGIN PRIVATE KEY".into(), "damaged"),
            ("hello".into(), "not a PEM"),
        ];
        for (text, said) in cases {
            let why = check(&text).unwrap_err();
            assert!(why.contains(said), "{text}: {why}");
        }
    }
}
