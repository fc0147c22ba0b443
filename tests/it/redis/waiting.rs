//! Who is woken, by what, and how fast.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anklet::domain::event::Event;
use anklet::domain::scope::Scope;
use anklet::store::{Ask, Card, Note, Store};
use crossbeam_channel::Receiver;
use nix::sys::signal::Signal;

use crate::life::model::{checkpoint, claim, claim_id, completed, owner, queued, release, vm};
use crate::store::world::{acme, ask, claimed, queued_of};
use crate::support::redis::{Server, new_queue, shared, store};
use crate::support::{eventually, pause};

/// Longer than a ring takes, shorter than any safety net.
const SOON: Duration = Duration::from_secs(2);

/// How long a token waits for its taker to look.
const GRACE: Duration = Duration::from_secs(1);

/// Handler `h<n>` that waits: it has shown itself and found nothing.
struct Handler {
    n: u64,
    scope: Scope,
    store: Arc<dyn Store>,
    bell: Receiver<()>,
}

fn queue() -> (String, Arc<dyn Store>) {
    let name = new_queue();
    (name.clone(), store(shared().options()).queue(&name))
}

impl Handler {
    fn waiting(queue: &str, n: u64, scope: Scope) -> Handler {
        let store = store(shared().options()).queue(queue);
        let card = Card {
            owner: owner(&format!("h{n}")),
            scope: scope.clone(),
            voter: format!("v{n}"),
            patience: Duration::from_secs(90),
            note: Note::default(),
        };
        store.seen(&card).unwrap();
        let bell = store.bell(&card.owner);
        let handler = Handler { n, scope, store, bell };
        assert!(handler.rang(), "a new bell rings");
        assert_eq!(handler.looks(), None);
        handler
    }

    fn looks(&self) -> Option<u64> {
        let id = claim_id(self.n);
        claimed(&*self.store, &Ask { voter: "v", ..ask(&id, &self.scope) })
    }

    fn rang(&self) -> bool {
        self.bell.recv_timeout(SOON).is_ok()
    }

    fn is_silent(&self) -> bool {
        self.bell.recv_timeout(Duration::from_millis(150)).is_err()
    }
}

fn app() -> Scope {
    Scope::Repository { owner: "acme".into(), repo: "app".into() }
}

#[test]
fn one_job_wakes_one_handler() {
    let (name, deliveries) = queue();
    let handlers: Vec<Handler> = (1..=4).map(|n| Handler::waiting(&name, n, acme())).collect();
    pause(100);
    for id in 1..=3 {
        deliveries.apply(&queued(id)).unwrap();
        pause(100);
        let woken: Vec<&Handler> = handlers.iter().filter(|h| h.bell.try_recv().is_ok()).collect();
        assert_eq!(woken.iter().map(|h| h.looks()).collect::<Vec<_>>(), [Some(id)]);
    }
}

#[test]
fn a_burst_wakes_as_many_as_there_are() {
    let (name, deliveries) = queue();
    let handlers: Vec<Handler> = (1..=4).map(|n| Handler::waiting(&name, n, acme())).collect();
    for id in 1..=4 {
        deliveries.apply(&queued(id)).unwrap();
    }
    let mut found: Vec<_> = handlers
        .iter()
        .map(|handler| {
            assert!(handler.rang(), "handler {}", handler.n);
            handler.looks()
        })
        .collect();
    found.sort();
    assert_eq!(found, [1, 2, 3, 4].map(Some));
}

#[test]
fn who_cannot_take_a_job_passes_the_bell_on() {
    let (name, deliveries) = queue();
    let web = Scope::Repository { owner: "acme".into(), repo: "web".into() };
    let mut handlers: Vec<Handler> = (1..=3).map(|n| Handler::waiting(&name, n, web.clone())).collect();
    pause(100);
    handlers.push(Handler::waiting(&name, 4, app()));
    pause(100);
    deliveries.apply(&queued_of(1, "app", &["anka-template:t"])).unwrap();
    let (begun, mut found) = (Instant::now(), None);
    while found.is_none() {
        assert!(begun.elapsed() < GRACE, "nobody waits for a handler that looks at once");
        let mut woken = handlers.iter().filter(|handler| handler.bell.try_recv().is_ok());
        found = woken.find_map(|handler| Some((handler.n, handler.looks()?)));
        pause(1);
    }
    assert_eq!(found, Some((4, 1)));
}

#[test]
fn a_job_that_nobody_can_take_does_not_go_round_for_ever() {
    let (name, deliveries) = queue();
    let handlers: Vec<Handler> = (1..=2).map(|n| Handler::waiting(&name, n, app())).collect();
    deliveries.apply(&queued_of(1, "web", &["anka-template:t"])).unwrap();
    let mut rings = 0;
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        for handler in handlers.iter().filter(|handler| handler.bell.try_recv().is_ok()) {
            rings += 1;
            assert_eq!(handler.looks(), None);
        }
        pause(1);
    }
    assert!((2..=4).contains(&rings), "{rings} rings");
}

#[test]
fn a_token_whose_taker_does_not_look_goes_on() {
    let (name, deliveries) = queue();
    let handlers = [Handler::waiting(&name, 1, acme()), Handler::waiting(&name, 2, acme())];
    pause(100);
    deliveries.apply(&queued(1)).unwrap();
    let mut first = None;
    eventually("one is rung", SOON, || {
        first = handlers.iter().position(|handler| handler.bell.try_recv().is_ok());
        first.is_some()
    });
    let other = &handlers[1 - first.unwrap()];
    assert!(other.rang(), "though the first does nothing");
    assert_eq!(other.looks(), Some(1));
}

