//! Where lines end: a file that may be renamed, deleted or full at any moment, or a stream.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pen::Pen;
use super::stream::Stream;

pub(super) static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Log lines that could not be written since the process began.
pub fn dropped_lines() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// A place for whole lines. Writing to it never fails: what is lost is counted, and said when it works again.
#[derive(Debug)]
pub(super) struct Sink {
    place: Place,
    dropped: u64,
    reason: String,
}

#[derive(Debug)]
enum Place {
    File { path: PathBuf, open: Option<Pen> },
    Stream(Stream),
}

impl Sink {
    /// A file that is opened when the first line comes.
    pub(super) fn file(path: PathBuf) -> Sink {
        Sink::new(Place::File { path, open: None })
    }

    /// Standard output or standard error, without the buffers and locks of `std`.
    pub(super) fn stream(stream: &impl AsFd) -> io::Result<Sink> {
        let own = stream.as_fd().try_clone_to_owned()?;
        Ok(Sink::new(Place::Stream(Stream::start(File::from(own))?)))
    }

    fn new(place: Place) -> Sink {
        Sink { place, dropped: 0, reason: String::new() }
    }

    /// Opens the file, to hear of a wrong path before the first line.
    pub(super) fn open(&mut self) -> io::Result<()> {
        if let Place::File { path, open } = &mut self.place
            && !open.as_ref().is_some_and(|pen| is_still_at(&pen.file, path))
        {
            *open = None;
            *open = Some(Pen::new(OpenOptions::new().create(true).append(true).open(path)?));
        }
        Ok(())
    }

    /// Writes `line`, which carries its end; before it the news of lost lines, made by `lost` from their
    /// number and the reason.
    pub(super) fn put(&mut self, line: &str, lost: impl FnOnce(u64, &str) -> String) {
        if let Err(reason) = self.try_put(line, lost) {
            self.dropped += 1;
            self.reason = reason.to_string();
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was put is written, for a moment.
    pub(super) fn flush(&self) {
        if let Place::Stream(stream) = &self.place {
            stream.flush();
        }
    }

    fn try_put(&mut self, line: &str, lost: impl FnOnce(u64, &str) -> String) -> io::Result<()> {
        self.open()?;
        if let Place::Stream(stream) = &self.place
            && let (more @ 1.., reason) = stream.lost()
        {
            self.dropped += more;
            self.reason = reason;
        }
        if self.dropped > 0 {
            let news = lost(self.dropped, &self.reason);
            match &self.place {
                Place::Stream(stream) => stream.put_news(self.dropped, &news)?,
                Place::File { .. } => self.write(&news)?,
            }
            self.dropped = 0;
        }
        self.write(line)
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        match &mut self.place {
            Place::Stream(stream) => stream.put(line),
            Place::File { open: Some(pen), .. } => pen.write(line),
            Place::File { open: None, .. } => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Whether `path` still leads to the file that is open: not renamed away, not deleted, not replaced.
fn is_still_at(file: &File, path: &PathBuf) -> bool {
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => identity(open) == identity(there),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    #[cfg(target_os = "linux")]
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("anklet-sink-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn put(sink: &mut Sink, line: &str) {
        sink.put(line, |n, reason| format!("{n} lost: {reason}\n"));
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_file_is_opened_anew_when_renamed_or_deleted() {
        let folder = folder("rotate");
        let (path, old) = (folder.join("a.log"), folder.join("a.log.0"));
        fs::write(&path, "before\n").unwrap();
        let mut sink = Sink::file(path.clone());
        put(&mut sink, "one\n");
        fs::rename(&path, &old).unwrap();
        put(&mut sink, "two\n");
        assert_eq!((read(&old), read(&path)), ("before\none\n".into(), "two\n".into()));
        fs::remove_file(&path).unwrap();
        put(&mut sink, "three\n");
        assert_eq!(read(&path), "three\n");
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_costs_lines_that_are_counted_and_said() {
        let folder = folder("full");
        let (path, good) = (folder.join("a.log"), folder.join("good"));
        symlink("/dev/full", &path).unwrap();
        let mut sink = Sink::file(path.clone());
        let before = dropped_lines();
        put(&mut sink, "one\n");
        put(&mut sink, "two\n");
        assert!(dropped_lines() >= before + 2);
        fs::remove_file(&path).unwrap();
        symlink(&good, &path).unwrap();
        put(&mut sink, "three\n");
        put(&mut sink, "four\n");
        assert_eq!(read(&good), "2 lost: No space left on device (os error 28)\nthree\nfour\n");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_lost_folder_costs_lines_until_it_is_back() {
        let folder = folder("lost");
        let inner = folder.join("logs");
        let mut sink = Sink::file(inner.join("a.log"));
        assert!(sink.open().is_err());
        put(&mut sink, "one\n");
        fs::create_dir(&inner).unwrap();
        put(&mut sink, "two\n");
        let text = read(&inner.join("a.log"));
        assert!(text.starts_with("1 lost: No such file") && text.ends_with("\ntwo\n"), "{text}");
        fs::remove_dir_all(folder).unwrap();
    }
}
