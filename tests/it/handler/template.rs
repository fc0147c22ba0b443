//! The template rule: what is here is used, what is not is pulled, and what is nowhere is cancelled.

use super::*;
use crate::support::Daemon;

const NO_CALLS: [Vec<String>; 0] = [];

fn wants(template: &str, tag: Option<&str>) -> Value {
    let mut labels = vec!["self-hosted".to_owned(), format!("anka-template:{template}")];
    labels.extend(tag.map(|tag| format!("anka-template-tag:{tag}")));
    json!({ "labels": labels })
}

/// A second registry beside `sim`, with one template.
fn add_registry(world: &World, name: &str, template: &str) {
    let shown: Value =
        serde_json::from_str(&fs::read_to_string(world.dir.join("anka/world.json")).unwrap()).unwrap();
    let mut registries = shown["registries"].clone();
    registries.as_array_mut().unwrap().push(json!({
        "name": name, "url": format!("http://{name}.invalid:8089"), "default": false,
        "templates": [{ "id": "11111111-2222-4333-8444-555555555555", "name": template, "tags": ["v1"],
                        "runner": "2.330.0" }],
    }));
    world.anka("set", &[&format!("registries={registries}")]);
}

#[test]
fn what_is_here_is_used_and_no_registry_is_called() {
    let world = World::with(&["--template", "macos-15:v1,v2", "--registry-template", "macos-15:v1,v2"]);
    world.anka("set", &["registries.0.unreachable=true"]);
    let _daemon = world.start(1);
    for (tag, named) in [("v2", false), ("v1", true)] {
        let job = world.order(wants("macos-15", Some(tag)))[0];
        assert_eq!(end_of(&world, job), "success");
        let clone = calls(&world, "clone").pop().unwrap();
        let vm = clone.last().unwrap();
        assert!(vm.starts_with("anklet-vm-") && vm.len() == "anklet-vm-".len() + 36, "{clone:?}");
        let expected: &[&str] = if named { &["-j", "clone", "-t", "v1"] } else { &["-j", "clone"] };
        assert_eq!(clone[..expected.len()], *expected);
        assert_eq!(clone.len(), expected.len() + 2, "{clone:?}");
    }
    clean(&world);
    assert_eq!(calls(&world, "registry"), NO_CALLS);
    assert_eq!(world.said("WARN"), [""; 0]);
}

#[test]
fn a_uuid_in_any_case_names_a_template() {
    const UUID: &str = "a6f24306-2af7-45ed-9d70-3a3c1ee7f03a";
    let world = World::with(&[
        "--template",
        "here:v1",
        "--uuid",
        UUID,
        "--registry-template",
        "there:v1",
        "--uuid",
        "b6f24306-2af7-45ed-9d70-3a3c1ee7f03b",
    ]);
    let _daemon = world.start(1);
    let job = world.order(wants(&UUID.to_uppercase(), Some("v1")))[0];
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(calls(&world, "registry"), NO_CALLS);
    let job = world.order(wants("B6F24306-2AF7-45ED-9D70-3A3C1EE7F03B", Some("v1")))[0];
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(calls(&world, "registry pull").len(), 1);
}

#[test]
fn a_template_or_tag_that_is_missing_is_pulled() {
    let world = World::new();
    world.anka("set", &["timing_ms.registry pull=400"]);
    let _daemon = world.start(1);
    for (template, tag) in [("macos-14", "v1"), ("macos-15", "v2")] {
        let job = world.order(wants(template, Some(tag)))[0];
        shows(&world, "RUNNER1", "pulling");
        assert_eq!(end_of(&world, job), "success");
        assert_eq!(
            calls(&world, "registry pull").pop().unwrap(),
            ["-j", "registry", "pull", "-t", tag, template]
        );
    }
    let again = world.order(wants("macos-14", Some("v1")))[0];
    assert_eq!(end_of(&world, again), "success");
    assert_eq!(calls(&world, "registry pull").len(), 2, "what was pulled is here");
}

#[test]
fn without_a_tag_the_latest_is_pulled_each_time() {
    let world = World::new();
    let _daemon = world.start_with(&and_handler(&world.configuration(0, ""), "R", &["registry_url: sim"]));
    for _ in 0..2 {
        let job = world.order(wants("macos-15", None))[0];
        assert_eq!(end_of(&world, job), "success");
    }
    let pull = ["-j", "registry", "-r", "sim", "pull", "macos-15"].map(str::to_owned).to_vec();
    assert_eq!(
        calls(&world, "registry")
            .into_iter()
            .filter(|call| call.contains(&"pull".into()))
            .collect::<Vec<_>>(),
        [pull.clone(), pull]
    );
    let line = world.log().into_iter().find(|line| line["ankaTemplateTag"] == "(using latest)");
    assert!(line.is_some(), "the tag is said");
}

#[test]
fn without_a_tag_what_only_this_host_has_is_cancelled_with_a_hint() {
    let world = World::with(&["--template", "own:v1", "--registry-template", "macos-15:v1"]);
    let _daemon = world.start(1);
    let job = world.order(wants("own", None))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    says(&world, "WARN", "name its tag");
    assert_eq!(calls(&world, "clone"), NO_CALLS);
    assert_eq!(world.said("ERROR"), [""; 0]);
    let named = world.order(wants("own", Some("v1")))[0];
    assert_eq!(end_of(&world, named), "success");
}

