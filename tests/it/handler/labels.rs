//! Labels are data; some cannot be served.

use super::*;

#[track_caller]
fn is_malformed(labels: &Value, reason: &str) {
    let world = World::new();
    let _daemon = world.start(1);
    let job = world.order(json!({ "labels": labels }))[0];
    assert_eq!(end_of(&world, job), "cancelled", "{labels}");
    says(&world, "WARN", reason);
    shows(&world, "RUNNER1", "idle");
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert!(calls(&world, "clone").is_empty() && calls(&world, "registry").is_empty());
}

#[test]
fn an_empty_template_or_tag_is_malformed() {
    is_malformed(&json!(["anka-template:"]), "names nothing");
    is_malformed(&json!(["anka-template:macos-15", "anka-template-tag:"]), "names nothing");
}

#[test]
fn a_doubled_template_or_tag_is_malformed() {
    is_malformed(&json!(["anka-template:macos-15", "anka-template:macos-14"]), "more than one label");
    let tags = json!(["anka-template:macos-15", "anka-template-tag:v1", "anka-template-tag:v2"]);
    is_malformed(&tags, "more than one label");
}

#[test]
fn characters_outside_the_rule_are_malformed() {
    is_malformed(&json!(["anka-template:../x"]), "characters");
    is_malformed(&json!(["anka-template:macos-15", "anka-template-tag:-v1"]), "characters");
}

#[test]
fn a_comma_or_a_line_break_in_any_label_is_malformed() {
    let usual = ["anka-template:macos-15", "anka-template-tag:v1"];
    is_malformed(&json!([usual[0], usual[1], "a,b"]), "comma");
    is_malformed(&json!([usual[0], usual[1], "a\nANKLET_RUNNER_TOKEN=x"]), "characters");
}

#[test]
fn what_a_shell_would_take_for_a_command_is_data() {
    let world = World::new();
    let _daemon = world.start(1);
    let mark = world.dir.join("pwned");
    let bad = [
        format!("$(touch {})", mark.display()),
        format!("`touch {}`", mark.display()),
        format!("\"; touch {} #", mark.display()),
        format!("'; touch {} #", mark.display()),
        "a b  c".into(),
        "$HOME \\ * ? [x] {a..b} ~ ! %s %n".into(),
        "größe=π".into(),
    ];
    let mut labels =
        vec!["self-hosted".to_owned(), "anka-template:macos-15".into(), "anka-template-tag:v1".into()];
    labels.extend(bad);
    let job = world.order(
        json!({ "labels": labels, "name": "$(touch pwned)", "workflow": "`id`", "duration_ms": 2000 }),
    )[0];
    world.until(job, "in_progress", SOON);
    assert_eq!(world.state()["runners"][0]["labels"], json!(labels), "in the job's order, each as it is");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert!(!mark.exists(), "a label was run");
}

#[test]
fn prefixes_are_read_without_case_and_other_labels_are_passed_on() {
    let world = World::new();
    let _daemon = world.start(1);
    let labels = ["macOS", "Anka-Template:macos-15", "ANKA-TEMPLATE-TAG:v1"];
    let job = world.order(json!({ "labels": labels }))[0];
    assert_eq!(end_of(&world, job), "success");
}

#[test]
fn jobs_that_name_no_template_cost_nothing() {
    let world = World::new();
    let _daemon = world.start(1);
    let other = world.order(json!({ "labels": ["self-hosted", "macos"] }))[0];
    let ours = world.order(json!({}))[0];
    assert_eq!(end_of(&world, ours), "success");
    assert_eq!(job_now(&world, other)["status"], "queued");
    assert_eq!(calls(&world, "clone").len(), 1);
}
