//! User and password of a URL, as they go out.

use crate::domain::{base64, percent};

/// The URL without user and password, and the `Authorization` that stands for them: what is percent-encoded there is
/// not here, as curl and browsers have it, so that a password may hold any character.
pub fn apart(url: &str) -> (String, Option<String>) {
    let (bare, user) = percent::apart(url);
    let header = user.map(|user| {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        basic(&[&percent::decoded(name)[..], b":", &percent::decoded(password)].concat())
    });
    (bare, header)
}

fn basic(both: &[u8]) -> String {
    format!("Basic {}", base64::encode(both))
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
