//! The store that needs no server: one SQLite file in `state_dir`, shared by the daemons of a host.
//!
//! - `schema` the file: its tables, how it is opened, which versions are understood
//! - `columns` what is found by, beside the record
//! - `sheet` reading and writing jobs inside one transaction
//! - `memos` what plugins remember beside jobs
//! - `file` a connection that comes back by itself after a fault
//! - `desk` the thread `store:writer`: what waits goes into one transaction, then all are told
//! - `glass` a second connection, for looking only
//! - `post` waking the other daemons of the host
//! - `pulse` whether a claim's daemon lives
//! - `queue` the verbs
//! - `view` the queue as people see it, without any of this
//!
//! A claim dies with its daemon, not by time: see `pulse`.

mod columns;
mod desk;
mod fault;
mod file;
mod glass;
mod memos;
mod post;
mod pulse;
mod queue;
mod schema;
mod sheet;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use super::bells::Bells;
use super::{Clock, Store, StoreError};

pub use view::{Onlooker, examine};

/// Where the store lives.
#[derive(Clone)]
pub struct Options {
    /// The SQLite file; made when it is not there, but not its folder.
    pub file: PathBuf,
    /// Where each process that uses the file has its socket; made when it is not there.
    pub bells_dir: PathBuf,
    /// Where each plugin's daemon holds `<encoded plugin name>.lock`.
    pub locks_dir: PathBuf,
    /// The store's clock.
    pub clock: Clock,
}

/// The store of one process: all its queues share one writer, and the file is closed when the last is dropped.
#[derive(Clone)]
pub struct Embedded(Arc<Backend>);

/// What the queues of a process share.
struct Backend {
    options: Options,
    bells: Arc<Bells>,
    glass: glass::Glass,
    desk: desk::Desk,
    _mailbox: Option<post::Mailbox>,
}

impl Embedded {
    /// Opens the file, or says why it cannot be used: `Away` for what may pass (locked, full, no permission),
    /// `Unreadable` for a file that is damaged, of a newer version or not ours. Such a file is left as it is.
    ///
    /// Later on, what goes wrong is the verbs' to say, and each verb tries again from the start.
    pub fn open(options: Options) -> Result<Embedded, StoreError> {
        let mut file = file::File::new(options.file.clone(), schema::open);
        file.connection()?;
        Embedded::over(file, options)
    }

    /// As [`Embedded::open`], but what is wrong with the file is left for the verbs to say: it may mend itself.
    pub fn open_later(options: Options) -> Result<Embedded, StoreError> {
        Embedded::over(file::File::new(options.file.clone(), schema::open), options)
    }

    fn over(opened: file::File, options: Options) -> Result<Embedded, StoreError> {
        let Options { file, bells_dir, clock, .. } = options.clone();
        let bells = Arc::new(Bells::default());
        let said = Arc::new(sheet::Said::default());
        let mailbox = post::Mailbox::open(&bells_dir, &bells)
            .inspect_err(|why| {
                log::warn!(
                    "other daemons cannot ring here, the queue is looked at each second instead: {why}"
                );
            })
            .ok();
        let post = post::Post::new(bells_dir, mailbox.as_ref().map(|m| m.address().to_owned()));
        let desk = desk::Desk::start(opened, clock, Arc::clone(&bells), post, Arc::clone(&said))?;
        let glass = glass::Glass::new(file, said);
        Ok(Embedded(Arc::new(Backend { options, bells, glass, desk, _mailbox: mailbox })))
    }

    /// One queue of the store. Queues of different names do not see each other's jobs.
    pub fn queue(&self, name: &str) -> Arc<dyn Store> {
        Arc::new(queue::Queue::new(Arc::clone(&self.0), name))
    }
}
