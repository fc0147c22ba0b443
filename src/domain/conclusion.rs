//! How GitHub says a job ended.

use std::fmt;

/// The `conclusion` of a completed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// All steps passed.
    Success,
    /// A step failed.
    Failure,
    /// Somebody, or a newer run, cancelled it.
    Cancelled,
    /// Its condition was not met.
    Skipped,
    /// Ended without a verdict.
    Neutral,
    /// Ran into GitHub's own time limit.
    TimedOut,
    /// Waits for a person who never came.
    ActionRequired,
    /// GitHub gave it up.
    Stale,
    /// A word that this version does not know, or none.
    Unknown(String),
}

const WORDS: [(&str, Conclusion); 8] = [
    ("success", Conclusion::Success),
    ("failure", Conclusion::Failure),
    ("cancelled", Conclusion::Cancelled),
    ("skipped", Conclusion::Skipped),
    ("neutral", Conclusion::Neutral),
    ("timed_out", Conclusion::TimedOut),
    ("action_required", Conclusion::ActionRequired),
    ("stale", Conclusion::Stale),
];

/// What a run counts as in the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// `total_successful_runs_since_start`.
    Successful,
    /// `total_failed_runs_since_start`.
    Failed,
    /// `total_canceled_runs_since_start`.
    Canceled,
    /// In no total.
    Uncounted,
}

impl Conclusion {
    /// From GitHub's word.
    pub fn from_text(word: &str) -> Conclusion {
        let known = WORDS.iter().find(|(text, _)| *text == word);
        known.map_or_else(|| Conclusion::Unknown(word.to_owned()), |(_, conclusion)| conclusion.clone())
    }

    /// GitHub's word.
    pub fn as_text(&self) -> &str {
        match self {
            Conclusion::Unknown(word) => word,
            known => WORDS.iter().find(|(_, c)| c == known).map_or("", |(text, _)| text),
        }
    }

    /// The total that a run which ended so belongs to.
    pub fn tally(&self) -> Tally {
        match self {
            Conclusion::Success => Tally::Successful,
            Conclusion::Cancelled => Tally::Canceled,
            Conclusion::Skipped | Conclusion::Neutral | Conclusion::Stale => Tally::Uncounted,
            Conclusion::Failure
            | Conclusion::TimedOut
            | Conclusion::ActionRequired
            | Conclusion::Unknown(_) => Tally::Failed,
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_way_there_and_back() {
        for (word, conclusion) in WORDS {
            assert_eq!(Conclusion::from_text(word), conclusion);
            assert_eq!(conclusion.as_text(), word);
        }
        assert_eq!(Conclusion::from_text("startup_failure").as_text(), "startup_failure");
        assert_eq!(Conclusion::from_text("startup_failure").tally(), Tally::Failed);
    }
}
