//! This host's name among the hosts that share a store: random, made once, kept in the state folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::runtime::random;

/// The id in `state_dir/host_id`; made when there is none. Two daemons that start at once agree on one.
pub fn host_id(state_dir: &Path) -> io::Result<String> {
    let file = state_dir.join("host_id");
    if let Some(id) = read(&file)? {
        return Ok(id);
    }
    let fresh = format!("{:016x}", random::number());
    let draft = state_dir.join(format!("host_id.{fresh}"));
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    out.write_all(fresh.as_bytes())?;
    out.sync_all()?;
    // A link fails where a rename would replace what the other daemon has made and read already.
    let linked = fs::hard_link(&draft, &file);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(fresh),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(&file)?.ok_or_else(|| io::Error::other("host_id is empty; delete it"))
        }
        Err(error) => Err(error),
    }
}

fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|id| !id.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once() {
        let folder = std::env::temp_dir().join(format!("anklet-host-id-{:x}", random::number()));
        fs::create_dir_all(&folder).unwrap();
        let id = host_id(&folder).unwrap();
        assert_eq!(id.len(), 16);
        assert_eq!(host_id(&folder).unwrap(), id);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
