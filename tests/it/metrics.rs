//! The metrics page in its forms, and what an idle daemon costs.
#![expect(clippy::disallowed_methods, reason = "starts promtool")]

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::wire::{Answer, ask};
use crate::support::{World, eventually, pause};

const SOON: Duration = Duration::from_secs(15);
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Names of the ordering document, in its order; all are numbers.
const FIGURES: [&str; 14] = [
    "total_running_vms",
    "total_successful_runs_since_start",
    "total_failed_runs_since_start",
    "host_cpu_count",
    "host_cpu_used_count",
    "host_cpu_usage_percentage",
    "host_memory_total_bytes",
    "host_memory_used_bytes",
    "host_memory_available_bytes",
    "host_memory_usage_percentage",
    "host_disk_total_bytes",
    "host_disk_used_bytes",
    "host_disk_available_bytes",
    "host_disk_usage_percentage",
];

/// A handler's row, in the document's order; all are texts.
const ROW: [&str; 10] = [
    "name",
    "plugin_name",
    "repo_name",
    "owner_name",
    "status",
    "last_successful_run_job_url",
    "last_failed_run_job_url",
    "last_successful_run",
    "last_failed_run",
    "status_since",
];

fn page(world: &World, target: &str, accept: &str) -> Answer {
    ask(world.metrics_port, "GET", target, &[("Accept", accept)])
}

/// One job that ends well and one that fails, and the page after them.
fn after_two_jobs(world: &World) -> Value {
    for conclusion in ["success", "failure"] {
        let job = world.order(json!({ "conclusion": conclusion }))[0];
        world.until(job, "completed", SOON);
    }
    eventually("both are counted", SOON, || {
        let page = world.metrics();
        page["total_successful_runs_since_start"] == 1
            && page["total_failed_runs_since_start"] == 1
            && page["plugins"][1]["status"] == "idle"
    });
    world.metrics()
}

fn is_moment(text: &Value) -> bool {
    let text = text.as_str().unwrap();
    text.len() == "2024-05-21T14:16:06.300971-05:00".len() && &text[10..11] == "T" && &text[19..20] == "."
}

#[test]
fn json_has_the_names_types_and_order_of_the_document() {
    let world = World::new();
    let mut daemon = world.start(2);
    let fresh = world.metrics();
    for figure in FIGURES.into_iter().chain(["total_canceled_runs_since_start"]) {
        assert!(fresh[figure].is_number(), "{figure}: {fresh:#}");
        let whole = !figure.ends_with("percentage");
        assert!(!whole || fresh[figure].is_u64(), "{figure}: {fresh:#}");
    }
    for what in ["memory", "disk"] {
        let bytes = |which: &str| fresh[format!("host_{what}_{which}_bytes")].as_u64().unwrap();
        assert_eq!(bytes("total"), bytes("used") + bytes("available"), "{what}");
        assert!(bytes("total") > 0);
    }
    assert!(fresh["host_cpu_count"].as_u64() > Some(0));
    let row = &fresh["plugins"][1];
    assert_eq!(row.as_object().unwrap().len(), ROW.len(), "{row:#}");
    for (key, value) in [
        ("name", "RUNNER1"),
        ("plugin_name", "github"),
        ("repo_name", "app"),
        ("owner_name", "acme"),
        ("status", "idle"),
        ("last_successful_run_job_url", ""),
        ("last_failed_run_job_url", ""),
        ("last_successful_run", NEVER),
        ("last_failed_run", NEVER),
    ] {
        assert_eq!(row[key], value, "{row:#}");
    }
    assert!(is_moment(&row["status_since"]), "{row:#}");
    let text = page(&world, "/metrics?format=json", "*/*").body;
    let places: Vec<_> =
        FIGURES.iter().chain(&ROW).map(|name| text.find(&format!("\"{name}\"")).unwrap()).collect();
    assert!(
        places[..FIGURES.len()].is_sorted() && text.find("\"plugins\"").unwrap() > places[FIGURES.len() - 1]
    );
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_receiver_has_a_row_without_runs() {
    let world = World::new();
    let _daemon = world.start(1);
    let row = world.metrics()["plugins"][0].clone();
    let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 6, "{row:#}");
    assert_eq!(
        (&row["name"], &row["plugin_name"], &row["status"]),
        (&json!("RECEIVER"), &json!("github_receiver"), &json!("running"))
    );
    assert!(is_moment(&row["status_since"]));
}

