//! A place for the VM: a slot, and the template on this host.

use crate::anka::template::{self, Source};
use crate::anka::{AnkaError, LocalVm};
use crate::domain::ids::VmName;
use crate::domain::job::VmRequest;
use crate::domain::outcome::Reason;
use crate::domain::slots::VmSlot;
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::anka_reason;
use crate::runtime::status::Activity;
use crate::runtime::stop::Stop;

impl Handler {
    /// One look at the host's VMs tells both: who runs, and whether the template is there.
    pub(super) fn place(
        &mut self,
        vm: &VmName,
        request: &VmRequest,
        stop: &Stop,
    ) -> Result<(VmSlot, Source), Reason> {
        let local = self.tools.anka.list(stop).map_err(|error| anka_reason(&error, Reason::AnkaAway))?;
        let running: Vec<String> = local.iter().filter(|vm| vm.running).map(|vm| vm.name.clone()).collect();
        let slot = self.tools.slots.take_vm(vm, &running).map_err(|full| Reason::NoRoom(full.to_string()))?;
        let source = match self.find(&local, request, stop)? {
            Some(source) => source,
            None => self.pull(request, stop)?,
        };
        Ok((slot, source))
    }

    /// The template, if it is on the host with the tag that is asked for. Without a tag the latest is asked for,
    /// and only the registry knows which that is.
    fn find(&self, local: &[LocalVm], request: &VmRequest, stop: &Stop) -> Result<Option<Source>, Reason> {
        let (Some(here), Some(tag)) = (template::find(local, &request.template), request.tag.as_deref())
        else {
            return Ok(None);
        };
        if here.tag.as_deref() == Some(tag) {
            return Ok(Some(Source::current(here)));
        }
        let tags = match self.tools.anka.tags(&here.uuid, stop) {
            Ok(tags) => tags,
            // It went away in between: the registry has the last word.
            Err(AnkaError::NotThere(_)) => return Ok(None),
            Err(error) => return Err(anka_reason(&error, Reason::AnkaAway)),
        };
        Ok(tags.iter().any(|t| t == tag).then(|| Source::tagged(here, tag)))
    }

    /// Pulls the template. At most one pull runs on a host.
    fn pull(&mut self, request: &VmRequest, stop: &Stop) -> Result<Source, Reason> {
        let what = said(request);
        if self.options.skip_pull {
            return Err(Reason::NotHere(format!("{what} is not on this host, and skip_pull is set")));
        }
        let Some(slot) = self.tools.slots.take_pull() else { return Err(Reason::PullTaken) };
        self.tools.cell.set(Activity::Pulling);
        log::info!("pulling {what}");
        let registry = self.options.registry.as_deref();
        let pulled = self.tools.anka.pull(&slot, registry, &request.template, request.tag.as_deref(), stop);
        self.tools.cell.set(Activity::Running);
        match pulled {
            Ok(()) => {
                log::info!("{what} is pulled");
                Ok(Source::named(&request.template, request.tag.as_deref()))
            }
            Err(AnkaError::NotThere(_)) => Err(Reason::NotHere(self.not_in_registry(&what, request, stop))),
            Err(AnkaError::Stopped) => Err(Reason::Stopped),
            Err(error) => Err(self.pull_fault(&error, stop)),
        }
    }

    /// A pull failed: does the registry answer at all?
    fn pull_fault(&self, error: &AnkaError, stop: &Stop) -> Reason {
        match self.tools.anka.registry_answers(self.options.registry.as_deref(), stop) {
            Ok(()) => Reason::PullFailed(error.to_string()),
            Err(AnkaError::Stopped) => Reason::Stopped,
            Err(silent) => Reason::RegistryAway(silent.to_string()),
        }
    }

    fn not_in_registry(&self, what: &str, request: &VmRequest, stop: &Stop) -> String {
        let local = self.tools.anka.list(stop).unwrap_or_default();
        match template::find(&local, &request.template) {
            Some(here) if request.tag.is_none() => format!(
                "the registry does not have {what}; it is on this host, so name its tag to use that: anka-template-tag:{}",
                here.tag.as_deref().unwrap_or("TAG")
            ),
            _ => format!("neither this host nor its registry has {what}"),
        }
    }
}

fn said(request: &VmRequest) -> String {
    match &request.tag {
        Some(tag) => format!("template {} with tag {tag}", request.template),
        None => format!("the latest of template {}", request.template),
    }
}
