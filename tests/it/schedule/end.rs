//! How a turn ends: the runner goes, then the VM, then the claim; and how an earlier life's is ended.

use std::time::Duration;

use anklet::domain::entry::{Entry, State};
use anklet::domain::event::{End as Settled, Event, Verdict};
use anklet::domain::ids::JobId;

use super::github::Stand;
use super::handler::{End, Phase, Work};
use super::stage::{Done, Stage};
use super::steps::Fate;
use super::watch::{News, ran};

impl Stage<'_> {
    /// Removing the runner first is the proof that no job runs in the VM.
    pub(super) fn clean(&mut self, at: usize, end: End) -> Done {
        let Some(page) = self.handlers[at].page.clone() else {
            self.handlers[at].phase = Phase::Deleted(end);
            return Ok(());
        };
        let gone = self.handlers[at].work.as_ref().is_some_and(|work| work.gone);
        if page.runner && !gone && !self.github.remove(&page.vm) {
            self.handlers[at].phase = Phase::Busy;
            return Ok(());
        }
        if let Some(job) = self.github.runs_on(&page.vm) {
            return Err(format!("the VM of {} is deleted while job {job} runs in it", page.vm));
        }
        self.handlers[at].phase = Phase::Deleted(end);
        Ok(())
    }

    pub(super) fn busy(&mut self, at: usize) {
        // What was settled before is no longer so.
        self.handlers[at].page.as_mut().unwrap().verdict = None;
        let news = self.news(at);
        let (vm, work) = (self.handlers[at].runner().unwrap(), self.handlers[at].work.as_mut().unwrap());
        if news == News::Running {
            self.handlers[at].phase = Phase::Running;
        } else if news == News::Over && ran(work) {
            work.gone = true;
            self.handlers[at].phase = Phase::Cleaning(End::Over);
        } else if self.github.runs_on(&vm).is_none() {
            self.handlers[at].phase = Phase::Cleaning(End::Uncounted);
        }
    }

    /// A job that was given up may have run after all.
    pub(super) fn finish(&mut self, at: usize, mut end: End, fate: Fate) -> Done {
        let page = self.handlers[at].page.clone();
        if let Some(verdict) = page.as_ref().and_then(|page| page.verdict.clone()) {
            self.handlers[at].phase = Phase::Ending(Box::new(verdict));
            return Ok(());
        }
        if end != End::Over {
            if page.is_some_and(|page| page.runner) {
                self.ask(at, fate)?;
            }
            let news = self.news(at);
            let work = self.handlers[at].work.as_ref().unwrap();
            match news {
                News::Running if matches!(&work.entry.state, State::Running { runner, .. } if *runner == work.vm) =>
                {
                    self.handlers[at].phase = Phase::Running;
                    return Ok(());
                }
                News::Over if ran(work) => end = End::Over,
                News::Over | News::Parked | News::Lost | News::Running
                    if matches!(end, End::GiveUp | End::Counted) =>
                {
                    end = End::Uncounted;
                }
                _ => {}
            }
        }
        let Some(event) = self.closing(at, end, fate)? else {
            self.handlers[at].work.as_mut().unwrap().claim = None;
            self.close(at);
            return Ok(());
        };
        self.handlers[at].phase = Phase::Ending(Box::new(event));
        Ok(())
    }

    /// What the store is to be told; `None`: it has been told.
    fn closing(&mut self, at: usize, end: End, fate: Fate) -> Result<Option<Event>, String> {
        let work = self.handlers[at].work.clone().unwrap();
        let (life, job) = (self.handlers[at].life, work.entry.job.id.0);
        let Some(claim) = work.claim.clone() else {
            if end == End::Over && ran(&work) {
                self.counted.add(job, at, life)?;
            }
            return Ok(None);
        };
        let release = |counted| Event::Release {
            claim: claim.clone(),
            job: Some(JobId(job)),
            counted,
            pause: Duration::ZERO,
        };
        let dead =
            Event::Settle { claim: claim.clone(), job: JobId(job), end: Settled::Dead("given up".into()) };
        Ok(Some(match (end, &work.entry.state) {
            (End::Over, State::Over(ending)) => {
                if ran(&work) {
                    self.counted.add(job, at, life)?;
                }
                Event::Settle { claim, job: JobId(job), end: Settled::Over(ending.conclusion.clone()) }
            }
            (End::Over | End::Uncounted, _) => release(false),
            (End::Counted, _) => release(true),
            (End::Park, _) => Event::Park { claim, job: Some(JobId(job)) },
            (End::GiveUp, _) => {
                self.github.cancel_job(job);
                dead
            }
            (End::NotHere, _) => {
                let voter = self.handlers[at].voter.to_owned();
                match self.apply(Event::NotHere { claim: claim.clone(), voter }, fate)? {
                    Some(Verdict::Unanimous) => {
                        self.github.cancel_job(job);
                        dead
                    }
                    // It is over meanwhile: the claim ends as any other.
                    Some(Verdict::Known) | None => release(false),
                    Some(_) => return Ok(None),
                }
            }
        }))
    }

    pub(super) fn end(&mut self, at: usize, event: Event, fate: Fate) -> Done {
        let told = self.apply(event.clone(), fate)?.is_some();
        if told {
            self.close(at);
            return Ok(());
        }
        if let Some(page) = &mut self.handlers[at].page {
            page.verdict = Some(event);
        }
        Ok(())
    }

    fn close(&mut self, at: usize) {
        let handler = &mut self.handlers[at];
        (handler.page, handler.work, handler.phase) = (None, None, Phase::Idle);
    }

    /// The journal's page of an earlier life: what became of its job?
    pub(super) fn recover(&mut self, at: usize, fate: Fate) -> Done {
        let page = self.handlers[at].page.clone().unwrap();
        let held = self.held(&page.claim);
        let claim = held.is_some().then(|| page.claim.clone());
        let entry = held.unwrap_or_else(|| Entry::new(page.entry.job.clone(), State::Queued, page.entry.age));
        self.handlers[at].work = Some(Work { claim, entry: entry.clone(), vm: page.vm.clone(), gone: false });
        self.handlers[at].phase = Phase::Cleaning(End::Uncounted);
        if !page.runner || page.verdict.is_some() {
            return Ok(());
        }
        let over = matches!(entry.state, State::Over(_)) || self.ask_until_over(at, fate)?;
        let work = self.handlers[at].work.as_mut().unwrap();
        if over {
            work.gone |= ran(work);
            self.handlers[at].phase = Phase::Cleaning(End::Over);
            return Ok(());
        }
        let (stand, _) = self.github.answer(work.entry.job.id.0);
        let known = matches!(&work.entry.state, State::Running { runner, .. } if *runner == work.vm);
        if known || stand == Stand::Runs(page.vm) {
            self.handlers[at].phase = Phase::Running;
        }
        Ok(())
    }
}
