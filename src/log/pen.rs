//! Writes whole lines to an open file.

use std::fs::File;
use std::io::{self, Write};

/// An open file.
#[derive(Debug)]
pub(super) struct Pen {
    pub file: File,
    /// The last line got in only in part, so that the next must begin on a line of its own.
    torn: bool,
}

impl Pen {
    pub(super) fn new(file: File) -> Pen {
        Pen { file, torn: false }
    }

    /// One `write(2)`: a line of several processes' or threads' is never mixed with another.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        let text = if self.torn { format!("\n{line}") } else { line.to_owned() };
        let written = loop {
            match self.file.write(text.as_bytes()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.torn = written < text.len();
        if self.torn { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{OpenOptions, read_to_string, remove_file};

    #[test]
    fn what_got_in_by_half_spoils_no_other_line() {
        let path = std::env::temp_dir().join(format!("anklet-pen-{}", std::process::id()));
        let _ = remove_file(&path);
        let mut pen = Pen::new(OpenOptions::new().create(true).append(true).open(&path).unwrap());
        pen.write("one\n").unwrap();
        pen.file.write_all(b"tw").unwrap();
        pen.torn = true;
        pen.write("three\n").unwrap();
        pen.write("four\n").unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "one\ntw\nthree\nfour\n");
        remove_file(path).unwrap();
    }
}
