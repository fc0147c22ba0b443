//! A job's life: the state table as one pure function.
//!
//! Every store calls [`step`] inside its transaction, or is tested against it.
//! A [`Scene`] is all that one event can touch: the job it speaks of, and, where it names a runner that
//! another job's claim pays for or that another job runs on, that other job.

use std::time::Duration;

use super::conclusion::Conclusion;
use super::entry::{Ending, Entry, Hold, Refusal, State};
use super::event::{End, Event, Scene, Told, Verdict};
use super::ids::{ClaimId, JobId, Millis, RunnerName};
use super::job::Job;
use super::scope::Scope;

/// How long until GitHub is asked again about a parked job.
pub const ASK_PARKED: Duration = Duration::from_mins(10);

/// How old a host's "not here" is when it may be asked anew.
pub const REFUSED: Duration = Duration::from_mins(1);

/// One step of a job's life.
pub fn step(scene: Scene, event: &Event, now: Millis) -> (Scene, Told) {
    let mut act = Act { scene, now, told: Told { verdict: Verdict::Known, wake: Vec::new(), work: false } };
    act.told.verdict = act.play(event);
    (act.scene, act.told)
}

struct Act {
    scene: Scene,
    now: Millis,
    told: Told,
}

impl Act {
    fn play(&mut self, event: &Event) -> Verdict {
        match event {
            Event::Queued { job, waiting } => self.queued(job, *waiting),
            Event::Waiting { .. } => self.waiting(),
            Event::Runnable { .. } => self.runnable(),
            Event::Started { job, runner } => self.started(job, runner),
            Event::Completed { job, runner, conclusion } => self.completed(job, runner.as_ref(), conclusion),
            Event::Claim { claim, scope, lease_until, .. } => self.claim(claim, scope, *lease_until),
            Event::Requeue { .. } => self.requeue(),
            Event::Checkpoint { claim, runner } => self.checkpoint(claim, runner),
            Event::Renew { claim, lease_until } => self.touch(claim, |hold| hold.lease_until = *lease_until),
            Event::Release { claim, job, counted, pause } => self.release(claim, *job, *counted, *pause),
            Event::NotHere { claim, voter } => self.not_here(claim, voter),
            Event::Park { claim, job } => self.park(claim, *job),
            Event::Settle { claim, job, end } => self.settle(claim, *job, end),
        }
    }

    fn queued(&mut self, job: &Job, waiting: bool) -> Verdict {
        let queued_at = if waiting { Millis(0) } else { self.now };
        match self.scene.job.as_mut() {
            None => {
                let entry = Entry { queued_at, ..Entry::new(job.clone(), State::Queued, self.now) };
                self.scene.job = Some(entry);
            }
            Some(entry) => match &mut entry.state {
                State::Parked { .. } => {
                    entry.state = State::Queued;
                    entry.queued_at = queued_at;
                }
                State::Claimed(hold) if hold.park && !waiting => {
                    hold.park = false;
                    return Verdict::Stored;
                }
                _ => return Verdict::Known,
            },
        }
        self.told.work = true;
        Verdict::Stored
    }

    fn waiting(&mut self) -> Verdict {
        let parked = State::Parked { ask_at: self.now.plus(ASK_PARKED) };
        let Some(entry) = self.scene.job.as_mut() else { return Verdict::Ignored };
        match &mut entry.state {
            State::Queued => entry.state = parked,
            State::Claimed(hold) if !hold.park => {
                hold.park = true;
                self.told.wake.push(hold.claim.owner.clone());
            }
            // GitHub, asked again, says that it still waits.
            State::Parked { ask_at } if *ask_at <= self.now => entry.state = parked,
            _ => return Verdict::Known,
        }
        Verdict::Stored
    }

    fn runnable(&mut self) -> Verdict {
        let Some(entry) = self.scene.job.as_mut() else { return Verdict::Ignored };
        let State::Parked { .. } = entry.state else { return Verdict::Known };
        entry.state = State::Queued;
        entry.queued_at = self.now;
        self.told.work = true;
        Verdict::Stored
    }

