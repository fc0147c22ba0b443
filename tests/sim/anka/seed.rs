//! `anklet-sim world …`: makes the state folder of a simulated Anka and changes it while a test runs.

use super::answer::Refusal;
use super::world::{self, Hardware, Pushed, Registry, Vm, World};
use super::{guest, vm};
use crate::{files, secret};
use lexopt::prelude::*;
use serde_json::Value as Json;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const HELP: &str = "\
anklet-sim world: the state folder of a simulated Anka

  world init DIR [TEMPLATE…]   makes DIR (anew): world.json, bin/anka (a link to this program: put DIR/bin on the PATH)
      --template NAME[:TAG,…]           on the host; its last tag is current
      --registry-template NAME[:TAG,…]  in the registry `sim`; its last tag is the latest
      after either, for it alone: --uuid U (else made from the name), --cores N, --ram BYTES, --disk BYTES,
      --intel, --bare (pushed by Anka 2), --runner VERSION or `none` (default 2.330.0: carries ~/actions-runner)
      without templates: macos-15:v1 on the host; macos-15:v1,v2 and macos-14:v1 in the registry
  world set DIR PATH=JSON…     changes world.json: version='\"3.9.0\"', vm_limit=3, timing_ms.start=500,
      registries.0.unreachable=true, license_status='\"expired\"', limit_message='\"…\"', limit_exit=1
  world guest DIR NAME         a running VM that somebody else started
  world vanish DIR NAME        takes a VM away with all that runs in it
  world reboot DIR             all VMs stop, and what ran in them ends
  world show DIR               prints world.json
";
const RUNNER: &str = "2.330.0";

pub fn main(args: Vec<String>) -> Result<(), String> {
    let mut args = args.into_iter();
    let verb = args.next().unwrap_or_default();
    if matches!(verb.as_str(), "" | "-h" | "--help" | "help") {
        print!("{HELP}");
        return Ok(());
    }
    let dir = PathBuf::from(args.next().ok_or("which folder?")?);
    let rest: Vec<String> = args.collect();
    match (verb.as_str(), rest.as_slice()) {
        ("init", _) => init(&dir, rest),
        ("set", changes) => set(&dir, changes),
        ("guest", [name]) => foreign_guest(&dir, name).map_err(Into::into),
        ("vanish", [name]) => vm::vanish(&dir, name).map_err(Into::into),
        ("reboot", []) => reboot(&dir).map_err(Into::into),
        ("show", []) => show(&dir),
        _ => Err(format!("world: cannot do that\n{HELP}")),
    }
}

fn init(dir: &Path, args: Vec<String>) -> Result<(), String> {
    let mut wanted = templates(args).map_err(|e| e.to_string())?;
    if wanted.is_empty() {
        wanted = [("macos-15:v1", false), ("macos-15:v1,v2", true), ("macos-14:v1", true)]
            .map(|(spec, pushed)| Seed::read(spec, pushed))
            .into();
    }
    if dir.join("world.json").is_file() {
        clear(dir);
    }
    files::make_folder(&dir.join("bin"))?;
    let link = dir.join("bin/anka");
    let _ = std::fs::remove_file(&link);
    symlink(guest::own_program()?, &link).map_err(|e| format!("{}: {e}", link.display()))?;
    let (pushed, local): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|seed| seed.pushed);
    let registry = Registry {
        name: "sim".into(),
        url: "http://registry.invalid:8089".into(),
        default: true,
        unreachable: false,
        templates: pushed.into_iter().map(|seed| seed.template).collect(),
    };
    let world = World {
        vms: local.into_iter().map(|seed| on_host(seed.template)).collect(),
        registries: vec![registry],
        ..World::default()
    };
    files::write_json(&dir.join("world.json"), &world)
}

