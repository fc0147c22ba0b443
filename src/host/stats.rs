//! CPU, memory and disk of the host, for the metrics.
//!
//! Measured when asked and kept for a moment; nothing runs in the background, so that nobody is woken while
//! nobody looks. CPU usage is the difference of two samples: normally of this look and the one before.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sysinfo::{Disk, DiskRefreshKind, Disks, MINIMUM_CPU_UPDATE_INTERVAL, System};

use crate::runtime::figures::{Figures, Space};
use crate::runtime::stop::breathe;

/// How old figures may be.
const FRESH: Duration = Duration::from_secs(1);

/// How far back the first of two CPU samples may lie: beyond, an average would hide what happens now.
const CPU_WINDOW: Duration = Duration::from_mins(2);

/// The host's own name, without its domain; empty when it has none.
pub fn host_name() -> String {
    let name = System::host_name().unwrap_or_default();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The host, as far as metrics show it.
#[derive(Debug)]
pub struct Stats {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None where the system is one that cannot be measured: its figures are all nothing.
    system: Option<System>,
    sampled: Instant,
    disks: Option<Disks>,
    last: Option<(Instant, Figures)>,
}

impl Stats {
    /// The host, and of its disks the one that holds `folder`.
    pub fn new(folder: &Path) -> Stats {
        let mut state =
            State { system: System::new().ok(), sampled: Instant::now(), disks: None, last: None };
        state.sample();
        Stats { folder: folder.to_owned(), state: Mutex::new(state) }
    }

    /// The figures, a second old at most. Takes a few milliseconds; 200 after two minutes without a look.
    pub fn look(&self) -> Figures {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, figures)) = state.last
            && at.elapsed() < FRESH
        {
            return figures;
        }
        let (cpu_count, cpu_usage_percentage) = state.cpu();
        let (memory, disk) = (state.memory(), state.disk(&self.folder));
        let figures = Figures { cpu_count, cpu_usage_percentage, memory, disk };
        state.last = Some((Instant::now(), figures));
        figures
    }
}

impl State {
    fn cpu(&mut self) -> (u64, f64) {
        if self.sampled.elapsed() > CPU_WINDOW {
            self.sample();
        }
        // Too close to the sample before, another would be no sample at all.
        breathe(MINIMUM_CPU_UPDATE_INTERVAL.saturating_sub(self.sampled.elapsed()));
        self.sample();
        let Some(system) = &self.system else { return (0, 0.0) };
        let percent = f64::from(system.global_cpu_usage());
        let percent = if percent.is_finite() { percent.clamp(0.0, 100.0) } else { 0.0 };
        (system.cpus().len() as u64, percent)
    }

    fn sample(&mut self) {
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
        }
        self.sampled = Instant::now();
    }

    fn memory(&mut self) -> Space {
        let Some(system) = &mut self.system else { return Space::default() };
        system.refresh_memory();
        Space { total: system.total_memory(), available: system.available_memory() }
    }

    /// Looks for the disk each time, since disks come and go, but lists them anew only when it is not there.
    fn disk(&mut self, folder: &Path) -> Space {
        let what = DiskRefreshKind::nothing().with_storage();
        if self.disks.as_ref().and_then(|disks| holding(disks, folder)).is_none() {
            self.disks = Disks::new_with_refreshed_list_specifics(what).ok();
        }
        let Some(disks) = &mut self.disks else { return Space::default() };
        let Some(at) = holding(disks, folder) else { return Space::default() };
        let disk = &mut disks[at];
        disk.refresh_specifics(what);
        Space { total: disk.total_space(), available: disk.available_space() }
    }
}

/// Where in the list the disk stands that holds `folder`: by device, else by the longest mount point above
/// it, since a subvolume's device is not that of its mount.
fn holding(disks: &[Disk], folder: &Path) -> Option<usize> {
    let device = fs::metadata(folder).ok().map(|metadata| metadata.dev());
    let by_device = disks.iter().position(|disk| device.is_some() && disk.id() == device);
    by_device.or_else(|| {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let above = disks.iter().enumerate().filter(|(_, disk)| folder.starts_with(disk.mount_point()));
        above.max_by_key(|(_, disk)| disk.mount_point().as_os_str().len()).map(|(at, _)| at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_possible_and_kept_for_a_moment() {
        let stats = Stats::new(Path::new(env!("CARGO_MANIFEST_DIR")));
        let started = Instant::now();
        let first = stats.look();
        assert!(started.elapsed() < Duration::from_secs(2));
        assert!(first.cpu_count >= 1 && (0.0..=100.0).contains(&first.cpu_usage_percentage), "{first:?}");
        for space in [first.memory, first.disk] {
            assert!(
                space.total > 1 << 20 && space.available > 0 && space.available <= space.total,
                "{first:?}"
            );
        }
        let again = Instant::now();
        assert_eq!(stats.look(), first);
        assert!(again.elapsed() < Duration::from_millis(50));
    }

    #[test]
    fn usage_is_that_of_now() {
        let stats = Stats::new(Path::new("/"));
        let end = Instant::now() + MINIMUM_CPU_UPDATE_INTERVAL + Duration::from_millis(100);
        let mut spins = 0_u64;
        while Instant::now() < end {
            spins = std::hint::black_box(spins + 1);
        }
        let busy = stats.look();
        // One CPU was busy all the time; half of it is left for other tests' noise and for coarse ticks.
        assert!(busy.cpu_usage_percentage > 50.0 / busy.cpu_count as f64, "{busy:?}, {spins}");
    }

    #[test]
    fn a_folder_that_is_not_there_lies_on_the_disk_above_it() {
        let disks =
            Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage()).unwrap();
        let at = holding(&disks, Path::new("/nowhere/at/all"));
        assert_eq!(at.map(|at| disks[at].mount_point()), Some(Path::new("/")));
    }
}
