//! Where GitHub is, for each plugin. A token never goes to a host that the plugin's own address does not name.

use super::reader::Reader;
use crate::config::plugin::Github;
use crate::config::real::{Real, url};

const WEB: &str = "https://github.com";
const API: &str = "https://api.github.com";

/// An address at the plugin overrides both addresses at the top; the API's is derived where it is not written.
pub(super) fn resolve(reader: &Reader<'_>) -> Github {
    let own_url = of(reader, "github_url", Level::Plugin);
    let top_url = of(reader, "github_url", Level::Top);
    let own_api = of(reader, "github_api_url", Level::Plugin);
    let top_api = of(reader, "github_api_url", Level::Top).filter(|_| own_url.is_none());
    let url = own_url.or(top_url).unwrap_or_else(|| WEB.to_owned());
    let api_url = own_api.or(top_api).unwrap_or_else(|| derived(&url));
    Github { url, api_url }
}

/// What tells queues of one owner's name on several GitHubs apart; `None` on github.com.
pub(super) fn queue_host(github: &Github) -> Option<&str> {
    let authority = github.url.split_once("://").map_or("", |(_, authority)| authority);
    (github.url != WEB).then_some(authority)
}

#[derive(Clone, Copy)]
enum Level {
    Plugin,
    Top,
}

fn of(reader: &Reader<'_>, name: &str, level: Level) -> Option<String> {
    let written = match level {
        Level::Plugin => reader.own(name),
        Level::Top => reader.top(name).or_else(|| reader.global(name)),
    };
    match reader.convert(name, &written?) {
        Some(Real::Text(url)) => Some(normal(url)),
        _ => None,
    }
}

/// One address of github.com, however it is written.
fn normal(url: String) -> String {
    match url.as_str() {
        "https://www.github.com" | "https://github.com:443" => WEB.to_owned(),
        _ => url,
    }
}

fn derived(web: &str) -> String {
    let authority = web.split_once("://").map_or("", |(_, authority)| authority);
    let host = url::host_and_port(authority).map_or(String::new(), |(host, _)| host);
    if web == WEB {
        API.to_owned()
    } else if host.ends_with(".ghe.com") && !host.starts_with("api.") {
        format!("https://api.{authority}")
    } else {
        format!("{web}/api/v3")
    }
}
