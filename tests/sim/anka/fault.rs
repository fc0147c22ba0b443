//! Faults: calls that fail, hang or lie, as `faults.json` says. The file may be changed while a test runs.

use super::answer::{Refusal, error_line};
use super::args::Line;
use super::{registry, vm};
use crate::files;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

const GARBAGE: &str = "\u{1b}[31mTraceback (most recent call last):\u{1b}[0m {\"status\": \"O";
const FLOOD_BYTES: u64 = 64 << 20;

/// One fault. It is taken out of the file when it has struck `times` times.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Words that the call must hold, the first of them as its name: `clone`, `registry pull`,
    /// `run install-runner`; `*` is any call.
    pub call: String,
    #[serde(rename = "do")]
    pub what: What,
    /// Calls that pass before the first strike.
    #[serde(default)]
    pub skip: u64,
    /// How often it strikes; 0 is always.
    #[serde(default = "once")]
    pub times: u64,
    /// After the deed instead of in its place: the call did what it was told, and lies about it.
    #[serde(default)]
    pub after: bool,
    /// For `hang` (absent: for ever), `slow`, `stall`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The envelope's code and the exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What `garbage` and `noise` print.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// How much `flood` prints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An ERROR envelope and exit code 1, or `code` in both.
    Fail,
    /// The same, with `code` (default 3).
    FailCode,
    /// An ERROR envelope, and exit code 0.
    #[serde(rename = "error_exit_0")]
    ErrorExit0,
    /// No envelope: the connection to the guest is lost (exit 125).
    Drop,
    /// Ends by SIGKILL.
    Crash,
    /// Something that is no JSON, exit 0.
    Garbage,
    /// Nothing at all, exit 0.
    Empty,
    /// Prints `bytes` bytes, then goes on.
    Flood,
    /// Prints lines before the answer, then goes on.
    Noise,
    /// Waits, then goes on.
    Slow,
    /// Waits for `ms` or for ever, then fails.
    Hang,
    /// Hangs with a child, and both ignore SIGTERM.
    IgnoreTerm,
    /// Some progress objects, then as `hang`.
    Stall,
    /// The VM that the call names is gone, then goes on.
    Vanish,
}

/// What follows a fault.
pub enum Next {
    GoOn,
    Exit(u8),
}

impl Fault {
    /// The first fault that this call meets, counted.
    pub fn take(dir: &Path, words: &[String]) -> Result<Option<Self>, String> {
        let path = dir.join("faults.json");
        if !path.is_file() {
            return Ok(None);
        }
        let _lock = files::lock(&dir.join("lock"))?;
        let mut faults: Vec<Self> = files::read_json(&path)?.unwrap_or_default();
        let mut struck = None;
        for fault in faults.iter_mut().filter(|fault| fault.meets(words)) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            struck = Some(fault.clone());
            // 0 is "always"; what is used up becomes the largest number and is taken out below.
            fault.times = if fault.times == 1 { u64::MAX } else { fault.times.saturating_sub(1) };
            break;
        }
        faults.retain(|fault| fault.times != u64::MAX);
        files::write_json(&path, &faults)?;
        Ok(struck)
    }

    fn meets(&self, words: &[String]) -> bool {
        let mut wanted = self.call.split_whitespace();
        match (wanted.next(), words.first()) {
            (Some("*"), _) => {}
            (Some(name), Some(have)) if name == have => {}
            _ => return false,
        }
        wanted.all(|part| words.iter().skip(1).any(|word| word.contains(part)))
    }

    pub fn play(&self, dir: &Path, line: &Line) -> Next {
        match self.what {
            What::Fail => self.fail(self.code, self.code.unwrap_or(1)),
            What::FailCode => self.fail(self.code.or(Some(3)), self.code.unwrap_or(3)),
            What::ErrorExit0 => self.fail(self.code, 0),
            What::Drop => Next::Exit(self.code.unwrap_or(125)),
            What::Empty => Next::Exit(self.code.unwrap_or(0)),
            What::Crash => {
                let _ = kill(Pid::this(), Signal::SIGKILL);
                Next::Exit(137)
            }
            What::Garbage => {
                println!("{}", self.output.as_deref().unwrap_or(GARBAGE));
                Next::Exit(self.code.unwrap_or(0))
            }
            What::Noise => {
                println!("{}", self.output.as_deref().unwrap_or("warning: something nobody asked for"));
                Next::GoOn
            }
            What::Flood => flood(self.bytes.unwrap_or(FLOOD_BYTES)),
            What::Slow => {
                thread::sleep(Duration::from_millis(self.ms.unwrap_or(1000)));
                Next::GoOn
            }
            What::Hang => self.hang(),
            What::IgnoreTerm => ignore_term(),
            What::Stall => {
                registry::progress(50, 5);
                self.hang()
            }
            What::Vanish => {
                for word in line.words.iter().skip(1) {
                    let _ = vm::vanish(dir, word.split(':').next().unwrap_or(word));
                }
                Next::GoOn
            }
        }
    }

    fn fail(&self, code: Option<u8>, exit: u8) -> Next {
        let message = self.message.as_deref().unwrap_or("a simulated failure");
        println!("{}", error_line(code.map(Into::into), message));
        Next::Exit(exit)
    }

    fn hang(&self) -> Next {
        thread::sleep(self.ms.map_or(Duration::MAX, Duration::from_millis));
        self.fail(self.code, self.code.unwrap_or(1))
    }
}

/// `anklet-sim fault DIR JSON…`: each argument is one fault or a list of them; `none` takes all away.
pub fn main(args: &[String]) -> Result<(), String> {
    let (dir, wanted) = args.split_first().ok_or("usage: fault DIR JSON…")?;
    let dir = Path::new(dir);
    let path = dir.join("faults.json");
    let _lock = files::lock(&dir.join("lock"))?;
    let mut faults: Vec<Fault> = files::read_json(&path)?.unwrap_or_default();
    for text in wanted {
        if text == "none" {
            faults.clear();
        } else if text.trim_start().starts_with('[') {
            faults.extend(serde_json::from_str::<Vec<Fault>>(text).map_err(|e| e.to_string())?);
        } else {
            faults.push(serde_json::from_str(text).map_err(|e| e.to_string())?);
        }
    }
    files::write_json(&path, &faults)
}

fn flood(bytes: u64) -> Next {
    let line = format!("{}\n", "x".repeat(1023));
    let mut out = std::io::stdout().lock();
    for _ in 0..bytes / 1024 {
        if out.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    Next::GoOn
}

/// A shell takes this process's place: it can ignore a signal, which safe code here cannot.
fn ignore_term() -> Next {
    let script = "trap '' TERM; sleep 100000 & while :; do sleep 1; done";
    let failed = Command::new("bash").args(["-c", script]).exec();
    eprintln!("bash: {failed}");
    Next::Exit(1)
}

fn once() -> u64 {
    1
}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> Self {
        refusal.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(call: &str) -> Fault {
        serde_json::from_str(&format!(r#"{{"call":"{call}","do":"fail"}}"#)).unwrap()
    }

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(String::from).collect()
    }

    #[test]
    fn a_call_is_met_by_its_name_and_its_words() {
        let call = words("run -f /tmp/env vm-1 bash -lc ./install-runner.bash");
        assert!(fault("run").meets(&call));
        assert!(fault("run install-runner").meets(&call));
        assert!(fault("*").meets(&call));
        assert!(!fault("run start-runner").meets(&call));
        assert!(!fault("cp").meets(&call));
        assert!(fault("registry pull").meets(&words("registry -r other pull -t v1 macos")));
    }
}