    fn requeue(&mut self) -> Verdict {
        let Some(entry) = self.scene.job.as_mut() else { return Verdict::Ignored };
        let (State::Dead { .. } | State::Parked { .. } | State::Queued) = entry.state else {
            return Verdict::Known;
        };
        entry.state = State::Queued;
        entry.attempts = 0;
        entry.not_before = Millis(0);
        entry.queued_at = Millis(0);
        entry.absent.clear();
        self.told.work = true;
        Verdict::Stored
    }

    /// The job runs on `runner`: on the runner of its own claim, of another job's claim, or of a stranger.
    fn started(&mut self, job: &Job, runner: &RunnerName) -> Verdict {
        let payer = self.take_payer(runner);
        let Some(entry) = self.scene.job.as_mut() else {
            self.told.wake.extend(payer.iter().map(|h| h.claim.owner.clone()));
            let state = State::Running { runner: runner.clone(), hold: payer };
            self.scene.job = Some(Entry::new(job.clone(), state, self.now));
            return Verdict::Stored;
        };
        let (hold, displaced) = match &entry.state {
            State::Claimed(own) if own.runner.as_ref() == Some(runner) => {
                (Some(Hold { park: false, ..own.clone() }), None)
            }
            State::Claimed(own) => (payer, Some(own.clone())),
            State::Running { runner: r, hold: None } if r == runner && payer.is_some() => (payer, None),
            State::Queued | State::Parked { .. } | State::Dead { .. } => (payer, None),
            State::Running { .. } | State::Over(_) => {
                self.put_payer_back(payer);
                return Verdict::Known;
            }
        };
        self.told.wake.extend(hold.iter().chain(&displaced).map(|h| h.claim.owner.clone()));
        let exchanged = hold.is_some();
        entry.state = State::Running { runner: runner.clone(), hold };
        if let Some(own) = displaced.filter(|_| exchanged) {
            self.give_other(own);
        }
        Verdict::Stored
    }

    /// Takes the claim that pays for `runner` off the other job, which is queued again at its old age.
    fn take_payer(&mut self, runner: &RunnerName) -> Option<Hold> {
        let other = self.scene.other.as_mut().filter(|other| other.pays_for(runner))?;
        match &mut other.state {
            State::Claimed(hold) => {
                let hold = hold.clone();
                other.state = freed(hold.park, self.now);
                self.told.work |= !hold.park;
                Some(Hold { park: false, ..hold })
            }
            // It was cancelled, and its runner took another job before it could be removed.
            State::Over(ending) if ending.runner.as_ref() != Some(runner) => ending.hold.take(),
            _ => None,
        }
    }

    /// Undoes [`Act::take_payer`]: the event turned out to be old news.
    fn put_payer_back(&mut self, payer: Option<Hold>) {
        let (Some(hold), Some(other)) = (payer, self.scene.other.as_mut()) else { return };
        match &mut other.state {
            State::Over(ending) => ending.hold = Some(hold),
            state => {
                let park = matches!(state, State::Parked { .. });
                *state = State::Claimed(Hold { park, ..hold });
            }
        }
        self.told.work = false;
    }

    /// The exchange: the claim that lost its job to another's runner takes over that other's job, where the VM
    /// made for the one serves the other as well. Else it is lost, and its handler looks for another job.
    fn give_other(&mut self, hold: Hold) {
        let (Some(entry), Some(other)) = (&self.scene.job, self.scene.other.as_mut()) else { return };
        if !may_exchange(&hold, &entry.job, &other.job) {
            return;
        }
        match &mut other.state {
            State::Queued => other.state = State::Claimed(Hold { park: false, ..hold }),
            State::Parked { .. } => other.state = State::Claimed(Hold { park: true, ..hold }),
            _ => return,
        }
        self.told.work = false;
    }

