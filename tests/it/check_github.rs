//! `anklet check` with the simulated GitHub: who signs in, rights, webhook, runner group, clock, and a GitHub that is
//! away.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::World;
use crate::support::daemon::command;
use crate::support::world::{SECRET, TOKEN, free_port};

const APP: u64 = 4711;
const INSTALLATION: u64 = 99;
const HOOK: u64 = 480_000_001;

/// What a run of it told.
struct Told {
    code: Option<i32>,
    /// Standard output.
    notes: String,
    /// Standard error.
    faults: String,
}

impl Told {
    #[track_caller]
    fn assert_fine(&self) {
        assert_eq!((self.code, self.faults.as_str()), (Some(0), ""), "{}", self.notes);
    }

    /// One line on standard error, with these words.
    #[track_caller]
    fn assert_fault(&self, code: i32, words: &[&str]) {
        let all = format!("{}{}", self.faults, self.notes);
        assert_eq!((self.code, self.faults.lines().count()), (Some(code), 1), "{all}");
        for word in words {
            assert!(self.faults.contains(word), "{word}: {all}");
        }
    }

    #[track_caller]
    fn assert_note(&self, begin: &str, words: &str) {
        let found = self.notes.lines().any(|line| line.starts_with(begin) && line.contains(words));
        assert!(found, "{begin} {words}: {}", self.notes);
    }
}

