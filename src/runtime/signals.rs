//! Signals become messages; the third stop ends the process where it stands.
//!
//! ctrlc takes SIGINT and cannot tell signals apart; signal-hook's self-pipes take SIGTERM and SIGHUP.
//! All reads block, so that an idle process is not woken.

use std::fmt;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use signal_hook::consts::{SIGHUP, SIGTERM};
use signal_hook::low_level::pipe;

use super::stop::Never;
use super::thread;

/// The exit code of the third stop.
const THIRD: i32 = 130;

/// What a person or a service manager asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl+C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    Hangup,
}

/// Why signals cannot be heard.
#[derive(Debug)]
pub enum ListenError {
    /// The handler of SIGINT was not taken.
    Interrupt(ctrlc::Error),
    /// A pipe or a thread for SIGTERM or SIGHUP could not be made.
    Pipe(io::Error),
}

/// Hears signals from now on. To be called once a process, before its other threads start.
///
/// SIGINT and SIGTERM are stops; the third of them ends the process at once, from the thread that heard it,
/// since whoever reads the channel may be stuck.
pub fn listen() -> Result<Receiver<Signal>, ListenError> {
    let (tell, told) = unbounded();
    let stops = Stops::default();
    let (tx, counted) = (tell.clone(), stops.clone());
    ctrlc::set_handler(move || hear(Signal::Interrupt, &tx, &counted)).map_err(ListenError::Interrupt)?;
    for (number, signal) in [(SIGTERM, Signal::Terminate), (SIGHUP, Signal::Hangup)] {
        let (tx, counted) = (tell.clone(), stops.clone());
        listen_for(number, move || hear(signal, &tx, &counted)).map_err(ListenError::Pipe)?;
    }
    Ok(told)
}

fn listen_for(number: i32, heard: impl Fn() + Send + 'static) -> io::Result<()> {
    let (mut read, write) = UnixStream::pair()?;
    pipe::register(number, write)?;
    thread::start_small("signals", 64, move || {
        let mut byte = [0];
        while matches!(read.read(&mut byte), Ok(1)) {
            heard();
        }
    })?;
    Ok(())
}

/// A sender that is dropped when the process is about to leave.
type Held = Mutex<Option<Sender<Never>>>;

static LEAVING: LazyLock<(Held, Receiver<Never>)> = LazyLock::new(|| {
    let (sender, receiver) = bounded(0);
    (Mutex::new(Some(sender)), receiver)
});

/// Whether a supervisor says when the process leaves, instead of the first stop.
static IS_SUPERVISED: AtomicBool = AtomicBool::new(false);

/// Ends when the process is about to leave: for waits on others that no plugin's [`super::stop::Stop`] reaches.
/// A stop is heard long before that where running jobs are waited for.
pub fn leaving() -> Receiver<Never> {
    LEAVING.1.clone()
}

/// From now on no stop, but [`leave_soon`], says that the process is about to leave.
pub(super) fn supervise() {
    IS_SUPERVISED.store(true, Ordering::SeqCst);
}

/// No job is waited for any more.
pub(super) fn leave_soon() {
    LEAVING.0.lock().unwrap_or_else(PoisonError::into_inner).take();
}

fn hear(signal: Signal, tell: &Sender<Signal>, stops: &Stops) {
    if signal != Signal::Hangup {
        if stops.is_third() {
            leave();
        }
        if !IS_SUPERVISED.load(Ordering::SeqCst) {
            leave_soon();
        }
    }
    let _ = tell.send(signal);
}

/// The stops heard so far.
#[derive(Clone, Debug, Default)]
struct Stops(Arc<AtomicU32>);

impl Stops {
    fn is_third(&self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) >= 2
    }
}

#[expect(clippy::disallowed_methods, reason = "the third stop waits for nobody")]
fn leave() -> ! {
    std::process::exit(THIRD)
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::Interrupt(source) => write!(f, "hear SIGINT: {source}"),
            ListenError::Pipe(source) => write!(f, "hear SIGTERM and SIGHUP: {source}"),
        }
    }
}

impl std::error::Error for ListenError {}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{Signal as Number, kill};
    use nix::unistd::Pid;
    use std::time::Duration;

    /// The only test that may listen: a process hears its signals once.
    #[test]
    fn each_signal_is_told_by_its_name_and_a_hangup_is_no_stop() {
        let told = listen().unwrap();
        let sent = [Number::SIGINT, Number::SIGHUP, Number::SIGHUP, Number::SIGTERM];
        let wanted = [Signal::Interrupt, Signal::Hangup, Signal::Hangup, Signal::Terminate];
        for (number, signal) in sent.into_iter().zip(wanted) {
            kill(Pid::this(), number).unwrap();
            assert_eq!(told.recv_timeout(Duration::from_secs(5)), Ok(signal));
        }
        assert!(told.is_empty());
        assert!(listen().is_err());
    }

    #[test]
    fn the_third_stop_is_the_third() {
        let stops = Stops::default();
        assert_eq!([(); 4].map(|()| stops.clone().is_third()), [false, false, true, true]);
    }
}
