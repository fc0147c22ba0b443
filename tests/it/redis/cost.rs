//! Commands and time, whatever waits in front.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anklet::domain::conclusion::Conclusion;
use anklet::domain::event::{End, Event};
use anklet::domain::ids::JobId;
use anklet::domain::scope::Scope;
use anklet::store::{Ask, Store};
use redis::{Connection, cmd};

use crate::life::model::{checkpoint, claim_id, not_here, release, started, vm};
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

/// In what the jobs in front differ.
#[derive(Clone, Copy, Debug)]
enum Front {
    /// In nothing.
    Alike,
    /// Each has a repository and labels of its own.
    Unlike,
    /// Each has a repository of its own, and this voter, as the store writes it, has said "not here", as of job 1.
    Voted(&'static str),
}

/// `times` more jobs like job 1, older than it, written as the store writes them: in its own form, but at once.
fn multiply(client: &mut Connection, times: u64, front: Front) {
    let script = r"
        local text = redis.call('HGET', KEYS[1], '1')
        local age = tonumber(string.match(text, '\34age\34:(%d+)'))
        for i = ARGV[1] + 1, ARGV[2] do
            local id = 100000 + i
            local old = string.format('%.0f', age - 1000000 + i)
            local repo, labels = 'web', '0123456789abcdef'
            if ARGV[3] ~= 'alike' then repo, labels = 'web' .. i, string.format('%016x', i) end
            local new = string.gsub(text, '\34id\34:1,', '\34id\34:' .. id .. ',')
            new = string.gsub(new, '\34age\34:%d+', '\34age\34:' .. old)
            new = string.gsub(new, '\34repo\34:\34web', '\34repo\34:\34' .. repo)
            local places = { '=' .. labels, 'acme/' .. repo .. ' -', 'acme -', '* -' }
            if ARGV[4] ~= '' then
                places = { '=' .. labels, 'acme/' .. repo .. ' ' .. ARGV[4] }
                redis.call('ZADD', KEYS[4], old, places[2])
            end
            redis.call('HSET', KEYS[1], id, new)
            redis.call('ZADD', KEYS[2], old, id)
            for _, place in ipairs(places) do
                redis.call('ZADD', KEYS[3], 0, string.format('%s %020d %020d', place, old, id))
            end
        end";
    let key = |name: &str| format!("anklet:{{acme}}:{name}");
    let (kind, voter) = match front {
        Front::Alike => ("alike", ""),
        Front::Unlike => ("unlike", ""),
        Front::Voted(voter) => ("unlike", voter),
    };
    // In pieces: a busy machine must not keep one answer waiting too long.
    for from in (0..times).step_by(5000) {
        cmd("EVAL")
            .arg(script)
            .arg(4)
            .arg(&[key("jobs"), key("queued"), key("ready"), key("voted")])
            .arg(from)
            .arg(times.min(from + 5000))
            .arg(kind)
            .arg(voter)
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

/// What a job's life costs alone and behind more and more others.
fn held_against_alone(front: Front) {
    let server = Server::start(&[]);
    let mut client = server.client();
    let queue = store(server.options()).queue("acme");
    queue.seen(&card("h1", "v1", Duration::from_secs(90))).unwrap();
    queue.apply(&queued_of(1, "web", &["anka-template:t"])).unwrap();
    let (alone, quick) = measured(&*queue, &mut client);
    for more in [10_000, 100_000] {
        multiply(&mut client, more, front);
        assert_eq!(queue.depth().unwrap().queued, more + 1);
        // What the last round has left behind is over.
        say::<i64>(&mut client, &["DEL", "anklet:{acme}:over"]);
        let ids: Vec<String> = (2..54).map(|id| id.to_string()).collect();
        let words: Vec<&str> =
            ["HDEL", "anklet:{acme}:jobs"].into_iter().chain(ids.iter().map(String::as_str)).collect();
        say::<i64>(&mut client, &words);
        let (behind, slow) = measured(&*queue, &mut client);
        println!("behind {more} {front:?}: {slow:?} a job's life, alone {quick:?}; {behind:?}");
        assert_eq!(behind, alone);
        assert!(slow < quick * 3 + Duration::from_millis(5), "alone {quick:?}, behind {more} {slow:?}");
    }
}

#[test]
fn a_hundred_thousand_jobs_in_front_cost_nothing() {
    held_against_alone(Front::Alike);
}

#[test]
fn a_hundred_thousand_repositories_and_labels_in_front_cost_nothing() {
    held_against_alone(Front::Unlike);
}

#[test]
fn behind_thousands_of_classes_a_job_is_found_in_small_steps() {
    const CLASSES: u64 = 2000;
    let server = Server::start(&[]);
    let mut client = server.client();
    let queue = store(server.options()).queue("acme");
    let (claim, scope) = (claim_id(1), Scope::Organization { owner: "acme".into() });
    let own = Ask { voter: "v1", ..ask(&claim, &scope) };
    queue.seen(&card("h1", "v1", Duration::from_secs(90))).unwrap();
    queue.seen(&card("h2", "v2", Duration::from_secs(90))).unwrap();
    queue.apply(&queued_of(3, "lib", &["anka-template:t"])).unwrap();
    let (claim, of_two) = (claim_id(2), Ask { voter: "v2", ..own.clone() });
    assert_eq!(claimed(&*queue, &Ask { claim: &claim, ..of_two.clone() }), Some(3));
    queue.apply(&not_here(2, "v2")).unwrap();
    queue.apply(&queued_of(1, "web", &["anka-template:t"])).unwrap();
    // How the store writes the voter.
    assert_eq!(claimed(&*queue, &Ask { except: &[JobId(3)], ..own.clone() }), Some(1));
    queue.apply(&not_here(1, "v1")).unwrap();
    let class = say::<Vec<String>>(&mut client, &["ZRANGE", "anklet:{acme}:voted", "1", "1"]).remove(0);
    multiply(&mut client, CLASSES, Front::Voted(class.rsplit(' ').next().unwrap().to_owned().leak()));
    queue.apply(&queued_of(2, "app", &["anka-template:t"])).unwrap();
    say::<()>(&mut client, &["CONFIG", "RESETSTAT"]);
    assert_eq!(
        claimed(&*queue, &own),
        Some(3),
        "the first that is not \"not here\", not the first of the scope"
    );
    let counts = counts(&mut client);
    let scripts = counts["evalsha"] + counts.get("eval").unwrap_or(&0);
    assert!(scripts <= CLASSES / 32 + 4, "{counts:?}");
    assert!(counts["hget"] / scripts < 40, "a step looks at few: {counts:?}");
    // Another host has said nothing: the eldest is its own.
    let (claim, app) = (claim_id(2), Scope::Repository { owner: "acme".into(), repo: "app".into() });
    assert_eq!(claimed(&*queue, &Ask { claim: &claim, ..of_two }), Some(100_001));
    say::<()>(&mut client, &["CONFIG", "RESETSTAT"]);
    let claim = claim_id(3);
    assert_eq!(claimed(&*queue, &Ask { voter: "v1", ..ask(&claim, &app) }), Some(2));
    assert!(self::counts(&mut client)["zrangebylex"] < 8, "other scopes' jobs are not looked at");
}
