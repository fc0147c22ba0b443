//! What stands in front costs nothing: jobs of another repository, by the ten thousands.

use std::time::{Duration, Instant};

use anklet::domain::scope::Scope;
use anklet::store::Store;
use rusqlite::Connection;

use super::world::{Folder, Hands, START, ask, claimed, open, queued_of};
use crate::life::model::{claim_id, release};

/// The same job many times more, each a millisecond older than the last.
fn multiply(folder: &Folder, times: i64) {
    let db = Connection::open(folder.file()).unwrap();
    let sql = "with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1)
        insert into job select queue, 100000 + i, age - 100000 + i, state, due, owner, repo, kin, host, plugin, turn, \
        runner, replace(record, '\"id\":1,', '\"id\":' || (100000 + i) || ',') from job, n where id = 1";
    db.execute(sql, [times]).unwrap();
}

fn claim_and_release(store: &dyn Store, scope: &Scope) -> Duration {
    let mut took: Vec<Duration> = (0..31)
        .map(|_| {
            let begun = Instant::now();
            assert_eq!(claimed(store, &ask(&claim_id(1), scope)), Some(2));
            let took = begun.elapsed();
            store.apply(&release(1, false)).unwrap();
            took
        })
        .collect();
    took.sort();
    took[took.len() / 2]
}

#[test]
fn fifty_thousand_jobs_of_another_repository_in_front() {
    let folder = Folder::new();
    let store = open(folder.path(), &Hands::at(START)).queue("acme");
    store.apply(&queued_of(1, "other", &["anka-template:t"])).unwrap();
    store.apply(&queued_of(2, "app", &["anka-template:t"])).unwrap();
    let scope = Scope::Repository { owner: "acme".into(), repo: "app".into() };
    let alone = claim_and_release(&*store, &scope);
    multiply(&folder, 50_000);
    assert_eq!(store.depth().unwrap().queued, 50_002);
    let behind = claim_and_release(&*store, &scope);
    println!("claim: alone {alone:?}, behind 50,000 others {behind:?}");
    assert!(behind < alone * 10 + Duration::from_millis(5), "alone {alone:?}, behind {behind:?}");
}