fn check(world: &World, text: &str) -> Told {
    fs::write(world.dir.join("own.yml"), text).unwrap();
    let output = command(world).args(["check", "-c", "own.yml"]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (notes, faults) = (text(&output.stdout), text(&output.stderr));
    for secret in [TOKEN, SECRET, "ghs_", "PRIVATE KEY", "eyJ"] {
        assert!(!notes.contains(secret) && !faults.contains(secret), "{secret}: {notes}{faults}");
    }
    Told { code: output.status.code(), notes, faults }
}

/// A receiver that asks for lost deliveries, and a handler.
fn with_redelivery(world: &World) -> String {
    world.configuration(1, "").replace("skip_redeliver: true", &format!("hook_id: {HOOK}"))
}

/// The same of a whole organization, with a runner group.
fn of_organization(world: &World, group: &str) -> String {
    with_redelivery(world).replace("\n  repo: app", "") + &format!("  runner_group: {group}\n")
}

/// Signs in as the App instead.
fn as_app(text: &str, key: &str) -> String {
    let token = text.lines().find(|line| line.starts_with("global_token")).unwrap();
    let key = format!("global_private_key: {}/tests/keys/{key}", env!("CARGO_MANIFEST_DIR"));
    text.replace(token, &key).replace("  owner: acme", &format!("  app_id: {APP}\n  owner: acme"))
}

fn install(world: &World, traits: &Value) {
    let mut installation = json!({ "id": INSTALLATION, "account": "acme" });
    installation.as_object_mut().unwrap().extend(traits.as_object().unwrap().clone());
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/app.pem");
    let app = json!({ "id": APP, "key": key, "installations": [installation] });
    world.control("settings", &json!({ "apps": [app] }));
}

/// The webhook, with these other traits.
fn hook(world: &World, traits: &Value) {
    let mut hook = json!({ "id": HOOK, "url": world.receiver(), "secret": SECRET });
    hook.as_object_mut().unwrap().extend(traits.as_object().unwrap().clone());
    world.control("hook", &hook);
}

fn calls(world: &World) -> u64 {
    world.state()["calls"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
}

#[test]
fn a_good_token_is_named_and_asked_about_once() {
    let world = World::new();
    hook(&world, &json!({ "content_type": "form" }));
    let told = check(&world, &with_redelivery(&world).replace("RUNNER1", "MAC"));
    told.assert_fine();
    told.assert_note("note: RECEIVER, MAC: signed in to http://127", "as mona, with the scopes admin:org, ");
    told.assert_note("note: webhook 480000001 of acme/app delivers workflow_job", "/jobs/v1/receiver");
    told.assert_note("note: webhook 480000001 of acme/app has delivered nothing", "");
    assert_eq!(calls(&world), 4, "user, runners, hook, deliveries: {}", world.state()["calls"]);
    assert!(world.runners().is_empty() && world.pages().is_empty());
}

#[test]
fn a_good_app_is_named_with_its_installation() {
    let world = World::new();
    install(&world, &json!({}));
    let told = check(&world, &as_app(&with_redelivery(&world), "app.pem"));
    told.assert_fine();
    told.assert_note("note: RECEIVER, RUNNER1: signed in to http://127", "as App 4711 (anklet)");
    told.assert_note("note: acme/app: installation 99 of acme grants", "");
    assert_eq!(calls(&world), 6, "app, installation, token, runners, hook, deliveries");
}

#[test]
fn refused_credentials_have_their_remedy() {
    let world = World::new();
    let text = world.configuration(1, "");
    check(&world, &text.replace(TOKEN, "ghp_other"))
        .assert_fault(3, &["RECEIVER, RUNNER1: ", "401", "new one"]);
    install(&world, &json!({}));
    check(&world, &as_app(&text, "other.pem")).assert_fault(3, &["does not belong to App 4711"]);
    let other = as_app(&text, "app.pem").replace("4711", "4712");
    check(&world, &other).assert_fault(3, &["App 4712", "compare app_id"]);
}

#[test]
fn an_installation_that_is_suspended_or_elsewhere_is_told() {
    let world = World::new();
    let text = as_app(&world.configuration(1, ""), "app.pem");
    install(&world, &json!({ "suspended": true }));
    check(&world, &text).assert_fault(3, &["acme/app: ", "suspended", "unsuspend"]);
    install(&world, &json!({ "repositories": ["api"] }));
    check(&world, &text).assert_fault(3, &["no installation on acme/app", "install it there"]);
    install(&world, &json!({}));
    let other = text.replace("app_id: 4711", "app_id: 4711\n  installation_id: 5");
    let told = check(&world, &other);
    assert!(
        told.faults.contains("installation_id 5 is another one") && told.code == Some(3),
        "{}",
        told.faults
    );
}

#[test]
fn each_missing_right_is_named() {
    let world = World::new();
    install(&world, &json!({ "permissions": { "administration": "read", "repository_hooks": "write" } }));
    let told = check(&world, &as_app(&with_redelivery(&world), "app.pem"));
    assert_eq!(told.code, Some(3), "{}", told.notes);
    let lines: Vec<&str> = told.faults.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].contains("permission administration: read, and write") && lines[1].contains("actions: none")
    );
    told.assert_note("note: webhook", "delivers workflow_job");
    world.control("settings", &json!({ "token_scopes": "repo" }));
    let told = check(&world, &of_organization(&world, "Default"));
    assert_eq!(told.code, Some(3));
    for scope in ["admin:org;", "admin:org_hook;"] {
        assert!(told.faults.contains(&format!("acme: the token lacks the scope {scope}")), "{}", told.faults);
    }
    world.control("settings", &json!({ "token_scopes": null }));
    let told = check(&world, &with_redelivery(&world));
    told.assert_fine();
    told.assert_note(
        "note: acme/app: whether the token may write administration and actions and",
        "cannot be told",
    );
    let refusal = json!({ "method": "GET", "path": "/actions/runners", "preset": "permission" });
    world.control("rules", &refusal);
    check(&world, &with_redelivery(&world)).assert_fault(3, &["acme/app: ", "administration=write"]);
}

#[test]
fn each_fault_of_the_webhook_is_told_with_its_remedy() {
    let world = World::new();
    let text = with_redelivery(&world);
    let cases = [
        (json!({ "id": 7 }), "is not there"),
        (json!({ "inactive": true }), "is not active"),
        (json!({ "url": "https://u:pw@ci.acme.com/hook?key=1" }), "delivers to https://ci.acme.com/hook,"),
        (json!({ "events": ["push"] }), "is not subscribed to workflow_job"),
    ];
    for (traits, words) in cases {
        hook(&world, &traits);
        check(&world, &text).assert_fault(3, &["webhook 480000001 of acme/app ", words]);
    }
}

