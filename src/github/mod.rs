//! GitHub, as far as this project knows it: one gate for all calls of a set of credentials, and webhook deliveries.
//!
//! Outward: [`Client`] (shared by all plugins that sign in alike) asks with an [`Asker`], which says how long and
//! against which stop, and signs in by a token or as a GitHub App (`app`); [`runners`], [`runs`], [`hooks`] and the
//! client itself hold the calls, one function each.
//! A limit of GitHub pauses the whole client, a 5xx or a network fault is tried again, and what comes back is
//! an answer or a [`GitHubError`] that says what to do, never a status code to be interpreted by the caller.
//! Inward: [`webhook`] verifies a delivery's signature, and only what is verified can be parsed into an [`Event`].
//!
//! Facts: GitHub's REST description (2022-11-28) and its webhook payloads.

mod address; // where the API is, and what a redirect may lead to
mod answer; // one HTTP answer, as far as it is read
mod app; // signing in as a GitHub App
mod asker; // on whose behalf: patience and stop
mod attempt; // one try of a call: signed, sent, weighed
mod backoff; // pauses between tries
mod call; // the list of calls, counted
mod client; // the gate
pub mod downloads; // the runner's current release
mod error; // what callers decide on
mod event; // a verified delivery's meaning
mod fetch; // the only user of ureq
mod form; // deliveries in GitHub's other content type
pub mod groups; // runner groups by name
mod health; // sign-in refused, GitHub away: said once
pub mod hook_settings; // where a webhook sends what
pub mod hooks; // a webhook's deliveries
pub mod just_in_time; // runners that GitHub makes by one call
mod options; // what a client is made of
mod pause; // one limit for all
mod proxy; // which proxy, if any
mod quota; // what is left of the primary limit
mod rate_limit; // an answer's verdict; pure
mod refusal; // why GitHub does not sign us in
mod request; // one call, as it is asked
pub mod runners; // registration, look-up, removal
pub mod runs; // jobs and runs: look-up, cancel
pub mod webhook; // signatures
pub mod whoami; // as whom the credentials sign in, and whether a scope's runners can be seen

pub use crate::domain::secret::Secret;
pub use app::{Installation, is_same_key};
pub use asker::{Asker, GRACE, Watcher};
pub use call::Call;
pub use client::Client;
pub use error::GitHubError;
pub use event::{Action, Event, JobEvent, Unreadable};
pub use options::{AppOptions, Credentials, Limits, Options, OptionsFault, Proxies};
pub use quota::Quota;
pub use refusal::Refusal;