    fn completed(&mut self, job: &Job, runner: Option<&RunnerName>, conclusion: &Conclusion) -> Verdict {
        if matches!(self.scene.job.as_ref().map(|e| &e.state), Some(State::Over(_))) {
            return Verdict::Known;
        }
        if let Some(runner) = runner {
            // The `in_progress` may have been lost: whoever ran it, it ran there first.
            self.started(job, runner);
        }
        let now = self.now;
        let entry = self.scene.job.get_or_insert_with(|| Entry::new(job.clone(), State::Queued, now));
        let hold = entry.hold().cloned();
        self.told.wake.extend(hold.iter().map(|h| h.claim.owner.clone()));
        let runner = runner.cloned().or_else(|| match &entry.state {
            State::Running { runner, .. } => Some(runner.clone()),
            _ => None,
        });
        entry.state = State::Over(Ending { conclusion: conclusion.clone(), runner, at: now, hold });
        Verdict::Stored
    }

    fn claim(&mut self, claim: &ClaimId, scope: &Scope, lease_until: Millis) -> Verdict {
        let Some(entry) = self.scene.job.as_mut() else { return Verdict::Lost };
        if entry.held_by(claim) {
            return Verdict::Known;
        }
        let State::Queued = entry.state else { return Verdict::Lost };
        let (claim, scope) = (claim.clone(), Some(scope.clone()));
        entry.state = State::Claimed(Hold { claim, scope, runner: None, park: false, lease_until });
        Verdict::Stored
    }

    fn mine(&mut self, claim: &ClaimId) -> Option<&mut Entry> {
        self.scene.job.as_mut().filter(|entry| entry.held_by(claim))
    }

    fn touch(&mut self, claim: &ClaimId, change: impl FnOnce(&mut Hold)) -> Verdict {
        let Some(hold) = self.mine(claim).and_then(Entry::hold_mut) else { return Verdict::Lost };
        change(hold);
        Verdict::Stored
    }

    fn checkpoint(&mut self, claim: &ClaimId, runner: &RunnerName) -> Verdict {
        let verdict = self.touch(claim, |hold| hold.runner = Some(runner.clone()));
        if verdict == Verdict::Stored {
            self.follow(runner);
        }
        verdict
    }

    /// A VM whose claim was lost is given another one, but its runner took a job in between: the claim moves
    /// to that job, and the one that it was made for is queued again.
    fn follow(&mut self, runner: &RunnerName) {
        let (Some(entry), Some(other)) = (self.scene.job.as_mut(), self.scene.other.as_mut()) else { return };
        let (State::Claimed(own), true) = (&entry.state, other.ran_on(runner)) else { return };
        let (State::Running { hold, .. } | State::Over(Ending { hold, .. })) = &mut other.state else {
            return;
        };
        if hold.is_some() {
            return;
        }
        self.told.wake.push(own.claim.owner.clone());
        *hold = Some(Hold { park: false, ..own.clone() });
        self.told.work = !own.park;
        entry.state = freed(own.park, self.now);
    }

    fn release(&mut self, claim: &ClaimId, job: Option<JobId>, counted: bool, pause: Duration) -> Verdict {
        let now = self.now;
        let Some(entry) = self.mine(claim) else { return Verdict::Lost };
        // Of the job that a crossing has brought, that is not said.
        let is_meant = job.is_none_or(|job| job == entry.job.id);
        let (counted, pause) = if is_meant { (counted, pause) } else { (false, Duration::ZERO) };
        match &mut entry.state {
            State::Claimed(hold) => {
                let parked = hold.park;
                entry.state = freed(parked, now);
                entry.attempts += u32::from(counted);
                entry.not_before = now.plus(pause);
                self.told.work = !parked;
            }
            // It runs, or is over: the claim ends, the job's own end is GitHub's word.
            State::Running { hold, .. } | State::Over(Ending { hold, .. }) => *hold = None,
            _ => return Verdict::Lost,
        }
        Verdict::Stored
    }

    fn not_here(&mut self, claim: &ClaimId, voter: &str) -> Verdict {
        let (voters, now) = (self.scene.voters.clone(), self.now);
        let Some(entry) = self.mine(claim) else { return Verdict::Lost };
        let State::Claimed(_) = entry.state else { return Verdict::Known };
        refuse(entry, voter, now);
        if all_absent(entry, &voters) {
            return Verdict::Unanimous;
        }
        self.release(claim, None, false, Duration::ZERO)
    }

