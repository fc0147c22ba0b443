//! What is "not here" is asked once: of jobs that waited at that moment already the same is said without another try.

use std::time::{Duration, Instant};

use crate::domain::absence::Absence;
use crate::domain::entry::Entry;
use crate::domain::ids::Millis;
use crate::domain::job::VmRequest;
use crate::domain::outcome::Reason;
use crate::domain::slots::VmSlot;
use crate::plugins::handler::place::Source;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::work::Work;
use crate::plugins::handler::{Handler, TICK};
use crate::runtime::pace::paced;
use crate::runtime::stop::Stop;

/// Shorter than until a word is taken back: who is asked anew asks anew.
const KEPT: Duration = Duration::from_secs(50);
const MOST: usize = 32;

/// What was learned lately.
#[derive(Default)]
pub(super) struct Absences(Vec<Learned>);

struct Learned {
    until: Instant,
    absence: Absence,
    why: String,
}

impl Absences {
    fn learn(&mut self, absence: Absence, why: &str) {
        self.0.retain(|old| old.absence.request != absence.request);
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(Learned { until: Instant::now() + paced(KEPT), absence, why: why.to_owned() });
    }

    /// All that still counts.
    pub fn all(&mut self) -> Vec<Absence> {
        self.0.retain(|known| known.until > Instant::now());
        self.0.iter().map(|known| known.absence.clone()).collect()
    }

    fn of(&self, entry: &Entry) -> Option<Reason> {
        let known = self.0.iter().find(|known| known.absence.tells_of(entry))?;
        Some(Reason::NotHere(known.why.clone()))
    }
}

impl Handler {
    /// Takes back what was said of waiting jobs a while ago: only who is about to look may, since he says it again.
    pub(super) fn take_back(&mut self) {
        if self.took_back.get_or_insert_with(Instant::now).elapsed() < paced(TICK) {
            return;
        }
        self.took_back = Some(Instant::now());
        match self.tools.store.take_back(&self.options.voter) {
            Ok(()) => self.streaks.worked(Effort::TakeBack),
            Err(error) => self.streaks.failed(
                Effort::TakeBack,
                format_args!("failed to ask anew about jobs whose template was not here: {error}"),
            ),
        }
    }

    /// As [`Handler::place`].
    pub(super) fn place_unless_absent(
        &mut self,
        work: &Work,
        request: &VmRequest,
        stop: &Stop,
    ) -> Result<(VmSlot, Source), Reason> {
        if let Some(reason) = self.absences.of(&work.entry) {
            return Err(reason);
        }
        let began = Instant::now();
        let placed = self.place(&work.vm, request, stop);
        if let Err(Reason::NotHere(why)) = &placed
            && let Ok(now) = self.tools.store.now()
        {
            let passed = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let at = Millis(now.0.saturating_sub(passed));
            self.absences.learn(Absence { request: request.clone(), at }, why);
        }
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_each_once() {
        let mut known = Absences::default();
        let absence =
            |name: String, at| Absence { request: VmRequest { template: name, tag: None }, at: Millis(at) };
        for n in 0..40 {
            known.learn(absence(format!("t{n}"), 1), "");
        }
        known.learn(absence("t39".into(), 2), "");
        let all = known.all();
        assert_eq!((all.len(), all[0].request.template.as_str(), all[31].at), (MOST, "t8", Millis(2)));
        known.0[0].until = Instant::now();
        assert_eq!(known.all().len(), MOST - 1);
    }
}
