//! Steps: read, decide, write if nothing of what was read has changed; else begin again.

use std::time::{Duration, Instant};

use super::plan::Plan;
use super::pool::VERB;
use super::read::Desk;
use super::script::COMMIT;
use crate::domain::event::{Event, Told};
use crate::runtime::random;
use crate::runtime::stop::breathe;
use crate::store::{StoreError, shelf};

impl Desk {
    /// Writes a plan; false when somebody was faster.
    pub fn commit(&self, plan: &Plan, end: Instant) -> Result<bool, StoreError> {
        let mailboxes: Vec<String> = plan.wake.iter().map(|owner| self.keys.mailbox(owner)).collect();
        let mut call = self.call(&COMMIT, vec![plan.text()?]);
        call.keys.extend(mailboxes.iter().map(String::as_str));
        let written: u8 = self.pool.call(&call, end)?;
        Ok(written == 1)
    }

    /// Plays one event, until nobody is faster.
    pub fn play(&self, event: &Event) -> Result<Told, StoreError> {
        until_done(|end| self.try_play(event, end))
    }

    fn try_play(&self, event: &Event, end: Instant) -> Result<Option<Told>, StoreError> {
        let mut scene = self.scene(event, end)?;
        let now = scene.now;
        let told = shelf::play(&mut scene, event, now)?;
        let mut plan = Plan::of(&scene)?;
        plan.tell(&told);
        if plan.is_empty() || self.commit(&plan, end)? { Ok(Some(told)) } else { Ok(None) }
    }
}

/// Tries until nobody was faster. Whoever was faster has done his step, so that all of them end.
pub fn until_done<T>(
    mut attempt: impl FnMut(Instant) -> Result<Option<T>, StoreError>,
) -> Result<T, StoreError> {
    let end = Instant::now() + VERB;
    let mut tries: u64 = 0;
    loop {
        if let Some(done) = attempt(end)? {
            return Ok(done);
        }
        tries += 1;
        if Instant::now() >= end {
            return Err(StoreError::Away("too many change the same jobs at once".into()));
        }
        if tries > 2 {
            breathe(Duration::from_micros(random::number() % (tries.min(20) * 500)));
        }
    }
}
