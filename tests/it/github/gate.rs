//! Limits, refusals, faults, redirects, stops.
#![expect(clippy::disallowed_methods, reason = "tests start threads of their own")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anklet::domain::ids::JobId;
use anklet::github::runs::{JobAnswer, Repository};
use anklet::github::{Asker, Client, GitHubError, Limits, OptionsFault, Secret, Watcher};
use anklet::runtime::stop::{Stop, Urgency, stop};

use super::server::{Reply, Server, reply};
use super::{TOKEN, client, once, options, patient};

const AT: Repository<'_> = Repository { owner: "acme", repo: "app" };
const QUEUED: &str = r#"{"status":"queued","conclusion":null,"runner_name":null}"#;

/// Any call will do: what is tested here is the same for all.
fn ask(client: &Client, asker: &Asker<'_>) -> Result<JobAnswer, GitHubError> {
    client.get_job(asker, AT, JobId(5), None)
}

fn is_now(answer: &Result<JobAnswer, GitHubError>) -> bool {
    matches!(answer, Ok(JobAnswer::Now(_)))
}

#[derive(Default)]
struct Heard {
    paused: AtomicU32,
    resumed: AtomicU32,
}

impl Watcher for Heard {
    fn paused(&self, _left: Duration) {
        self.paused.fetch_add(1, Ordering::SeqCst);
    }

