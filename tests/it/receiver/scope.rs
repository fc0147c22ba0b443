//! Whose deliveries are taken, and into which queue.

use std::time::Duration;

use serde_json::json;

use super::{deliver, job, status, warnings, word};
use crate::support::{World, eventually, web, world};

const SOON: Duration = Duration::from_secs(15);

fn of(repository: &str, id: u64) -> serde_json::Value {
    let mut payload = job("queued", id);
    payload["repository"]["full_name"] = json!(repository);
    payload
}

#[test]
fn another_repository_is_ignored_and_said_once() {
    let world = World::new();
    let _daemon = world.start(0);
    for _ in 0..3 {
        for repository in ["acme/other", "stranger/app"] {
            let told = deliver(world.port, "workflow_job", &of(repository, 1));
            assert_eq!(status(&told), 200);
            assert!(word(&told).starts_with("ignored"), "{told:?}");
        }
    }
    let warned = warnings(&world);
    assert_eq!(warned.len(), 2, "{warned:?}");
    assert!(warned[0].contains("acme/other") && warned[1].contains("stranger/app"), "{warned:?}");
    assert_eq!(status(&deliver(world.port, "workflow_job", &of("acme/app", 1))), 202);
}

#[test]
fn owner_and_repository_have_no_case() {
    let world = World::new();
    let _daemon = world.start(0);
    for (id, repository) in (1..).zip(["ACME/app", "acme/App", "Acme/APP"]) {
        assert_eq!(status(&deliver(world.port, "workflow_job", &of(repository, id))), 202, "{repository}");
    }
}

#[test]
fn an_organization_s_receiver_takes_all_of_its_repositories() {
    let world = World::new();
    let organization = world.configuration(0, "").replace("owner: acme\n  repo: app\n", "owner: Acme\n");
    let _daemon = world.start_with(&organization);
    for (id, repository, wanted) in
        [(1, "acme/app", 202), (2, "ACME/other", 202), (3, "acme-2/app", 200), (4, "app/acme", 200)]
    {
        assert_eq!(status(&deliver(world.port, "workflow_job", &of(repository, id))), wanted, "{repository}");
    }
    let receiver = &world.metrics()["plugins"][0];
    assert_eq!((&receiver["owner_name"], &receiver["repo_name"]), (&json!("Acme"), &json!("")));
}

#[test]
fn receiver_and_handler_of_one_owner_meet_whether_or_not_a_repository_is_set() {
    let world = World::new();
    let text = world.configuration(1, "");
    let (receiver, handler) = text.split_once("- name: RUNNER1").unwrap();
    let organization = receiver.replace("owner: acme\n  repo: app\n", "owner: ACME\n");
    let mut daemon = world.start_with(&format!("{organization}- name: RUNNER1{handler}"));
    let other = world.order(json!({ "repo": "other" }))[0];
    let ours = world.order(json!({}))[0];
    world.until(ours, "completed", SOON);
    world.until(other, "queued", SOON);
    eventually("the host is clean", SOON, || world.vms().is_empty());
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_queue_of_another_name_is_another_queue() {
    let world = World::new();
    let text = world.configuration(1, "");
    let (receiver, handler) = text.split_once("- name: RUNNER1").unwrap();
    let named = format!("{receiver}  queue_name: One\n- name: RUNNER1{handler}  queue_name: One\n");
    let mut daemon = world.start_with(&named);
    let job = world.order(json!({}))[0];
    world.until(job, "completed", SOON);
    assert_eq!(daemon.stop(), 0);
    let apart = format!("{receiver}  queue_name: one\n- name: RUNNER1{handler}  queue_name: two\n");
    let mut daemon = world.start_with(&apart);
    let job = world.order(json!({}))[0];
    eventually("it is stored", SOON, || world.state()["deliveries_waiting"] == 0);
    assert!(
        world.said("WARN").iter().any(|w| w.contains("queue")),
        "each queue lacks a side: {:?}",
        world.said("WARN")
    );
    crate::support::pause(300);
    world.until(job, "queued", SOON);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn each_receiver_has_its_own_secret_and_its_own_repository() {
    let world = World::new();
    let second = crate::support::world::free_port();
    let text = world.configuration(0, "")
        + &format!(
            "- name: OTHER\n  plugin: github_receiver\n  port: {second}\n  bind: 127.0.0.1\n  skip_redeliver: true\n  \
             owner: acme\n  repo: other\n  secret: the other one\n"
        );
    let _daemon = world.start_with(&text);
    eventually("the second serves too", SOON, || std::net::TcpStream::connect(("127.0.0.1", second)).is_ok());
    let send = |port: u16, secret: &str, repository: &str| {
        let url = format!("http://127.0.0.1:{port}{}", super::PATH);
        web::deliver(&url, secret, "workflow_job", &of(repository, 1).to_string()).0
    };
    assert_eq!(send(second, world::SECRET, "acme/other"), 401);
    assert_eq!(send(world.port, "the other one", "acme/app"), 401);
    assert_eq!(send(second, "the other one", "acme/app"), 200);
    assert_eq!(send(second, "the other one", "acme/other"), 202);
    assert_eq!(
        send(world.port, world::SECRET, "acme/app"),
        200,
        "one owner's receivers share a queue: job 1 is known"
    );
}
