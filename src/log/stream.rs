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
    /// Lines that were lost before, so many, and the line that says so.
    News(u64, String),
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
                let (line, counted, lost) = match order {
                    Order::Line(line) => (line, 1, 1),
                    // Itself it is no loss; what it would have told is to be told again.
                    Order::News(lost, line) => (line, 0, lost),
                    Order::Tell { .. } => continue,
                };
                if let Err(reason) = pen.write(&line) {
                    DROPPED.fetch_add(counted, Ordering::Relaxed);
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    *told = (told.0 + lost, reason.to_string());
                }
            }
        })?;
        Ok(Stream { orders, lost })
    }

    pub(super) fn put(&self, line: &str) -> io::Result<()> {
        self.order(Order::Line(line.to_owned()))
    }

    /// The news that `lost` lines were lost; if it cannot be written, [`Stream::lost`] has them again.
    pub(super) fn put_news(&self, lost: u64, news: &str) -> io::Result<()> {
        self.order(Order::News(lost, news.to_owned()))
    }

    fn order(&self, order: Order) -> io::Result<()> {
        let full = |_| io::Error::new(io::ErrorKind::WouldBlock, "nobody reads them");
        self.orders.try_send(order).map_err(full)
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
    use std::io::{BufRead, BufReader, Read, Write};
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

    #[test]
    fn news_that_cannot_be_written_forgets_nothing_and_is_no_loss_itself() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap(); // full is an error, as on a disk
        let mut filler = ours.try_clone().unwrap();
        for size in [4096, 1] {
            while filler.write(&vec![b'\n'; size]).is_ok() {}
        }
        drop(filler);
        let mut sink = Sink::stream(&OwnedFd::from(ours)).unwrap();
        let news = |n: u64, _: &str| format!("{n} lost\n");
        for _ in 0..20 {
            sink.put(&"x".repeat(4000), news);
            sink.flush();
        }
        theirs.set_nonblocking(true).unwrap();
        while theirs.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {}
        theirs.set_nonblocking(false).unwrap();
        sink.put("on\n", news);
        drop(sink);
        let mut text = String::new();
        theirs.read_to_string(&mut text).unwrap();
        assert_eq!(text, "20 lost\non\n");
    }
}
