//! User and password in a URL: where they stand, and how they are encoded there.

/// The URL without user and password, and these as they are written.
pub fn apart(url: &str) -> (String, Option<&str>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((user, _)) = rest[..end].rsplit_once('@') else { return (url.to_owned(), None) };
    (format!("{scheme}://{}", &rest[user.len() + 1..]), Some(user))
}

/// `%2F` is a slash; what is no such escape stays as it is.
pub fn decoded(text: &str) -> Vec<u8> {
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
    fn only_two_digits_are_an_escape() {
        for (text, want) in [
            ("a%2Fb%2f", "a/b/"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            // A sign is no digit.
            ("%+5%-1", "%+5%-1"),
            ("%%41", "%A"),
        ] {
            assert_eq!(decoded(text), want.as_bytes(), "{text}");
        }
        assert_eq!(decoded("%FF"), [0xFF]);
    }

    #[test]
    fn a_user_stands_before_the_host_only() {
        for (url, bare, user) in [
            ("http://a/metrics?x=@", "http://a/metrics?x=@", None),
            ("http://bob:p@w@a:1/m", "http://a:1/m", Some("bob:p@w")),
            ("https://b@a", "https://a", Some("b")),
            ("a@b", "a@b", None),
        ] {
            assert_eq!(apart(url), (bare.to_owned(), user), "{url}");
        }
    }
}
