//! Templates: what is on this host, and the rule that says whether to use it, to pull, or to give up.

use serde_json::Value;

use super::client::{Anka, Call};
use super::envelope;
use super::error::AnkaError;
use super::vm::Vm;
use crate::domain::job::VmRequest;

/// Length and hyphens of a UUID's text.
const UUID_LENGTH: usize = 36;
const UUID_HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// What is on this host of what a job asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// No such template.
    Missing,
    /// The template, but not the tag.
    OtherTags,
    /// The template, and the tag if one is asked for.
    Here {
        /// What `anka clone` calls it.
        template: String,
        /// The tag to name, when it is not the current one.
        tag: Option<String>,
    },
}

/// Whether a pull may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulling {
    /// Where the rule wants one.
    Allowed,
    /// Never: what is here must do (`skip_pull`, or the pull is done).
    Over,
}

/// What the rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Clone it.
    Use {
        /// What `anka clone` calls it.
        template: String,
        /// The tag to name, when it is not the current one.
        tag: Option<String>,
    },
    /// Pull it first.
    Pull {
        /// Whether some tag of the template is here: then naming that tag would need no registry.
        local: bool,
    },
    /// It is not here, and a pull is not allowed.
    NotHere,
}

impl Anka {
    /// What a list of this host's VMs has for a request. One more call only where a tag is wanted that is not
    /// the current one.
    pub fn presence(&self, list: &[Vm], wanted: &VmRequest) -> Result<Presence, AnkaError> {
        let Some((vm, template)) = find(list, &wanted.template) else { return Ok(Presence::Missing) };
        let Some(tag) = &wanted.tag else { return Ok(Presence::Here { template, tag: None }) };
        if vm.tag.as_ref() == Some(tag) {
            return Ok(Presence::Here { template, tag: None });
        }
        match self.tags(&template) {
            Ok(tags) if tags.contains(tag) => Ok(Presence::Here { template, tag: Some(tag.clone()) }),
            Ok(_) => Ok(Presence::OtherTags),
            Err(e) if e.is_not_there() => Ok(Presence::Missing),
            Err(e) => Err(e),
        }
    }

    /// All tags of a template that are on this host.
    pub fn tags(&self, template: &str) -> Result<Vec<String>, AnkaError> {
        let body = self.ask(Call::of("show").arg(template).arg("tag"))?;
        let tag = |item: &Value| item["tag"].as_str().map(str::to_owned);
        match body {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => Ok(items.iter().filter_map(tag).collect()),
            other => Err(envelope::misshapen("show tag", &other)),
        }
    }
}

/// The rule: what is here is used and needs no registry; without a tag the latest is wanted, which always pulls.
pub fn choose(presence: Presence, wanted: &VmRequest, pulling: Pulling) -> Choice {
    match (presence, pulling) {
        (Presence::Here { .. }, Pulling::Allowed) if wanted.tag.is_none() => Choice::Pull { local: true },
        (Presence::Here { template, tag }, _) => Choice::Use { template, tag },
        (other, Pulling::Allowed) => Choice::Pull { local: other == Presence::OtherTags },
        (_, Pulling::Over) => Choice::NotHere,
    }
}

/// How the calls spell a template: a UUID in lower case, as Anka does; a name as it is.
pub fn spelled(template: &str) -> String {
    if is_uuid(template) { template.to_ascii_lowercase() } else { template.to_owned() }
}

fn is_uuid(text: &str) -> bool {
    let fits = |(i, c): (usize, char)| {
        if UUID_HYPHENS.contains(&i) { c == '-' } else { c.is_ascii_hexdigit() }
    };
    text.len() == UUID_LENGTH && text.char_indices().all(fits)
}

/// By UUID in any case, else by name. Never a VM of ours: its disk has another job's secrets.
fn find<'a>(list: &'a [Vm], wanted: &str) -> Option<(&'a Vm, String)> {
    let templates = || list.iter().filter(|vm| !vm.is_ours());
    let by_uuid = templates().find(|vm| vm.uuid.eq_ignore_ascii_case(wanted) && !wanted.is_empty());
    let by_name = || templates().find(|vm| vm.name == wanted).map(|vm| (vm, vm.name.clone()));
    by_uuid.map(|vm| (vm, vm.uuid.clone())).or_else(by_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "a6f24306-2af7-45ed-9d70-3a3c1ee7f03a";

    fn vm(uuid: &str, name: &str) -> Vm {
        Vm { uuid: uuid.into(), name: name.into(), tag: Some("vanilla".into()), running: false }
    }

    #[test]
    fn a_template_is_found_by_uuid_in_any_case_or_by_name_and_is_never_a_job_s_vm() {
        let list = [vm("1", "anklet-vm-x"), vm(UUID, "12.2"), vm("2", "other")];
        let found = |wanted: &str| find(&list, wanted).map(|(_, template)| template);
        assert_eq!(found(&UUID.to_uppercase()).as_deref(), Some(UUID));
        assert_eq!(found("12.2").as_deref(), Some("12.2"));
        assert_eq!(found("OTHER"), None);
        assert_eq!(found("anklet-vm-x"), None);
        assert_eq!(found("1"), None);
        assert_eq!(spelled(&UUID.to_uppercase()), UUID);
        assert_eq!(spelled("Xcode 15"), "Xcode 15");
        assert_eq!(spelled("A6F24306-2AF7-45ED-9D70-3A3C1EE7F03Z"), "A6F24306-2AF7-45ED-9D70-3A3C1EE7F03Z");
    }

    #[test]
    fn the_rule_case_by_case() {
        let here = |tag: Option<&str>| Presence::Here { template: "T".into(), tag: tag.map(str::to_owned) };
        let used = |tag: Option<&str>| Choice::Use { template: "T".into(), tag: tag.map(str::to_owned) };
        let cases = [
            (here(None), true, Pulling::Allowed, used(None)),
            (here(Some("v1")), true, Pulling::Allowed, used(Some("v1"))),
            (here(None), false, Pulling::Allowed, Choice::Pull { local: true }),
            (here(None), false, Pulling::Over, used(None)),
            (Presence::OtherTags, true, Pulling::Allowed, Choice::Pull { local: true }),
            (Presence::OtherTags, true, Pulling::Over, Choice::NotHere),
            (Presence::Missing, true, Pulling::Allowed, Choice::Pull { local: false }),
            (Presence::Missing, false, Pulling::Allowed, Choice::Pull { local: false }),
            (Presence::Missing, false, Pulling::Over, Choice::NotHere),
        ];
        for (presence, tagged, pulling, want) in cases {
            let wanted = VmRequest { template: "T".into(), tag: tagged.then(|| "v1".into()) };
            let case = format!("{presence:?} {tagged} {pulling:?}");
            assert_eq!(choose(presence, &wanted, pulling), want, "{case}");
        }
    }
}
