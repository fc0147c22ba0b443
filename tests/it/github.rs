//! The client against a server that misbehaves, and deliveries real and strange.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use anklet::domain::scope::Scope;
use anklet::github::{Asker, Client, Credentials, Limits, Options, Proxies, Secret};
use anklet::runtime::stop::{Stop, Urgency};

mod app; // signing in as an App
mod deliveries; // payloads: GitHub's own, older ones, wrong ones
mod gate; // limits, refusals, faults, redirects, stops
mod hooks; // a webhook's deliveries
mod proxy; // a proxy and an authority of one's own before an Enterprise Server
mod runners; // tokens, look-up, removal; jobs and runs
mod server; // answers as it is told to
mod shared; // plugins of one set of credentials
pub mod tls; // whom to trust

const TOKEN: &str = "ghp_notForLogs";

fn client(url: &str) -> Client {
    let limits = Limits { connect: Duration::from_millis(300), call: Duration::from_millis(600) };
    Client::new(options(url, limits)).unwrap()
}

fn options(url: &str, limits: Limits) -> Options {
    Options {
        api_url: url.into(),
        web_url: "https://github.com/".into(),
        credentials: Credentials::Token(Secret::new(TOKEN)),
        authorities: None,
        proxies: Proxies { https: Some(Secret::new("http://127.0.0.1:1")), ..Proxies::default() },
        limits,
    }
}

/// Tries once.
fn once(stop: &Stop) -> Asker<'_> {
    Asker::new(stop, Urgency::Interrupt, Duration::ZERO, &())
}

/// Tries for 20 seconds.
fn patient(stop: &Stop) -> Asker<'_> {
    Asker::new(stop, Urgency::Interrupt, Duration::from_secs(20), &())
}

fn acme() -> Scope {
    Scope::Repository { owner: "acme".into(), repo: "app".into() }
}
