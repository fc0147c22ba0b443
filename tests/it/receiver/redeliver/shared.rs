//! Several receivers of one hook, with one Redis.

use super::*;
use crate::support::redis::Server;
use crate::support::world::free_port;

/// Two receivers, each with a daemon of its own; the second one takes no deliveries.
struct Pair {
    redis: Server,
    first: World,
    second: World,
}

impl Pair {
    fn new() -> Pair {
        let redis = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
        Pair { redis, first: World::new(), second: World::new() }
    }

    fn start(&self) -> (Daemon, Daemon) {
        let redis = format!(
            "\nglobal_database_url: 127.0.0.1\nglobal_database_port: {}\nmetrics:\n",
            self.redis.port
        );
        let text = configuration(&self.first, 0, &[]).replace("\nmetrics:\n", &redis);
        let other = text
            .replace(&self.first.port.to_string(), &free_port().to_string())
            .replace(&self.first.metrics_port.to_string(), &free_port().to_string());
        let second = Daemon::start(&self.second, &other, &[], &[]);
        (self.first.start_with(&text), second)
    }
}

#[test]
fn no_delivery_is_asked_for_twice_by_two_receivers_and_both_remember_after_a_restart() {
    let pair = Pair::new();
    let world = &pair.first;
    world.control("settings", &json!({ "lose_deliveries": true }));
    let lost = past(world, &json!({ "count": 30 }));
    let guids = lost["guids"].as_array().unwrap();
    let (mut one, mut two) = pair.start();
    eventually("all are asked for", SOON, || asks(world) == 30);
    looks_again(world, 4);
    assert_eq!((one.stop(), two.stop()), (0, 0));
    let _daemons = pair.start();
    looks_again(world, 4);
    assert_eq!(asks(world), 30);
    for guid in guids {
        assert_eq!(tries(world, guid).len(), 2);
    }
    assert!(pair.second.log_text().contains("webhook") || pair.second.said("ERROR").is_empty());
    for each in [&pair.first, &pair.second] {
        assert_eq!(each.said("ERROR"), [""; 0]);
    }
}

#[test]
fn after_redis_was_away_what_was_refused_comes_back() {
    let mut pair = Pair::new();
    let (_one, _two) = pair.start();
    let world = &pair.first;
    eventually("they look", SOON, || looks(world) >= 2);
    pair.redis.kill();
    let job = pair.first.order(json!({}))[0];
    let refused = || {
        let all = web::get_json(&format!("{}/_sim/deliveries", pair.first.github));
        all.as_array().unwrap().iter().find(|one| one["job"] == job).map(|one| one["guid"].clone())
    };
    let mut guid = None;
    eventually("it is refused", SOON, || {
        guid = refused();
        guid.is_some()
    });
    pair.redis.restart();
    eventually("it comes", SOON, || came(&pair.first, guid.as_ref().unwrap()));
    assert_eq!(asks(&pair.first), 1);
}
