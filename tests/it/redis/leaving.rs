//! A daemon that is stopped while its Redis is frozen ends at once, whatever it waits for.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Daemon, Fleet, pause};

/// Well under the limit of a single call.
const AT_ONCE: Duration = Duration::from_millis(1900);

fn stops_at_once(daemon: &mut Daemon) {
    let begun = Instant::now();
    assert_eq!(daemon.stop(), 0);
    let took = begun.elapsed();
    println!("stopped after {took:?}");
    assert!(took < AT_ONCE, "{took:?}");
}

#[test]
fn idle_handlers_and_a_receiver_end_while_redis_is_frozen() {
    let fleet = Fleet::new(1);
    // Right away; while a look is not answered; while the connection is made anew.
    for frozen in [100, 4200, 6500] {
        let mut daemon = fleet.start(0, 3);
        pause(1500);
        fleet.redis.signal(Signal::SIGSTOP);
        pause(frozen);
        stops_at_once(&mut daemon);
        fleet.redis.signal(Signal::SIGCONT);
    }
}

#[test]
fn a_daemon_that_began_while_redis_was_frozen_ends() {
    let fleet = Fleet::new(1);
    fleet.redis.signal(Signal::SIGSTOP);
    for begun in [500, 3000, 6500] {
        let mut daemon = Daemon::start(&fleet.hosts[0], &fleet.configuration(0, 3), &[], &[]);
        pause(begun);
        stops_at_once(&mut daemon);
    }
    fleet.redis.signal(Signal::SIGCONT);
}
