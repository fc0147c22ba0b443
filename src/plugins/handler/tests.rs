//! A handler over a store whose answers are lost: no claim is stranded.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::anka::scripts::Scripts;
use crate::anka::{self, Anka};
use crate::domain::entry::State;
use crate::domain::event::Event;
use crate::domain::ids::{JobId, Millis, Owner, RunId};
use crate::domain::job::Job;
use crate::domain::outcome::Reason;
use crate::domain::scope::Scope;
use crate::domain::slots::SlotTable;
use crate::domain::undo::Closing;
use crate::github::{self, Client, Credentials, Secret};
use crate::host::places::FilePlaces;
use crate::runtime::board::{Board, Identity};
use crate::runtime::clock;
use crate::runtime::status::Kind;
use crate::store::Store;
use crate::store::faulty::{Fault, Faulty};
use crate::store::memory::Memory;

fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("anklet-handler-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    let scripts = dir.join("handlers/github");
    fs::create_dir_all(&scripts).unwrap();
    for script in ["install", "register", "start"] {
        fs::write(scripts.join(format!("{script}-runner.bash")), "").unwrap();
    }
    // An `anka` that does nothing and says that all is well.
    fs::write(dir.join("anka"), "#!/bin/sh\necho '{\"status\":\"OK\"}'\n").unwrap();
    fs::set_permissions(dir.join("anka"), Permissions::from_mode(0o755)).unwrap();
    dir
}

fn handler(name: &str, store: Arc<Faulty>) -> Handler {
    let dir = folder(name);
    let scope = Scope::Repository { owner: "acme".into(), repo: "app".into() };
    let identity = Identity { name: name.into(), kind: Kind::Handler, owner: "acme".into(), repo: None };
    let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
    let anka = anka::Options {
        program: dir.join("anka"),
        env: Vec::new(),
        children_dir: dir.join("children"),
        work_dir: dir.clone(),
        command_timeout: second,
        start_timeout: second,
        script_timeout: second,
        pull_stall: second,
    };
    let github = github::Options {
        api_url: "http://127.0.0.1:9".into(),
        web_url: "http://127.0.0.1:9".into(),
        credentials: Credentials::Token(Secret::new("token")),
        authorities: None,
        proxies: github::Proxies::default(),
        limits: github::Limits::default(),
    };
    let tools = Tools {
        store,
        github: Arc::new(Client::new(github).unwrap()),
        anka: Anka::new(anka),
        scripts: Scripts::find(&dir).unwrap(),
        slots: SlotTable::new(Arc::new(FilePlaces::open(&dir.join("run")).unwrap())),
        guests: Guests::default(),
        cell: Board::new(vec![identity]).1.remove(0),
    };
    let options = Options {
        owner: Owner { host: "h".into(), plugin: name.into() },
        host_name: String::new(),
        scope,
        voter: "h default".into(),
        sleep_interval: None,
        registration_timeout: second,
        job_retry_attempts: 3,
        lease: minute,
        registry: None,
        skip_pull: false,
        runner_group: None,
        just_in_time: false,
        web_url: "http://127.0.0.1:9".into(),
        retired: false,
        once: false,
        drain_file: None,
    };
    let (journal, page) = journal::Journal::open(&dir.join("journal"), name, &dir).unwrap();
    Handler::new(options, tools, UndoLog::new(Box::new(journal), page))
}

fn queue(jobs: &[u64]) -> Arc<Faulty> {
    let store = Arc::new(Faulty::new(Arc::new(Memory::new(Arc::new(clock::millis)))));
    for id in jobs {
        let job = Job {
            id: JobId(*id),
            run_id: RunId(1),
            run_attempt: 1,
            owner: "acme".into(),
            repo: "app".into(),
            name: String::new(),
            workflow_name: String::new(),
            labels: vec!["anka-template:x".into()],
            url: String::new(),
        };
        store.apply(&Event::Queued { job, waiting: false }).unwrap();
    }
    store
}