#[test]
fn busy_and_sleepy_handlers_take_no_token() {
    let (name, deliveries) = queue();
    let busy = Handler::waiting(&name, 1, acme());
    deliveries.apply(&queued(1)).unwrap();
    assert!(busy.rang());
    assert_eq!(busy.looks(), Some(1));
    // One that looks by itself.
    let sleepy = store(shared().options()).queue(&name);
    let news = sleepy.mailbox(&owner("h2"));
    assert!(news.recv_timeout(SOON).is_ok());
    assert_eq!(claimed(&*sleepy, &ask(&claim_id(2), &acme())), None);
    let idle = Handler::waiting(&name, 3, acme());
    pause(100);
    for id in 2..=4 {
        deliveries.apply(&queued(id)).unwrap();
        assert!(idle.rang());
        assert_eq!(idle.looks(), Some(id));
        idle.store.apply(&completed(id, None)).unwrap();
        idle.store.apply(&release(3, false)).unwrap();
        while idle.bell.try_recv().is_ok() {}
        assert_eq!(idle.looks(), None);
    }
    assert!(busy.is_silent());
    assert!(news.recv_timeout(Duration::from_millis(100)).is_err());
}

#[test]
fn who_became_busy_by_itself_holds_no_token_back() {
    for _ in 0..8 {
        let (name, deliveries) = queue();
        let mut handlers: Vec<Handler> = (1..=3).map(|n| Handler::waiting(&name, n, acme())).collect();
        pause(50);
        deliveries.apply(&queued(1)).unwrap();
        let mut slow = None;
        eventually("one is rung", SOON, || {
            slow = handlers.iter().position(|handler| handler.bell.try_recv().is_ok());
            slow.is_some()
        });
        // It does not look; another one does, whom nobody has rung and who still listens.
        let _slow = handlers.remove(slow.unwrap());
        assert_eq!(handlers[0].looks(), Some(1));
        deliveries.apply(&queued(2)).unwrap();
        let rung = handlers[1].bell.recv_timeout(GRACE / 2);
        assert!(rung.is_ok(), "the one who is idle");
        assert_eq!(handlers[1].looks(), Some(2));
    }
}

#[test]
fn news_of_a_claim_reach_its_handler_and_no_other() {
    let (name, deliveries) = queue();
    let (one, two) = (Handler::waiting(&name, 1, acme()), Handler::waiting(&name, 2, acme()));
    deliveries.apply(&queued(1)).unwrap();
    deliveries.apply(&claim(1, 1)).unwrap();
    deliveries.apply(&checkpoint(1)).unwrap();
    pause(100);
    for handler in [&one, &two] {
        while handler.bell.try_recv().is_ok() {
            assert_eq!(handler.looks(), (handler.n == 1).then_some(1));
        }
    }
    let begun = Instant::now();
    deliveries.apply(&completed(1, Some(vm(1)))).unwrap();
    assert!(one.rang());
    assert!(begun.elapsed() < Duration::from_millis(200), "{:?}", begun.elapsed());
    assert!(two.is_silent());
}

#[test]
fn the_end_of_a_pause_rings() {
    let (name, deliveries) = queue();
    let handler = Handler::waiting(&name, 1, acme());
    deliveries.apply(&queued(1)).unwrap();
    assert!(handler.rang());
    assert_eq!(handler.looks(), Some(1));
    let length = Duration::from_millis(700);
    handler
        .store
        .apply(&Event::Release { claim: claim_id(1), job: None, counted: true, pause: length })
        .unwrap();
    let released = Instant::now();
    assert_eq!(handler.looks(), None);
    while handler.bell.recv_timeout(SOON).is_ok() {
        if handler.looks() == Some(1) {
            break;
        }
    }
    let waited = released.elapsed();
    assert!(waited >= length && waited < length + Duration::from_millis(300), "{waited:?}");
}

#[test]
fn from_a_delivery_to_a_claim_it_takes_milliseconds() {
    let (name, deliveries) = queue();
    let handler = Handler::waiting(&name, 1, acme());
    let mut took: Vec<Duration> = (1..=101)
        .map(|id| {
            pause(3);
            let begun = Instant::now();
            deliveries.apply(&queued(id)).unwrap();
            let claimed = loop {
                assert!(handler.rang());
                if let Some(job) = handler.looks() {
                    break job;
                }
            };
            let took = begun.elapsed();
            assert_eq!(claimed, id);
            handler.store.apply(&completed(id, None)).unwrap();
            handler.store.apply(&release(1, false)).unwrap();
            while handler.bell.try_recv().is_ok() {}
            assert_eq!(handler.looks(), None);
            took
        })
        .collect();
    took.sort();
    println!("delivery to claim: median {:?}, slowest but one {:?}", took[50], took[99]);
    assert!(took[50] < Duration::from_millis(20), "{took:?}");
}

#[test]
fn a_frozen_server_holds_nobody() {
    let server = Server::start(&[]);
    let queue = store(server.options()).queue("acme");
    let bell = queue.bell(&owner("h1"));
    assert!(bell.recv_timeout(SOON).is_ok());
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), None);
    pause(100);
    server.signal(Signal::SIGSTOP);
    let begun = Instant::now();
    drop((queue, bell));
    assert!(begun.elapsed() < Duration::from_millis(200), "{:?}", begun.elapsed());
    server.signal(Signal::SIGCONT);
}

#[test]
fn a_token_taken_after_its_handler_has_gone_goes_on() {
    let (name, deliveries) = queue();
    let gone = Handler::waiting(&name, 1, acme());
    let there = Handler::waiting(&name, 2, acme());
    pause(100);
    drop(gone);
    deliveries.apply(&queued(1)).unwrap();
    assert!(there.rang());
    assert_eq!(there.looks(), Some(1));
}