/// Nothing of a former world stays.
fn clear(dir: &Path) {
    let _ = std::fs::remove_dir_all(dir.join("vms"));
    for name in ["world.json", "faults.json", "calls.log"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
}

/// One template as the command line names it.
struct Seed {
    pushed: bool,
    template: Pushed,
}

impl Seed {
    fn read(spec: &str, pushed: bool) -> Self {
        let (name, tags) = spec.split_once(':').unwrap_or((spec, ""));
        let template = Pushed {
            id: secret::uuid_of(name),
            name: name.into(),
            tags: tags.split(',').filter(|tag| !tag.is_empty()).map(Into::into).collect(),
            hardware: Hardware::default(),
            runner: Some(RUNNER.into()),
        };
        Self { pushed, template }
    }
}

fn templates(args: Vec<String>) -> Result<Vec<Seed>, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(args);
    let mut seeds: Vec<Seed> = Vec::new();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("template") => seeds.push(Seed::read(&parser.value()?.string()?, false)),
            Long("registry-template") => seeds.push(Seed::read(&parser.value()?.string()?, true)),
            Long(name) => {
                let name = name.to_owned();
                let last = seeds.last_mut().ok_or("a template must come first")?;
                describe(&mut last.template, &name, &mut parser)?;
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(seeds)
}

fn describe(template: &mut Pushed, option: &str, parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
    match option {
        "uuid" => template.id = parser.value()?.string()?,
        "cores" => template.hardware.cores = parser.value()?.parse()?,
        "ram" => template.hardware.ram_size = parser.value()?.parse()?,
        "disk" => template.hardware.image_size = parser.value()?.parse()?,
        "intel" => template.hardware.arch = 1,
        "bare" => template.hardware.bare = true,
        "runner" => template.runner = Some(parser.value()?.string()?).filter(|version| version != "none"),
        other => return Err(format!("no such option: --{other}").into()),
    }
    Ok(())
}

fn on_host(template: Pushed) -> Vm {
    let current = template.tags.last().cloned();
    let vm = world::new_vm(&template.name, template.id);
    Vm { tags: template.tags, current, hardware: template.hardware, runner: template.runner, ..vm }
}

fn set(dir: &Path, changes: &[String]) -> Result<(), String> {
    let path = dir.join("world.json");
    let _lock = files::lock(&dir.join("lock"))?;
    let world = files::read_json::<World>(&path)?.unwrap_or_default();
    let mut json = serde_json::to_value(world).map_err(|e| e.to_string())?;
    for change in changes {
        let (key, value) = change.split_once('=').ok_or("usage: world set DIR PATH=JSON…")?;
        *place(&mut json, key)? = serde_json::from_str(value).map_err(|e| format!("{key}: {e}"))?;
    }
    let world: World = serde_json::from_value(json).map_err(|e| e.to_string())?;
    files::write_json(&path, &world)
}

/// The place that a dotted path names; the last key of an object may be new.
fn place<'j>(mut json: &'j mut Json, path: &str) -> Result<&'j mut Json, String> {
    for key in path.split('.') {
        json = match json {
            Json::Array(list) => key.parse::<usize>().ok().and_then(|at| list.get_mut(at)),
            Json::Object(map) => Some(map.entry(key).or_insert(Json::Null)),
            _ => None,
        }
        .ok_or_else(|| format!("{path}: no such place"))?;
    }
    Ok(json)
}

fn foreign_guest(dir: &Path, name: &str) -> Result<(), Refusal> {
    World::change(dir, |world| {
        let guest = world::new_vm(name, secret::random_uuid());
        world.vms.push(Vm { status: "running".into(), foreign: true, ..guest });
        world.peak_running = world.peak_running.max(world.running());
        Ok(())
    })
}

fn reboot(dir: &Path) -> Result<(), Refusal> {
    let running: Vec<String> =
        World::load(dir)?.vms.iter().filter(|vm| vm.is_running()).map(|vm| vm.uuid.clone()).collect();
    running.iter().try_for_each(|uuid| vm::stop(dir, uuid).map(|_| ()))
}

fn show(dir: &Path) -> Result<(), String> {
    let world = World::load(dir)?;
    println!("{}", serde_json::to_string_pretty(&world).map_err(|e| e.to_string())?);
    Ok(())
}
