//! The state between calls: `world.json`. Read without a lock, changed under it, replaced in one step.

use super::answer::Refusal;
use crate::{clock, files};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Everything that this host's Anka knows. Each field may be changed by hand or by `world set`.
#[derive(Serialize, Deserialize, Clone)]
#[serde(default)]
pub struct World {
    pub version: String,
    /// What trails the version, such as `(build 170)`.
    pub version_trail: Option<String>,
    pub build: String,
    pub license_status: String,
    pub license_type: String,
    /// How many VMs may run at once.
    pub vm_limit: usize,
    /// What `start` says beyond it. Nobody may rely on the text.
    pub limit_message: String,
    pub limit_exit: u8,
    /// How long a call takes, by its name (`clone`, `start`, `delete`, `registry pull`, …).
    pub timing_ms: BTreeMap<String, u64>,
    /// The most VMs that ever ran at once.
    pub peak_running: usize,
    pub vms: Vec<Vm>,
    pub registries: Vec<Registry>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            version: "3.8.4".into(),
            version_trail: None,
            build: "204".into(),
            license_status: "valid".into(),
            license_type: "com.veertu.anka.build".into(),
            vm_limit: 2,
            limit_message: "failed to start the guest (0x6d)".into(),
            limit_exit: 1,
            timing_ms: BTreeMap::new(),
            peak_running: 0,
            vms: Vec::new(),
            registries: Vec::new(),
        }
    }
}

/// A template or a VM on this host: Anka makes no difference between them, and neither does `list`.
#[derive(Serialize, Deserialize, Clone, Default)]
#[serde(default)]
pub struct Vm {
    pub uuid: String,
    pub name: String,
    pub creation_date: String,
    pub stop_date: Option<String>,
    /// `stopped`, `running`, `suspended`.
    pub status: String,
    /// Local tags; `current` is the one that `list` shows.
    pub tags: Vec<String>,
    pub current: Option<String>,
    pub hardware: Hardware,
    /// The version of the runner that it carries in `~/actions-runner`.
    pub runner: Option<String>,
    /// Started by somebody else than the daemon under test (`world guest`).
    pub foreign: bool,
}

impl Vm {
    pub fn is_running(&self) -> bool {
        self.status == "running"
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.uuid.eq_ignore_ascii_case(name)
    }
}

#[derive(Serialize, Deserialize, Clone)]
#[serde(default)]
pub struct Hardware {
    pub cores: u32,
    /// As `show` writes it beside `ram_size`; in bytes.
    pub ram_size: u64,
    pub hard_drive: u64,
    pub image_size: u64,
    /// 1 is Intel, 2 is Apple silicon.
    pub arch: u8,
    /// Pushed by Anka 2: the registry says nothing of size and cores.
    pub bare: bool,
}

impl Default for Hardware {
    fn default() -> Self {
        Self { cores: 1, ram_size: 64 << 20, hard_drive: 64 << 30, image_size: 1 << 20, arch: 2, bare: false }
    }
}

#[derive(Serialize, Deserialize, Clone, Default)]
#[serde(default)]
pub struct Registry {
    pub name: String,
    pub url: String,
    pub default: bool,
    pub unreachable: bool,
    pub templates: Vec<Pushed>,
}

/// A template in a registry; its last tag is the latest.
#[derive(Serialize, Deserialize, Clone, Default)]
#[serde(default)]
pub struct Pushed {
    pub id: String,
    pub name: String,
    pub tags: Vec<String>,
    pub hardware: Hardware,
    pub runner: Option<String>,
}

impl World {
    pub fn load(dir: &Path) -> Result<Self, Refusal> {
        Ok(files::read_json(&dir.join("world.json"))?.unwrap_or_default())
    }

    /// Reads, changes and writes the world under its lock. A refusal leaves it as it was.
    pub fn change<T>(dir: &Path, deed: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let _lock = files::lock(&dir.join("lock"))?;
        let mut world = Self::load(dir)?;
        let result = deed(&mut world)?;
        files::write_json(&dir.join("world.json"), &world)?;
        Ok(result)
    }

    pub fn vm(&self, name: &str) -> Result<&Vm, Refusal> {
        self.vms.iter().find(|vm| vm.is(name)).ok_or_else(|| Refusal::not_found(name))
    }

    pub fn vm_mut(&mut self, name: &str) -> Result<&mut Vm, Refusal> {
        self.vms.iter_mut().find(|vm| vm.is(name)).ok_or_else(|| Refusal::not_found(name))
    }

    pub fn running(&self) -> usize {
        self.vms.iter().filter(|vm| vm.is_running()).count()
    }

    /// The VM that was named, if it runs.
    pub fn running_vm(&self, name: &str) -> Result<&Vm, Refusal> {
        let vm = self.vm(name)?;
        if vm.is_running() { Ok(vm) } else { Err(Refusal::plain(format!("{name}: is not running"))) }
    }

    pub fn remove(&mut self, name: &str) -> Result<Vm, Refusal> {
        let place = self.vms.iter().position(|vm| vm.is(name)).ok_or_else(|| Refusal::not_found(name))?;
        Ok(self.vms.remove(place))
    }
}

/// A VM that was never tagged, stopped.
pub fn new_vm(name: &str, uuid: String) -> Vm {
    Vm { uuid, name: name.into(), creation_date: clock::date(), status: "stopped".into(), ..Vm::default() }
}

/// Where a VM's files lie.
pub fn vm_folder(dir: &Path, uuid: &str) -> PathBuf {
    dir.join("vms").join(uuid)
}
