//! The two sockets of a listener: the public one, and the Unix socket that only the door knows.

use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;

use socket2::{Domain, Socket, Type};

use crate::runtime::random;

/// Connections that the kernel holds for us. Where they are more, an honest client's dial is lost and comes again a
/// second later: std's 128 overflows under 2,000 dials. (macOS caps it at 128 anyway.)
const BACKLOG: i32 = 4096;

/// Bytes of a Unix socket's path on macOS, without the closing zero.
const LONGEST_PATH: usize = 103;

/// Why a listener could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Somebody else listens there.
    InUse(SocketAddr),
    /// Somebody else listens there, and on each port from there to this one.
    AllInUse(SocketAddr, u16),
    /// The public address cannot be had for another reason.
    Public(SocketAddr, io::Error),
    /// The inner socket or its folder cannot be had.
    Inner(PathBuf, io::Error),
    /// The inner web server does not answer.
    Silent(io::Error),
    /// A thread cannot be started.
    Thread(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::InUse(addr) => {
                write!(
                    out,
                    "listen on {addr}: the address is in use; stop what listens there or choose another port"
                )
            }
            OpenError::AllInUse(addr, last) => {
                let tried = u32::from(*last) + 1 - u32::from(addr.port());
                write!(
                    out,
                    "listen on {addr}: this port and those up to {last}, {tried} in all, are in use; stop what \
                     listens there or choose another port"
                )
            }
            OpenError::Public(addr, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                write!(out, "listen on {addr}: {error}; ports below 1024 need root, choose a higher one")
            }
            OpenError::Public(addr, error) => write!(out, "listen on {addr}: {error}"),
            OpenError::Inner(path, error) => write!(out, "open the inner socket {}: {error}", path.display()),
            OpenError::Silent(error) => write!(out, "reach the inner web server: {error}"),
            OpenError::Thread(error) => write!(out, "start a thread: {error}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::InUse(_) | OpenError::AllInUse(..) => None,
            OpenError::Public(_, error)
            | OpenError::Inner(_, error)
            | OpenError::Silent(error)
            | OpenError::Thread(error) => Some(error),
        }
    }
}

/// The public socket, listening.
pub fn public(addr: SocketAddr) -> Result<TcpListener, OpenError> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    listen().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => OpenError::InUse(addr),
        _ => OpenError::Public(addr, error),
    })
}

/// The file of an inner socket; removed on drop, with the folder if that was made for it alone.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    own_folder: Option<PathBuf>,
}

impl SocketFile {
    /// Where to connect.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = &self.own_folder {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// An inner socket under a name that no other process uses, listening, for this user only.
pub fn inner(dir: &Path) -> Result<(UnixListener, SocketFile), OpenError> {
    let name = format!("http-{}.sock", unique());
    let fault = |error| OpenError::Inner(dir.join(&name), error);
    let file = place(dir, &name).map_err(fault)?;
    let listener = UnixListener::bind(file.path()).map_err(fault)?;
    fs::set_permissions(file.path(), Permissions::from_mode(0o600)).map_err(fault)?;
    Ok((listener, file))
}

/// In `dir`, or where that path would be too long in a folder of its own among the temporary ones.
fn place(dir: &Path, name: &str) -> io::Result<SocketFile> {
    if dir.as_os_str().len() + 1 + name.len() <= LONGEST_PATH {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        sweep(dir);
        return Ok(SocketFile { path: dir.join(name), own_folder: None });
    }
    let own = std::env::temp_dir().join(format!("anklet-{}", unique()));
    DirBuilder::new().mode(0o700).create(&own)?;
    Ok(SocketFile { path: own.join("http.sock"), own_folder: Some(own) })
}

/// The process and a random number: processes in several containers may share a folder and a number.
fn unique() -> String {
    format!("{}-{:08x}", process::id(), random::number() as u32)
}

/// Removes the sockets of ours in `dir` that nobody listens on any more: a killed daemon leaves them.
fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with("http-"));
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if ours && UnixStream::connect(entry.path()).is_err_and(refused) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("sockets-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    #[test]
    fn a_stale_socket_is_swept_a_living_one_is_left() {
        let dir = scratch("sweep");
        let (_living, file) = inner(&dir).unwrap();
        let (dead, stale) = inner(&dir).unwrap();
        drop(dead);
        fs::write(dir.join("other-1.sock"), "").unwrap();
        let (_third, _file) = inner(&dir).unwrap();
        assert!(file.path().exists() && !stale.path().exists() && dir.join("other-1.sock").exists());
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_folder_with_too_long_a_path_is_replaced_and_removed() {
        let dir = scratch("long").join("a".repeat(100));
        let (_listener, file) = inner(&dir).unwrap();
        assert!(file.path().as_os_str().len() <= LONGEST_PATH, "{}", file.path().display());
        let own = file.path().parent().unwrap().to_owned();
        assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o700);
        drop(file);
        assert!(!own.exists());
    }

    #[test]
    fn an_address_in_use_is_told_apart_and_named() {
        let first = public("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = first.local_addr().unwrap();
        let error = public(addr).unwrap_err();
        assert!(matches!(error, OpenError::InUse(_)));
        assert!(error.to_string().contains(&addr.to_string()));
    }
}
