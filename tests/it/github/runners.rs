//! Tokens, look-up and removal of runners; jobs and runs.

use std::fmt::Write;

use anklet::domain::conclusion::Conclusion;
use anklet::domain::ids::{JobId, RunId, RunnerId, RunnerName};
use anklet::domain::scope::Scope;
use anklet::github::GitHubError;
use anklet::github::runners::Removal;
use anklet::github::runs::{Cancel, JobAnswer, JobNow, JobState, Repository};
use anklet::runtime::stop::Stop;

use super::server::{Reply, Server, reply};
use super::{acme, client, once};

const AT: Repository<'_> = Repository { owner: "acme", repo: "app" };

fn token(text: &str, expires_at: &str) -> Reply {
    reply(201, "", &format!(r#"{{"token":"{text}","expires_at":"{expires_at}"}}"#))
}

/// A page of runners called `r<number>`, the last of them as said.
fn page(total: usize, numbers: std::ops::Range<usize>, busy: bool) -> Reply {
    let mut list = String::new();
    for n in numbers {
        let comma = if list.is_empty() { "" } else { "," };
        let _ =
            write!(list, r#"{comma}{{"id":{n},"name":"r{n}","status":"online","busy":{busy},"labels":[]}}"#);
    }
    reply(200, "", &format!(r#"{{"total_count":{total},"runners":[{list}]}}"#))
}

#[test]
fn a_registration_token_is_shared_while_half_an_hour_is_left() {
    let server = Server::start([
        token("A", "2030-01-22T21:00:00.000Z"),
        token("B", "2030-01-22T12:20:00-08:00"),
        token("C", "2030-01-22T21:00:00Z"),
        token("D", "2030-01-22T21:00:00Z"),
    ]);
    let (client, stop) = (client(&server.url), Stop::unheard());
    let get = |scope: &Scope| client.registration_token(&once(&stop), scope).unwrap().expose().to_owned();
    let org = Scope::Organization { owner: "acme".into() };
    let upper = Scope::Repository { owner: "Acme".into(), repo: "App".into() };
    assert_eq!([get(&acme()), get(&upper), get(&acme())], ["A", "A", "A"]);
    assert_eq!([get(&org), get(&org), get(&org)], ["B", "C", "C"], "20 minutes are too few to share");
    client.forget_registration_token(&acme());
    assert_eq!(get(&acme()), "D");
    let repo_path = "POST /repos/acme/app/actions/runners/registration-token";
    let org_path = "POST /orgs/acme/actions/runners/registration-token";
    assert_eq!(server.lines(), [repo_path, org_path, org_path, repo_path]);
    let head = &server.asked()[0];
    for wants in [
        "authorization: bearer ghp_notforlogs\r\n",
        "accept: application/vnd.github+json\r\n",
        "x-github-api-version: 2022-11-28\r\n",
        "content-length: 0\r\n",
        "user-agent: anklet/",
    ] {
        assert!(head.contains(wants), "{head}");
    }
    assert_eq!(client.registration_url(&org), "https://github.com/acme");
}

#[test]
fn a_runner_is_found_by_its_exact_name_on_any_page() {
    let server = Server::start([
        page(130, 0..100, false),
        page(130, 100..130, false),
        page(1, 50..51, true),
        page(0, 0..0, false),
    ]);
    let (client, stop) = (client(&server.url), Stop::unheard());
    let find = |name: &str| client.find_runner(&once(&stop), &acme(), &RunnerName(name.into())).unwrap();
    assert_eq!(find("r120").unwrap().id, RunnerId(120), "this server does not know the filter");
    assert_eq!(find("r5"), None, "r50 is not r5");
    assert_eq!(find("a b&c"), None);
    let path = "GET /repos/acme/app/actions/runners?name=";
    assert_eq!(
        server.lines(),
        [
            format!("{path}r120&per_page=100&page=1"),
            format!("{path}r120&per_page=100&page=2"),
            format!("{path}r5&per_page=100&page=1"),
            format!("{path}a%20b%26c&per_page=100&page=1"),
        ]
    );
}

#[test]
fn a_removal_says_gone_only_on_proof() {
    let gone = || reply(404, "", r#"{"message":"Not Found"}"#);
    let not_found = Err(GitHubError::NotFound { what: "DELETE /repos/acme/app/actions/runners/7".into() });
    let hidden = "GET /repos/acme/app/actions/runners?name=r7&per_page=100&page=1";
    let cases = [
        (vec![reply(204, "", "")], Ok(Removal::Gone)),
        (vec![reply(422, "", r#"{"message":"is currently running a job"}"#)], Ok(Removal::Busy)),
        (vec![gone(), page(0, 0..0, false)], Ok(Removal::Gone)),
        (vec![gone(), page(1, 7..8, true)], Ok(Removal::Busy)),
        (vec![gone(), page(1, 7..8, false)], not_found),
        (vec![gone(), gone()], Err(GitHubError::NotFound { what: hidden.into() })),
    ];
    for (replies, wants) in cases {
        let server = Server::start(replies);
        let stop = Stop::unheard();
        let name = RunnerName("r7".into());
        let told = client(&server.url).remove_runner(&once(&stop), &acme(), RunnerId(7), &name);
        assert_eq!(told, wants);
    }
    let login_page = Server::start([reply(200, "", "<html>please sign in</html>")]);
    let name = RunnerName("r7".into());
    let told = client(&login_page.url).remove_runner(&once(&Stop::unheard()), &acme(), RunnerId(7), &name);
    assert!(matches!(told, Err(GitHubError::Away { .. })), "{told:?}");
}

#[test]
fn a_runner_whose_number_is_unknown_is_removed_by_name() {
    let server = Server::start([page(1, 7..8, false), reply(204, "", ""), page(0, 0..0, false)]);
    let (client, stop, name) = (client(&server.url), Stop::unheard(), RunnerName("r7".into()));
    for _ in 0..2 {
        assert_eq!(client.remove_runner_named(&once(&stop), &acme(), &name), Ok(Removal::Gone));
    }
    assert_eq!(server.lines()[1], "DELETE /repos/acme/app/actions/runners/7");
}

#[test]
fn a_jobs_state_in_every_word_of_githubs() {
    let runner = |name: &str| Some(RunnerName(name.into()));
    let ended = |runner, conclusion| JobState::Completed { runner, conclusion };
    let cases = [
        (r#"{"status":"queued","runner_name":null}"#, JobState::Queued),
        (r#"{"status":"waiting"}"#, JobState::Waiting),
        (r#"{"status":"pending"}"#, JobState::Waiting),
        (r#"{"status":"requested"}"#, JobState::Waiting),
        (r#"{"status":"in_progress","runner_name":"v"}"#, JobState::InProgress { runner: runner("v") }),
        (r#"{"status":"in_progress","runner_name":""}"#, JobState::InProgress { runner: None }),
        (
            r#"{"status":"completed","conclusion":"timed_out","runner_name":"v"}"#,
            ended(runner("v"), Conclusion::TimedOut),
        ),
        (r#"{"status":"completed","conclusion":null}"#, ended(None, Conclusion::Unknown(String::new()))),
    ];
    for (body, state) in cases {
        let server = Server::start([reply(200, "etag: W/\"1\"\r\n", body)]);
        let told = client(&server.url).get_job(&once(&Stop::unheard()), AT, JobId(5), None);
        assert_eq!(told, Ok(JobAnswer::Now(JobNow { state, etag: Some("W/\"1\"".into()) })), "{body}");
    }
}

#[test]
fn an_unchanged_job_and_a_missing_one() {
    let gone = || reply(404, "", "{}");
    let server = Server::start([reply(304, "", ""), gone(), gone(), reply(200, "", "{}")]);
    let (client, stop) = (client(&server.url), Stop::unheard());
    let job = |etag| client.get_job(&once(&stop), AT, JobId(5), etag);
    assert_eq!(job(Some("W/\"1\"")), Ok(JobAnswer::NotModified));
    assert!(server.asked()[0].contains("if-none-match: w/\"1\"\r\n"));
    assert_eq!(job(None), Ok(JobAnswer::NotFound));
    assert_eq!(client.repository_answers(&once(&stop), AT), Ok(false));
    assert_eq!(client.repository_answers(&once(&stop), AT), Ok(true));
    assert_eq!(server.lines()[2], "GET /repos/acme/app");
}

#[test]
fn a_run_is_cancelled_looked_at_and_forced() {
    let run = r#"{"status":"completed","conclusion":"cancelled","html_url":"https://x/1"}"#;
    let server = Server::start([
        reply(202, "", "{}"),
        reply(409, "", r#"{"message":"Cannot cancel a workflow run that is completed."}"#),
        reply(202, "", ""),
        reply(200, "", run),
        reply(404, "", "{}"),
    ]);
    let (client, stop) = (client(&server.url), Stop::unheard());
    let asker = once(&stop);
    assert_eq!(client.cancel_run(&asker, AT, RunId(9)), Ok(Cancel::Accepted));
    assert_eq!(client.cancel_run(&asker, AT, RunId(9)), Ok(Cancel::AlreadyOver));
    assert_eq!(client.force_cancel_run(&asker, AT, RunId(9)), Ok(Cancel::Accepted));
    let now = client.get_run(&asker, AT, RunId(9)).unwrap();
    assert_eq!(
        (now.completed, now.conclusion, now.url.as_str()),
        (true, Some(Conclusion::Cancelled), "https://x/1")
    );
    assert!(matches!(client.get_run(&asker, AT, RunId(9)), Err(GitHubError::NotFound { .. })));
    let run = "/repos/acme/app/actions/runs/9";
    assert_eq!(server.lines()[2..4], [format!("POST {run}/force-cancel"), format!("GET {run}")]);
}
