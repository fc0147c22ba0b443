//! The board: a row a plugin, which the plugin writes through its cell and metrics reads.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::clock;
use super::status::{Activity, Kind, Status, shown};
use crate::domain::conclusion::Tally;
use crate::domain::ids::VmName;
use crate::log::{Field, Fields};

/// Who a plugin is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its `name`.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// The owner, or an enterprise's slug.
    pub owner: String,
    /// The repository, where there is one.
    pub repo: Option<String>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// When it was noticed.
    pub at: SystemTime,
    /// The job's page.
    pub job_url: String,
}

/// A plugin at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who it is.
    pub identity: Identity,
    /// What is shown of it.
    pub status: Status,
    /// Since when just that is shown.
    pub since: SystemTime,
    /// The last run that counted as successful.
    pub last_successful: Option<LastRun>,
    /// The last run that counted as failed.
    pub last_failed: Option<LastRun>,
}

/// Sums over all plugins since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// VMs of ours from their start's success to their deletion's.
    pub running_vms: u64,
    /// Runs that counted as successful.
    pub successful: u64,
    /// Runs that counted as failed.
    pub failed: u64,
    /// Runs that were cancelled.
    pub canceled: u64,
}

/// All cells. A clone is the same board.
#[derive(Clone, Debug)]
pub struct Board(Arc<Mutex<Inner>>);

/// A plugin's handle on its own row. A clone is the same cell.
#[derive(Clone, Debug)]
pub struct Cell {
    board: Board,
    at: usize,
    identity: Arc<Identity>,
}

#[derive(Debug, Default)]
struct Inner {
    plugins: Vec<State>,
    totals: Totals,
    vms: BTreeSet<VmName>,
}

#[derive(Debug)]
struct State {
    row: Row,
    activity: Activity,
    limited: bool,
    draining: bool,
    ending: bool,
}

impl Identity {
    /// What each of the plugin's log lines carries.
    pub fn fields(&self) -> Fields {
        Fields::new()
            .with(Field::PluginName, self.name.as_str())
            .with(Field::Plugin, self.kind.word())
            .with(Field::Owner, self.owner.as_str())
            .with_some(Field::Repo, self.repo.as_deref())
    }
}

impl Board {
    /// A board with a row for each plugin, in this order, and the cells in the same order.
    pub fn new(plugins: Vec<Identity>) -> (Board, Vec<Cell>) {
        let since = clock::now();
        let rows = plugins.iter().map(|identity| State::new(identity.clone(), since)).collect();
        let board = Board(Arc::new(Mutex::new(Inner { plugins: rows, ..Inner::default() })));
        let cell = |(at, identity)| Cell { board: board.clone(), at, identity: Arc::new(identity) };
        let cells = plugins.into_iter().enumerate().map(cell).collect();
        (board, cells)
    }

    /// The sums, and the plugins in the order of the file.
    pub fn snapshot(&self) -> (Totals, Vec<Row>) {
        let inner = self.lock();
        let totals = Totals { running_vms: inner.vms.len() as u64, ..inner.totals };
        (totals, inner.plugins.iter().map(|state| state.row.clone()).collect())
    }

    /// `vm` runs: its start succeeded, or it was found running. Said twice, it counts once.
    pub fn vm_runs(&self, vm: &VmName) {
        self.lock().vms.insert(vm.clone());
    }

