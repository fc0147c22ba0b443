//! A GitHub App's private key: PEM text, or the path of a file that holds it.
//!
//! Only the envelope is judged here (label, base64, outer length); the signing library has the last word.

use super::path;
use crate::config::report::Report;

const LARGEST_KEY: u64 = 64 << 10;
const LONGEST_SHOWN_PATH: usize = 200;
const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
/// Smallest RSA key that makes sense, in bytes of its encoding.
const SHORTEST_DER: usize = 256;

/// The PEM text.
pub(super) fn read(written: &str, report: &Report) -> Result<String, String> {
    if written.contains(BEGIN) {
        return check(written).map_err(str::to_owned);
    }
    let file = path::expand(written, report)?;
    // Key text without its BEGIN line must not be shown as if it were a path.
    let is_path = written.len() <= LONGEST_SHOWN_PATH && !written.trim().contains('\n');
    let shown = if is_path { report.quote(written) } else { "the file".into() };
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
        "RSA PRIVATE KEY" | "PRIVATE KEY" => {}
        "ENCRYPTED PRIVATE KEY" => return Err("is encrypted; decrypt it with openssl pkey -in OLD -out NEW"),
        "OPENSSH PRIVATE KEY" => return Err("is an OpenSSH key; give the .pem that GitHub made for the App"),
        _ => return Err("holds no RSA private key; give the .pem that GitHub made for the App"),
    }
    let end = format!("-----END {label}-----");
    let (body, _) = rest.split_once(end.as_str()).ok_or(TORN)?;
    if body.contains(':') {
        return Err("is encrypted; decrypt it with openssl rsa -in OLD -out NEW");
    }
    let der = base64(body).ok_or(TORN)?;
    if der.len() < SHORTEST_DER || der_length(&der) != Some(der.len()) {
        return Err(TORN);
    }
    Ok(format!("{BEGIN}{label}{DASHES}\n{}\n{end}\n", body.split_whitespace().collect::<Vec<_>>().join("\n")))
}

const TORN: &str = "holds a damaged key; fetch it again, or make a new one in the App's settings";

/// The whole length that the outer SEQUENCE claims.
fn der_length(der: &[u8]) -> Option<usize> {
    let [0x30, first, rest @ ..] = der else { return None };
    if *first < 0x80 {
        return Some(2 + usize::from(*first));
    }
    let count = usize::from(*first & 0x7F);
    let length =
        rest.get(..count).filter(|_| count <= 4)?.iter().fold(0, |sum, b| (sum << 8) | usize::from(*b));
    Some(2 + count + length)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for c in text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=') {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SEQUENCE of the right length is all that is looked at.
    fn pem(label: &str, der_len: usize) -> String {
        let mut der = vec![0x30, 0x82, 0x01, 0x00];
        der.resize(der_len, 0x55);
        let body = encode(&der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    fn encode(bytes: &[u8]) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let three = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
            let all = u32::from_be_bytes([0, three[0], three[1], three[2]]);
            (0..=chunk.len()).for_each(|n| text.push(LETTERS[(all >> (18 - 6 * n) & 63) as usize] as char));
        }
        while !text.len().is_multiple_of(4) {
            text.push('=');
        }
        text
    }

    #[test]
    fn base64_is_read_back() {
        for len in 0..70_u8 {
            let bytes: Vec<u8> = (0..len).map(|n| n.wrapping_mul(37)).collect();
            assert_eq!(base64(&encode(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn both_forms_are_taken_also_in_one_line() {
        let whole = pem("RSA PRIVATE KEY", 260);
        assert_eq!(check(&whole), Ok(whole.clone()));
        assert_eq!(check(&whole.replace('\n', "\\n")), Ok(whole.clone()));
        assert_eq!(check(&whole.replace('\n', "\r\n")), Ok(whole));
        assert!(check(&pem("PRIVATE KEY", 260)).is_ok());
    }

    #[test]
    fn what_cannot_sign_is_refused_with_its_remedy() {
        let cases = [
            (pem("PUBLIC KEY", 260), "no RSA private key"),
            (pem("ENCRYPTED PRIVATE KEY", 260), "encrypted"),
            (pem("OPENSSH PRIVATE KEY", 260), "OpenSSH"),
            (pem("PRIVATE KEY", 259), "damaged"),
            (pem("PRIVATE KEY", 261), "damaged"),
            (pem("PRIVATE KEY", 260).replace("-----END", "-----ENDE"), "damaged"),
            ("-----BEGIN PRIVATE KEY".into(), "damaged"),
            ("hello".into(), "not a PEM"),
        ];
        for (text, said) in cases {
            let why = check(&text).unwrap_err();
            assert!(why.contains(said), "{text}: {why}");
        }
    }
}
