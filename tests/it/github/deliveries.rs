//! Payloads: GitHub's own, older ones, wrong ones.

use anklet::domain::conclusion::Conclusion;
use anklet::domain::ids::{JobId, RunId, RunnerName};
use anklet::github::webhook::SigningKeys;
use anklet::github::{Action, Event, JobEvent, Secret, Unreadable};
use ring::hmac;
use serde_json::{Value, json};

/// Signs, verifies and parses.
fn read(name: &str, content_type: Option<&str>, body: &[u8]) -> Result<Event, Unreadable> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"s");
    let digest = hmac::sign(&key, body);
    let signature =
        digest.as_ref().iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"));
    let keys = SigningKeys::new(&[Secret::new("s")]);
    keys.verify(Some(&signature), body).unwrap().event(name, content_type)
}

fn read_json(body: &Value) -> Result<Event, Unreadable> {
    read("workflow_job", Some("application/json"), body.to_string().as_bytes())
}

fn job_event(event: Result<Event, Unreadable>) -> JobEvent {
    match event {
        Ok(Event::WorkflowJob(event)) => *event,
        other => panic!("not a job: {other:?}"),
    }
}

/// The least that a job is known by.
fn least() -> Value {
    json!({
        "action": "queued",
        "workflow_job": { "id": 7, "run_id": 8 },
        "repository": { "full_name": "Acme/App" },
    })
}

/// `least` with one value at `path` changed.
fn with(path: &str, value: Value) -> Value {
    let mut body = least();
    let (parent, field) = path.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[field] = value;
    body
}

#[test]
fn githubs_own_payloads() {
    let queued =
        job_event(read("workflow_job", None, include_bytes!("../../webhooks/workflow_job.06.queued.json")));
    assert_eq!((queued.action, queued.status.as_str()), (Action::Queued, "queued"));
    assert_eq!(
        (queued.job.id, queued.job.run_id, queued.job.run_attempt),
        (JobId(289_782_451), RunId(2_202_229_078), 1)
    );
    assert_eq!((queued.job.owner.as_str(), queued.job.repo.as_str()), ("Codertocat", "Hello-World"));
    assert_eq!((queued.job.name.as_str(), queued.job.workflow_name.as_str()), ("update", "CodeQL"));
    assert_eq!(queued.job.labels, ["ubuntu-latest"]);
    assert!(queued.job.url.starts_with("https://github.com/"));

    let waiting =
        job_event(read("workflow_job", None, include_bytes!("../../webhooks/workflow_job.08.waiting.json")));
    assert_eq!((waiting.action, waiting.runner), (Action::Waiting, None));
    assert_eq!(waiting.job.id, JobId(12_877_621_891));

    let old = job_event(read(
        "workflow_job",
        None,
        include_bytes!("../../webhooks/workflow_job.01.in_progress.json"),
    ));
    assert_eq!((old.action, old.job.run_attempt), (Action::InProgress, 1), "older payloads have no attempt");
    assert_eq!(old.runner, Some(RunnerName("my runner".into())));

    let failed = job_event(read(
        "workflow_job",
        None,
        include_bytes!("../../webhooks/workflow_job.02.completed.json"),
    ));
    assert_eq!(failed.action, Action::Completed(Conclusion::Failure));
    assert_eq!(failed.enterprise, None);
}

#[test]
fn other_events_are_known_by_name_and_must_be_json() {
    let ping = include_bytes!("../../webhooks/ping.json");
    assert_eq!(read("ping", None, ping), Ok(Event::Ping));
    for (name, body) in [
        ("push", &include_bytes!("../../webhooks/push.json")[..]),
        ("workflow_run", include_bytes!("../../webhooks/workflow_run.json")),
        ("installation", include_bytes!("../../webhooks/installation.json")),
        ("", b"[]"),
    ] {
        assert_eq!(read(name, None, body), Ok(Event::Other), "{name}");
        assert!(matches!(read(name, None, &body[1..]), Err(Unreadable::NotJson { .. })), "{name}");
    }
    let unknown = json!({ "action": "rescheduled" });
    assert_eq!(read_json(&unknown), Ok(Event::UnknownAction("rescheduled".into())));
}