    fn resumed(&self) {
        self.resumed.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_limit_is_waited_out_and_the_watcher_hears_of_it() {
    let used_up = "x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1895342401\r\n";
    let server = Server::start([reply(403, used_up, "{}"), reply(200, "", QUEUED)]);
    let (client, stop, heard) = (client(&server.url), Stop::unheard(), Heard::default());
    let began = Instant::now();
    assert!(is_now(&ask(&client, &Asker::new(&stop, Urgency::Drain, Duration::ZERO, &heard))));
    assert!(began.elapsed() >= Duration::from_secs(1), "not before the reset");
    assert_eq!((heard.paused.into_inner(), heard.resumed.into_inner()), (1, 1));
    assert_eq!(client.quota(), None, "the second answer spoke of none");
    assert!(client.calls().contains(&("get_job", 2)));
}

#[test]
fn a_limit_holds_up_all_users_of_the_client_and_a_stop_wins() {
    let server = Server::start([reply(429, "retry-after: 900\r\n", "{}")]);
    let (client, (mut handle, stop)) = (client(&server.url), stop());
    thread::scope(|scope| {
        let first = scope.spawn(|| ask(&client, &patient(&stop)));
        while client.limited_for().is_none() {
            thread::sleep(Duration::from_millis(5));
        }
        let second = scope.spawn(|| ask(&client, &Asker::new(&stop, Urgency::Drain, Duration::ZERO, &())));
        handle.drain();
        assert_eq!(second.join().unwrap(), Err(GitHubError::Limited));
        assert!(!first.is_finished(), "a drain does not end what heeds interrupts only");
        handle.interrupt();
        assert_eq!(first.join().unwrap(), Err(GitHubError::Limited));
    });
    assert_eq!(server.lines().len(), 1);
}

#[test]
fn faults_are_tried_again_while_there_is_patience() {
    let html = reply(403, "", "<html>blocked</html>");
    let server = Server::start([Reply::Hangup, html, reply(200, "", QUEUED)]);
    let stop = Stop::unheard();
    assert!(is_now(&ask(&client(&server.url), &patient(&stop))));
    assert_eq!(server.lines(), ["GET /repos/acme/app/actions/jobs/5"; 3]);
}

#[test]
fn without_patience_each_fault_is_away_with_its_reason() {
    let slow = Duration::from_millis(50);
    let endless_body = format!("HTTP/1.1 200 X\r\n\r\n{}", "x".repeat(1 << 16));
    let cases = [
        (Reply::Hangup, ""),
        (Reply::Mute, "no whole answer in time"),
        (Reply::Endless("HTTP/1.1 200 X\r\nx: ".into(), slow), ""),
        (Reply::Endless(endless_body, Duration::ZERO), "an answer of more than"),
        (Reply::Whole("SSH-2.0-OpenSSH\r\n".into()), "not HTTP"),
        (reply(403, "", "<html>"), "403 that is not JSON"),
        (reply(200, "", ""), "200 that is not JSON"),
        (reply(503, "retry-after: 1\r\n", "{}"), "it answered 503"),
        (reply(200, "", "[]"), "not the documented shape"),
        (reply(200, "", r#"{"status":"paused"}"#), "status is a word that is not known"),
    ];
    for (answer, wants) in cases {
        let server = Server::start([answer]);
        let (stop, began) = (Stop::unheard(), Instant::now());
        let Err(GitHubError::Away { reason }) = ask(&client(&server.url), &once(&stop)) else {
            panic!("not away: {wants}")
        };
        assert!(reason.contains(wants), "{reason:?} without {wants:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "{wants}");
    }
    let refused = Server::start([]);
    assert!(matches!(ask(&client(&refused.url), &once(&Stop::unheard())), Err(GitHubError::Away { .. })));
}

#[test]
fn a_refused_sign_in_is_not_tried_in_a_hurry() {
    let server = Server::start([reply(401, "", r#"{"message":"Bad credentials"}"#)]);
    let (client, stop) = (client(&server.url), Stop::unheard());
    assert!(client.sign_in_works(&once(&stop)), "nothing speaks against it");
    assert_eq!(ask(&client, &once(&stop)), Err(GitHubError::SignInRefused));
    assert!(!client.sign_in_works(&once(&stop)));
    assert_eq!(server.lines().len(), 1);
}

#[test]
fn a_permission_is_named_and_nothing_is_tried_again() {
    let scopes = "x-ratelimit-remaining: 4999\r\nx-accepted-oauth-scopes: repo\r\nx-oauth-scopes: gist\r\n";
    let server = Server::start([reply(403, scopes, r#"{"message":"Must have admin rights"}"#)]);
    let Err(GitHubError::Permission { call, needs }) = ask(&client(&server.url), &patient(&Stop::unheard()))
    else {
        panic!("no permission fault")
    };
    assert_eq!(
        (call, needs.as_str()),
        ("get_job", "one of the scopes repo (the token has: gist); GitHub says \"Must have admin rights\"")
    );
}

#[test]
fn redirects_stay_at_home_and_end() {
    let stop = Stop::unheard();
    let to = |place: &str| reply(307, &format!("location: {place}\r\n"), "");
    let moved = Server::start([to("/repositories/7/actions/jobs/5"), reply(200, "", QUEUED)]);
    assert!(is_now(&ask(&client(&moved.url), &once(&stop))));
    assert!(moved.asked()[1].contains("authorization: bearer ghp_notforlogs"));

    let other = Server::start([reply(200, "", QUEUED)]);
    let away = Server::start([to(&format!("{}/jobs?token=x", other.url))]);
    let wants = Err(GitHubError::Redirected { to: format!("{}/jobs", other.url) });
    assert_eq!(ask(&client(&away.url), &once(&stop)), wants);
    assert!(other.asked().is_empty(), "another port is another place");

    let round = Server::start([to("/1"), to("/2"), to("/3"), to("/4"), reply(200, "", QUEUED)]);
    assert!(matches!(ask(&client(&round.url), &patient(&stop)), Err(GitHubError::RedirectedTooOften { .. })));
    assert_eq!(round.lines()[1..], ["GET /1", "GET /2", "GET /3"]);
}

#[test]
fn a_stop_does_not_wait_for_a_mute_server() {
    let server = Server::start([Reply::Mute, Reply::Mute]);
    let limits = Limits { connect: Duration::from_secs(20), call: Duration::from_secs(20) };
    let client = Client::new(options(&server.url, limits)).unwrap();
    let (mut handle, stop) = stop();
    thread::scope(|scope| {
        let cleaning = scope.spawn(|| {
            let grace = Duration::from_millis(300);
            let asker = patient(&stop).with_grace(grace);
            (ask(&client, &asker), ask(&client, &asker))
        });
        while server.asked().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        let began = Instant::now();
        handle.interrupt();
        assert_eq!(cleaning.join().unwrap(), (Err(GitHubError::Stopped), Err(GitHubError::Stopped)));
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(290) && took < Duration::from_secs(2), "{took:?}");
    });
    assert!(client.calls().contains(&("get_job", 1)), "the second call was not begun");
}

#[test]
fn the_token_goes_to_github_and_nowhere_else() {
    let told = format!(r#"{{"message":"who is {TOKEN}?"}}"#);
    let server = Server::start([reply(418, "", &told)]);
    let client = client(&server.url);
    let fault = ask(&client, &once(&Stop::unheard())).unwrap_err();
    assert_eq!(fault, GitHubError::Refused { status: 418, message: "who is ***?".into() });
    assert!(!format!("{client:?}").contains(TOKEN));

    let mut bad = options(&server.url, Limits::default());
    bad.credentials = anklet::github::Credentials::Token(Secret::new("ghp_x\r\nevil: 1"));
    assert_eq!(Client::new(bad).unwrap_err(), OptionsFault::Token);
    let mut socks = options("https://api.github.com", Limits::default());
    socks.proxies.https = Some(Secret::new("socks5://user:pw@proxy:1080"));
    assert_eq!(Client::new(socks).unwrap_err(), OptionsFault::Proxy);
}
