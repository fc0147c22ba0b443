//! Commands and time, whatever waits in front.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anklet::domain::conclusion::Conclusion;
use anklet::domain::event::{End, Event};
use anklet::domain::ids::JobId;
use anklet::domain::scope::Scope;
use anklet::store::{Ask, Store};
use redis::{Connection, cmd};

use crate::life::model::{checkpoint, claim_id, release, started, vm};
use crate::store::world::{ask, card, claimed, queued_of};
use crate::support::redis::{Server, say, store};

/// How often each command was carried out, those inside scripts too.
fn counts(client: &mut Connection) -> BTreeMap<String, u64> {
    let stats: String = say(client, &["INFO", "commandstats"]);
    let counts = stats.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let ours = !name.starts_with("config") && !name.starts_with("info");
        ours.then_some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    });
    counts.collect()
}

/// `times` more jobs like job 1, older than it, written as the store writes them: in its own form, but at once.
fn multiply(client: &mut Connection, times: u64) {
    let script = r"
        local text = redis.call('HGET', KEYS[1], '1')
        local member = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
        local class = string.sub(member, 1, -43)
        local age = tonumber(string.match(text, '\34age\34:(%d+)'))
        for i = ARGV[1] + 1, ARGV[2] do
            local id = 100000 + i
            local old = string.format('%.0f', age - 1000000 + i)
            local new = string.gsub(text, '\34id\34:1,', '\34id\34:' .. id .. ',')
            new = string.gsub(new, '\34age\34:%d+', '\34age\34:' .. old)
            redis.call('HSET', KEYS[1], id, new)
            redis.call('ZADD', KEYS[2], old, id)
            redis.call('ZADD', KEYS[3], 0, string.format('%s %020d %020d', class, old, id))
        end
        redis.call('ZADD', KEYS[4], age - 1000000 + 1, class)";
    let key = |name: &str| format!("anklet:{{acme}}:{name}");
    // In pieces: a busy machine must not keep one answer waiting too long.
    for from in (0..times).step_by(5000) {
        cmd("EVAL")
            .arg(script)
            .arg(4)
            .arg(&[key("jobs"), key("queued"), key("waiting"), key("classes")])
            .arg(from)
            .arg(times.min(from + 5000))
            .query::<()>(client)
            .unwrap();
    }
}

fn measured(queue: &dyn Store, client: &mut Connection) -> (BTreeMap<String, u64>, Duration) {
    let scope = Scope::Repository { owner: "acme".into(), repo: "app".into() };
    let once = |id: u64| {
        queue.apply(&queued_of(id, "app", &["anka-template:t"])).unwrap();
        let claim = claim_id(1);
        assert_eq!(claimed(queue, &Ask { voter: "v1", ..ask(&claim, &scope) }), Some(id));
        queue.apply(&release(1, false)).unwrap();
        assert_eq!(claimed(queue, &Ask { voter: "v1", ..ask(&claim, &scope) }), Some(id));
        queue.apply(&checkpoint(1)).unwrap();
        queue.apply(&started(id, vm(1))).unwrap();
        let end = End::Over(Conclusion::Success);
        queue.apply(&Event::Settle { claim, job: JobId(id), end }).unwrap();
    };
    once(2);
    // A token or letters that nobody waited for would save the next one.
    say::<i64>(client, &["DEL", "anklet:{acme}:bell", "anklet:{acme}:mail:host/h1"]);
    say::<()>(client, &["CONFIG", "RESETSTAT"]);
    once(3);
    let counts = counts(client);
    let begun = Instant::now();
    (4..54).for_each(once);
    (counts, begun.elapsed() / 50)
}

#[test]
fn a_hundred_thousand_jobs_in_front_cost_nothing() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let queue = store(server.options()).queue("acme");
    queue.seen(&card("h1", "v1", Duration::from_secs(90))).unwrap();
    queue.apply(&queued_of(1, "web", &["anka-template:t"])).unwrap();
    let (alone, quick) = measured(&*queue, &mut client);
    for more in [10_000, 100_000] {
        multiply(&mut client, more);
        assert_eq!(queue.depth().unwrap().queued, more + 1);
        // What the last round has left behind is over.
        say::<i64>(&mut client, &["DEL", "anklet:{acme}:over"]);
        let ids: Vec<String> = (2..54).map(|id| id.to_string()).collect();
        let words: Vec<&str> =
            ["HDEL", "anklet:{acme}:jobs"].into_iter().chain(ids.iter().map(String::as_str)).collect();
        say::<i64>(&mut client, &words);
        let (behind, slow) = measured(&*queue, &mut client);
        println!("behind {more}: {slow:?} a job's life, alone {quick:?}; {behind:?}");
        assert_eq!(behind, alone);
        assert!(slow < quick * 3 + Duration::from_millis(5), "alone {quick:?}, behind {more} {slow:?}");
    }
}
