//! Signing in as an App: look-up, token, renewal, and each refusal with its remedy.
#![expect(clippy::disallowed_methods, reason = "tests start threads of their own")]

use std::sync::Arc;
use std::thread;

use anklet::domain::base64;
use anklet::domain::ids::JobId;
use anklet::domain::scope::Scope;
use anklet::github::hooks::Hook;
use anklet::github::runs::{JobAnswer, Repository};
use anklet::github::{
    AppOptions, Asker, Client, Credentials, GitHubError, Limits, Options, OptionsFault, Refusal, Secret,
};
use anklet::runtime::stop::Stop;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};

use super::server::{Reply, Server, reply};
use super::{acme, once, options, patient};

const KEY: &str = include_str!("../../keys/app.pem");
const APP: u64 = 4711;
/// The server's time is 20:00:00.
const AN_HOUR: &str = "2030-01-22T21:00:00Z";
const QUEUED: &str = r#"{"status":"queued","conclusion":null,"runner_name":null}"#;
const FIND: &str = "GET /repos/acme/app/installation";
const RENEW: &str = "POST /app/installations/99/access_tokens";
const JOB: &str = "GET /repos/acme/app/actions/jobs/5";

fn app(url: &str, installation_id: Option<u64>, homes: Vec<Scope>) -> Client {
    let app = AppOptions { app_id: APP, installation_id, private_key: Secret::new(KEY), homes };
    let credentials = Credentials::App(app);
    Client::new(Options { credentials, ..options(url, Limits::default()) }).unwrap()
}

fn ask(client: &Client, asker: &Asker<'_>) -> Result<JobAnswer, GitHubError> {
    client.get_job(asker, Repository { owner: "acme", repo: "app" }, JobId(5), None)
}

