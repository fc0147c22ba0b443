//! What is told of each state, on both stores: filled by the test, so that each fact is known.

use std::sync::Arc;
use std::time::Duration;

use anklet::domain::event::{End, Event};
use anklet::domain::ids::JobId;
use anklet::domain::scope::Scope;
use anklet::domain::secret::Secret;
use anklet::store::embedded::{Embedded, Options};
use anklet::store::{Ask, Card, Note, Store};
use serde_json::{Value, json};

use super::{Told, anklet, job};
use crate::life::model::{checkpoint, claim_id, completed, not_here, owner, started, vm};
use crate::store::world::{ask, claimed, queued_of};
use crate::support::World;
use crate::support::redis::{Server, client, say, store};

/// A store that the test fills, and the configuration that names it.
struct Filled {
    world: World,
    configuration: String,
    store: Arc<dyn Store>,
    place: String,
    server: Option<Server>,
}

fn embedded() -> Filled {
    let world = World::new();
    let state = world.dir.join(".config/anklet/state");
    std::fs::create_dir_all(&state).unwrap();
    let options = Options {
        file: state.join("queue.sqlite"),
        bells_dir: world.dir.join("bells"),
        locks_dir: state.join("journal"),
        clock: Arc::new(anklet::runtime::clock::millis),
    };
    let place = options.file.display().to_string();
    let store = Embedded::open(options).unwrap().queue("acme");
    let configuration = world.configuration(1, "global_queue_name: acme");
    Filled { world, configuration, store, place, server: None }
}

fn redis() -> Filled {
    let (world, server) = (World::new(), Server::start(&["--requirepass", "canary-1f2e"]));
    let top = format!(
        "global_queue_name: acme\nglobal_database_url: 127.0.0.1\nglobal_database_port: {}\nglobal_database_password: canary-1f2e",
        server.port
    );
    let options =
        anklet::store::redis::Options { password: Some(Secret::new("canary-1f2e")), ..server.options() };
    let configuration = world.configuration(1, &top);
    let place = format!("127.0.0.1:{}/0", server.port);
    Filled { world, configuration, store: store(options).queue("acme"), place, server: Some(server) }
}

impl Filled {
    fn tells(&self, args: &[&str]) -> Told {
        anklet(&self.world, &self.configuration, args)
    }

    /// The only queue, as JSON.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let told = self.tells(&[&["queue"], args, &["--json"]].concat());
        assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{}", told.out);
        told.queue()
    }

    fn shows_up(&self, plugin: &str, repo: &str, why: Option<&str>, aside: &[u64]) {
        let aside = aside.iter().map(|job| (JobId(*job), "another pull runs".to_owned())).collect();
        let why = why.map(str::to_owned);
        self.shows(plugin, repo, Note { host_name: "mac-07".into(), why, held_up: None, aside });
    }

    fn shows(&self, plugin: &str, repo: &str, note: Note) {
        let card = Card {
            owner: owner(plugin),
            scope: Scope::Repository { owner: "acme".into(), repo: repo.into() },
            voter: plugin.to_owned(),
            patience: Duration::from_secs(90),
            note,
        };
        self.store.seen(&card).unwrap();
    }

    fn queues(&self, jobs: std::ops::RangeInclusive<u64>) {
        for id in jobs {
            self.store.apply(&queued_of(id, "app", &["self-hosted", "anka-template:macos-15"])).unwrap();
        }
    }

    fn claims(&self, n: u64, voter: &str) -> Option<u64> {
        let (claim, scope) = (claim_id(n), Scope::Organization { owner: "acme".into() });
        claimed(&*self.store, &Ask { voter, ..ask(&claim, &scope) })
    }
}

/// One job in each state: 1 runs, 2 is claimed, 3 dead, 4 over, 5 parked, 6 and later queued.
fn one_of_each(filled: &Filled, last: u64) {
    filled.queues(1..=last);
    assert_eq!(filled.claims(1, "h1"), Some(1));
    filled.store.apply(&checkpoint(1)).unwrap();
    filled.store.apply(&started(1, vm(1))).unwrap();
    assert_eq!(filled.claims(2, "h2"), Some(2));
    filled.store.apply(&checkpoint(2)).unwrap();
    assert_eq!(filled.claims(3, "h3"), Some(3));
    let end = End::Dead("the VM did not start: \u{1b}[31mno disk".into());
    filled.store.apply(&Event::Settle { claim: claim_id(3), job: JobId(3), end }).unwrap();
    filled.store.apply(&completed(4, None)).unwrap();
    filled.store.apply(&Event::Waiting { job: JobId(5) }).unwrap();
}

fn moment(value: &Value) -> bool {
    let rfc = &time::format_description::well_known::Rfc3339;
    value.as_str().is_some_and(|text| time::OffsetDateTime::parse(text, rfc).is_ok())
}

