//! Signing in as a GitHub App: both forms of a key, expiry, revocation, and what GitHub may refuse.

use std::path::Path;

use super::*;
use crate::support::Daemon;
use crate::support::web;

const APP: u64 = 4711;
const INSTALLATION: u64 = 99;
const HOOK: u64 = 480_000_001;
const PKCS8: &str = include_str!("../../keys/app.pkcs8.pem");

fn key(name: &str) -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/").to_owned() + name
}

/// A GitHub that knows the App with one installation, which has these further traits.
fn install(world: &World, traits: &Value) {
    let mut installation = json!({ "id": INSTALLATION, "account": "acme" });
    installation.as_object_mut().unwrap().extend(traits.as_object().unwrap().clone());
    let app = json!({ "id": APP, "key": key("app.pem"), "installations": [installation] });
    world.control("settings", &json!({ "apps": [app] }));
}

/// The usual configuration, signed in by these lines.
fn configuration(world: &World, top: &str) -> String {
    let text = world.configuration(1, top);
    let token = text.lines().find(|line| line.starts_with("global_token")).unwrap();
    text.replace(&format!("{token}\n"), "") + &format!("  app_id: {APP}\n")
}

fn with_key(world: &World, file: &str) -> String {
    configuration(
        world,
        &format!("global_private_key: {}\nglobal_registration_timeout_seconds: 2", key(file)),
    )
}

fn tokens(world: &World) -> u64 {
    asked(world, "POST", "/access_tokens")
}

#[test]
fn a_key_by_its_path_finds_its_installation_and_one_token_serves_all_jobs() {
    let world = World::new();
    install(&world, &json!({}));
    let mut daemon = world.start_with(&with_key(&world, "app.pem"));
    for _ in 0..2 {
        let job = world.order(json!({}))[0];
        assert_eq!(end_of(&world, job), "success");
        clean(&world);
    }
    assert_eq!((asked(&world, "GET", "/repos/acme/app/installation"), tokens(&world)), (1, 1));
    assert_eq!(daemon.stop(), 0);
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert_eq!(world.said("WARN"), [""; 0]);
}

#[test]
fn a_key_in_one_line_from_the_environment_serves_an_organization_or_user() {
    for is_user in [false, true] {
        let world = World::new();
        install(&world, &json!({ "is_user": is_user }));
        let line = PKCS8.replace('\n', "\\n");
        let text = configuration(&world, "");
        let text = if is_user { text } else { text.replace("  repo: app\n", "") };
        let _daemon = Daemon::start(&world, &text, &[], &[("RUNNER1_PRIVATE_KEY", &line)]);
        world.wait_until_it_serves();
        let job = world.order(json!({}))[0];
        assert_eq!(end_of(&world, job), "success");
        clean(&world);
        assert_eq!(world.said("ERROR"), [""; 0]);
    }
}

