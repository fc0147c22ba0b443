//! What a page is made from.

use crate::runtime::board::{Board, Row, Totals};
use crate::runtime::figures::Figures;

/// The daemon and its host at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Sums over the plugins.
    pub totals: Totals,
    /// The host.
    pub host: Figures,
    /// The plugins, in the order of the configuration.
    pub plugins: Vec<Row>,
    /// Log lines lost since the process began.
    pub log_lines_dropped: u64,
}

impl Snapshot {
    /// What `board` shows now, with the host's figures.
    pub fn of(board: &Board, host: Figures) -> Snapshot {
        let (totals, plugins) = board.snapshot();
        Snapshot { totals, host, plugins, log_lines_dropped: crate::log::dropped_lines() }
    }
}

/// What the forms are tested with: the ordering document's host, one handler and one receiver.
#[cfg(test)]
pub(super) mod example {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::Snapshot;
    use crate::runtime::board::{Identity, LastRun, Row, Totals};
    use crate::runtime::figures::{Figures, Space};
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

    pub fn snapshot() -> Snapshot {
        let memory = Space { total: 38_654_705_664, available: 15_629_500_416 };
        let disk = Space { total: 994_662_584_320, available: 535_617_069_056 };
        let mut runner = row("RUNNER1", Kind::Handler, Some("app"));
        runner.last_successful = Some(LastRun { at: moment(), job_url: JOB.into() });
        Snapshot {
            totals: Totals { running_vms: 1, successful: 2, failed: 3, canceled: 4 },
            host: Figures { cpu_count: 12, cpu_usage_percentage: 10.674_157, memory, disk },
            plugins: vec![runner, row("HOOKS", Kind::Receiver, None)],
            log_lines_dropped: 5,
        }
    }
}