#[test]
fn runs_leave_their_page_and_their_time() {
    let world = World::new();
    let mut daemon = world.start(1);
    let started = world.metrics()["plugins"][1]["status_since"].clone();
    let page = after_two_jobs(&world);
    let row = &page["plugins"][1];
    let urls: Vec<Value> =
        world.state()["jobs"].as_array().unwrap().iter().map(|job| job["id"].clone()).collect();
    for (key, job) in [("last_successful_run_job_url", &urls[0]), ("last_failed_run_job_url", &urls[1])] {
        assert!(row[key].as_str().unwrap().ends_with(&format!("/job/{job}")), "{key}: {row:#}");
    }
    assert!(is_moment(&row["last_successful_run"]) && is_moment(&row["last_failed_run"]), "{row:#}");
    assert!(row["last_successful_run"].as_str() < row["last_failed_run"].as_str());
    assert!(row["status_since"].as_str() > started.as_str());
    assert_eq!(
        (&page["total_running_vms"], &page["total_canceled_runs_since_start"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_running_job_shows() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 600_000 }))[0];
    eventually("it runs", SOON, || world.metrics()["plugins"][1]["status"] == "in_progress");
    assert_eq!(world.metrics()["total_running_vms"], 1);
    world.control(&format!("runs/{}/cancel", world.state()["jobs"][0]["run_id"]), &json!({}));
    world.until(job, "completed", SOON);
    eventually("it is counted", SOON, || world.metrics()["total_canceled_runs_since_start"] == 1);
    eventually("the VM is gone", SOON, || world.metrics()["total_running_vms"] == 0);
    let page = world.metrics();
    assert_eq!(
        (&page["total_failed_runs_since_start"], &page["plugins"][1]["last_failed_run"]),
        (&json!(0), &json!(NEVER))
    );
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn paths_methods_and_formats() {
    let world = World::new();
    let _daemon = world.start(1);
    let kind = |target: &str, accept: &str| {
        let answer = page(&world, target, accept);
        (answer.status, answer.header("content-type").unwrap_or_default().to_owned())
    };
    let is = |(status, kind): (u16, String), wanted: &str| status == 200 && kind.starts_with(wanted);
    for target in
        ["/metrics", "/metrics/v1", "/metrics?format=json", "/metrics/v1?format=json", "/metrics?x=1"]
    {
        assert!(is(kind(target, "*/*"), "application/json"), "{target}");
    }
    for target in ["/metrics?format=prometheus", "/metrics/v1?format=prometheus"] {
        assert!(is(kind(target, "*/*"), "text/plain; version=0.0.4"), "{target}");
    }
    assert!(is(kind("/metrics", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), "text/plain; version=0.0.4"));
    assert!(is(kind("/metrics", "application/openmetrics-text;version=1.0.0,*/*"), "text/plain"));
    assert!(is(kind("/metrics", "text/html"), "application/json"));
    for target in ["/metrics?format=xml", "/metrics?format=", "/metrics/v1?format=Prometheus"] {
        let answer = page(&world, target, "*/*");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, body["error"].is_string()), (400, true), "{target}");
    }
    for target in ["/", "/metrics/", "/metrics/v2", "/jobs/v1/receiver", "/healthcheck"] {
        assert_eq!(page(&world, target, "*/*").status, 404, "{target}");
    }
    let head = ask(world.metrics_port, "HEAD", "/metrics?format=json", &[]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.header("content-length").unwrap().parse::<u64>().unwrap() > 300);
    let post = ask(world.metrics_port, "POST", "/metrics", &[]);
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn prometheus_accepts_its_page_and_never_is_no_sample() {
    let world = World::new();
    let mut daemon = world.start(2);
    let fresh = page(&world, "/metrics?format=prometheus", "*/*").body;
    assert!(!fresh.contains("_run{") && !fresh.contains("0001"), "{fresh}");
    after_two_jobs(&world);
    let slots = "anklet_vm_slots{state=\"used\"} 0\nanklet_vm_slots{state=\"free\"} 2\n";
    let exposition = || page(&world, "/metrics?format=prometheus", "*/*").body;
    eventually("a look has seen that the places are free", SOON, || exposition().contains(slots));
    let clean = "anklet_cleanup_seconds_count 2\n";
    eventually("both are cleaned up", SOON, || exposition().contains(clean));
    let text = exposition();
    for figure in FIGURES {
        assert!(text.lines().any(|line| line.starts_with(&format!("{figure} "))), "{figure}:\n{text}");
    }
    let runner = r#"plugin_name="RUNNER1",plugin="github",owner="acme",repo="app""#;
    for word in ["idle", "running", "pulling", "in_progress", "limit_paused", "draining", "stopped"] {
        let wanted = format!("plugin_status{{{runner},status=\"{word}\"}} {}\n", u8::from(word == "idle"));
        assert!(text.contains(&wanted), "{wanted} is not in\n{text}");
    }
    assert_eq!(
        text.matches("plugin_last_successful_run{").count() + text.matches("plugin_last_failed_run{").count(),
        2
    );
    for wanted in [
        "anklet_build_info{version=\"",
        "anklet_deliveries_total{event=\"workflow_job\",action=\"completed\",result=\"stored\"} 2\n",
        "anklet_github_calls_total{endpoint=\"registration_token\",status=\"201\"} 1\n",
        "anklet_signature_failures_total 0\n",
        "anklet_queue_wait_seconds_count 2\n",
        "anklet_vm_boot_seconds_count 2\n",
        "anklet_runner_registration_seconds_count 2\n",
        "anklet_job_seconds_count 2\n",
        "anklet_cleanup_seconds_count 2\n",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    for text in [fresh, text] {
        let said = check_with_promtool(&text);
        assert!(said.is_empty(), "{said}\n{text}");
    }
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn plain_is_the_document_s_text() {
    let world = World::new();
    let _daemon = world.start(1);
    let text = page(&world, "/metrics?format=plain", "*/*").body;
    let runner = "plugin_name=RUNNER1,plugin=github,owner=acme,repo=app";
    assert!(text.starts_with("total_running_vms 0\ntotal_successful_runs_since_start 0\n"), "{text}");
    for line in [
        format!("plugin_status{{{runner}}} idle\n"),
        format!("plugin_last_failed_run{{{runner},job_url=}} {NEVER}\n"),
        "plugin_status{plugin_name=RECEIVER,plugin=github_receiver,owner=acme,repo=app} running\n".into(),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert!(!text.contains('#') && !text.contains("anklet_") && !text.contains("canceled"), "{text}");
}

#[test]
fn an_idle_daemon_sleeps() {
    let world = World::new();
    let mut daemon = world.start(2);
    eventually("the handlers wait", SOON, || world.metrics()["plugins"][2]["status"] == "idle");
    pause(1000);
    let before = switches(daemon.pid().as_raw());
    pause(5000);
    let woken = switches(daemon.pid().as_raw()) - before;
    assert!(woken < 15, "{woken} wake-ups in 5 s");
    assert_eq!(daemon.stop(), 0);
}

/// Voluntary context switches of all threads so far; 0 where there is no `/proc`.
fn switches(pid: i32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let counted = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("status")).ok()?;
        let line = text.lines().find(|line| line.starts_with("voluntary_ctxt_switches"))?;
        line.split_whitespace().last()?.parse::<u64>().ok()
    });
    counted.sum()
}

/// What promtool says of an exposition that it accepts.
pub fn check_with_promtool(text: &str) -> String {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool (Debian's package prometheus); scripts/test installs it");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert!(output.status.success() || !said.contains("error"), "{said}\n{text}");
    said
}
