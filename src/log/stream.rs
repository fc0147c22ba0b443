//! Standard output and standard error. Whoever reads there may stop for good (a paused terminal, a pager), and a write
//! would never end: so a thread writes, nobody waits for it, and a line that finds no room is lost.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use super::pen::Pen;
use super::sink::DROPPED;

/// Lines that wait for the reader.
const ROOM: usize = 1024;
/// How long the end of the process waits for the reader, twice.
const PATIENCE: Duration = Duration::from_millis(500);

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    orders: Sender<Order>,
    lost: Arc<Lost>,
}

/// How many lines could not be written since somebody asked, and why not.
type Lost = Mutex<(u64, String)>;

enum Order {
    Line(String),
    /// What is held is dropped when all lines before it are written.
    Tell {
        _when_written: Sender<Infallible>,
    },
}

impl Stream {
    pub(super) fn start(file: File) -> io::Result<Stream> {
        let (orders, taken) = bounded(ROOM);
        let lost = Arc::new(Lost::default());
        let (mut pen, told) = (Pen::new(file), Arc::clone(&lost));
        // runtime::thread is not below us.
        Builder::new().name("log:stream".into()).stack_size(128 << 10).spawn(move || {
            for order in taken {
                let Order::Line(line) = order else { continue };
                if let Err(reason) = pen.write(&line) {
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    *told = (told.0 + 1, reason.to_string());
                }
            }
        })?;
        Ok(Stream { orders, lost })
    }

    pub(super) fn put(&self, line: &str) -> io::Result<()> {
        let full = |_| io::Error::new(io::ErrorKind::WouldBlock, "nobody reads them");
        self.orders.try_send(Order::Line(line.to_owned())).map_err(full)
    }

    /// What was lost since the last time, with the reason.
    pub(super) fn lost(&self) -> (u64, String) {
        mem::take(&mut *self.lost.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until all is written; not for a reader that does not read.
    pub(super) fn flush(&self) {
        let (held, written) = bounded(0);
        if self.orders.send_timeout(Order::Tell { _when_written: held }, PATIENCE).is_ok() {
            let _ = written.recv_timeout(PATIENCE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    use super::*;
    use crate::log::sink::Sink;

    #[test]
    fn a_reader_that_stops_holds_nobody_up_and_hears_what_was_lost() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut sink = Sink::stream(&OwnedFd::from(ours)).unwrap();
        let news = |n: u64, why: &str| format!("{n} lost: {why}\n");
        let (line, begun) = (format!("{}\n", "x".repeat(4000)), Instant::now());
        for _ in 0..4000 {
            sink.put(&line, news);
        }
        sink.flush();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let mut lines = BufReader::new(theirs).lines().map(Result::unwrap);
        // It reads again; the next line says what it has missed.
        let mut all: Vec<String> = lines.by_ref().take(ROOM).collect();
        sink.put("on\n", news);
        drop(sink);
        all.extend(lines);
        let lost = |line: &String| line.strip_suffix(" lost: nobody reads them")?.parse::<usize>().ok();
        let (come, gone) = (
            all.iter().filter(|line| line.len() == 4000).count(),
            all.iter().filter_map(lost).sum::<usize>(),
        );
        assert_eq!((come + gone, all.last().map(String::as_str)), (4000, Some("on")));
        assert!(gone > 0);
    }
}
