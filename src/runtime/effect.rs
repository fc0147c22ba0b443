//! The closed list of effects on the outer world, with a kill switch that exists in test builds only.
//!
//! Every journal write, `anka` call, GitHub call and store verb is bracketed by [`effect`].
//! Built with `kill-switch`, the daemon dies (as by `kill -9`) at the edge whose number `ANKLET_DIE_AT` names,
//! and appends every edge that it passes to the file that `ANKLET_EFFECTS_FILE` names.

/// What is done to the outer world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A page of a plugin's journal is written or removed.
    Journal(&'static str),
    /// An `anka` command, by its first word.
    Anka(&'static str),
    /// A call of GitHub's API, by its name.
    GitHub(&'static str),
    /// A verb of the store, by its name.
    Store(&'static str),
}

/// Runs `deed` between the two edges of `effect`.
#[cfg(not(feature = "kill-switch"))]
#[inline]
pub fn effect<T>(_effect: Effect, deed: impl FnOnce() -> T) -> T {
    deed()
}

/// Runs `deed` between the two edges of `effect`, and dies at the edge that the environment names.
#[cfg(feature = "kill-switch")]
pub fn effect<T>(effect: Effect, deed: impl FnOnce() -> T) -> T {
    switch::edge(effect, "before");
    let done = deed();
    switch::edge(effect, "after");
    done
}

#[cfg(feature = "kill-switch")]
mod switch {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Effect;

    static PASSED: AtomicU64 = AtomicU64::new(0);
    static SWITCH: OnceLock<(Option<u64>, Option<String>)> = OnceLock::new();

    pub fn edge(effect: Effect, side: &str) {
        let (die_at, file) = SWITCH.get_or_init(read);
        let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        let dies = *die_at == Some(number);
        if let Some(mut out) =
            file.as_ref().and_then(|f| OpenOptions::new().create(true).append(true).open(f).ok())
        {
            let end = if dies { " dies" } else { "" };
            let _ = writeln!(out, "{number} {side} {effect:?}{end}");
        }
        if dies {
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "test builds only; the daemon's own settings come from config"
    )]
    fn read() -> (Option<u64>, Option<String>) {
        let die_at = std::env::var("ANKLET_DIE_AT").ok().and_then(|n| n.parse().ok());
        (die_at, std::env::var("ANKLET_EFFECTS_FILE").ok())
    }
}
