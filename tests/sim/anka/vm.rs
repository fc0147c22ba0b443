//! The calls that list, make, start and end VMs.

use super::answer::{Body, Refusal, Reply};
use super::world::{self, Hardware, Vm, World};
use super::{guest, processes, take_time};
use crate::{clock, secret};
use serde_json::json;
use std::fs;
use std::path::Path;

pub fn list(dir: &Path, running: bool, names: &[String]) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    take_time(&world, "list");
    let wanted = if names.is_empty() {
        world.vms.iter().collect()
    } else {
        names.iter().map(|name| world.vm(name)).collect::<Result<Vec<_>, _>>()?
    };
    Ok(Reply::body(wanted.into_iter().filter(|vm| !running || vm.is_running()).map(listed).collect()))
}

pub fn show(dir: &Path, tag: Option<&str>, name: &str) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    take_time(&world, "show");
    let vm = world.vm(name)?;
    if let Some(tag) = tag {
        has_tag(vm, tag)?;
    }
    let mut body = listed(vm);
    if let Some(tag) = tag {
        body["version"] = json!(tag);
    }
    extend(&mut body, hardware(&vm.hardware));
    Ok(Reply::body(body))
}

pub fn tags(dir: &Path, name: &str) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    let vm = world.vm(name)?;
    Ok(Reply::body(vm.tags.iter().map(|tag| json!({ "tag": tag })).collect()))
}

/// The clone is there at the end of the time that it takes, not before.
pub fn clone(dir: &Path, tag: Option<&str>, template: &str, name: &str) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    may_clone(&world, tag, template, name)?;
    take_time(&world, "clone");
    let uuid = secret::random_uuid();
    World::change(dir, |world| {
        may_clone(world, tag, template, name)?;
        let source = world.vm(template)?.clone();
        guest::furnish(dir, &uuid, source.runner.as_deref())?;
        world.vms.push(Vm {
            hardware: source.hardware,
            runner: source.runner,
            ..world::new_vm(name, uuid.clone())
        });
        Ok(())
    })?;
    Ok(Reply::body(json!({ "uuid": uuid, "name": name })))
}

/// The place is taken at once: of two starts at the same time one is refused.
pub fn start(dir: &Path, mount: bool, name: &str) -> Result<Reply, Refusal> {
    let world = World::change(dir, |world| {
        if mount && !mounts(&world.version) {
            return Err(Refusal { code: None, message: "no such option: --mount".into(), exit: 2 });
        }
        let running = world.running();
        if world.vm(name)?.is_running() {
            return Ok(world.clone());
        }
        if running >= world.vm_limit {
            let (message, exit) = (world.limit_message.clone(), world.limit_exit);
            return Err(Refusal { code: Some(exit.into()), message, exit });
        }
        world.vm_mut(name)?.status = "running".into();
        world.peak_running = world.peak_running.max(running + 1);
        Ok(world.clone())
    })?;
    take_time(&world, "start");
    Ok(Reply::done())
}

pub fn stop(dir: &Path, name: &str) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    processes::end(dir, &world.vm(name)?.uuid);
    take_time(&world, "stop");
    World::change(dir, |world| {
        let vm = world.vm_mut(name)?;
        vm.status = "stopped".into();
        vm.stop_date = Some(clock::date());
        Ok(())
    })?;
    Ok(Reply::done())
}

pub fn delete(dir: &Path, tag: Option<&str>, name: &str) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    let uuid = world.vm(name)?.uuid.clone();
    take_time(&world, "delete");
    if let Some(tag) = tag {
        World::change(dir, |world| {
            let vm = world.vm_mut(name)?;
            has_tag(vm, tag)?;
            vm.tags.retain(|have| have != tag);
            if vm.current.as_deref() == Some(tag) {
                vm.current = vm.tags.last().cloned();
            }
            Ok(())
        })?;
        return Ok(Reply::done());
    }
    vanish(dir, &uuid)?;
    Ok(Reply::done())
}

/// Takes a VM with all that runs in it out of the world.
pub fn vanish(dir: &Path, name: &str) -> Result<(), Refusal> {
    let gone = World::change(dir, |world| world.remove(name))?;
    processes::end(dir, &gone.uuid);
    let _ = fs::remove_dir_all(world::vm_folder(dir, &gone.uuid));
    Ok(())
}

