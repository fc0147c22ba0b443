//! What older and newer programs have written.

use std::time::Duration;

use anklet::domain::conclusion::Conclusion;
use anklet::domain::event::{End, Event, Verdict};
use anklet::domain::ids::JobId;
use anklet::store::StoreError;
use anklet::store::look::Wanted;

use crate::life::model::{claim_id, completed, not_here, owner, queued};
use crate::store::world::{acme, ask, card, claimed, ids, word};
use crate::support::redis::{Server, say, store};

/// A job's record as version 1 has ever written it.
const FIRST: &str = r#"{"v":1,"job":{"id":1,"run_id":1001,"owner":"Acme","repo":"App","labels":["self-hosted","anka-template:t"]},"age":1700000000000,"state":"queued"}"#;

fn key(name: &str) -> String {
    format!("anklet:{{acme}}:{name}")
}

#[test]
fn the_keys_are_those_that_are_documented() {
    let server = Server::start(&[]);
    let queue = store(server.options()).queue("acme");
    let mut client = server.client();
    queue.seen(&card("h1", "v1", Duration::from_secs(90))).unwrap();
    (1..=6).for_each(|id| drop(queue.apply(&queued(id)).unwrap()));
    queue.apply(&Event::Waiting { job: JobId(6) }).unwrap();
    for n in 1..=4 {
        assert_eq!(claimed(&*queue, &ask(&claim_id(n), &acme())), Some(n));
    }
    queue.apply(&crate::life::model::checkpoint(1)).unwrap();
    queue.apply(&crate::life::model::started(1, crate::life::model::vm(1))).unwrap();
    queue.apply(&completed(2, None)).unwrap();
    queue.apply(&Event::Settle { claim: claim_id(3), job: JobId(3), end: End::Dead("no".into()) }).unwrap();
    let pause = Duration::from_mins(1);
    queue.apply(&Event::Release { claim: claim_id(4), job: None, counted: true, pause }).unwrap();
    let (_bell, mut found) = (queue.bell(&owner("h9")), say::<Vec<String>>(&mut client, &["KEYS", "*"]));
    found.sort();
    let names = [
        "bell",
        "cards",
        "holds",
        "jobs",
        "leases",
        "mail:host/h1",
        "mail:host/h2",
        "over",
        "parked",
        "pauses",
        "queued",
        "ready",
        "running",
        "dead",
        "runners",
    ];
    let mut want: Vec<String> = names.iter().map(|name| key(name)).collect();
    want.sort();
    assert_eq!(found, want);
    assert!(say::<i64>(&mut client, &["TTL", &key("mail:host/h2")]) > 0, "letters do not lie for ever");
    assert_eq!(say::<String>(&mut client, &["HGET", &key("holds"), "host/h1#0000000000000001"]), "1");
    assert_eq!(say::<Vec<String>>(&mut client, &["ZRANGE", &key("queued"), "0", "-1"]), ["4", "5"]);
}

#[test]
fn a_record_of_the_first_version_is_read() {
    let server = Server::start(&[]);
    let queue = store(server.options()).queue("acme");
    queue.apply(&queued(1)).unwrap();
    say::<i64>(&mut server.client(), &["HSET", &key("jobs"), "1", FIRST]);
    assert_eq!(queue.entry(JobId(1)).unwrap().unwrap().attempts, 0);
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), Some(1));
    queue
        .apply(&Event::Settle { claim: claim_id(1), job: JobId(1), end: End::Over(Conclusion::Success) })
        .unwrap();
    assert_eq!(word(&*queue, 1), "over");
}

#[test]
fn what_a_newer_program_wrote_is_left_alone() {
    let server = Server::start(&[]);
    let queue = store(server.options()).queue("acme");
    let mut client = server.client();
    (1..=30).for_each(|id| drop(queue.apply(&queued(id)).unwrap()));
    let newer = r#"{"v":2,"something":"else"}"#;
    for id in 1..=20 {
        say::<i64>(&mut client, &["HSET", &key("jobs"), &id.to_string(), newer]);
    }
    let error = queue.apply(&completed(3, None)).unwrap_err();
    assert!(
        matches!(&error, StoreError::Unreadable(why) if why.contains("job 3") && why.contains("newer")),
        "{error}"
    );
    assert!(queue.entry(JobId(3)).is_err());
    assert_eq!(ids(&queue.list().unwrap()), (21..=30).collect::<Vec<_>>());
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), Some(21), "it blocks nobody");
    assert_eq!(queue.purge().unwrap(), 0);
    assert_eq!(say::<String>(&mut client, &["HGET", &key("jobs"), "3"]), newer);
}