#[test]
fn every_state_is_told_as_json() {
    for filled in [embedded(), redis()] {
        one_of_each(&filled, 7);
        filled.shows_up("h1", "app", None, &[]);
        let queue = filled.json(&["list"]);
        assert_eq!((&queue["queue"], &queue["place"]), (&json!("acme"), &json!(filled.place)));
        assert!(moment(&queue["now"]) && queue["exists"] == true && queue["error"].is_null(), "{queue:#}");
        let counts = json!({ "queued": 2, "parked": 1, "claimed": 1, "running": 1, "dead": 1 });
        assert_eq!(queue["counts"], counts);
        let states: Vec<_> =
            queue["jobs"].as_array().unwrap().iter().map(|job| (&job["id"], &job["state"])).collect();
        let want =
            json!([[1, "running"], [2, "claimed"], [6, "queued"], [7, "queued"], [5, "parked"], [3, "dead"]]);
        assert_eq!(json!(states), want, "over ones are not listed");
        let running = job(&queue, 1);
        assert_eq!(running["runner"], vm(1).0);
        assert_eq!(running["held_by"]["plugin"], "h1");
        assert_eq!(
            (&running["held_by"]["live"], &running["held_by"]["host_name"]),
            (&json!(true), &json!("mac-07"))
        );
        assert_eq!(running["held_by"]["lease_until"].is_null(), filled.place.ends_with("sqlite"));
        let claimed = job(&queue, 2);
        assert_eq!((&claimed["held_by"]["runner"], &claimed["runner"]), (&json!(vm(2).0), &Value::Null));
        assert_eq!((&claimed["held_by"]["live"], &claimed["attempt"]), (&json!(false), &json!(1)));
        assert!(moment(&job(&queue, 5)["ask_at"]) && moment(&running["stored_at"]));
        assert!(job(&queue, 3)["reason"].as_str().unwrap().contains("did not start"));
        let over = filled.json(&["show", "4"]);
        assert_eq!((&over["jobs"][0]["state"], over["jobs"].as_array().unwrap().len()), (&json!("over"), 1));
        assert!(moment(&over["jobs"][0]["ended_at"]) && over["jobs"][0]["conclusion"].is_string());
    }
}

#[test]
fn one_that_a_limit_holds_up_between_two_jobs_takes_nothing() {
    let filled = embedded();
    filled.queues(1..=1);
    let held_up = Some("GitHub limits its calls".into());
    filled.shows("h1", "app", Note { held_up, ..Note::default() });
    let queue = filled.json(&["list"]);
    let reason = &job(&queue, 1)["not_taken_by"][0];
    assert_eq!(reason["why"], "host");
    assert_eq!(reason["text"], "GitHub limits its calls");
    assert_eq!(queue["handlers"][0]["takes_nothing_because"], "GitHub limits its calls");
}

