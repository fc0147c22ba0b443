//! A place for the VM: a slot, and the template on this host.

use std::time::Instant;

use crate::anka::template::{Choice, Pulling, choose};
use crate::anka::{Anka, AnkaError};
use crate::domain::ids::VmName;
use crate::domain::job::VmRequest;
use crate::domain::outcome::Reason;
use crate::domain::slots::{NoRoom, VMS_PER_HOST, VmSlot};
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::anka_reason;
use crate::plugins::handler::streak::Effort;
use crate::runtime::meters;
use crate::runtime::status::Activity;
use crate::runtime::stop::{Stop, Urgency};

/// What is cloned.
pub(super) struct Source {
    /// What `anka clone` calls it.
    pub template: String,
    /// The tag to name, when it is not the current one.
    pub tag: Option<String>,
}

impl Handler {
    /// One look at the host's VMs tells both: who runs, and whether the template is there.
    pub(super) fn place(
        &mut self,
        vm: &VmName,
        request: &VmRequest,
        stop: &Stop,
    ) -> Result<(VmSlot, Source), Reason> {
        let anka = self.anka(stop);
        let known = self.tools.slots.known();
        let began = Instant::now();
        let local = anka.list().map_err(|error| away(&error))?;
        self.delete_again(&anka, began, &local);
        let strange = |name: &String| !known.iter().any(|vm| vm.0 == *name);
        let running = local.iter().filter(|vm| vm.running).map(|vm| vm.name.clone()).filter(strange);
        let slot = self.tools.slots.take_vm(vm, &running.collect::<Vec<_>>()).map_err(no_room);
        self.tools.guests.saw(began, known, &local, &self.tools.slots);
        self.tools.guests.counted(match &slot {
            Err(full @ Reason::NoRoom(_)) => Some(full.to_string()),
            _ => None,
        });
        let slot = slot?;
        let pulling = if self.options.skip_pull { Pulling::Over } else { Pulling::Allowed };
        let here = anka.presence(&local, request).map_err(|error| away(&error))?;
        self.streaks.worked(Effort::start(&Reason::AnkaAway(String::new())));
        let source = match choose(here, request, pulling) {
            Choice::Use { template, tag } => Source { template, tag },
            Choice::Pull { local } => self.pull(&anka, request, local)?,
            Choice::NotHere => {
                return Err(Reason::NotHere(format!(
                    "{} is not on this host, and skip_pull is set",
                    said(request)
                )));
            }
        };
        Ok((slot, source))
    }

    /// Pulls the template. At most one pull runs on a host. `local`: some tag of it is here.
    fn pull(&self, anka: &Anka, request: &VmRequest, local: bool) -> Result<Source, Reason> {
        let what = said(request);
        let Some(slot) = self.tools.slots.take_pull() else { return Err(Reason::PullTaken) };
        let registry = anka.registry(self.options.registry.as_deref());
        self.tools.cell.set(Activity::Pulling);
        log::info!("pulling {what}");
        let timer = meters::TEMPLATE_PULL.timer();
        let pulled = registry.pull(&slot, &request.template, request.tag.as_deref());
        self.tools.cell.set(Activity::Running);
        match pulled {
            Ok(()) => {
                timer.done();
                log::info!("{what} is pulled");
            }
            Err(AnkaError::NotThere(_)) => {
                return Err(Reason::NotHere(not_in_registry(&what, request, local)));
            }
            Err(AnkaError::Stopped) => return Err(Reason::Stopped),
            Err(error) => {
                // Does the registry answer at all?
                return Err(match registry.list() {
                    Ok(_) => Reason::PullFailed(error.to_string()),
                    Err(silent) => anka_reason(&silent, Reason::RegistryAway),
                });
            }
        }
        let local = anka.list().map_err(|error| away(&error))?;
        match choose(anka.presence(&local, request).map_err(|error| away(&error))?, request, Pulling::Over) {
            Choice::Use { template, tag } => Ok(Source { template, tag }),
            _ => Err(Reason::PullFailed(format!(
                "anka says that {what} is pulled, but it is not on this host"
            ))),
        }
    }

    /// Anka, for calls before the job's start: a drain ends them.
    pub(super) fn anka(&self, stop: &Stop) -> Anka {
        self.tools.anka.until(stop.ends_at(Urgency::Drain))
    }
}

/// Own VMs are waited for by looking at the slots; guests only by counting them again later.
fn no_room(full: NoRoom) -> Reason {
    if full.slots >= VMS_PER_HOST { Reason::NoSlot } else { Reason::NoRoom(full.to_string()) }
}

fn away(error: &AnkaError) -> Reason {
    anka_reason(error, Reason::AnkaAway)
}

fn not_in_registry(what: &str, request: &VmRequest, local: bool) -> String {
    if local && request.tag.is_none() {
        return format!(
            "the registry does not have {what}, but this host does: \
             name its tag to use that without a registry (anka-template-tag:…)"
        );
    }
    format!("neither this host nor its registry has {what}")
}

fn said(request: &VmRequest) -> String {
    match &request.tag {
        Some(tag) => format!("template {} with tag {tag}", request.template),
        None => format!("the latest of template {}", request.template),
    }
}
