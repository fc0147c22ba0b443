//! What a page is made from.

use crate::runtime::board::{Board, Row, Totals};
use crate::runtime::figures::Figures;
use crate::runtime::outlook::{Found, Outlook};

/// The daemon and its host at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Sums over the plugins.
    pub totals: Totals,
    /// The host.
    pub host: Figures,
    /// The plugins, in the order of the configuration.
    pub plugins: Vec<Row>,
    /// What the looks in the background have found.
    pub found: Found,
    /// Log lines lost since the process began.
    pub log_lines_dropped: u64,
}

impl Snapshot {
    /// What `board` shows now, with the host's figures and what the looks have found.
    pub fn of(board: &Board, outlook: &Outlook, host: Figures) -> Snapshot {
        let (totals, plugins) = board.snapshot();
        let found = outlook.found();
        Snapshot { totals, host, plugins, found, log_lines_dropped: crate::log::dropped_lines() }
    }
}

/// What the forms are tested with: the ordering document's host, one handler and one receiver.
#[cfg(test)]
pub(super) mod example {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::Snapshot;
    use crate::runtime::board::{Identity, LastRun, Row, Totals};
    use crate::runtime::figures::{Figures, Space};
    use crate::runtime::outlook::{Depth, Found, Queue, Quota, Slots};
    use crate::runtime::status::{Kind, Status};

    pub const JOB: &str = "https://github.com/acme/app/actions/runs/1/job/2";

    /// 2024-05-21T19:16:06.300971 in UTC.
    pub fn moment() -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(1_716_318_966_300_971)
    }

    pub fn row(name: &str, kind: Kind, repo: Option<&str>) -> Row {
        let identity = Identity { name: name.into(), kind, owner: "acme".into(), repo: repo.map(Into::into) };
        let status = if kind == Kind::Receiver { Status::Running } else { Status::Idle };
        Row { identity, status, since: moment(), last_successful: None, last_failed: None }
    }

    pub fn found() -> Found {
        let jobs = [("queued", 7), ("parked", 0), ("claimed", 1), ("running", 2), ("dead", 0)];
        let depth = Some(Depth { jobs, eldest: Duration::from_millis(1_500) });
        let quota = Quota { plugin: "RUNNER1".into(), limit: 5_000, remaining: 4_321, reset: 1_716_320_000 };
        Found {
            queues: vec![Queue { name: "acme".into(), depth, ..Queue::default() }],
            quotas: vec![quota],
            slots: Some(Slots { used: 1, free: 1 }),
            foreign_guests: None,
        }
    }

    pub fn snapshot() -> Snapshot {
        let memory = Space { total: 38_654_705_664, available: 15_629_500_416 };
        let disk = Space { total: 994_662_584_320, available: 535_617_069_056 };
        let mut runner = row("RUNNER1", Kind::Handler, Some("app"));
        runner.last_successful = Some(LastRun { at: moment(), job_url: JOB.into() });
        Snapshot {
            totals: Totals { running_vms: 1, successful: 2, failed: 3, canceled: 4 },
            host: Figures { cpu_count: 12, cpu_usage_percentage: 10.674_157, memory, disk },
            plugins: vec![runner, row("HOOKS", Kind::Receiver, None)],
            found: found(),
            log_lines_dropped: 5,
        }
    }
}
