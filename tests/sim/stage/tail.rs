//! The lines of a file that grows.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

pub struct Tail {
    path: PathBuf,
    read: u64,
}

impl Tail {
    pub fn of(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    /// The whole lines that have come since the last look. A file that is not there yet has none.
    pub fn lines(&mut self) -> Vec<String> {
        let mut text = Vec::new();
        let Ok(mut file) = File::open(&self.path) else { return Vec::new() };
        if file.seek(SeekFrom::Start(self.read)).and_then(|_| file.read_to_end(&mut text)).is_err() {
            return Vec::new();
        }
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.read += whole as u64;
        String::from_utf8_lossy(&text[..whole]).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn half_a_line_waits_for_its_end() {
        let path = std::env::temp_dir().join(format!("tail-{}", std::process::id()));
        let mut tail = Tail::of(path.clone());
        assert!(tail.lines().is_empty());
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(tail.lines(), ["one"]);
        file.write_all(b"o\nthree\n").unwrap();
        assert_eq!(tail.lines(), ["two", "three"]);
        std::fs::remove_file(path).unwrap();
    }
}
