//! What those cost that have nothing to do: commands, those inside scripts counted.

use std::time::{Duration, Instant};

use redis::Connection;

use crate::life::model::{claim_id, owner, queued, release};
use crate::store::world::{acme, ask, card, claimed};
use crate::support::redis::{Server, say, store};
use crate::support::{Fleet, pause};

/// Commands since the counts were reset.
fn commands(client: &mut Connection) -> u64 {
    let stats: String = say(client, &["INFO", "commandstats"]);
    let lines =
        stats.lines().filter(|line| line.starts_with("cmdstat_") && !line.starts_with("cmdstat_config"));
    let calls = lines.filter_map(|line| line.split("calls=").nth(1)?.split(',').next()?.parse::<u64>().ok());
    let calls = calls.sum();
    println!("{calls} commands\n{stats}");
    calls
}

/// Ten seconds of a handler that finds nothing.
fn ten_seconds_of_waiting(holds_of_others: bool) -> u64 {
    let server = Server::start(&[]);
    let queue = store(server.options()).queue("acme");
    let bell = queue.bell(&owner("h1"));
    queue.seen(&card("h1", "v1", Duration::from_secs(90))).unwrap();
    assert!(bell.recv_timeout(Duration::from_secs(2)).is_ok());
    if holds_of_others {
        queue.apply(&queued(1)).unwrap();
        assert_eq!(claimed(&*queue, &ask(&claim_id(2), &acme())), Some(1));
    }
    let mut client = server.client();
    let id = claim_id(1);
    // The job has left a token.
    assert_eq!(claimed(&*queue, &ask(&id, &acme())), None);
    while bell.recv_timeout(Duration::from_secs(1)).is_ok() {
        assert_eq!(claimed(&*queue, &ask(&id, &acme())), None);
    }
    say::<()>(&mut client, &["CONFIG", "RESETSTAT"]);
    let begun = Instant::now();
    // As the handler does: a look every five seconds.
    while begun.elapsed() < Duration::from_secs(10) {
        assert!(bell.recv_timeout(Duration::from_secs(5)).is_err(), "nothing rings");
        assert_eq!(claimed(&*queue, &ask(&id, &acme())), None);
    }
    let calls = commands(&mut client);
    if holds_of_others {
        queue.apply(&release(2, false)).unwrap();
    }
    calls
}

#[test]
fn waiting_costs_less_than_a_command_a_second() {
    assert!(ten_seconds_of_waiting(false) <= 6);
}

#[test]
fn waiting_while_others_work_costs_little_more() {
    assert!(ten_seconds_of_waiting(true) <= 10);
}

#[test]
fn an_idle_daemon_asks_less_than_once_a_second() {
    let fleet = Fleet { lease: 60, ..Fleet::new(1) };
    let mut daemon = fleet.start(0, 1);
    pause(3000);
    let mut client = fleet.redis.client();
    say::<()>(&mut client, &["CONFIG", "RESETSTAT"]);
    // All that is done every half a minute is among it.
    pause(33_000);
    let calls = commands(&mut client);
    assert!(calls <= 33, "{calls} in 33 s");
    assert_eq!(daemon.stop(), 0);
}
