//! Signing in as a GitHub App: its own token signs the call for an installation's, which signs all others.

mod installation; // finding it, and its token
mod key; // what signs the App's own token
mod place; // what an installation has on a scope
mod skew; // GitHub's clock and ours

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::asker::Asker;
use super::options::{AppOptions, OptionsFault};
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;
use key::AppKey;

pub use key::is_same_key;
pub use place::Installation;
pub(super) use skew::{Skew, off};

/// A token is renewed when this much of its life is left, or a tenth of it where that is less.
const RENEWED_BEFORE_END: Duration = Duration::from_mins(5);
/// After a renewal that got no answer, while the old token still lives.
const RENEWED_AGAIN: Duration = Duration::from_secs(30);

/// After a first try that got no answer: nobody waits for it, since nothing was claimed.
const TRIED_AGAIN: Duration = Duration::from_secs(30);

/// An App at one installation.
#[derive(Debug)]
pub(super) struct App {
    pub(super) id: u64,
    key: AppKey,
    /// Where it is looked for when its number was not written: any of them.
    homes: Vec<Scope>,
    state: Mutex<State>,
    turns: (Sender<()>, Receiver<()>),
}

#[derive(Debug, Default)]
struct State {
    installation: Option<u64>,
    token: Option<Token>,
    /// It has had a token before.
    signed_in: bool,
    /// The next first try.
    tried_from: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Token {
    text: Secret,
    renewed_from: Instant,
    ends: Instant,
}

/// The right to renew the token: one at a time.
struct Turn<'a>(&'a Sender<()>);

impl App {
    pub(super) fn new(options: &AppOptions) -> Result<App, OptionsFault> {
        let key = AppKey::from_pem(options.private_key.expose()).ok_or(OptionsFault::Key)?;
        let turns = bounded(1);
        let _ = turns.0.send(());
        Ok(App {
            id: options.app_id,
            key,
            homes: options.homes.clone(),
            state: Mutex::new(State { installation: options.installation_id, ..State::default() }),
            turns,
        })
    }

    /// The App's own token, by GitHub's clock.
    pub(super) fn own_token(&self, skew: &Skew) -> Option<Secret> {
        self.key.token(self.id, skew.now())
    }

    /// Drops the installation's token after GitHub refused `token`; another one in its place stays.
    pub(super) fn forget(&self, token: &Secret) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|known| known.text == *token) {
            state.token = None;
        }
    }

    /// The token, unless it is to be renewed first.
    fn fresh(&self) -> Option<Secret> {
        let state = self.state();
        let token = state.token.as_ref().filter(|token| Instant::now() < token.renewed_from)?;
        Some(token.text.clone())
    }

    /// The token, as long as it lives; it is not renewed for a while.
    fn living(&self) -> Option<Secret> {
        let (mut state, now) = (self.state(), Instant::now());
        let token = state.token.as_mut().filter(|token| now < token.ends)?;
        token.renewed_from = now + RENEWED_AGAIN;
        Some(token.text.clone())
    }

    /// A new token, which lives for `life` from now.
    fn keep(&self, text: &Secret, life: Duration) {
        let now = Instant::now();
        let margin = RENEWED_BEFORE_END.min(life / 10);
        let token =
            Token { text: text.clone(), renewed_from: now + life.saturating_sub(margin), ends: now + life };
        let mut state = self.state();
        (state.token, state.signed_in) = (Some(token), true);
    }

    /// Whether to sign in for the first time now; `None`: it has, before.
    fn first_try(&self) -> Option<bool> {
        let state = self.state();
        (!state.signed_in).then(|| state.tried_from.is_none_or(|from| from <= Instant::now()))
    }

    /// The first try came to nothing.
    fn try_later(&self) {
        self.state().tried_from = Some(Instant::now() + TRIED_AGAIN);
    }

    /// `None`: the asker's stop won.
    fn turn(&self, asker: &Asker<'_>) -> Option<Turn<'_>> {
        asker.receive(&self.turns.1).map(|()| Turn(&self.turns.0))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let key = Secret::new(include_str!("../../../tests/keys/app.pem"));
        App::new(&AppOptions { app_id: 7, installation_id: None, private_key: key, homes: Vec::new() })
            .unwrap()
    }

    #[test]
    fn a_token_is_renewed_before_its_end_and_outlives_a_failed_renewal() {
        let (app, text) = (app(), Secret::new("ghs_x"));
        let left = |app: &App| {
            let token = app.state().token.clone().unwrap();
            (token.ends - token.renewed_from).as_secs()
        };
        app.keep(&text, Duration::from_hours(1));
        assert_eq!((left(&app), app.fresh()), (300, Some(text.clone())));
        app.keep(&text, Duration::from_secs(100));
        assert_eq!(left(&app), 10);
        app.state().token.as_mut().unwrap().renewed_from = Instant::now();
        assert_eq!(app.fresh(), None);
        assert_eq!(
            (app.living(), app.fresh()),
            (Some(text.clone()), Some(text.clone())),
            "it is not asked for again at once"
        );
        app.keep(&text, Duration::ZERO);
        assert_eq!((app.fresh(), app.living()), (None, None));
    }

    #[test]
    fn only_the_refused_token_is_forgotten() {
        let (app, text) = (app(), Secret::new("ghs_x"));
        app.keep(&text, Duration::from_hours(1));
        app.forget(&Secret::new("ghs_old"));
        assert_eq!(app.fresh(), Some(text.clone()));
        app.forget(&text);
        assert_eq!(app.fresh(), None);
    }
}
