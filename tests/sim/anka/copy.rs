//! `anka cp`: one source into a VM's home, or out of it; symbolic links are copied as links.

use super::answer::{Refusal, Reply};
use super::world::{self, World};
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub fn copy(dir: &Path, from: &str, to: &str) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    super::take_time(&world, "cp");
    let (source, target) = match (guest_path(dir, &world, from)?, guest_path(dir, &world, to)?) {
        (None, Some(target)) => (PathBuf::from(from), target),
        (Some(source), None) => (source, PathBuf::from(to)),
        _ => return Err(Refusal::plain("one of source and destination must be NAME:PATH")),
    };
    let name = source.file_name().ok_or_else(|| Refusal::plain(format!("{from}: no file name")))?;
    let target = if target.is_dir() || to.ends_with('/') { target.join(name) } else { target };
    copied(&source, &target).map_err(|e| Refusal::plain(format!("{from}: {e}")))?;
    Ok(Reply::done())
}

/// The file behind `NAME:PATH`, or `None` for a path of the host.
fn guest_path(dir: &Path, world: &World, written: &str) -> Result<Option<PathBuf>, Refusal> {
    let Some((name, path)) = written.split_once(':').filter(|(name, _)| !name.contains('/')) else {
        return Ok(None);
    };
    if path.starts_with('/') {
        return Err(Refusal::plain(format!("{written}: only paths below the home folder are simulated")));
    }
    let home = world::vm_folder(dir, &world.running_vm(name)?.uuid).join("home");
    Ok(Some(home.join(path)))
}

fn copied(source: &Path, target: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(source)?;
    if meta.is_dir() {
        fs::create_dir_all(target)?;
        for entry in fs::read_dir(source)? {
            let entry = entry?;
            copied(&entry.path(), &target.join(entry.file_name()))?;
        }
        return fs::set_permissions(target, meta.permissions());
    }
    if meta.is_symlink() {
        return symlink(as_seen_by_the_guest(&fs::read_link(source)?), target);
    }
    fs::copy(source, target)?;
    File::open(target)?.set_times(FileTimes::new().set_modified(meta.modified()?))
}

/// A path of the host leads nowhere in a guest; here both share the disk, so it must be made to.
fn as_seen_by_the_guest(link: &Path) -> PathBuf {
    if link.is_absolute() {
        Path::new("/not-in-this-guest").join(link.strip_prefix("/").unwrap_or(link))
    } else {
        link.to_path_buf()
    }
}
