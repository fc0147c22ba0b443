//! What is sent to the server, and the thread that sends it.
//!
//! A call blocks as long as the server is silent. So it is made on a thread beside, which is left behind when the
//! process is about to leave meanwhile. A drain that waits for jobs has all the time of a call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, at, bounded, select};
use redis::{Arg, Cmd, Value, cmd};

use super::fault::Fault;
use super::link::Link;
use super::seeds::Seeds;
use crate::runtime::signals::leaving;
use crate::runtime::thread;

/// How long a server is waited for when the process is about to leave; and one that has just not answered.
const LEAVING: Duration = Duration::from_millis(700);
const MUTE: Duration = Duration::from_millis(50);
/// How much later than it should the link itself may say that it got no answer.
const OVERTIME: Duration = Duration::from_millis(100);

/// A command.
#[derive(Clone)]
pub struct Order {
    /// What is sent first.
    pub short: Cmd,
    /// The code of the script whose digest it names, for where that is not known.
    pub code: Option<&'static str>,
}

impl Order {
    /// With the whole code.
    pub fn whole(&self) -> Cmd {
        let Some(code) = self.code else { return self.short.clone() };
        let mut whole = cmd("EVAL");
        whole.arg(code);
        for arg in self.short.args_iter().skip(2) {
            if let Arg::Simple(arg) = arg {
                whole.arg(arg);
            }
        }
        whole
    }
}

impl From<Cmd> for Order {
    fn from(short: Cmd) -> Order {
        Order { short, code: None }
    }
}

/// Waits before another try; false when there is to be none, since the process is about to leave.
pub fn rest(pause: Duration) -> bool {
    pause.is_zero() || matches!(leaving().recv_timeout(pause), Err(RecvTimeoutError::Timeout))
}

/// A link on a thread of its own.
pub struct Courier {
    orders: Sender<(Order, Instant)>,
    answers: Receiver<Result<Value, Fault>>,
    seeds: Arc<Seeds>,
    /// Whether it still owes an answer: then it can take no other order.
    pub owes: bool,
}

impl Courier {
    /// Ends with the last order when it is dropped.
    pub fn start(mut link: Link, seeds: Arc<Seeds>) -> std::io::Result<Courier> {
        let (orders, taken) = bounded::<(Order, Instant)>(1);
        let (tell, answers) = bounded(1);
        thread::start_small("store:redis", 256, move || {
            for (order, end) in taken {
                if tell.send(link.call(&order, end)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Courier { orders, answers, seeds, owes: false })
    }

    /// One call, answered until `end`, and soon when the process is about to leave.
    pub fn call(&mut self, order: Order, end: Instant) -> Result<Value, Fault> {
        if self.owes || self.orders.send((order, end)).is_err() {
            return Err(self.late());
        }
        self.owes = true;
        let (leaving, mut was_mute) = (leaving(), false);
        let answer = select! {
            recv(self.answers) -> answer => answer.ok(),
            recv(at(end + OVERTIME)) -> _ => None,
            recv(leaving) -> _ => {
                was_mute = self.seeds.are_mute();
                let left = if was_mute { MUTE } else { LEAVING };
                self.answers.recv_deadline(end.min(Instant::now() + left)).ok()
            }
        };
        let Some(answer) = answer else {
            // A short wait proves nothing new.
            if !was_mute {
                self.seeds.were_mute();
            }
            return Err(self.late());
        };
        self.owes = false;
        answer
    }

    fn late(&self) -> Fault {
        Fault::late(&super::dial::shown(&self.seeds.current()))
    }
}