pub fn mount(dir: &Path, name: &str) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    if !mounts(&world.version) {
        return Err(Refusal { code: None, message: "no such command: mount".into(), exit: 2 });
    }
    world.running_vm(name)?;
    Ok(Reply::done())
}

/// The fields that `show` has beyond those of `list`.
pub fn hardware(of: &Hardware) -> Body {
    json!({
        "cpu_cores": of.cores, "cpu_frequency": 0, "cpu_htt": false, "arch": of.arch,
        "ram": of.ram_size.to_string(), "ram_size": of.ram_size, "frame_buffers": 1,
        "hard_drive": of.hard_drive, "encrypted": false, "image_size": of.image_size,
        "addons_version": "3.0.0.135.13568747",
    })
}

pub fn extend(body: &mut Body, with: Body) {
    if let (Some(body), Body::Object(with)) = (body.as_object_mut(), with) {
        body.extend(with);
    }
}

fn listed(vm: &Vm) -> Body {
    let mut body = json!({
        "uuid": vm.uuid, "name": vm.name, "creation_date": vm.creation_date, "status": vm.status,
    });
    if let Some(tag) = &vm.current {
        body["version"] = json!(tag);
    }
    if let Some(date) = &vm.stop_date {
        body["stop_date"] = json!(date);
    }
    body
}

fn may_clone(world: &World, tag: Option<&str>, template: &str, name: &str) -> Result<(), Refusal> {
    let source = world.vm(template)?;
    if source.is_running() {
        return Err(Refusal::plain(format!("{template}: is running")));
    }
    if let Some(tag) = tag {
        has_tag(source, tag)?;
    }
    match world.vm(name) {
        Ok(_) => Err(Refusal::with_code(18, format!("{name}: already exists"))),
        Err(_) => Ok(()),
    }
}

fn has_tag(vm: &Vm, tag: &str) -> Result<(), Refusal> {
    if vm.tags.iter().any(|have| have == tag) {
        Ok(())
    } else {
        Err(Refusal::with_code(3, format!("{}: tag {tag} not found", vm.name)))
    }
}

/// Mounts came with 3.9.0.
fn mounts(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (3, 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A world with one template that has two tags, in a folder of its own.
    fn with_world(test: impl FnOnce(&Path)) {
        let dir = std::env::temp_dir().join(format!("anklet-sim-test-{}", secret::random_hex(6)));
        crate::files::make_folder(&dir).unwrap();
        let tags = vec!["v1".into(), "v2".into()];
        let template = Vm { tags, current: Some("v2".into()), ..world::new_vm("m", secret::uuid_of("m")) };
        let world = World { vms: vec![template], ..World::default() };
        crate::files::write_json(&dir.join("world.json"), &world).unwrap();
        test(&dir);
        fs::remove_dir_all(dir).unwrap();
    }

    fn refused(result: Result<Reply, Refusal>) -> Option<u8> {
        result.err().map(|refusal| refusal.exit)
    }

    #[test]
    fn a_third_vm_does_not_start() {
        with_world(|dir| {
            for name in ["a", "b", "c"] {
                clone(dir, None, "m", name).unwrap();
            }
            let started = ["a", "b", "c", "a"].map(|name| refused(start(dir, false, name)));
            assert_eq!(started, [None, None, Some(1), None]);
            assert_eq!(World::load(dir).unwrap().peak_running, 2);
            assert_eq!(refused(delete(dir, None, "a")), None);
            assert_eq!(refused(start(dir, false, "c")), None);
        });
    }

    #[test]
    fn what_is_not_there_is_code_3_and_a_taken_name_18() {
        with_world(|dir| {
            assert_eq!(refused(clone(dir, Some("v1"), "m", "a")), None);
            assert_eq!(refused(clone(dir, Some("v9"), "m", "b")), Some(3));
            assert_eq!(refused(clone(dir, None, "none", "b")), Some(3));
            assert_eq!(refused(clone(dir, None, "m", "a")), Some(18));
            assert_eq!(refused(delete(dir, None, "b")), Some(3));
        });
    }
}
