//! What a child says: read to the end, so that it never blocks, and the last bytes kept, since Anka's answer is
//! the last line.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::runtime::stop::Never;
use crate::runtime::thread;

/// Bytes of an output that are kept.
pub const KEPT: usize = 1 << 20;
/// Stack of a thread that reads or waits, in KiB.
pub const STACK: usize = 64;
/// How often an output that goes to files is looked at, and the size at which one is emptied.
const LOOK: Duration = Duration::from_secs(5);
const LARGEST_FILE: u64 = 16 << 20;

/// A pipe's last bytes, filled by a thread of its own.
pub struct Tail {
    kept: Arc<Mutex<Kept>>,
    heard: Receiver<()>,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    dropped: bool,
}

/// Where the reading thread gets its pipe.
pub type Feed<R> = Sender<R>;

impl Tail {
    /// The thread waits for its pipe, so that it is there before the child is.
    pub fn new<R: Read + Send + 'static>(thread_name: &str) -> io::Result<(Feed<R>, Tail)> {
        let (feed, pipe) = bounded::<R>(1);
        let (tell, heard) = bounded(1);
        let kept = Arc::<Mutex<Kept>>::default();
        let filled = kept.clone();
        thread::start_small(thread_name, STACK, move || {
            if let Ok(pipe) = pipe.recv() {
                read_all(pipe, &filled, &tell);
            }
        })?;
        Ok((feed, Tail { kept, heard }))
    }

    /// Rings when something was said; ends when the pipe has ended.
    pub fn heard(&self) -> &Receiver<()> {
        &self.heard
    }

    /// The last line that is complete.
    pub fn last_line(&self) -> Vec<u8> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = kept.bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        kept.bytes[..whole].rsplit(|byte| *byte == b'\n').next().unwrap_or_default().to_owned()
    }

    /// What was kept so far.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes)
    }

    /// From here on nothing is kept; the thread goes on reading.
    pub fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept { bytes: Vec::new(), dropped: true };
    }
}

fn read_all(mut pipe: impl Read, kept: &Mutex<Kept>, tell: &Sender<()>) {
    let mut buffer = [0; 16 << 10];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..n]);
                let _ = tell.try_send(());
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => (),
            Err(_) => return,
        }
    }
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        if self.dropped {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * KEPT {
            self.bytes.drain(..self.bytes.len() - KEPT);
        }
    }
}

/// Keeps files that a child appends to from filling the disk, until `gone` ends.
pub fn bound_files(files: [File; 2], gone: Receiver<Never>) -> io::Result<()> {
    let is_large = |file: &&File| file.metadata().is_ok_and(|m| m.len() > LARGEST_FILE);
    let watch = move || {
        while matches!(gone.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout)) {
            files.iter().filter(is_large).for_each(|file| drop(file.set_len(0)));
        }
    };
    thread::start_small("anka:out", STACK, watch).map(drop)
}

/// The last bytes of such a file.
pub fn end_of(file: &File) -> Vec<u8> {
    let length = file.metadata().map_or(0, |m| m.len());
    let mut bytes = vec![0; length.min(KEPT as u64) as usize];
    let start = length - bytes.len() as u64;
    match file.read_exact_at(&mut bytes, start) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_kept_and_the_last_whole_line_is_told() {
        let (feed, tail) = Tail::new("test").unwrap();
        let text: Vec<u8> = (0..400_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        feed.send(io::Cursor::new([&text[..], b"half"].concat())).unwrap();
        while tail.heard().recv().is_ok() {}
        assert_eq!(tail.last_line(), b"399999");
        let kept = tail.take();
        assert!((KEPT..=2 * KEPT).contains(&kept.len()));
        assert!([&text[..], b"half"].concat().ends_with(&kept));
    }

    #[test]
    fn what_is_forgotten_is_read_on_but_not_kept() {
        let (feed, tail) = Tail::new("test").unwrap();
        tail.forget();
        feed.send(io::Cursor::new(b"text\n")).unwrap();
        while tail.heard().recv().is_ok() {}
        assert!(tail.take().is_empty() && tail.last_line().is_empty());
    }
}