    /// `vm` is deleted.
    pub fn vm_gone(&self, vm: &VmName) {
        self.lock().vms.remove(vm);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cell {
    /// Who the plugin is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The board that the cell belongs to.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The plugin does this from now on.
    pub fn set(&self, activity: Activity) {
        self.change(|state| state.activity = activity);
    }

    /// Whether a handler has a job in hand.
    pub fn has_job(&self) -> bool {
        let activity = self.board.lock().plugins[self.at].activity;
        !matches!(activity, Activity::Idle | Activity::Stopped)
    }

    /// Whether GitHub makes the plugin wait.
    pub fn limit_paused(&self, limited: bool) {
        self.change(|state| state.limited = limited);
    }

    /// Whether the drain file keeps the plugin from new jobs.
    pub fn draining(&self, draining: bool) {
        self.change(|state| state.draining = draining);
    }

    /// The process drains: unlike a drain file, for good.
    pub fn ending(&self) {
        self.change(|state| state.ending = true);
    }

    /// A job has ended that a VM of this plugin ran.
    pub fn finished(&self, tally: Tally, job_url: &str) {
        let run = || Some(LastRun { at: clock::now(), job_url: job_url.to_owned() });
        let inner = &mut *self.board.lock();
        let row = &mut inner.plugins[self.at].row;
        match tally {
            Tally::Successful => {
                inner.totals.successful += 1;
                row.last_successful = run();
            }
            Tally::Failed => {
                inner.totals.failed += 1;
                row.last_failed = run();
            }
            Tally::Canceled => inner.totals.canceled += 1,
            Tally::Uncounted => {}
        }
    }

    fn change(&self, with: impl FnOnce(&mut State)) {
        let mut inner = self.board.lock();
        let state = &mut inner.plugins[self.at];
        with(state);
        state.show(clock::now());
    }
}

impl State {
    fn new(identity: Identity, since: SystemTime) -> State {
        let activity = match identity.kind {
            Kind::Handler => Activity::Idle,
            Kind::Receiver | Kind::Aggregator => Activity::Running,
        };
        let status = shown(identity.kind, activity, false, false);
        let row = Row { identity, status, since, last_successful: None, last_failed: None };
        State { row, activity, limited: false, draining: false, ending: false }
    }

    fn show(&mut self, now: SystemTime) {
        let draining = self.draining || self.ending;
        let status = shown(self.row.identity.kind, self.activity, self.limited, draining);
        if status != self.row.status {
            self.row.status = status;
            self.row.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: Kind) -> (Board, Cell) {
        let identity = Identity { name: "R1".into(), kind, owner: "acme".into(), repo: None };
        let (board, mut cells) = Board::new(vec![identity]);
        (board, cells.remove(0))
    }

    fn status(board: &Board) -> &'static str {
        board.snapshot().1[0].status.word()
    }

    #[test]
    fn since_moves_with_what_is_shown_and_only_then() {
        let (board, cell) = one(Kind::Handler);
        let since = || board.snapshot().1[0].since;
        let start = since();
        cell.set(Activity::Idle);
        cell.draining(false);
        assert_eq!(since(), start);
        cell.set(Activity::InProgress);
        let running = since();
        assert!(running > start);
        cell.limit_paused(true);
        assert_eq!((since(), status(&board)), (running, "in_progress"));
        cell.set(Activity::Idle);
        assert!(since() > running);
        assert_eq!(status(&board), "limit_paused");
    }

    #[test]
    fn a_drain_file_that_goes_away_hides_no_stop() {
        let (board, cell) = one(Kind::Handler);
        cell.draining(true);
        cell.draining(false);
        assert_eq!(status(&board), "idle");
        cell.ending();
        cell.draining(false);
        assert_eq!(status(&board), "draining");
    }

    #[test]
    fn runs_are_counted_by_their_tally() {
        let (board, cell) = one(Kind::Handler);
        for tally in [Tally::Successful, Tally::Failed, Tally::Failed, Tally::Canceled, Tally::Uncounted] {
            cell.finished(tally, &format!("https://job/{tally:?}"));
        }
        let (totals, rows) = board.snapshot();
        assert_eq!(totals, Totals { running_vms: 0, successful: 1, failed: 2, canceled: 1 });
        let url = |run: &Option<LastRun>| run.as_ref().map(|run| run.job_url.clone());
        assert_eq!(url(&rows[0].last_successful).as_deref(), Some("https://job/Successful"));
        assert_eq!(url(&rows[0].last_failed).as_deref(), Some("https://job/Failed"));
    }

    #[test]
    fn a_vm_counts_once() {
        let (board, _) = one(Kind::Handler);
        let (a, b) = (VmName("a".into()), VmName("b".into()));
        let running = || board.snapshot().0.running_vms;
        board.vm_runs(&a);
        board.vm_runs(&a);
        board.vm_runs(&b);
        assert_eq!(running(), 2);
        board.vm_gone(&a);
        board.vm_gone(&a);
        assert_eq!(running(), 1);
    }
}
