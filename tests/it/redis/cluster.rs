//! Slots that move, nodes that die.

use std::net::TcpListener;
use std::time::Duration;

use anklet::store::StoreError;
use anklet::store::redis::{Options, Retries};
use redis::cmd;

use crate::life::model::{claim_id, owner, queued};
use crate::store::world::{acme, ask, claimed, word};
use crate::support::eventually;
use crate::support::redis::{Cluster, Server, say, store};
use crate::support::world::free_port;

const KEY: &str = "anklet:{acme}:jobs";

fn id_of(server: &Server) -> String {
    say(&mut server.client(), &["CLUSTER", "MYID"])
}

fn patient(options: Options) -> Options {
    let retries = Retries { most: 100, delay: Duration::from_millis(50), factor: 1.0 };
    Options { retries, ..options }
}

#[test]
fn every_node_leads_to_the_queue() {
    let cluster = Cluster::start();
    for at in 0..3 {
        let queue = store(cluster.options(at)).queue("acme");
        queue.apply(&queued(at as u64 + 1)).unwrap();
        assert_eq!(queue.depth().unwrap().queued, at as u64 + 1);
    }
}

/// Named first: one where nothing listens, three that are silent, one that its cluster has left behind.
#[test]
fn a_node_that_does_not_serve_is_passed_over() {
    let cluster = Cluster::start();
    let silent = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let silent = silent.each_ref().map(|listener| listener.local_addr().unwrap().port());
    let cut_off = super::outage::refusing("-CLUSTERDOWN The cluster is down");
    for (at, first) in [vec![free_port()], silent.to_vec(), vec![cut_off]].into_iter().enumerate() {
        let mut options = cluster.options(2);
        options.nodes.splice(0..0, first.iter().map(|port| ("127.0.0.1".into(), *port)));
        let redis = store(options);
        if first != [cut_off] {
            // Asked once, without patience.
            assert_eq!(redis.takes_writes("acme"), Ok(()));
            assert_eq!(redis.remarks(), [""; 0]);
        }
        let queue = redis.queue("acme");
        queue.apply(&queued(at as u64 + 1)).unwrap();
        assert_eq!(queue.depth().unwrap().queued, at as u64 + 1);
    }
    let mut dead = cluster.options(0);
    dead.nodes = (0..3).map(|_| ("127.0.0.1".into(), free_port())).collect();
    let last = format!("Redis at 127.0.0.1:{}, the last of 3 nodes tried: ", dead.nodes[2].1);
    let why = store(dead).takes_writes("acme").unwrap_err().to_string();
    assert!(why.contains(&last) && why.contains("refused"), "{why}");
}

#[test]
fn a_slot_that_moves_is_followed() {
    let cluster = Cluster::start();
    let (from, slot) =
        (cluster.node_of(KEY), say::<u16>(&mut cluster.nodes[0].client(), &["CLUSTER", "KEYSLOT", KEY]));
    let (old, new) = (&cluster.nodes[from], &cluster.nodes[(from + 1) % 3]);
    let queue = store(patient(cluster.options(0))).queue("acme");
    let bell = queue.bell(&owner("h1"));
    queue.apply(&queued(1)).unwrap();
    assert!(bell.recv_timeout(Duration::from_secs(2)).is_ok());
    let slot = slot.to_string();
    let (mut at_old, mut at_new) = (old.client(), new.client());
    say::<()>(&mut at_new, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id_of(old)]);
    say::<()>(&mut at_old, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id_of(new)]);
    let keys: Vec<String> = say(&mut at_old, &["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
    std::thread::scope(|scope| {
        // Some keys are here, some there: nothing is done by halves.
        let (half, rest) = keys.split_at(keys.len() / 2);
        let mut migrate = |keys: &[String]| {
            let mut command = cmd("MIGRATE");
            command.arg("127.0.0.1").arg(new.port).arg("").arg(0).arg(5000).arg("KEYS").arg(keys);
            command.query::<()>(&mut at_old).unwrap();
        };
        migrate(half);
        let impatient = Retries { most: 0, delay: Duration::ZERO, factor: 1.0 };
        let hasty = store(Options { retries: impatient, ..cluster.options(0) }).queue("acme");
        assert!(matches!(hasty.apply(&queued(9)), Err(StoreError::Away(_))));
        let delivery = scope.spawn(|| queue.apply(&queued(2)));
        crate::support::pause(200);
        migrate(rest);
        for node in &cluster.nodes {
            say::<()>(&mut node.client(), &["CLUSTER", "SETSLOT", &slot, "NODE", &id_of(new)]);
        }
        delivery.join().unwrap().unwrap();
    });
    assert_eq!(say::<i64>(&mut new.client(), &["HLEN", KEY]), 2);
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), Some(1));
    while bell.try_recv().is_ok() {}
    queue.apply(&crate::life::model::completed(1, None)).unwrap();
    assert!(bell.recv_timeout(Duration::from_secs(8)).is_ok(), "the waiter has followed too");
}

#[test]
fn a_lost_master_is_replaced_by_its_replica() {
    let mut cluster = Cluster::start();
    let at = cluster.node_of(KEY);
    let replica = Server::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"]);
    cluster.meet(&replica);
    eventually("the replica knows its master", Duration::from_secs(10), || {
        let known: String = say(&mut replica.client(), &["CLUSTER", "NODES"]);
        known.contains(&id_of(&cluster.nodes[at])) && known.lines().count() == 4
    });
    say::<()>(&mut replica.client(), &["CLUSTER", "REPLICATE", &id_of(&cluster.nodes[at])]);
    eventually("the replica follows", Duration::from_secs(10), || {
        let info: String = say(&mut replica.client(), &["INFO", "replication"]);
        info.contains("master_link_status:up")
    });
    // Begun at the node that will die.
    let queue = store(patient(cluster.options(at))).queue("acme");
    queue.apply(&queued(1)).unwrap();
    eventually("the replica has the job", Duration::from_secs(5), || {
        let mut client = replica.client();
        say::<()>(&mut client, &["READONLY"]);
        say::<i64>(&mut client, &["HLEN", KEY]) == 1
    });
    cluster.nodes[at].kill();
    eventually("another node takes over", Duration::from_secs(20), || queue.apply(&queued(2)).is_ok());
    assert_eq!((word(&*queue, 1), word(&*queue, 2)), ("queued", "queued"));
    let late = store(patient(cluster.options((at + 1) % 3))).queue("acme");
    assert_eq!(claimed(&*late, &ask(&claim_id(1), &acme())), Some(1));
}
