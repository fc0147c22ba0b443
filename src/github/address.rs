//! Where the API is, and which redirects stay there.

use std::fmt::Write;
use std::net::IpAddr;

/// An origin and a path prefix, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    origin: Origin,
    prefix: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Address {
    /// From `https://host[:port][/prefix]`; `None` when it is something else.
    pub(super) fn parse(url: &str) -> Option<Address> {
        let (origin, path) = split(url)?;
        let path = path.trim_end_matches('/');
        (!path.contains(['?', '#'])).then(|| Address { origin, prefix: path.to_owned() })
    }

    /// The URL of a path of the API.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin.text(), self.prefix)
    }

    /// The URL that `Location` means, when it is on the same scheme, host and port.
    pub(super) fn follow(&self, location: &str) -> Option<String> {
        if location.starts_with('/') && !location.starts_with("//") {
            return is_clean(location).then(|| format!("{}{location}", self.origin.text()));
        }
        let (origin, path) = split(location)?;
        (origin == self.origin).then(|| format!("{}{path}", origin.text()))
    }

    pub(super) fn host(&self) -> &str {
        &self.origin.host
    }

    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl Origin {
    fn text(&self) -> String {
        let (scheme, usual) = if self.https { ("https", 443) } else { ("http", 80) };
        let port = if self.port == usual { String::new() } else { format!(":{}", self.port) };
        format!("{scheme}://{}{port}", self.host)
    }
}

/// Origin, and path with query.
fn split(url: &str) -> Option<(Origin, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if !is_clean(url) || authority.contains('@') {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, if https { 443 } else { 80 }),
    };
    let known = !host.is_empty() && (host.starts_with('[') == host.ends_with(']'));
    known.then(|| (Origin { https, host: host.to_ascii_lowercase(), port }, path))
}

fn is_clean(url: &str) -> bool {
    url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// A path segment: what a name of GitHub does not hold is percent-encoded.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    match out.as_str() {
        "." | ".." => out.replace('.', "%2E"),
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_kind_of_github() {
        let url = |base: &str| Address::parse(base).unwrap().url("/user");
        assert_eq!(url("https://api.github.com"), "https://api.github.com/user");
        assert_eq!(url("https://GHE.acme.com/api/v3/"), "https://ghe.acme.com/api/v3/user");
        assert_eq!(url("http://127.0.0.1:8321"), "http://127.0.0.1:8321/user");
        assert_eq!(url("http://[::1]:81"), "http://[::1]:81/user");
        for bad in
            ["api.github.com", "ftp://x", "https://", "https://a:b@c", "https://x/?q", "https://x:99999"]
        {
            assert_eq!(Address::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_the_same_scheme_host_and_port_is_followed() {
        let api = Address::parse("https://ghe.acme.com/api/v3").unwrap();
        let to = |location: &str| api.follow(location);
        assert_eq!(
            to("/api/v3/repositories/5?page=2").unwrap(),
            "https://ghe.acme.com/api/v3/repositories/5?page=2"
        );
        assert_eq!(to("HTTPS://GHE.acme.com:443/x").unwrap(), "https://ghe.acme.com/x");
        for other in [
            "http://ghe.acme.com/x",
            "https://ghe.acme.com:444/x",
            "https://evil.com/x",
            "//evil.com/x",
            "https://ghe.acme.com@evil.com/",
            "https://ghe.acme.com.evil.com/",
            "/\\evil.com",
            "x",
        ] {
            assert_eq!(to(other), None, "{other}");
        }
    }

    #[test]
    fn loopback_and_segments() {
        let loopback = |url: &str| Address::parse(url).unwrap().is_loopback();
        assert!(loopback("http://127.0.0.9:1") && loopback("http://[::1]") && loopback("http://LocalHost"));
        assert!(!loopback("https://127.0.0.1.evil.com"));
        assert_eq!(segment("a b/ü"), "a%20b%2F%C3%BC");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("octo-org.x"), "octo-org.x");
    }
}