#[test]
fn what_is_nowhere_is_cancelled_at_once_by_the_only_host() {
    let world = World::new();
    let _daemon = world.start(2);
    for (template, tag) in [("macos-99", Some("v1")), ("macos-15", Some("v9")), ("macos-99", None)] {
        let before = calls(&world, "registry pull").len();
        let job = world.order(wants(template, tag))[0];
        assert_eq!(end_of(&world, job), "cancelled", "{template}");
        eventually("nothing is claimed", SOON, || world.metrics()["plugins"][1]["status"] == "idle");
        assert_eq!(calls(&world, "registry pull").len() - before, 1, "one handler speaks for the host");
    }
    assert_eq!(calls(&world, "clone"), NO_CALLS);
    says(&world, "WARN", "/acme/app/actions/runs/");
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert_eq!(world.metrics()["total_canceled_runs_since_start"], 0, "none ever ran");
}

#[test]
fn two_registries_of_one_host_must_both_lack_it() {
    let world = World::new();
    add_registry(&world, "other", "special");
    let text = and_handler(&world.configuration(1, ""), "SECOND", &["registry_url: other"]);
    let _daemon = world.start_with(&text);
    let here = world.order(wants("special", Some("v1")))[0];
    assert_eq!(end_of(&world, here), "success");
    let before = calls(&world, "registry").len();
    let nowhere = world.order(wants("macos-99", Some("v1")))[0];
    assert_eq!(end_of(&world, nowhere), "cancelled");
    assert_eq!(calls(&world, "registry").len() - before, 2);
}

/// The first handler's first turn must not speak for the second, whose first turn is still to come.
#[test]
fn at_start_no_handler_speaks_for_one_that_has_not_begun() {
    let world = World::new();
    add_registry(&world, "other", "special");
    let mut receiver = world.start(0);
    let job = world.order(wants("special", Some("v1")))[0];
    eventually("it is stored", SOON, || !world.state()["deliveries"].as_array().unwrap().is_empty());
    assert_eq!(receiver.stop(), 0);
    let text = and_handler(&world.configuration(1, ""), "SECOND", &["registry_url: other"]);
    let _daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "success");
}

#[test]
fn a_pull_that_fails_though_the_registry_answers_is_a_try() {
    let world = World::new();
    world.fault(&json!({ "call": "registry pull", "do": "fail", "message": "disk exploded" }));
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 2"));
    let job = world.order(wants("macos-14", Some("v1")))[0];
    assert_eq!(end_of(&world, job), "success");
    assert!(world.has_said("WARN", "try 1 of 2 failed") && world.has_said("WARN", "disk exploded"));
    world.fault(&json!({ "call": "registry pull", "do": "garbage", "times": 0 }));
    let job = world.order(wants("macos-15", Some("v2")))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    says(&world, "ERROR", "try 2 of 2 failed");
    assert_eq!(calls(&world, "registry pull").len(), 4);
}

#[test]
fn while_the_registry_is_away_nothing_counts() {
    let world = World::new();
    world.anka("set", &["registries.0.unreachable=true"]);
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(wants("macos-14", Some("v1")))[0];
    says(&world, "WARN", "the registry does not answer");
    let local = world.order(json!({}))[0];
    assert_eq!(end_of(&world, local), "success");
    world.anka("set", &["registries.0.unreachable=false"]);
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_pull_that_stalls_is_a_try_and_one_that_goes_on_is_not_ended() {
    let world = World::new();
    world.anka("set", &["timing_ms.registry pull=3000"]);
    world.fault(&json!({ "call": "registry pull", "do": "stall" }));
    let top = "global_job_retry_attempts: 2\nglobal_pull_stall_seconds: 1";
    let _daemon = world.start_with(&world.configuration(1, top));
    let job = world.order(wants("macos-14", Some("v1")))[0];
    assert_eq!(end_of(&world, job), "success");
    assert!(world.has_said("WARN", "try 1 of 2 failed"));
    assert_eq!(calls(&world, "registry pull").len(), 2);
}

#[test]
fn a_host_never_pulls_twice_at_a_time() {
    let world = World::new();
    world.anka("set", &["timing_ms.registry pull=1500"]);
    let _daemon = world.start_with(&world.configuration(2, "global_job_retry_attempts: 1"));
    let first = world.order(wants("macos-14", Some("v1")))[0];
    eventually("one pulls", SOON, || !calls(&world, "registry pull").is_empty());
    let second = world.order(wants("macos-15", Some("v2")))[0];
    says(&world, "INFO", "another template is being pulled");
    assert_eq!(calls(&world, "registry pull").len(), 1);
    assert_eq!(end_of(&world, first), "success");
    assert_eq!(end_of(&world, second), "success");
    assert_eq!(calls(&world, "registry pull").len(), 2);
}

#[test]
fn with_skip_pull_nothing_is_pulled() {
    let world = World::new();
    let _daemon = Daemon::start(&world, &world.configuration(1, "global_skip_pull: true"), &[], &[]);
    world.wait_until_it_serves();
    let current = world.order(wants("macos-15", None))[0];
    assert_eq!(end_of(&world, current), "success");
    let missing = world.order(wants("macos-14", Some("v1")))[0];
    assert_eq!(end_of(&world, missing), "cancelled");
    says(&world, "WARN", "skip_pull");
    assert_eq!(calls(&world, "registry"), NO_CALLS);
}