#[test]
fn lost_deliveries_and_a_clock_that_is_off_are_warnings() {
    let world = World::new();
    hook(&world, &json!({}));
    world.control(
        "deliveries",
        &json!({ "event": "workflow_job", "action": "queued", "status_code": 401, "count": 3 }),
    );
    world.control("settings", &json!({ "clock_ahead": 120 }));
    let told = check(&world, &with_redelivery(&world));
    told.assert_fine();
    told.assert_note("warning: webhook 480000001 of acme/app: 3 of the latest 3 events", "401; write");
    told.assert_note("warning: this host's clock is 1", "s behind that of http://127");
    install(&world, &json!({}));
    world.control("settings", &json!({ "clock_ahead": -7200 }));
    let told = check(&world, &as_app(&with_redelivery(&world), "app.pem"));
    told.assert_fine();
    told.assert_note("warning: this host's clock is 7", "s ahead of that of http://127");
}

#[test]
fn the_runner_group_is_looked_for() {
    let world = World::new();
    hook(&world, &json!({}));
    world.control("settings", &json!({ "groups": ["Macs"] }));
    let told = check(&world, &of_organization(&world, "macs"));
    told.assert_fine();
    told.assert_note("note: acme: the runner group \"macs\" is there", "");
    let told = check(&world, &of_organization(&world, "Linux"));
    told.assert_fault(3, &["no runner group \"Linux\"", "\"Default\", \"Macs\""]);
}

#[test]
fn the_app_s_own_webhook_is_checked_by_its_events() {
    let world = World::new();
    install(&world, &json!({}));
    hook(&world, &json!({ "app": APP }));
    let text = as_app(&with_redelivery(&world), "app.pem").replace(&HOOK.to_string(), "app");
    let told = check(&world, &text);
    told.assert_fine();
    told.assert_note("note: the App's webhook delivers workflow_job to http://127", "/jobs/v1/receiver");
}

#[test]
fn github_away_is_1_and_offline_asks_nobody() {
    let world = World::new();
    let text =
        world.configuration(1, "").replace(&world.github, &format!("http://127.0.0.1:{}", free_port()));
    check(&world, &text)
        .assert_fault(1, &["RECEIVER, RUNNER1: failed to reach http://127.0.0.1", "github_api_url"]);
    let before = calls(&world);
    for text in [text, world.configuration(1, "global_database_url: 127.0.0.1:1")] {
        fs::write(world.dir.join("own.yml"), text).unwrap();
        let output = command(&world).args(["check", "-c", "own.yml", "--offline"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(calls(&world), before);
    world.control("rules", &json!({ "path": "/user", "preset": "primary", "seconds": 900 }));
    let begun = Instant::now();
    check(&world, &world.configuration(1, "")).assert_fault(1, &["limits the calls", "check again"]);
    assert!(begun.elapsed() < Duration::from_secs(6), "nobody waits for what will not end in time");
}

#[test]
fn what_answers_all_with_an_empty_object_is_not_github() {
    for (path, call) in [("/user", "get_user"), ("/actions/runners", "list_runners")] {
        let world = World::new();
        world.control("rules", &json!({ "path": path, "status": 200, "body": "{}", "times": 9 }));
        check(&world, &world.configuration(1, "")).assert_fault(1, &["not the documented shape", call]);
    }
}

#[test]
fn a_mute_github_takes_15_seconds_at_most_whatever_there_is_to_ask() {
    let world = World::new();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", mute.local_addr().unwrap());
    let mut text = world.configuration(3, "").replace(&world.github, &address);
    for number in 1..=3 {
        let name = format!("- name: RUNNER{number}\n");
        text = text.replace(&name, &format!("{name}  token: other{number}\n"));
    }
    let began = Instant::now();
    let told = check(&world, &text);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!((told.code, told.faults.lines().count()), (Some(1), 4), "{}", told.faults);
    assert!(told.faults.lines().all(|line| line.contains("did not answer within 12 s")), "{}", told.faults);
}

#[test]
fn a_receiver_without_credentials_has_nothing_to_ask() {
    let world = World::new();
    let text = world.configuration(0, "");
    let token = text.lines().find(|line| line.starts_with("global_token")).unwrap();
    let told = check(&world, &text.replace(token, ""));
    told.assert_fine();
    assert_eq!(calls(&world), 0);
}