#[test]
fn each_live_handler_says_why_it_does_not_take_a_job() {
    for filled in [embedded(), redis()] {
        filled.queues(1..=2);
        assert_eq!(filled.claims(1, "h1"), Some(1));
        filled.shows_up("h1", "app", Some("busy comes first"), &[]);
        filled.shows_up("h2", "web", None, &[]);
        filled.shows_up("h3", "app", Some("both places of its host are taken"), &[]);
        filled.shows_up("h4", "app", None, &[2]);
        filled.shows_up("h5", "app", None, &[]);
        filled.shows_up("h6", "app", None, &[]);
        assert_eq!(filled.claims(6, "h6"), Some(2));
        filled.store.apply(&not_here(6, "h6")).unwrap();
        let words = |queue: &Value, id: u64| -> Vec<String> {
            let all = job(queue, id)["not_taken_by"].as_array().unwrap().clone();
            all.iter()
                .map(|one| format!("{} {}", one["plugin"].as_str().unwrap(), one["why"].as_str().unwrap()))
                .collect()
        };
        let want = ["h1 busy", "h2 scope", "h3 host", "h4 gave_back", "h5 free", "h6 not_here"];
        assert_eq!(words(&filled.json(&["list"]), 2), want);
        assert_eq!(words(&filled.json(&["show", "2"]), 2), want);
        let text = filled.tells(&["queue", "show", "2"]).out;
        for line in [
            "h1 on mac-07  seen 0 s ago  has job 1",
            "takes only jobs of acme/web",
            "both places",
            "another pull runs",
            "no such template",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert_eq!(filled.claims(3, "h3"), Some(2));
        let pause = Duration::from_mins(5);
        filled.store.apply(&Event::Release { claim: claim_id(3), job: None, counted: true, pause }).unwrap();
        let queue = filled.json(&["show", "2"]);
        assert_eq!((&job(&queue, 2)["failed_attempts"], &job(&queue, 2)["attempt"]), (&json!(1), &json!(2)));
        assert!(moment(&job(&queue, 2)["not_before"]));
        assert!(words(&queue, 2).contains(&"h5 pause".to_owned()));
    }
}

#[test]
fn the_text_fits_a_terminal_and_moves_no_cursor() {
    for filled in [embedded(), redis()] {
        one_of_each(&filled, 7);
        filled.shows_up("h1", "app", None, &[]);
        filled.shows_up("h5", "app", Some("draining: its host has a drain file"), &[]);
        let told = filled.tells(&["queue", "list"]);
        assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
        println!("{}", told.out);
        let wide = told.out.lines().filter(|line| !line.contains(&filled.place) && line.chars().count() > 80);
        assert_eq!(wide.collect::<Vec<_>>(), [""; 0]);
        assert!(!told.out.contains('\u{1b}'), "{:?}", told.out);
        for line in [
            "1 running, 1 claimed, 2 queued, 1 parked, 1 dead; the eldest waits for",
            "held by h1 on mac-07",
            "held by h2 on host; it is not live",
            "h5 on mac-07: draining: its host has a drain file",
            "waits for an approval; GitHub is asked again in",
            "given up 0 s ago",
        ] {
            assert!(told.out.contains(line), "{line}: {}", told.out);
        }
    }
}

#[test]
fn a_long_queue_is_bounded_and_says_how_many_more() {
    for filled in [embedded(), redis()] {
        filled.queues(1..=1200);
        let queue = filled.json(&["list"]);
        assert_eq!((queue["jobs"].as_array().unwrap().len(), &queue["not_shown"]), (100, &json!(1100)));
        // Redis orders those of one millisecond as text.
        let eldest = queue["jobs"].as_array().unwrap().iter().all(|job| job["id"].as_u64() < Some(120));
        assert!(eldest, "{queue:#}");
        assert_eq!(filled.json(&["list", "--limit", "1100"])["jobs"].as_array().unwrap().len(), 1100);
        let told = filled.tells(&["queue", "list", "--limit", "2"]);
        assert!(
            told.out.contains("1,200 queued") && told.out.contains("and 1,198 more queued"),
            "{}",
            told.out
        );
        assert_eq!(told.out.matches("anka-template").count(), 2);
        let none = filled.tells(&["queue", "list", "--limit", "0"]);
        assert!(
            none.out.contains("and 1,200 more queued")
                && none.out.contains("no handler of this queue is live"),
            "{}",
            none.out
        );
    }
}

#[test]
fn several_queues_are_named_and_one_can_be_chosen() {
    let filled = embedded();
    filled.queues(1..=1);
    let configuration = format!(
        "{}- name: R3\n  plugin: github\n  owner: beta\n  queue_name: beta\n- name: R4\n  plugin: github\n  owner: acme\n  repo: web\n",
        filled.configuration
    );
    let all = anklet(&filled.world, &configuration, &["queue", "list", "--json"]);
    let json: Value = serde_json::from_str(&all.out).unwrap();
    let names: Vec<_> =
        json["queues"].as_array().unwrap().iter().map(|queue| queue["queue"].clone()).collect();
    assert_eq!(json!(names), json!(["acme", "beta"]));
    let one = anklet(&filled.world, &configuration, &["queue", "list", "--queue", "BETA"]);
    assert!(one.out.contains("queue beta") && !one.out.contains("queue acme"), "{}", one.out);
    let shown = anklet(&filled.world, &configuration, &["queue", "show", "1", "--queue", "beta"]);
    assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""));
    let nowhere = anklet(&filled.world, &configuration, &["queue", "list", "--queue", "gamma"]);
    assert_eq!(nowhere.code, Some(2));
    assert!(nowhere.err.contains("gamma") && nowhere.err.contains("acme, beta"), "{}", nowhere.err);
}

#[test]
fn a_record_that_cannot_be_read_is_said_and_is_no_outage() {
    let filled = redis();
    let mut client = client(filled.server.as_ref().unwrap().port, Some("canary-1f2e"));
    (1..=2).for_each(|id| drop(filled.store.apply(&queued_of(id, "app", &["anka-template:t"])).unwrap()));
    for (id, record, words) in [("1", r#"{"v":9,"x":1}"#, "version 9 is newer"), ("2", "{broken", "record")] {
        say::<i64>(&mut client, &["HSET", "anklet:{acme}:jobs", id, record]);
        let told = anklet(&filled.world, &filled.configuration, &["queue", "show", id]);
        assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{}", told.out);
        assert!(told.out.contains("queue acme") && told.out.contains(&format!("job {id}")), "{}", told.out);
        assert!(told.out.contains(words), "{}", told.out);
        let queue = anklet(&filled.world, &filled.configuration, &["queue", "show", id, "--json"]).queue();
        assert_eq!((&queue["unreadable"], &queue["error"]), (&json!(1), &Value::Null));
    }
    let told = anklet(&filled.world, &filled.configuration, &["queue", "list"]);
    assert!(told.out.contains("2 jobs that this version cannot read"), "{}", told.out);
}
