//! What is left when everything is over: there should be nothing.

use super::folder::Folder;
use super::github::Github;
use super::process;
use crate::anka::world::World;
use std::path::Path;

/// One kind of thing, and those of it that are left.
pub struct Left {
    pub kind: &'static str,
    pub found: Vec<String>,
}

/// Looks for everything that a job brings into the world. The simulated GitHub must run.
pub fn of_the_world(folder: &Folder, github: &Github) -> Result<Vec<Left>, String> {
    Ok(vec![
        Left { kind: "VMs", found: vms(folder)? },
        Left { kind: "runners", found: runners(github)? },
        Left { kind: "claims", found: super::claims::open(&folder.state())? },
        Left { kind: "journal pages", found: files(&folder.state().join("journal"), ".json") },
    ])
}

/// What still runs. The simulated GitHub must have ended.
pub fn processes(folder: &Folder) -> Left {
    let found = process::marked(&folder.anka());
    Left {
        kind: "processes",
        found: found.into_iter().map(|it| format!("{} {}", it.pid, it.command)).collect(),
    }
}

fn vms(folder: &Folder) -> Result<Vec<String>, String> {
    let world = World::load(&folder.anka()).map_err(String::from)?;
    let ours = world.vms.into_iter().filter(|vm| vm.name.starts_with("anklet-vm-"));
    Ok(ours.map(|vm| format!("{} ({})", vm.name, vm.status)).collect())
}

fn runners(github: &Github) -> Result<Vec<String>, String> {
    let state = github.get("state")?;
    let all = state["runners"].as_array().cloned().unwrap_or_default();
    Ok(all.iter().filter_map(|runner| runner["name"].as_str().map(str::to_owned)).collect())
}

fn files(folder: &Path, ending: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(ending)).collect()
}