#[test]
fn what_payloads_may_leave_out_has_a_meaning() {
    let event = job_event(read_json(&least()));
    assert_eq!((event.job.run_attempt, event.job.labels.len(), event.runner), (1, 0, None));
    for path in
        ["run_attempt", "name", "workflow_name", "labels", "html_url", "status", "conclusion", "runner_name"]
    {
        job_event(read_json(&with(&format!("/workflow_job/{path}"), Value::Null)));
    }
    assert_eq!(job_event(read_json(&with("/workflow_job/runner_name", json!("")))).runner, None);
    let named = job_event(read_json(&with("/workflow_job/name", json!("bau 🏗 \u{202e}'$(id)'"))));
    assert_eq!(named.job.name, "bau 🏗 \u{202e}'$(id)'");
    let long = job_event(read_json(&with("/workflow_job/name", json!("é".repeat(5000)))));
    assert_eq!(long.job.name.chars().count(), 1024);
    let approval = job_event(read_json(&with("/workflow_job/status", json!("waiting"))));
    assert_eq!((approval.action, approval.status.as_str()), (Action::Queued, "waiting"));
    let company = job_event(read_json(&with("/enterprise", json!({ "slug": "big" }))));
    assert_eq!(company.enterprise.as_deref(), Some("big"));
    let ended = job_event(read_json(&with("/action", json!("completed"))));
    assert_eq!(ended.action, Action::Completed(Conclusion::Unknown(String::new())));
    let most = job_event(read_json(&with("/workflow_job/id", json!(i64::MAX))));
    assert_eq!(most.job.id, JobId(i64::MAX as u64));
}

#[test]
fn a_fault_names_its_field_and_nothing_of_the_body() {
    let secret = json!("s3cret");
    let cases = [
        ("action", with("/action", Value::Null)),
        ("action", with("/action", json!(5))),
        ("workflow_job.id", with("/workflow_job", Value::Null)),
        ("workflow_job.id", with("/workflow_job/id", Value::Null)),
        ("workflow_job.id", with("/workflow_job/id", secret.clone())),
        ("workflow_job.id", with("/workflow_job/id", json!(-1))),
        ("workflow_job.id", with("/workflow_job/id", json!(0))),
        ("workflow_job.id", with("/workflow_job/id", json!(1.5))),
        ("workflow_job.id", with("/workflow_job/id", json!(u64::MAX))),
        ("workflow_job.run_id", with("/workflow_job/run_id", json!([]))),
        ("workflow_job.run_attempt", with("/workflow_job/run_attempt", json!(-1))),
        ("workflow_job.labels", with("/workflow_job/labels", secret.clone())),
        ("workflow_job.labels", with("/workflow_job/labels", json!(["a", 5]))),
        ("workflow_job.labels", with("/workflow_job/labels", json!(vec!["a"; 257]))),
        ("workflow_job.runner_name", with("/workflow_job/runner_name", json!(5))),
        ("repository.full_name", with("/repository", Value::Null)),
        ("repository.full_name", with("/repository/full_name", secret)),
        ("repository.full_name", with("/repository/full_name", json!(format!("acme/{}", "a".repeat(2000))))),
        ("repository.full_name", with("/repository/full_name", json!("a/b/c"))),
        ("repository.full_name", with("/repository/full_name", json!("/b"))),
    ];
    for (field, body) in cases {
        let fault = read_json(&body).unwrap_err();
        assert!(matches!(fault, Unreadable::Field { path, .. } if path == field), "{field}: {fault:?}");
        assert!(!fault.to_string().contains("s3cret"));
    }
    let huge = least().to_string().replace("\"id\":7", "\"id\":123456789012345678901234567890");
    let fault = read("workflow_job", None, huge.as_bytes()).unwrap_err();
    assert!(matches!(fault, Unreadable::Field { path: "workflow_job.id", .. }), "{fault:?}");
    let deep = format!(r#"{{"action":"queued","workflow_job":{{"labels":{}"#, "[".repeat(100_000));
    for not_json in ["", "{", "null", "5", r#"{"workflow_job":5}"#, &deep] {
        let fault = read("workflow_job", None, not_json.as_bytes()).unwrap_err();
        assert!(matches!(fault, Unreadable::NotJson { .. }), "{not_json:.9}: {fault:?}");
    }
}

#[test]
fn a_form_is_read_as_its_payload() {
    let form = Some("application/x-www-form-urlencoded");
    let json = with("/workflow_job/name", json!("a+b & ü"));
    let escaped: String =
        json.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let event = job_event(read("workflow_job", form, format!("payload={escaped}").as_bytes()));
    assert_eq!(event.job.name, "a+b & ü");
    assert_eq!(read("workflow_job", form, b"{}"), Err(Unreadable::NotAForm));
    assert!(matches!(read("ping", form, b"payload=x"), Err(Unreadable::NotJson { .. })));
}