#[test]
fn a_token_that_ends_or_is_revoked_under_a_job_is_renewed() {
    let world = World::new();
    install(&world, &json!({ "token_seconds": 2 }));
    let _daemon = world.start_with(&with_key(&world, "app.pkcs8.pem"));
    let job = world.order(json!({ "duration_ms": 3000 }))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    install(&world, &json!({ "token_seconds": 3600 }));
    let job = world.order(json!({ "hold": true }))[0];
    online_runner(&world);
    web::delete(&format!("{}/_sim/installation_tokens", world.github));
    let run = job_now(&world, job)["run_id"].clone();
    world.control(&format!("runs/{run}/cancel"), &json!({}));
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    assert!(tokens(&world) >= 2);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_clock_that_is_an_hour_off_is_borne_and_said() {
    for ahead in [3600, -3600] {
        let world = World::new();
        install(&world, &json!({}));
        world.control("settings", &json!({ "clock_ahead": ahead }));
        let _daemon = world.start_with(&with_key(&world, "app.pem"));
        let job = world.order(json!({}))[0];
        assert_eq!(end_of(&world, job), "success");
        clean(&world);
        says(&world, "WARN", "this host's clock");
        assert_eq!(world.said("ERROR"), [""; 0]);
    }
}

/// The refusal is one ERROR with its remedy; nothing is claimed, nobody is hammered; once it is mended all goes on.
#[track_caller]
fn is_refused_until(file: &str, traits: &Value, remedy: &str, mended: &Value) {
    let world = World::new();
    install(&world, traits);
    let _daemon = world.start_with(&with_key(&world, file));
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", remedy);
    clean(&world);
    let before = asked(&world, "", "");
    let other = world.order(json!({}))[0];
    crate::support::pause(2500);
    assert!(asked(&world, "", "") - before <= 1, "{}", world.state()["calls"]);
    assert_eq!(calls(&world, "clone"), [[""; 0]; 0], "nothing is claimed");
    assert_eq!(world.said("ERROR").len(), 1, "{:?}", world.said("ERROR"));
    if mended.is_null() {
        return;
    }
    install(&world, mended);
    assert_eq!((end_of(&world, job), end_of(&world, other)), ("success".into(), "success".into()));
}

#[test]
fn a_suspended_installation_is_named() {
    is_refused_until("app.pem", &json!({ "suspended": true }), "is suspended; its owner", &json!({}));
}

#[test]
fn an_app_that_is_not_installed_is_told_where_to_go() {
    let elsewhere = json!({ "account": "other" });
    is_refused_until("app.pem", &elsewhere, "no installation on acme/app; install it there", &json!({}));
}

#[test]
fn another_apps_key_is_told_from_all_else() {
    is_refused_until("other.pem", &json!({}), "does not belong to App 4711", &Value::Null);
}

#[test]
fn a_missing_permission_is_named() {
    let world = World::new();
    install(&world, &json!({ "permissions": { "metadata": "read", "actions": "write" } }));
    let _daemon = world.start_with(&with_key(&world, "app.pem"));
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "administration=write");
    clean(&world);
    install(&world, &json!({}));
    assert_eq!(end_of(&world, job), "success");
}

#[test]
fn the_apps_own_webhook_is_asked_for_what_was_lost_and_other_installations_are_left_alone() {
    let world = World::new();
    install(&world, &json!({}));
    world.control("hook", &json!({ "url": world.receiver(), "secret": world::SECRET, "app": APP }));
    let lost = |installation: u64| json!({ "installation_id": installation, "status_code": 502 });
    let past = world.control("deliveries", &json!([lost(INSTALLATION), lost(7)]));
    let keys = format!("hook_id: app\n  app_id: {APP}");
    let text = with_key(&world, "app.pem").replace("skip_redeliver: true", &keys);
    let _daemon = world.start_with(&text);
    let tries = |guid: &Value| {
        let all = web::get_json(&format!("{}/_sim/deliveries", world.github));
        all.as_array().unwrap().iter().filter(|one| one["guid"] == *guid).count()
    };
    eventually("ours comes back", SOON, || tries(&past["guids"][0]) == 2);
    crate::support::pause(500);
    assert_eq!(tries(&past["guids"][1]), 1, "another's is another's");
    assert_eq!(asked(&world, "GET", &format!("/hooks/{HOOK}")), 0);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn the_key_and_its_tokens_are_seen_nowhere() {
    let world = World::new();
    install(&world, &json!({ "token_seconds": 2 }));
    let line = PKCS8.replace('\n', "\\n");
    let env = [("LOG_LEVEL", "DEBUG"), ("RUNNER1_PRIVATE_KEY", line.as_str())];
    let mut daemon = Daemon::start(&world, &configuration(&world, ""), &[], &env);
    world.wait_until_it_serves();
    let job = world.order(json!({ "duration_ms": 1500 }))[0];
    world.until(job, "in_progress", SOON);
    let shown = ["json", "prometheus", "plain"].map(|format| {
        let url = format!("http://127.0.0.1:{}/metrics?format={format}", world.metrics_port);
        web::get(&url).1
    });
    install(&world, &json!({ "suspended": true }));
    assert_eq!(end_of(&world, job), "success");
    install(&world, &json!({}));
    clean(&world);
    assert_eq!(daemon.stop(), 0);
    let body = PKCS8.lines().nth(7).unwrap();
    for canary in ["ghs_", "eyJhbGci", body, "PRIVATE KEY"] {
        let mut found = Vec::new();
        super::secrets::files_with(&world.dir, canary, &mut found);
        found.retain(|file| !Path::new(file).starts_with(world.dir.join("github")));
        assert!(found.is_empty(), "{canary} is in {found:?}");
        assert!(!shown.iter().any(|page| page.contains(canary)), "{canary} is in the metrics");
        assert!(!world.anka_calls().iter().flatten().any(|word| word.contains(canary)));
    }
}
