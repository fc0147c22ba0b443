//! A handler that waits for its job to start, and to end; and what news of it mean.

use anklet::domain::entry::{Entry, State};
use anklet::domain::event::Event;

use super::github::Stand;
use super::handler::{End, Phase, Work};
use super::queue::{Came, Verb};
use super::stage::{Done, Stage};
use super::steps::Fate;

/// What the store says of the job in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    Waiting,
    Parked,
    Running,
    Over,
    Lost,
}

/// Whether the job has ended on the work's own runner.
pub fn ran(work: &Work) -> bool {
    matches!(&work.entry.state, State::Over(ending) if ending.runner.as_ref() == Some(&work.vm))
}

impl Stage<'_> {
    pub(super) fn news(&mut self, at: usize) -> News {
        let work = self.handlers[at].work.clone().unwrap();
        let known = match &work.claim {
            Some(claim) => self.held(claim),
            None => self.of_runner(&work),
        };
        let Some(entry) = known else { return News::Lost };
        let news = match &entry.state {
            State::Claimed(hold) if hold.park => News::Parked,
            State::Running { .. } => News::Running,
            State::Over(_) => News::Over,
            _ => News::Waiting,
        };
        self.handlers[at].work.as_mut().unwrap().entry = entry;
        news
    }

    /// The claim is lost: a job that runs on the VM tells of itself, or that its own is over.
    fn of_runner(&self, work: &Work) -> Option<Entry> {
        let all = self.queue.entries();
        let own = all.get(&work.entry.job.id).filter(|entry| entry.ran_on(&work.vm));
        let other = || {
            let open = all.values().filter(|entry| !matches!(entry.state, State::Over(_)));
            open.into_iter().find(|entry| entry.hold().is_none() && entry.ran_on(&work.vm))
        };
        let over = || all.get(&work.entry.job.id).filter(|entry| matches!(entry.state, State::Over(_)));
        own.or_else(other).or_else(over).cloned()
    }

    /// Whether to go on; else the phase is set.
    pub(super) fn still_to_start(&mut self, at: usize, fate: Fate) -> Result<bool, String> {
        let news = self.news(at);
        self.heed(at, news, fate)
    }

    fn heed(&mut self, at: usize, news: News, fate: Fate) -> Result<bool, String> {
        let end = match news {
            News::Over => End::Uncounted,
            News::Parked => End::Park,
            News::Lost => return self.serve_another(at, fate),
            News::Waiting | News::Running => return Ok(true),
        };
        self.handlers[at].phase = Phase::Cleaning(end);
        Ok(false)
    }

    /// A stranger took the job: the VM first serves another one of equal labels.
    fn serve_another(&mut self, at: usize, fate: Fate) -> Result<bool, String> {
        let work = self.handlers[at].work.as_mut().unwrap();
        let (claim, like, vm) = (work.claim.take(), work.entry.job.clone(), work.vm.clone());
        let lost = Phase::Cleaning(End::Uncounted);
        let Some(claim) = claim else {
            self.handlers[at].phase = lost;
            return Ok(false);
        };
        let verb = Verb::Claim(claim.clone(), self.handlers[at].voter, Some(like));
        let came = self.verb(&verb, fate)?;
        let work = self.handlers[at].work.as_mut().unwrap();
        match came {
            None => work.claim = Some(claim),
            Some(Came::Got(Some(_))) => {
                work.claim = Some(claim.clone());
                if let Some(entry) = self.held(&claim) {
                    self.handlers[at].work.as_mut().unwrap().entry = entry;
                }
                if self.apply(Event::Checkpoint { claim, runner: vm }, fate)?.is_some() {
                    return Ok(true);
                }
            }
            Some(_) => {
                let work = work.clone();
                if let Some(entry) = self.of_runner(&work).filter(|entry| entry.ran_on(&vm)) {
                    self.handlers[at].work.as_mut().unwrap().entry = entry;
                    return Ok(true);
                }
            }
        }
        self.handlers[at].phase = lost;
        Ok(false)
    }

    pub(super) fn wait(&mut self, at: usize, choice: u8, fate: Fate) -> Done {
        let news = self.news(at);
        let work = self.handlers[at].work.as_ref().unwrap();
        match news {
            News::Running => self.handlers[at].phase = Phase::Running,
            News::Over if ran(work) => self.handlers[at].phase = Phase::Running,
            news => {
                let gives_up = match choice {
                    0 => Some(End::Uncounted),
                    1 => Some(End::Counted),
                    2 => Some(End::GiveUp),
                    _ => None,
                };
                if let Some(end) = gives_up {
                    self.handlers[at].phase = Phase::Cleaning(end);
                } else if self.heed(at, news, fate)? && (choice == 3 || self.has_no_runner(at)) {
                    self.ask(at, fate)?;
                    if self.has_no_runner(at) && self.news(at) == News::Waiting {
                        self.has_never_run(at)?;
                        self.handlers[at].phase = Phase::Cleaning(End::Counted);
                    }
                }
            }
        }
        Ok(())
    }

    /// A runner that has done its job is no failed try, once all is told.
    fn has_never_run(&self, at: usize) -> Done {
        let vm = self.handlers[at].runner();
        let ran = self.github.those(|stand| matches!(stand, Stand::Over(_, runner) if *runner == vm));
        if ran.is_empty() || !self.github.has_told_all() {
            return Ok(());
        }
        Err(format!("{vm:?} has run job {ran:?}, and its handler waits on"))
    }

    /// The runner has ended: its job is over, or it was never given one.
    fn has_no_runner(&self, at: usize) -> bool {
        self.handlers[at].runner().is_some_and(|vm| !self.github.is_registered(&vm))
    }

    /// GitHub's answer about the job in hand is played, and says where it stands.
    pub(super) fn ask(&mut self, at: usize, fate: Fate) -> Result<Stand, String> {
        let job = self.handlers[at].work.as_ref().unwrap().entry.job.id.0;
        let (stand, event) = self.github.answer(job);
        self.apply(event, fate)?;
        Ok(stand)
    }

    pub(super) fn watch(&mut self, at: usize, choice: u8, fate: Fate) -> Done {
        let mut over = self.news(at) == News::Over;
        if !over && (choice == 3 || self.has_no_runner(at)) {
            over = self.ask_until_over(at, fate)?;
        }
        if over {
            let work = self.handlers[at].work.as_mut().unwrap();
            work.gone |= ran(work);
            self.handlers[at].phase = Phase::Cleaning(End::Over);
        }
        Ok(())
    }

    /// Whether it is over, by GitHub's word, which the store may not have heard.
    pub(super) fn ask_until_over(&mut self, at: usize, fate: Fate) -> Result<bool, String> {
        let Stand::Over(conclusion, runner) = self.ask(at, fate)? else { return Ok(false) };
        let now = self.queue.now();
        let ending = anklet::domain::entry::Ending { conclusion, runner, at: now, hold: None };
        self.handlers[at].work.as_mut().unwrap().entry.state = State::Over(ending);
        Ok(true)
    }
}
