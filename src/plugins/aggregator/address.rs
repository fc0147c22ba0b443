//! A host's URL: what is shown of it, and what is fetched.

use crate::domain::percent;
use crate::domain::secret::Secret;

/// Where a host's metrics are.
#[derive(Clone, Debug)]
pub struct Address {
    /// As written, without user and password.
    pub shown: String,
    /// What is fetched: the page in JSON. May hold a password.
    pub fetched: Secret,
}

impl Address {
    /// Of a URL as it was written.
    pub fn of(written: &str) -> Address {
        Address { shown: percent::apart(written).0, fetched: Secret::new(in_json(written)) }
    }
}

/// Whatever form the URL asks for, JSON is what can be gathered.
fn in_json(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let Some((page, query)) = url.split_once('?') else { return format!("{url}?format=json") };
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("format="));
    let pairs: Vec<&str> = others.chain(["format=json"]).collect();
    format!("{page}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_fetched_and_no_password_is_shown() {
        for (written, shown, fetched) in [
            ("http://a:1/metrics", "http://a:1/metrics", "http://a:1/metrics?format=json"),
            (
                "http://a/metrics?format=prometheus&x=1",
                "http://a/metrics?format=prometheus&x=1",
                "http://a/metrics?x=1&format=json",
            ),
            (
                "https://u:p%40@a/metrics/v1",
                "https://a/metrics/v1",
                "https://u:p%40@a/metrics/v1?format=json",
            ),
            ("http://u:p@a?q=@", "http://a?q=@", "http://u:p@a?q=@&format=json"),
        ] {
            let address = Address::of(written);
            assert_eq!((address.shown.as_str(), address.fetched.expose()), (shown, fetched));
        }
    }
}