/// What only hosts of a newer version have is not cancelled by older ones.
#[test]
fn a_newer_card_is_a_live_handler_that_has_said_nothing_and_stays() {
    let server = Server::start(&[]);
    let redis = store(server.options());
    let queue = redis.queue("acme");
    let mut client = server.client();
    queue.seen(&card("h9", "v9", Duration::from_secs(90))).unwrap();
    let known = say::<String>(&mut client, &["HGET", &key("cards"), "host/h9"]);
    let newer = known.replace("\"v\":1", "\"v\":9");
    say::<i64>(&mut client, &["HSET", &key("cards"), "host/h9", &newer]);
    queue.seen(&card("h1", "v1", Duration::from_secs(90))).unwrap();
    queue.apply(&queued(1)).unwrap();
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), Some(1));
    assert_eq!(queue.apply(&not_here(1, "v1")).unwrap().verdict, Verdict::Stored);
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), None, "it is for the other one");
    let view = redis.view("acme").look(Wanted::First(9)).unwrap().unwrap();
    let mut shown: Vec<_> =
        view.cards.iter().map(|seen| (seen.card.owner.clone(), seen.lives(view.now))).collect();
    shown.sort();
    assert_eq!(shown, [(owner("h1"), true), (owner("h9"), true)]);
    assert_eq!(say::<String>(&mut client, &["HGET", &key("cards"), "host/h9"]), newer);
    // Once it is gone the others decide.
    let gone = newer.replace("\"at\":", "\"at\":1,\"was\":");
    say::<i64>(&mut client, &["HSET", &key("cards"), "host/h9", &gone]);
    assert_eq!(claimed(&*queue, &ask(&claim_id(2), &acme())), Some(1));
    assert_eq!(queue.apply(&not_here(2, "v1")).unwrap().verdict, Verdict::Unanimous);
    assert_eq!(say::<String>(&mut client, &["HGET", &key("cards"), "host/h9"]), gone);
}

#[test]
fn a_key_of_another_kind_is_said() {
    let server = Server::start(&[]);
    let queue = store(server.options()).queue("acme");
    say::<()>(&mut server.client(), &["SET", &key("jobs"), "mine"]);
    let error = queue.apply(&queued(1)).unwrap_err();
    assert!(matches!(&error, StoreError::Unreadable(why) if why.contains("another kind")), "{error}");
}

/// The indexes of waiting jobs as they were before `ready`: places and classes.
#[test]
fn what_waits_in_the_former_indexes_is_found() {
    let server = Server::start(&[]);
    let queue = store(server.options()).queue("acme");
    let mut client = server.client();
    let count = 600;
    (1..=count).for_each(|id| drop(queue.apply(&queued(id)).unwrap()));
    for id in 1..=count {
        let age = say::<String>(&mut client, &["ZSCORE", &key("queued"), &id.to_string()]);
        let age = age.parse::<f64>().unwrap();
        let place = format!("acme/app 0123456789abcdef - {age:020} {id:020}");
        say::<i64>(&mut client, &["ZADD", &key("waiting"), "0", &place]);
    }
    say::<i64>(&mut client, &["ZADD", &key("classes"), "1", "acme/app 0123456789abcdef -"]);
    say::<i64>(&mut client, &["DEL", &key("ready")]);
    queue.apply(&completed(2, None)).unwrap();
    queue.purge().unwrap();
    for (turn, id) in [1, 3].into_iter().chain(4..=count).enumerate() {
        assert_eq!(claimed(&*queue, &ask(&claim_id(turn as u64), &acme())), Some(id));
    }
    assert_eq!(claimed(&*queue, &ask(&claim_id(9999), &acme())), None);
    assert_eq!(say::<i64>(&mut client, &["EXISTS", &key("waiting"), &key("classes")]), 0);
}

/// As an older program leaves it that does not know the index.
#[test]
fn what_is_no_longer_queued_is_passed_and_thrown_away() {
    let server = Server::start(&[]);
    let queue = store(server.options()).queue("acme");
    let mut client = server.client();
    (1..=3).for_each(|id| drop(queue.apply(&queued(id)).unwrap()));
    let listed = say::<Vec<String>>(&mut client, &["ZRANGE", &key("ready"), "0", "-1"]);
    (1..=2).for_each(|id| drop(queue.apply(&completed(id, None)).unwrap()));
    for member in listed {
        say::<i64>(&mut client, &["ZADD", &key("ready"), "0", &member]);
    }
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), Some(3));
    assert_eq!(claimed(&*queue, &ask(&claim_id(2), &acme())), None);
    let left = say::<Vec<String>>(&mut client, &["ZRANGE", &key("ready"), "0", "-1"]);
    assert!(!left.iter().any(|member| member.starts_with("acme -")), "{left:?}");
}
