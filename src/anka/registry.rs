//! The registry: what it has, whether it answers, and the pull, which has no time limit but must go on.

use std::time::Instant;

use crossbeam_channel::{at, never, select};
use serde_json::Value;

use super::client::{Anka, Call};
use super::command::{Ran, Running, Sink};
use super::envelope;
use super::error::AnkaError;
use super::facts::Facts;
use super::template::spelled;
use crate::domain::slots::PullSlot;
use crate::runtime::effect::{Effect, effect};

/// One registry, or Anka's default.
#[derive(Clone)]
pub struct Registry {
    anka: Anka,
    name: Option<String>,
}

/// A template of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryTemplate {
    /// Anka's id; empty when absent.
    pub id: String,
    /// Its name; empty when absent.
    pub name: String,
    /// Its latest tag.
    pub latest: Option<String>,
}

impl Anka {
    /// The registry of this name or URL; none: Anka's default.
    pub fn registry(&self, name: Option<&str>) -> Registry {
        Registry { anka: self.clone(), name: name.map(str::to_owned) }
    }

    /// Name or URL of Anka's default registry.
    pub fn default_registry(&self) -> Result<Option<String>, AnkaError> {
        let body = self.ask(Call::of("registry").arg("--list"))?;
        let is_default = |item: &&Value| item["default"] == true || item["default"] == "true";
        let found = body.as_array().and_then(|items| items.iter().find(is_default));
        Ok(found.and_then(|item| item["name"].as_str().or(item["url"].as_str())).map(str::to_owned))
    }
}

impl Registry {
    /// All templates.
    pub fn list(&self) -> Result<Vec<RegistryTemplate>, AnkaError> {
        match self.anka.ask(self.call("list"))? {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => Ok(items.iter().filter(|i| i.is_object()).map(read_template).collect()),
            other => Err(envelope::misshapen("registry list", &other)),
        }
    }

    /// Size and cores of a template.
    pub fn show(&self, template: &str, tag: Option<&str>) -> Result<Facts, AnkaError> {
        let call = self.call("show").opt("-t", tag).arg(spelled(template));
        self.anka.ask(call).map(|body| Facts::read(&body))
    }

    /// Pulls a template; no tag: the latest.
    /// Errors: `NotThere` when the registry has no such template or tag, `Stalled` when it goes no further.
    pub fn pull(&self, slot: &PullSlot, template: &str, tag: Option<&str>) -> Result<(), AnkaError> {
        let call = self.call("pull").opt("-t", tag).arg(spelled(template)).on_pull(slot.share());
        effect(Effect::Anka("registry"), || {
            let ran = self.await_pull(self.anka.spawn(call, Sink::Pipes)?)?;
            envelope::body(&ran.out, &ran.err, ran.exit).map(drop)
        })
    }

    fn call(&self, verb: &str) -> Call {
        Call::of("registry").opt("-r", self.name.as_ref()).arg(verb)
    }

    /// Each progress object that says something new gives it the whole time again.
    fn await_pull(&self, pull: Running) -> Result<Ran, AnkaError> {
        let stall = self.anka.options.pull_stall;
        let mut heard = pull.said().map_or_else(never, |said| said.heard().clone());
        let (mut limit, mut last) = (Instant::now() + stall, None);
        loop {
            select! {
                recv(pull.ended()) -> _ => return pull.finish(),
                recv(self.anka.cut) -> _ => { pull.kill(); return Err(AnkaError::Stopped) }
                recv(at(limit)) -> _ => { pull.kill(); return Err(AnkaError::Stalled(stall)) }
                recv(heard) -> said => if said.is_err() { heard = never() }
            }
            let progress = pull.said().and_then(|said| progress(&said.last_line()));
            if progress.is_some() && progress != last {
                (limit, last) = (Instant::now() + stall, progress);
            }
        }
    }
}

/// A line that is an object.
fn progress(line: &[u8]) -> Option<Value> {
    serde_json::from_slice(line).ok().filter(Value::is_object)
}

fn read_template(item: &Value) -> RegistryTemplate {
    let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
    let latest = Some(text("latest")).filter(|tag| !tag.is_empty());
    RegistryTemplate { id: text("id"), name: text("name"), latest }
}
