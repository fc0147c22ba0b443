//! `anka registry`: what is in it, and pulls with progress.

use super::answer::{Refusal, Reply};
use super::args::RegistryCall;
use super::vm;
use super::world::{self, Pushed, Registry, Vm, World};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

pub fn answer(dir: &Path, registry: Option<&str>, call: &RegistryCall) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    match call {
        RegistryCall::Registries => Ok(Reply::body(
            world
                .registries
                .iter()
                .map(|one| json!({ "default": one.default, "url": one.url, "name": one.name }))
                .collect(),
        )),
        RegistryCall::List => {
            super::take_time(&world, "registry list");
            let pushed = reached(&world, registry)?.templates.iter();
            let row = |t: &Pushed| json!({ "latest": t.tags.last(), "id": t.id, "name": t.name });
            Ok(Reply::body(pushed.map(row).collect()))
        }
        RegistryCall::Show { tag, template } => {
            let pushed = pushed(reached(&world, registry)?, template, tag.as_deref())?;
            let tag = tag.as_deref().or(pushed.tags.last().map(String::as_str));
            let mut body = json!({ "uuid": pushed.id, "name": pushed.name, "version": tag });
            if !pushed.hardware.bare {
                vm::extend(&mut body, vm::hardware(&pushed.hardware));
            }
            Ok(Reply::body(body))
        }
        RegistryCall::Pull { tag, local: true, template, .. } => make_current(dir, template, tag.as_deref()),
        RegistryCall::Pull { tag, shrink, template, .. } => {
            let pushed = pushed(reached(&world, registry)?, template, tag.as_deref())?;
            let tag = tag.clone().or_else(|| pushed.tags.last().cloned());
            let ms = world.timing_ms.get("registry pull").copied().unwrap_or(0);
            progress(ms, 10);
            World::change(dir, |world| {
                land(world, pushed, tag, *shrink);
                Ok(())
            })?;
            Ok(Reply::body(json!({ "uuid": pushed.id })))
        }
    }
}

/// Progress objects, one a line, over so many milliseconds.
pub fn progress(ms: u64, steps: u64) {
    for step in 1..=steps {
        println!("{}", json!({ "status": "PROGRESS", "progress": step * 100 / steps, "body": {} }));
        let _ = std::io::stdout().flush();
        thread::sleep(Duration::from_millis(ms / steps));
    }
}

/// `-l`: a tag that is on the host becomes the current one; nothing is fetched.
fn make_current(dir: &Path, template: &str, tag: Option<&str>) -> Result<Reply, Refusal> {
    World::change(dir, |world| {
        let vm = world.vm_mut(template)?;
        match tag {
            Some(tag) if !vm.tags.iter().any(|have| have == tag) => {
                Err(Refusal::with_code(3, format!("{template}: tag {tag} not found locally")))
            }
            Some(tag) => {
                vm.current = Some(tag.into());
                Ok(())
            }
            None => Ok(()),
        }
    })?;
    Ok(Reply::done())
}

/// The pulled tag is on the host and current; `shrink` leaves no other.
fn land(world: &mut World, pushed: &Pushed, tag: Option<String>, shrink: bool) {
    if world.vm(&pushed.id).is_err() {
        world.vms.push(Vm {
            hardware: pushed.hardware.clone(),
            runner: pushed.runner.clone(),
            ..world::new_vm(&pushed.name, pushed.id.clone())
        });
    }
    let (Ok(vm), Some(tag)) = (world.vm_mut(&pushed.id), tag) else { return };
    vm.tags.retain(|have| !shrink && *have != tag);
    vm.tags.push(tag.clone());
    vm.current = Some(tag);
}

fn reached<'w>(world: &'w World, wanted: Option<&str>) -> Result<&'w Registry, Refusal> {
    let found = world.registries.iter().find(|one| match wanted {
        Some(wanted) => one.name == wanted || one.url.trim_end_matches('/') == wanted.trim_end_matches('/'),
        None => one.default,
    });
    match found {
        Some(registry) if registry.unreachable => {
            Err(Refusal::plain(format!("{}: connection refused", registry.url)))
        }
        Some(registry) => Ok(registry),
        None => Err(Refusal::plain("no such registry")),
    }
}

/// "No such template" and "no such tag" are both code 3.
fn pushed<'w>(registry: &'w Registry, template: &str, tag: Option<&str>) -> Result<&'w Pushed, Refusal> {
    let found = registry
        .templates
        .iter()
        .find(|t| t.name == template || t.id.eq_ignore_ascii_case(template))
        .ok_or_else(|| Refusal::with_code(3, format!("{template}: not in the registry")))?;
    match tag {
        Some(tag) if !found.tags.iter().any(|have| have == tag) => {
            Err(Refusal::with_code(3, format!("{template}: no tag {tag} in the registry")))
        }
        _ => Ok(found),
    }
}