#[test]
fn a_claim_whose_answer_was_lost_is_had_at_the_next_look() {
    let store = queue(&[7]);
    let mut handler = handler("look", store.clone());
    store.fail(1, Fault::After);
    assert!(handler.claim().is_none());
    let work = handler.claim().unwrap();
    assert_eq!(work.entry.job.id, JobId(7));
    let _ = work.claim.map(crate::domain::claim::Claim::detach);
    assert!(handler.claim().is_none(), "the look after that is a new one");
}

#[test]
fn a_vm_s_second_claim_whose_answer_was_lost_is_given_back() {
    let store = queue(&[7, 8]);
    let mut handler = handler("another", store.clone());
    let mut work = handler.claim().unwrap();
    // A stranger took job 7; the VM asks for another one.
    let stranger = crate::domain::ids::RunnerName("stranger".into());
    let event = Event::Started { job: work.entry.job.clone(), runner: stranger };
    store.apply(&event).unwrap();
    store.fail(1, Fault::After);
    assert!(matches!(handler.serve_another(&mut work), Err(Reason::StoreAway(_))));
    assert!(matches!(store.entry(JobId(8)).unwrap().unwrap().state, State::Claimed(_)));
    let stop = crate::runtime::stop::Stop::unheard();
    handler.finish(work, Err(Reason::StoreAway(String::new())), &stop);
    assert_eq!(store.entry(JobId(8)).unwrap().unwrap().state, State::Queued);
}

/// A claim that had no VM yet: how it ends is owed in the journal, and the next start says it.
#[test]
fn the_end_of_a_claim_without_a_vm_is_owed_while_the_store_is_away() {
    let store = queue(&[7]);
    let mut handler = handler("owed", store.clone());
    let work = handler.claim().unwrap();
    let (mut handle, stop) = crate::runtime::stop::stop();
    handle.drain();
    store.fail(2, Fault::Before);
    handler.finish(work, Err(Reason::PullFailed("no".into())), &stop);
    let page = handler.undo.page().cloned().unwrap();
    let counted = Closing::Release { job: Some(JobId(7)), counted: true, pause: Duration::ZERO };
    assert_eq!(page.verdict, Some(counted));
    let attempts = || store.entry(JobId(7)).unwrap().unwrap().attempts;
    assert_eq!(attempts(), 0);
    assert!(handler.recover_page(&page, &crate::runtime::stop::Stop::unheard()));
    assert_eq!((attempts(), handler.undo.page()), (1, None));
}

/// Its host was away for so long that GitHub is asked about its job; it comes back while GitHub answers.
#[test]
fn a_host_that_is_back_keeps_its_claim() {
    let store = queue(&[7]);
    let handler = handler("over", store.clone());
    let claim = ClaimId { owner: Owner { host: "other".into(), plugin: "p".into() }, turn: 1 };
    let scope = handler.options.scope.clone();
    let event = Event::Claim { job: JobId(7), claim: claim.clone(), scope, lease_until: Millis(1) };
    store.apply(&event).unwrap();
    let renewed = |lease_until| {
        let entry = store.abandoned().unwrap().remove(0);
        store.apply(&Event::Renew { claim: claim.clone(), lease_until }).unwrap();
        handler.take_over(&entry, Some(&State::Queued));
        let state = store.entry(JobId(7)).unwrap().unwrap().state;
        store.apply(&Event::Renew { claim: claim.clone(), lease_until: Millis(1) }).unwrap();
        state
    };
    assert!(matches!(renewed(Millis(u64::MAX)), State::Claimed(_)));
    assert_eq!(renewed(Millis(1)), State::Queued);
}

#[test]
fn a_look_in_vain_tells_nothing_of_the_host() {
    let mut handler = handler("room", queue(&[]));
    let guests = handler.tools.guests.clone();
    guests.counted(Some("no place".into()));
    assert!(handler.claim().is_none());
    assert_eq!(handler.note().why.as_deref(), Some("no place"));
    guests.counted(None);
    assert_eq!(handler.note().why, None);
}