fn found() -> Reply {
    reply(200, "", r#"{"id":99,"account":{"login":"acme"},"suspended_at":null}"#)
}

fn token(text: &str, expires_at: &str) -> Reply {
    reply(201, "", &format!(r#"{{"token":"{text}","expires_at":"{expires_at}","permissions":{{}}}}"#))
}

fn queued() -> Reply {
    reply(200, "", QUEUED)
}

fn said(status: u16, message: &str) -> Reply {
    reply(status, "", &format!(r#"{{"message":"{message}"}}"#))
}

/// The claims of a token that the App's key has signed.
fn claims(jwt: &str) -> serde_json::Value {
    let bytes = |text: &str| base64::decode(&text.replace('-', "+").replace('_', "/")).unwrap();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let body = KEY.split("-----").nth(2).unwrap();
    let public = RsaKeyPair::from_der(&base64::decode(body).unwrap()).unwrap().public_key().as_ref().to_vec();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    public.verify(signed.as_bytes(), &bytes(signature)).unwrap();
    serde_json::from_slice(&bytes(signed.split_once('.').unwrap().1)).unwrap()
}

#[test]
fn the_installation_is_found_once_and_its_token_signs_every_call() {
    let server = Server::start([found(), token("ghs_a", AN_HOUR), queued(), queued()]);
    let (client, stop) = (app(&server.url, None, vec![acme()]), Stop::unheard());
    assert!(ask(&client, &once(&stop)).is_ok() && ask(&client, &once(&stop)).is_ok());
    assert_eq!(server.lines(), [FIND, RENEW, JOB, JOB]);
    let bearers = server.bearers();
    assert_eq!(bearers[2..], ["ghs_a", "ghs_a"]);
    let claims = claims(&bearers[0]);
    assert_eq!(claims["iss"], APP.to_string());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 540);
}

#[test]
fn an_owner_may_be_an_organization_or_a_user_and_one_of_several_homes_is_enough() {
    let (none, stop) = (|| said(404, "Not Found"), Stop::unheard());
    let organization = Scope::Organization { owner: "acme".into() };
    let server = Server::start([none(), none(), found(), token("ghs_a", AN_HOUR), queued()]);
    let client = app(&server.url, None, vec![acme(), organization]);
    assert!(ask(&client, &once(&stop)).is_ok());
    assert_eq!(server.lines()[..3], [FIND, "GET /orgs/acme/installation", "GET /users/acme/installation"]);
}

#[test]
fn a_token_is_renewed_before_its_end_by_githubs_clock() {
    let over = "2030-01-22T20:00:00Z";
    let server = Server::start([token("ghs_a", over), queued(), token("ghs_b", AN_HOUR), queued()]);
    let (client, stop) = (app(&server.url, Some(99), Vec::new()), Stop::unheard());
    assert!(ask(&client, &once(&stop)).is_ok() && ask(&client, &once(&stop)).is_ok());
    assert_eq!(server.lines(), [RENEW, JOB, RENEW, JOB]);
    assert_eq!([&server.bearers()[1], &server.bearers()[3]], ["ghs_a", "ghs_b"]);
}

#[test]
fn a_401_renews_the_token_once_and_a_second_one_is_a_refusal() {
    let bad = || said(401, "Bad credentials");
    let server = Server::start([
        token("ghs_a", AN_HOUR),
        bad(),
        token("ghs_b", AN_HOUR),
        queued(),
        bad(),
        token("ghs_c", AN_HOUR),
        bad(),
    ]);
    let (client, stop) = (app(&server.url, Some(99), Vec::new()), Stop::unheard());
    assert!(ask(&client, &once(&stop)).is_ok());
    assert_eq!(server.bearers()[3], "ghs_b");
    assert_eq!(ask(&client, &once(&stop)), Err(GitHubError::SignInRefused));
    assert_eq!(server.lines(), [RENEW, JOB, RENEW, JOB, JOB, RENEW, JOB]);
    assert_eq!(client.why_refused(), Some(Refusal::Installation { app: APP }));
    assert!(
        !client.sign_in_works(&once(&stop)) && server.lines().len() == 7,
        "and nobody asks at once again"
    );
}

#[test]
fn every_refusal_has_its_own_remedy() {
    let not_there = |what: &str| Refusal::NotInstalled { app: APP, what: what.into() };
    let key = |said: &str| Refusal::Key { app: APP, said: said.into() };
    let suspended = Refusal::Suspended { app: APP };
    let undecodable = "A JSON web token could not be decoded";
    let cases = [
        (vec![said(401, undecodable)], key(undecodable), "make a new key"),
        (vec![said(404, "Integration not found")], key("Integration not found"), "compare app_id"),
        (vec![said(404, "Not Found")], not_there("no installation on acme/app"), "install it there"),
        (vec![found(), said(404, "Not Found")], not_there("no installation 99"), "correct owner"),
        (vec![found(), said(403, "This installation has been suspended")], suspended.clone(), "unsuspend"),
        (
            vec![reply(200, "", r#"{"id":99,"suspended_at":"2029-01-01T00:00:00Z"}"#)],
            suspended.clone(),
            "unsuspend",
        ),
        (
            vec![found(), token("ghs_a", AN_HOUR), said(403, "This installation has been suspended")],
            suspended,
            "unsuspend",
        ),
    ];
    for (mut replies, refusal, remedy) in cases {
        // The host's clock is years behind the server's: the first refusal of a signature is answered by a new one.
        if matches!(refusal, Refusal::Key { .. }) && refusal == key(undecodable) {
            replies.insert(0, said(401, undecodable));
        }
        let (server, stop) = (Server::start(replies), Stop::unheard());
        let client = app(&server.url, None, vec![acme()]);
        assert_eq!(ask(&client, &once(&stop)), Err(GitHubError::SignInRefused), "{refusal:?}");
        assert!(refusal.to_string().contains(remedy), "{refusal}");
        assert_eq!(client.why_refused(), Some(refusal));
        assert!(!client.sign_in_works(&once(&stop)));
    }
}

#[test]
fn a_clock_that_differs_is_borne() {
    let server = Server::start([
        said(401, "'exp' is too far in the future"),
        found(),
        token("ghs_a", AN_HOUR),
        queued(),
    ]);
    let (client, stop) = (app(&server.url, None, vec![acme()]), Stop::unheard());
    assert!(ask(&client, &once(&stop)).is_ok());
    assert_eq!(server.lines(), [FIND, FIND, RENEW, JOB]);
    let in_2030 = 1_895_342_400;
    let exp = |n: usize| claims(&server.bearers()[n])["exp"].as_i64().unwrap();
    assert!((exp(0) - in_2030).abs() > 86_400, "by its own clock at first");
    assert!((exp(1) - in_2030 - 480).abs() <= 2 && (exp(2) - in_2030 - 480).abs() <= 2);
}

#[test]
fn many_callers_share_one_renewal() {
    let mut replies = vec![token("ghs_a", AN_HOUR)];
    replies.extend((0..4).map(|_| queued()));
    let server = Server::start(replies);
    let client = Arc::new(app(&server.url, Some(99), Vec::new()));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            thread::spawn(move || ask(&client, &once(&Stop::unheard())).is_ok())
        })
        .collect();
    assert!(callers.into_iter().all(|caller| caller.join().unwrap()));
    assert_eq!(server.lines(), [RENEW, JOB, JOB, JOB, JOB]);
}

#[test]
fn a_limit_and_an_outage_in_the_middle_of_signing_in_are_waited_out() {
    let server = Server::start([
        reply(403, "retry-after: 1\r\n", "{}"),
        found(),
        reply(502, "", "<html>"),
        token("ghs_a", AN_HOUR),
        reply(200, "", "<html>"),
        queued(),
    ]);
    let (client, stop) = (app(&server.url, None, vec![acme()]), Stop::unheard());
    assert!(ask(&client, &patient(&stop)).is_ok());
    assert_eq!(server.lines(), [FIND, FIND, RENEW, RENEW, JOB, JOB]);
}

#[test]
fn a_key_that_cannot_sign_is_refused_before_any_call() {
    let app =
        AppOptions { app_id: 1, installation_id: None, private_key: Secret::new("x"), homes: Vec::new() };
    let options =
        Options { credentials: Credentials::App(app), ..options("http://127.0.0.1:1", Limits::default()) };
    assert_eq!(Client::new(options).unwrap_err(), OptionsFault::Key);
}

#[test]
fn the_apps_own_webhook_wants_the_apps_own_signature() {
    let server = Server::start([reply(200, "", "[]"), reply(202, "", "{}"), found()]);
    let (client, stop) = (app(&server.url, None, vec![acme()]), Stop::unheard());
    assert_eq!(client.deliveries(&once(&stop), &Hook::App, None).unwrap().deliveries, []);
    client.redeliver(&once(&stop), &Hook::App, 7).unwrap();
    assert_eq!(client.installation_id(&once(&stop)), Ok(Some(99)), "whose deliveries are ours");
    assert_eq!(client.installation_id(&once(&stop)), Ok(Some(99)), "asked once");
    let list = "GET /app/hook/deliveries?per_page=100";
    assert_eq!(server.lines(), [list, "POST /app/hook/deliveries/7/attempts", FIND]);
    server.bearers().iter().for_each(|bearer| assert_eq!(claims(bearer)["iss"], APP.to_string()));
    let token = super::client(&server.url);
    let refused = token.deliveries(&once(&stop), &Hook::App, None).unwrap_err();
    assert!(matches!(refused, GitHubError::Permission { .. }), "{refused}");
}

#[test]
fn who_is_refused_together_asks_again_together() {
    let server = Server::start([said(403, "This installation has been suspended")]);
    let (client, stop) = (app(&server.url, Some(99), Vec::new()), Stop::unheard());
    for _ in 0..3 {
        assert_eq!(ask(&client, &once(&stop)), Err(GitHubError::SignInRefused));
    }
    assert_eq!(server.lines(), [RENEW], "the others hear of it without asking");
}

#[test]
fn an_answer_that_quotes_the_signature_is_not_passed_on() {
    let server = Server::start([token("ghs_canary", AN_HOUR), said(418, "what is ghs_canary?")]);
    let (client, stop) = (app(&server.url, Some(99), Vec::new()), Stop::unheard());
    let refused = ask(&client, &once(&stop)).unwrap_err();
    assert_eq!(refused, GitHubError::Refused { status: 418, message: "what is ***?".into() });
}
