//! One slot, one connection: the same plain connection serves a single server and a cluster.
//!
//! All keys of a queue are in one slot, so a redirect moves the whole link. The crate's own cluster client is not
//! used: it repeats calls that timed out, so that a script may run twice.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Cmd, Connection, ErrorKind, RedisError, ServerErrorKind, Value, cmd};

use super::dial::{Node, dial, parsed, shown};
use super::fault::Fault;
use super::options::Options;
use super::order::Order;
use super::seeds::Seeds;

/// How often a call follows its slot from node to node.
const REDIRECTS: u32 = 5;
/// The limit of a dial; connecting and signing in may take it once each.
const DIAL: Duration = Duration::from_secs(2);
/// The least of it, where several nodes share what is left of the time.
const LEAST: Duration = Duration::from_millis(250);

/// A connection that is opened when it is needed, and anew after a fault.
pub struct Link {
    options: Arc<Options>,
    seeds: Arc<Seeds>,
    /// Where the slot was seen last.
    at: Option<Node>,
    connection: Option<Connection>,
}

impl Link {
    /// Not connected yet.
    pub fn new(options: Arc<Options>, seeds: Arc<Seeds>) -> Link {
        Link { options, seeds, at: None, connection: None }
    }

    /// The node that is, or will be, spoken to.
    pub fn node(&self) -> String {
        shown(&self.at.clone().unwrap_or_else(|| self.seeds.current()))
    }

    /// One call, answered until `end`, wherever its slot is now.
    pub fn call(&mut self, order: &Order, end: Instant) -> Result<Value, Fault> {
        let mut command = Cow::Borrowed(&order.short);
        for _ in 0..REDIRECTS {
            let error = match self.send(&command, end)? {
                Ok(value) => {
                    self.seeds.have_answered();
                    return Ok(value);
                }
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Server(ServerErrorKind::NoScript) => command = Cow::Owned(order.whole()),
                // A redirect was not carried out: it is safe to follow.
                ErrorKind::Server(ServerErrorKind::Moved) => self.move_to(&error),
                ErrorKind::Server(ServerErrorKind::Ask) => return self.ask(&error, &order.whole(), end),
                _ => return Err(self.fault(&error)),
            }
        }
        Err(Fault::circle(&self.node()))
    }

    fn send(&mut self, command: &Cmd, end: Instant) -> Result<Result<Value, RedisError>, Fault> {
        let node = self.node();
        let connection = self.connection(end)?;
        let Some(left) = left(end) else { return Err(Fault::late(&node)) };
        let limited = connection.set_read_timeout(Some(left));
        let limited = limited.and_then(|()| connection.set_write_timeout(Some(left)));
        Ok(limited.and_then(|()| answer(connection, command)))
    }

    fn connection(&mut self, end: Instant) -> Result<&mut Connection, Fault> {
        let current = match self.connection.take() {
            Some(current) => current,
            None => self.dial(end)?,
        };
        Ok(self.connection.insert(current))
    }

    /// To where the slot was seen last, else to the known nodes in turn, until one answers.
    fn dial(&mut self, end: Instant) -> Result<Connection, Fault> {
        if let Some(node) = self.at.take() {
            return self.dial_at(node, left(end), shown);
        }
        let count = self.seeds.count();
        let mut tried = 0;
        loop {
            // Those that are silent leave time for the last.
            let share = left(end).map(|left| (left / (2 * (count - tried))).max(LEAST).min(left));
            tried += 1;
            let name = |node: &Node| match tried {
                1 => shown(node),
                _ => format!("{}, the last of {tried} nodes tried", shown(node)),
            };
            match self.dial_at(self.seeds.current(), share, name) {
                Err(fault) if fault.passing && tried < count && left(end).is_some() => {}
                outcome => return outcome,
            }
        }
    }

    fn dial_at(
        &mut self,
        node: Node,
        limit: Option<Duration>,
        name: impl Fn(&Node) -> String,
    ) -> Result<Connection, Fault> {
        let Some(limit) = limit.map(|limit| limit.min(DIAL)) else { return Err(Fault::late(&name(&node))) };
        let dialled = dial(&self.options, &node, limit).and_then(|mut connection| {
            self.seeds.learn(&self.options, &node, &mut connection, limit)?;
            Ok(connection)
        });
        let connection = dialled.map_err(|error| {
            self.seeds.failed(&node);
            Fault::at_dial(&name(&node), &error)
        })?;
        self.at = Some(node);
        Ok(connection)
    }

    fn move_to(&mut self, error: &RedisError) {
        let from = self.at.clone().unwrap_or_else(|| self.seeds.current());
        self.at = error.redirect_node().and_then(|(address, _)| parsed(address, &from));
        self.connection = None;
    }

    /// The slot is on its way: this one call goes to the other node, the next one here again.
    fn ask(&mut self, error: &RedisError, command: &Cmd, end: Instant) -> Result<Value, Fault> {
        let from = self.at.clone().unwrap_or_else(|| self.seeds.current());
        let to = error.redirect_node().and_then(|(address, _)| parsed(address, &from));
        let (Some(to), Some(left)) = (to, left(end)) else { return Err(Fault::late(&shown(&from))) };
        let asked = dial(&self.options, &to, left.min(DIAL)).and_then(|mut there| {
            there.set_read_timeout(Some(left))?;
            there.set_write_timeout(Some(left))?;
            answer(&mut there, &cmd("ASKING"))?;
            answer(&mut there, command)
        });
        asked.map_err(|error| Fault { broken: false, ..Fault::at_call(&shown(&to), &error) })
    }

    fn fault(&mut self, error: &RedisError) -> Fault {
        let fault = Fault::at_call(&self.node(), error);
        if fault.broken {
            // The next dial asks the nodes in turn: the one that was here may be a replica, cut off, or gone.
            self.connection = None;
            if let Some(node) = self.at.take() {
                self.seeds.failed(&node);
            }
        }
        fault
    }
}

fn left(end: Instant) -> Option<Duration> {
    Some(end.saturating_duration_since(Instant::now())).filter(|left| *left >= Duration::from_millis(1))
}

fn answer(connection: &mut Connection, command: &Cmd) -> Result<Value, RedisError> {
    use redis::ConnectionLike;
    connection.req_command(command).and_then(Value::extract_error)
}
