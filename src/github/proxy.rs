//! Which proxy, if any, stands before an address.

use super::address::Address;
use super::options::Proxies;
use crate::domain::secret::Secret;

impl Proxies {
    /// `HTTPS_PROXY`, else `ALL_PROXY`, unless the host is loopback or in `NO_PROXY`.
    pub(super) fn before(&self, address: &Address) -> Option<&Secret> {
        if address.is_loopback() || self.passes_by(address.host()) {
            return None;
        }
        [&self.https, &self.all].into_iter().flatten().find(|proxy| !proxy.expose().is_empty())
    }

    fn passes_by(&self, host: &str) -> bool {
        self.none_for.split(',').map(str::trim).any(|entry| matches(&entry.to_ascii_lowercase(), host))
    }
}

/// `*` is every host, `.suffix` and `*.suffix` what ends so, `name` itself and what is below it, as curl has it.
fn matches(entry: &str, host: &str) -> bool {
    let name = entry.trim_start_matches('*').trim_start_matches('.');
    if entry == "*" {
        return true;
    }
    !name.is_empty() && host.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(https: Option<&str>, all: Option<&str>, none_for: &str, url: &str) -> Option<String> {
        let secret = |text: Option<&str>| text.map(Secret::new);
        let proxies = Proxies { https: secret(https), all: secret(all), none_for: none_for.into() };
        proxies.before(&Address::parse(url).unwrap()).map(|p| p.expose().to_owned())
    }

    #[test]
    fn https_proxy_wins_and_no_proxy_and_loopback_go_by() {
        let api = "https://api.github.com";
        assert_eq!(chosen(Some("h"), Some("a"), "", api).as_deref(), Some("h"));
        assert_eq!(chosen(None, Some("a"), "acme.com, hub.com", api).as_deref(), Some("a"));
        assert_eq!(chosen(Some(""), Some("a"), "", api).as_deref(), Some("a"));
        assert_eq!(chosen(Some("h"), None, "", "http://127.0.0.1:9"), None);
        for by in ["*", "x, api.GitHub.com", ".github.com", "github.com", "*.github.com"] {
            assert_eq!(chosen(Some("h"), None, by, api), None, "{by}");
        }
    }
}
