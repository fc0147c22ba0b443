//! Answers that never come: a wire that is cut at chosen moments, from a printed seed.
#![expect(clippy::disallowed_methods, reason = "a wire of its own")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anklet::domain::event::Event;
use anklet::domain::ids::JobId;
use anklet::store::StoreError;
use anklet::store::redis::{Options, Retries};

use crate::life::dice::{Dice, seed};
use crate::life::model::{Model, claim_id};
use crate::store::random::event;
use crate::store::world::{Hands, START, acme, ask, card};
use crate::support::redis::{new_queue, options, shared, store};

/// A wire to a server that loses requests, or answers to what was done.
struct Wire {
    port: u16,
    whole: Arc<AtomicBool>,
    cuts: Arc<AtomicU64>,
}

impl Wire {
    fn to(server: u16, seed: u64) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (whole, cuts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (is_whole, counted) = (Arc::clone(&whole), Arc::clone(&cuts));
        std::thread::spawn(move || {
            let dice = Arc::new(Mutex::new(Dice::new(seed)));
            for client in listener.incoming().flatten() {
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else { return };
                for (from, to) in [(&client, &upstream), (&upstream, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (dice, whole, cuts) =
                        (Arc::clone(&dice), Arc::clone(&is_whole), Arc::clone(&counted));
                    std::thread::spawn(move || {
                        carry(from, to, || {
                            let cut = !whole.load(Ordering::SeqCst) && dice.lock().unwrap().one_in(9);
                            cuts.fetch_add(u64::from(cut), Ordering::SeqCst);
                            cut
                        });
                    });
                }
            }
        });
        Wire { port, whole, cuts }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, cut: impl Fn() -> bool) {
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if cut() || to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// As a plugin does: what is not answered is asked for again.
fn stubborn<T>(mut verb: impl FnMut() -> Result<T, StoreError>) -> T {
    for _ in 0..200 {
        match verb() {
            Ok(done) => return done,
            Err(StoreError::Away(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("never answered");
}

#[test]
fn what_is_asked_for_until_it_is_answered_is_done_once() {
    let seed = seed();
    let hands = Hands::at(START);
    let wire = Wire::to(shared().port, seed);
    let retries = Retries { most: 1, delay: Duration::from_millis(1), factor: 1.0 };
    let cut = Options { retries, clock: Some(hands.clock()), ..options(wire.port) };
    let queue = store(cut).queue(&new_queue());
    let mut model = Model::at(hands.now().0);
    model.voters = vec!["v1".into(), "v2".into()];
    for (plugin, voter) in [("h1", "v1"), ("h2", "v2")] {
        stubborn(|| queue.seen(&card(plugin, voter, Duration::from_hours(1))));
    }
    let mut dice = Dice::new(seed ^ 1);
    for step in 0..400 {
        if dice.one_in(4) {
            let claim = claim_id(1 + dice.roll(4));
            hands.set(model.now.plus(Duration::from_millis(1)));
            let got = stubborn(|| queue.claim(&ask(&claim, &acme())));
            let held = model.held(&claim).map(|entry| entry.job.id);
            match got {
                Some(entry) if held.is_none() => {
                    let lease_until = hands.now().plus(Duration::from_mins(1));
                    model.play(&Event::Claim { job: entry.job.id, claim, scope: acme(), lease_until });
                }
                got => assert_eq!(got.map(|entry| entry.job.id), held, "step {step}"),
            }
        } else {
            let event = event(&mut dice);
            model.play(&event);
            hands.set(model.now);
            stubborn(|| queue.apply(&event));
        }
        for id in 1..=8 {
            let is = stubborn(|| queue.entry(JobId(id)));
            assert_eq!(is.as_ref(), model.entries.get(&JobId(id)), "step {step}, job {id}");
        }
    }
    wire.whole.store(true, Ordering::SeqCst);
    let cuts = wire.cuts.load(Ordering::SeqCst);
    println!("{cuts} cuts");
    assert!(cuts > 100);
    let depth = stubborn(|| queue.depth());
    let count = |word| model.entries.values().filter(|entry| entry.state.word() == word).count() as u64;
    assert_eq!(
        (depth.queued, depth.claimed, depth.running),
        (count("queued"), count("claimed"), count("running"))
    );
}
