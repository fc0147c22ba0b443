//! Whose jobs: repositories, organizations, letter case; a receiver and handlers in daemons of their own.

use super::*;
use crate::support::Daemon;
use crate::support::daemon::command;
use crate::support::world::free_port;

#[test]
fn an_organization_s_handler_takes_the_jobs_of_all_its_repositories() {
    let world = World::new();
    let text = world.configuration(1, "").replace("  repo: app\n", "").replace(
        &format!("github_api_url: {}", world.github),
        &format!("github_api_url: {}/api/v3", world.github),
    );
    let _daemon = world.start_with(&text);
    for repo in ["app", "other"] {
        let job = world.order(json!({ "repo": repo }))[0];
        assert_eq!(end_of(&world, job), "success");
    }
    clean(&world);
    assert_eq!(asked(&world, "POST", "/orgs/"), 1, "{}", world.state()["calls"]);
    assert_eq!(row(&world, "RUNNER1")["repo_name"], "");
}

#[test]
fn a_repository_s_handler_takes_only_its_own() {
    let world = World::new();
    let text = world.configuration(1, "").replacen("  repo: app\n", "", 1);
    let _daemon = world.start_with(&text);
    let other = world.order(json!({ "repo": "other" }))[0];
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(job_now(&world, other)["status"], "queued");
    assert_eq!(calls(&world, "clone").len(), 1);
}

#[test]
fn letter_case_makes_no_difference() {
    let world = World::new();
    let text = world.configuration(1, "").replace("owner: acme", "owner: ACME").replacen(
        "repo: app",
        "repo: App",
        1,
    );
    let _daemon = world.start_with(&text);
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
}

/// One state folder, two daemons: what the one stores wakes the other at once.
#[test]
fn a_receiver_and_handlers_may_be_daemons_of_their_own() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    let mut receiver = world.start(0);
    let folder = world.dir.join("second");
    fs::create_dir(&folder).unwrap();
    let (dir, metrics) = (folder.display(), free_port());
    let both = world
        .configuration(2, "")
        .replace(&format!("port: {}", world.metrics_port), &format!("port: {metrics}"));
    let (top, rest) = both.split_once("- name: RECEIVER").unwrap();
    let handlers = &rest[rest.find("- name: RUNNER1").unwrap()..];
    let text = format!("pid_file_dir: {dir}\nlog:\n  file_dir: {dir}\n{top}{handlers}");
    fs::write(folder.join("config.yml"), text).unwrap();
    let mut handlers = Daemon::of(command(&world).arg("-c").arg(folder.join("config.yml")));
    let first = world.order(json!({ "duration_ms": 50 }))[0];
    assert_eq!(end_of(&world, first), "success");
    clean(&world);
    let begin = std::time::Instant::now();
    for job in world.order(json!({ "count": 2, "duration_ms": 50 })) {
        assert_eq!(end_of(&world, job), "success");
    }
    clean(&world);
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert_eq!((handlers.stop(), receiver.stop()), (0, 0));
}

#[test]
fn an_enterprise_takes_the_jobs_of_all_its_organizations_and_no_others() {
    let world = World::with(&["--template", "bare:v1", "--runner", "none"]);
    let text = world.configuration(1, "").replace("  owner: acme\n  repo: app\n", "  enterprise: Big-Corp\n");
    let _daemon = world.start_with(&text);
    let labels = json!(["self-hosted", "anka-template:bare", "anka-template-tag:v1"]);
    let foreign = world.order(json!({ "owner": "stranger", "enterprise": "other", "labels": labels }))[0];
    for owner in ["acme", "globex"] {
        let job = world.order(json!({ "owner": owner, "enterprise": "big-corp", "labels": labels }))[0];
        assert_eq!(end_of(&world, job), "success");
    }
    clean(&world);
    assert_eq!(job_now(&world, foreign)["status"], "queued");
    assert_eq!(asked(&world, "POST", "/enterprises/Big-Corp/actions/runners/registration-token"), 1);
    assert_eq!(
        asked(&world, "GET", "/enterprises/Big-Corp/actions/runners/downloads"),
        0,
        "GitHub has no such call"
    );
    assert_eq!(row(&world, "RUNNER1")["owner_name"], "Big-Corp");
    assert_eq!(world.said("ERROR"), [""; 0]);
    let warned: Vec<String> =
        world.said("WARN").into_iter().filter(|said| said.contains("not yet")).collect();
    assert_eq!(warned, [""; 0]);
}
