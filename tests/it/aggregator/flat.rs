//! Two hundred hosts behind one aggregator, ten of them gone and ten mute. Against the clock: run alone.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Host, OLD, aggregator, exposition, page};
use crate::support::world::free_port;
use crate::support::{World, pause};

const HOSTS: usize = 200;
/// Between two rounds.
const INTERVAL: Duration = Duration::from_secs(3);
/// What a scrape may take, but for one in a hundred.
const LIMIT: Duration = Duration::from_millis(200);

#[test]
fn two_hundred_hosts_are_gathered_in_two_rounds_and_shown_at_once() {
    let world = World::new();
    let (good, mute) = (Host::saying(OLD), Host::new(|_, _| pause(20_000)));
    let gone = format!("http://127.0.0.1:{}", free_port());
    let urls: Vec<String> = (0..HOSTS)
        .map(|n| match n % 20 {
            7 => format!("{gone}/{n}"),
            13 => format!("{}/{n}", mute.url()),
            _ => format!("{}/{n}", good.url()),
        })
        .collect();
    let (mut daemon, port) = aggregator(&world, &urls, &[("ANKLET_METRICS_SLEEP_INTERVAL", "3")]);
    let begun = Instant::now();
    let is_complete = || {
        let known = page(port);
        let hosts = known.as_object().unwrap();
        assert_eq!(hosts.len(), HOSTS);
        let asked =
            hosts.values().filter(|host| !host["error"].as_str().unwrap_or("").starts_with("not asked"));
        asked.count() == HOSTS
    };
    while !is_complete() {
        assert!(begun.elapsed() < 2 * INTERVAL, "not complete after {:?}", begun.elapsed());
        pause(50);
    }
    let up = page(port).as_object().unwrap().values().filter(|host| host["up"] == json!(true)).count();
    assert_eq!(up, 180);

    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let asked = Instant::now();
            assert!(exposition(port).contains("anklet_fleet_hosts 200\n"));
            asked.elapsed()
        })
        .collect();
    times.sort_unstable();
    assert!(times[197] < LIMIT, "the slowest scrapes: {:?}", &times[190..]);
    assert_eq!(daemon.stop(), 0);
}
