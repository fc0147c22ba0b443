//! `anklet-sim tour`: eight jobs from GitHub's webhook to a clean host, shown as they move, and judged.
//!
//! `cast` says who plays, `play` what happens, `watch` what can be seen of it, `verdict` what must have come of it,
//! `screen` how it is shown. `stage` beside this folder is where it takes place.

mod cast;
mod curtain;
mod play;
mod record;
mod screen;
mod sources;
mod verdict;
mod watch;

use crate::stage::config::Cast;
use crate::stage::folder::Folder;
use crate::stage::interrupt::Interrupt;
use crate::stage::{Plan, Stage};
use lexopt::prelude::*;
use screen::Screen;
use std::path::{Path, PathBuf};
use watch::Watch;

const HELP: &str = "\
anklet-sim tour [--clone DIR] [--folder DIR] [--keep]

Runs the `anklet` beside this program against a simulated GitHub and a simulated Anka, shows eight jobs, stops it
by Ctrl+C and looks for anything left behind.
--clone: where the project lies (the current folder).
--folder: where everything is written (.quickstart in the clone); what was there before is removed.
--keep: leaves everything running to play with, until you press Ctrl+C.
";

/// How the simulated Anka spends its time: slow enough to be watched.
const ANKA: [&str; 4] =
    ["timing_ms.clone=150", "timing_ms.start=350", "timing_ms.delete=100", "timing_ms.registry pull=600"];

struct Options {
    clone: PathBuf,
    folder: Option<PathBuf>,
    keep: bool,
}

pub fn main(args: Vec<String>) -> Result<(), String> {
    let Some(options) = read(args).map_err(|e| e.to_string())? else {
        print!("{HELP}");
        return Ok(());
    };
    let interrupt = Interrupt::listen()?;
    let folder = Folder::take(options.folder.as_ref().unwrap_or(&options.clone.join(".quickstart")))?;
    let path = folder.path().to_path_buf();
    let log = folder.log();
    tour(folder, &options, interrupt).map_err(|why| failure(&why, &path, &log))
}

fn tour(folder: Folder, options: &Options, interrupt: Interrupt) -> Result<(), String> {
    let screen = Screen::of_standard_output();
    screen.heading("sets the stage");
    let stage = Stage::set_up(Plan { folder, clone: &options.clone, anka: &ANKA, cast: Cast::USUAL })?;
    screen.place(&stage);
    let mut watch = Watch::of(stage, screen, interrupt);
    play::play(&mut watch)?;
    let faults = verdict::of_the_jobs(&mut watch)?;
    if options.keep {
        curtain::play_on(&mut watch)?;
    }
    let left = curtain::falls(watch, options.keep)?;
    let faults: Vec<String> = faults.into_iter().chain(left).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n  ")) }
}

/// The reason, and where to look.
fn failure(why: &str, folder: &Path, log: &Path) -> String {
    let log = if log.exists() { format!("\nthe log: {}", log.display()) } else { String::new() };
    format!("the tour failed:\n  {why}\neverything is kept in {}{log}", folder.display())
}

fn read(args: Vec<String>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options { clone: PathBuf::from("."), folder: None, keep: false };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("clone") => options.clone = PathBuf::from(parser.value()?),
            Long("folder") => options.folder = Some(PathBuf::from(parser.value()?)),
            Long("keep") => options.keep = true,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}
