//! Schedules: made from a seed, and made shorter while they still fail.

use crate::life::dice::Dice;

/// What becomes of a call of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is done and answered.
    Done,
    /// It is done, and the answer is lost.
    Lost,
    /// It is not done.
    Away,
    /// A delivery comes between its reading and its writing.
    During(u8),
}

/// One step. Numbers choose among what there is; a step that does not apply does nothing, so that any part of a
/// schedule is a schedule.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// GitHub has a new job; a person must approve it first; its labels are the larger set.
    Order { waits: bool, large: bool },
    /// A person approves.
    Approve(u8),
    /// A person cancels.
    Cancel(u8),
    /// GitHub gives a queued job to a free runner; to a stranger's when there is none, or the last is chosen.
    Give(u8, u8),
    /// A job that runs is over.
    Finish(u8),
    /// A delivery arrives; it may come again.
    Deliver { which: u8, again: bool },
    /// Time passes.
    Pass(u16),
    /// A handler takes its next step; 0: it gives up where it may.
    Act { handler: u8, choice: u8, fate: Fate },
    /// Its daemon dies, and is started again.
    Crash(u8),
    /// Its waiting thread renews its leases.
    Renew(u8),
    /// It asks GitHub about a job whose handler is gone.
    AskAbandoned(u8),
    /// It asks GitHub about the jobs that wait for a person.
    AskParked,
    /// It does what follows from the answer.
    TakeOver(u8, Fate),
}

/// A schedule of this length.
pub fn schedule(dice: &mut Dice, length: usize) -> Vec<Step> {
    (0..length).map(|_| step(dice)).collect()
}

fn step(dice: &mut Dice) -> Step {
    let byte = |dice: &mut Dice| dice.roll(256) as u8;
    match dice.roll(40) {
        0 | 1 => Step::Order { waits: dice.one_in(5), large: dice.one_in(3) },
        2 => Step::Approve(byte(dice)),
        3 if dice.one_in(2) => Step::Cancel(byte(dice)),
        3..=6 => Step::Give(byte(dice), byte(dice)),
        7 | 8 => Step::Finish(byte(dice)),
        9..=15 => Step::Deliver { which: byte(dice), again: dice.one_in(3) },
        16 => Step::Pass(dice.roll(8_000) as u16),
        17 => Step::Crash(byte(dice)),
        18 | 19 => Step::Renew(byte(dice)),
        20 | 21 => Step::AskAbandoned(byte(dice)),
        22 => Step::TakeOver(byte(dice), fate(dice)),
        23 => Step::AskParked,
        _ => Step::Act { handler: byte(dice), choice: dice.roll(12) as u8, fate: fate(dice) },
    }
}

fn fate(dice: &mut Dice) -> Fate {
    match dice.roll(12) {
        0 => Fate::Lost,
        1 => Fate::Away,
        2..=4 => Fate::During(dice.roll(256) as u8),
        _ => Fate::Done,
    }
}

/// The schedule without what it fails without: first in large pieces, then step by step.
pub fn shortened(schedule: &[Step], fails: impl Fn(&[Step]) -> bool) -> Vec<Step> {
    let mut left = schedule.to_vec();
    let mut piece = left.len() / 2;
    while piece > 0 {
        let mut from = 0;
        while from < left.len() {
            let mut shorter = left.clone();
            shorter.drain(from..(from + piece).min(left.len()));
            if fails(&shorter) {
                left = shorter;
            } else {
                from += piece;
            }
        }
        piece /= 2;
    }
    left
}
