//! User and password of a URL, as they go out.

use crate::domain::base64;

/// The URL without user and password, and the `Authorization` that stands for them: what is percent-encoded there is
/// not here, as curl and browsers have it, so that a password may hold any character.
pub fn apart(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((user, _)) = rest[..end].rsplit_once('@') else { return (url.to_owned(), None) };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let both = [&decoded(name)[..], b":", &decoded(password)].concat();
    let url = format!("{scheme}://{}", &rest[user.len() + 1..]);
    (url, Some(basic(&both)))
}

fn basic(both: &[u8]) -> String {
    let mut text = base64::encode_for_url(both).replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    format!("Basic {text}")
}

/// `%2F` is a slash; what is no such escape stays as it is.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| tail.get(..2)).flatten().and_then(hex);
        out.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    out
}

fn hex(two: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(two[0])? << 4 | digit(two[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_standard_s() {
        assert_eq!(basic(b"Aladdin:open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic(b"?>?>:\xff\xfe"), "Basic Pz4/Pjr//g==");
    }

    #[test]
    fn what_is_escaped_in_the_url_is_not_in_the_header() {
        for (url, bare, both) in [
            ("http://a/metrics?x=@", "http://a/metrics?x=@", None),
            ("http://bob:pw@a:1/metrics", "http://a:1/metrics", Some("bob:pw")),
            ("https://b%40b:%2f%3A%25%zz%4@a", "https://a", Some("b@b:/:%%zz%4")),
            ("http://bob@a/", "http://a/", Some("bob:")),
        ] {
            let header = both.map(|both| basic(both.as_bytes()));
            assert_eq!(apart(url), (bare.to_owned(), header), "{url}");
        }
    }
}
