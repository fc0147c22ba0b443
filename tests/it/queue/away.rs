//! No store yet, none that answers, none that can be read. Nothing is ever made.

use std::fs;

use super::anklet;
use crate::life::model::queued;
use crate::store::world::{Folder, Hands, START, open};
use crate::support::World;
use crate::support::redis::Server;
use crate::support::world::free_port;

#[test]
fn no_store_yet_is_no_fault_and_makes_none() {
    let world = World::new();
    let configuration = world.configuration(1, "");
    let told = anklet(&world, &configuration, &["queue", "list"]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    assert!(told.out.contains("/acme, embedded store") && told.out.contains("not there yet"), "{}", told.out);
    let json = anklet(&world, &configuration, &["queue", "list", "--json"]);
    assert_eq!((json.code, json.queue()["exists"].as_bool()), (Some(0), Some(false)));
    let shown = anklet(&world, &configuration, &["queue", "show", "5"]);
    assert_eq!(shown.code, Some(1));
    assert!(shown.err.contains("job 5") && shown.err.contains("acme"), "{}", shown.err);
    assert!(!world.dir.join(".config/anklet/state").exists());
}

#[test]
fn an_empty_redis_is_an_empty_queue_and_stays_empty() {
    let (world, server) = (World::new(), Server::start(&[]));
    let top = format!("global_database_url: 127.0.0.1\nglobal_database_port: {}", server.port);
    let told = anklet(&world, &world.configuration(1, &top), &["queue", "list"]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{}", told.out);
    assert!(told.out.contains("0 queued") && told.out.contains("no handler of this queue is live"));
    assert_eq!(anklet(&world, &world.configuration(1, &top), &["queue", "show", "5"]).code, Some(1));
    assert_eq!(crate::support::redis::say::<i64>(&mut server.client(), &["DBSIZE"]), 0);
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let (world, port) = (World::new(), free_port());
    let top = format!("global_database_url: 127.0.0.1\nglobal_database_port: {port}");
    let configuration = world.configuration(1, &top);
    for args in [&["queue", "list"][..], &["queue", "list", "--json"], &["queue", "show", "5"]] {
        let told = anklet(&world, &configuration, args);
        assert_eq!(told.code, Some(6), "{args:?}");
        assert!(told.err.contains(&format!("127.0.0.1:{port}")), "{}", told.err);
    }
    let json = anklet(&world, &configuration, &["queue", "list", "--json"]).queue();
    assert!(json["error"].as_str().unwrap().contains(&port.to_string()) && json["now"].is_null());
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_left_as_it_is() {
    for broken in ["not a database, by any means".repeat(99).into_bytes(), torn()] {
        let world = World::new();
        let state = world.dir.join(".config/anklet/state");
        fs::create_dir_all(&state).unwrap();
        let file = state.join("queue.sqlite");
        fs::write(&file, &broken).unwrap();
        let configuration = world.configuration(1, "");
        for args in [&["queue", "list"][..], &["queue", "show", "5"], &["check"]] {
            let told = anklet(&world, &configuration, args);
            assert_eq!(told.code, Some(6), "{args:?}: {}{}", told.out, told.err);
            assert!(told.err.contains("queue.sqlite") && told.err.contains("damaged"), "{}", told.err);
        }
        assert_eq!(fs::read(&file).unwrap(), broken);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "nothing was made beside it");
    }
}

/// A store of ours.
fn whole() -> Vec<u8> {
    let folder = Folder::new();
    let store = open(folder.path(), &Hands::at(START));
    (1..=200).for_each(|id| drop(store.queue("acme").apply(&queued(id)).unwrap()));
    drop(store);
    fs::read(folder.file()).unwrap()
}

/// Its second half is gone, and all of the first but its first page is something else.
fn torn() -> Vec<u8> {
    let mut bytes = whole();
    let half = bytes.len() / 2;
    bytes[4096..].fill(0xab);
    bytes.truncate(half);
    bytes
}

#[test]
fn check_finds_a_damage_that_nobody_has_met_yet() {
    let world = World::new();
    let state = world.dir.join(".config/anklet/state");
    fs::create_dir_all(&state).unwrap();
    let mut bytes = whole();
    let last = bytes.len() - 4096;
    bytes[last..].fill(0);
    fs::write(state.join("queue.sqlite"), bytes).unwrap();
    let told = anklet(&world, &world.configuration(1, ""), &["check"]);
    assert_eq!(told.code, Some(6), "{}{}", told.out, told.err);
    assert!(told.err.contains("queue.sqlite") && told.err.contains("damaged"), "{}", told.err);
}

#[test]
fn what_a_killed_daemon_left_is_read_and_not_touched() {
    let world = World::new();
    let mut daemon = world.start(0);
    let jobs = world.order(serde_json::json!({ "count": 3 }));
    crate::support::eventually("all are stored", std::time::Duration::from_secs(10), || {
        let told = anklet(&world, &world.configuration(0, ""), &["queue", "list", "--json"]);
        told.queue()["counts"]["queued"] == 3
    });
    daemon.kill();
    let state = world.dir.join(".config/anklet/state");
    let read = |name: &str| fs::read(state.join(name)).unwrap();
    let before = (read("queue.sqlite"), read("queue.sqlite-wal"));
    let told = anklet(&world, &world.configuration(0, ""), &["queue", "show", &jobs[0].to_string()]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.out.contains("queued") && told.out.contains("acme/app"), "{}", told.out);
    assert_eq!(anklet(&world, &world.configuration(0, ""), &["check"]).code, Some(0));
    assert!(
        before == (read("queue.sqlite"), read("queue.sqlite-wal")),
        "the log is still there, byte for byte"
    );
}
