//! Waking the other daemons of the host: one datagram socket a process, in a folder that all know.
//!
//! A ring is one byte that is not waited for: whoever has one already needs no second.
//! What is lost is found by the writer's look every few seconds.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::runtime::thread;
use crate::store::bells::Bells;

/// The longest path of a socket on a Mac.
const LONGEST_PATH: usize = 103;
/// How often to look when rings arrive, and when none can.
const LOOK: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(1));

/// Where rings for this process arrive; the thread `store:bell` passes them on.
pub struct Mailbox {
    address: PathBuf,
    ending: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

/// Rings the others.
pub struct Post {
    folder: PathBuf,
    own: Option<PathBuf>,
    socket: Option<UnixDatagram>,
}

impl Mailbox {
    /// Opens this process's mailbox in `folder`.
    pub fn open(folder: &Path, bells: &Arc<Bells>) -> io::Result<Mailbox> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let (address, socket) = bind(folder)?;
        let ending = Arc::new(AtomicBool::new(false));
        let (end, bells) = (Arc::clone(&ending), Arc::clone(bells));
        let reader = thread::start_small("store:bell", 64, move || pass_on(&socket, &bells, &end))?;
        Ok(Mailbox { address, ending, reader: Some(reader) })
    }

    /// Where others ring.
    pub fn address(&self) -> &Path {
        &self.address
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let rung = UnixDatagram::unbound().and_then(|socket| socket.send_to(&[0], &self.address));
        let _ = fs::remove_file(&self.address);
        // Somebody may have removed the socket's name: then the thread cannot be reached, and is left behind.
        if let Some(reader) = self.reader.take().filter(|_| rung.is_ok()) {
            let _ = reader.join();
        }
    }
}

fn pass_on(socket: &UnixDatagram, bells: &Bells, ending: &AtomicBool) {
    loop {
        match socket.recv(&mut [0]) {
            _ if ending.load(Ordering::SeqCst) => return,
            Ok(_) => bells.ring_all(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                log::warn!("rings of other daemons arrive no more, the queue is looked at instead: {error}");
                return;
            }
        }
    }
}

/// The first free of `<pid>`, `<pid>.1`, …: a process may use several stores.
fn bind(folder: &Path) -> io::Result<(PathBuf, UnixDatagram)> {
    let pid = std::process::id();
    for nth in 0..64 {
        let name = if nth == 0 { pid.to_string() } else { format!("{pid}.{nth}") };
        let address = folder.join(name);
        if address.as_os_str().len() > LONGEST_PATH {
            return Err(io::Error::other(format!("{} is too long for a socket", address.display())));
        }
        if is_dead(&address) {
            fs::remove_file(&address)?;
        }
        match UnixDatagram::bind(&address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            bound => return Ok((address, bound?)),
        }
    }
    Err(io::Error::new(ErrorKind::AddrInUse, "no free name for a socket"))
}

/// Whether a socket's name is left and nobody listens there.
fn is_dead(address: &Path) -> bool {
    let knock = UnixDatagram::unbound().and_then(|socket| socket.connect(address));
    matches!(knock, Err(error) if error.kind() == ErrorKind::ConnectionRefused)
}

impl Post {
    /// From the process whose mailbox is `own`.
    pub fn new(folder: PathBuf, own: Option<PathBuf>) -> Post {
        let socket = UnixDatagram::unbound().ok().filter(|socket| socket.set_nonblocking(true).is_ok());
        Post { folder, own, socket }
    }

    /// How long a lost ring may stay unnoticed.
    pub fn patience(&self) -> Duration {
        if self.own.is_some() { LOOK.0 } else { LOOK.1 }
    }

    /// Rings all other processes; what nobody listens at is removed.
    pub fn ring_others(&self) {
        let (Some(socket), Ok(names)) = (&self.socket, fs::read_dir(&self.folder)) else { return };
        for address in names.flatten().map(|name| name.path()) {
            if Some(&address) == self.own.as_ref() {
                continue;
            }
            let rung = socket.send_to(&[1], &address);
            if rung.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
                let _ = fs::remove_file(&address);
            }
        }
    }
}