    fn park(&mut self, claim: &ClaimId, job: Option<JobId>) -> Verdict {
        let meant = self.mine(claim).filter(|entry| job.is_none_or(|job| job == entry.job.id));
        if let Some(State::Claimed(hold)) = meant.map(|entry| &mut entry.state) {
            hold.park = true;
        }
        self.release(claim, None, false, Duration::ZERO)
    }

    fn settle(&mut self, claim: &ClaimId, job: JobId, end: &End) -> Verdict {
        let now = self.now;
        let Some(entry) = self.mine(claim) else { return Verdict::Lost };
        if entry.job.id != job {
            // A crossing came in between: what is said of the one job is not so of the other.
            return self.release(claim, None, false, Duration::ZERO);
        }
        let runner = match &mut entry.state {
            // A job that runs is not given up: the claim ends, its own end is GitHub's word.
            State::Running { hold, .. } if matches!(end, End::Dead(_)) => {
                *hold = None;
                return Verdict::Stored;
            }
            State::Over(ending) => {
                ending.hold = None;
                return Verdict::Stored;
            }
            State::Running { runner, .. } => Some(runner.clone()),
            _ => None,
        };
        entry.state = match end {
            End::Over(conclusion) => {
                State::Over(Ending { conclusion: conclusion.clone(), runner, at: now, hold: None })
            }
            End::Dead(reason) => State::Dead { reason: reason.clone(), at: now },
        };
        Verdict::Stored
    }
}

/// Whether a claim that was made for `own` may hold `other` instead: GitHub gives a runner the jobs of its own scope,
/// and its VM is from the template that its labels name.
fn may_exchange(hold: &Hold, own: &Job, other: &Job) -> bool {
    let in_scope = match &hold.scope {
        Some(scope) => scope.takes(&other.owner, &other.repo),
        None => own.same_repository(other),
    };
    in_scope && own.same_labels(other)
}

/// What becomes of a job whose claim has ended or moved on before it started.
fn freed(parked: bool, now: Millis) -> State {
    if parked { State::Parked { ask_at: now.plus(ASK_PARKED) } } else { State::Queued }
}

/// The job without the voter's word, when that is so old that the template may be there by now. The words of others
/// stand: who is busy for hours could not say his again.
pub fn taken_back(entry: &Entry, voter: &str, now: Millis) -> Option<Entry> {
    let is_old = |said: &Refusal| said.voter == voter && now.since(said.at) >= REFUSED;
    let mut anew =
        Some(entry).filter(|entry| entry.state == State::Queued && entry.absent.iter().any(is_old))?.clone();
    anew.absent.retain(|said| said.voter != voter);
    Some(anew)
}

fn refuse(entry: &mut Entry, voter: &str, now: Millis) {
    entry.absent.retain(|said| said.voter != voter);
    entry.absent.push(Refusal { voter: voter.to_owned(), at: now });
}

/// Whether every live voter has said "not here".
pub fn all_absent(entry: &Entry, voters: &[String]) -> bool {
    voters.iter().all(|voter| entry.refused_by(voter))
}

/// The job once the voter has said "not here" of it without a claim. `None`: that would be the last word, and whoever
/// has it cancels the run.
pub fn passed_by(entry: &Entry, voter: &str, voters: &[String], now: Millis) -> Option<Entry> {
    let mut entry = entry.clone();
    refuse(&mut entry, voter, now);
    Some(entry).filter(|entry| !all_absent(entry, voters))
}

/// Whether somebody may take the job now: it is queued, its pause is over, and the asker's voter has the
/// template, or nobody has (then whoever takes it cancels it).
pub fn claimable(entry: &Entry, voter: &str, voters: &[String], now: Millis) -> bool {
    entry.state == State::Queued
        && entry.not_before <= now
        && (!entry.refused_by(voter) || all_absent(entry, voters))
}
