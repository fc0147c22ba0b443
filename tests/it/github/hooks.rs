//! A hook's deliveries: which are asked for, and how.

use anklet::domain::ids::Millis;
use anklet::github::GitHubError;
use anklet::github::hooks::Hook;
use anklet::runtime::stop::Stop;

use super::server::{Reply, Server, reply};
use super::{client, once};

fn repository() -> Hook {
    Hook::Repository { owner: "acme".into(), repo: "a pp".into(), id: 7 }
}

fn organization() -> Hook {
    Hook::Organization { owner: "acme".into(), id: 8 }
}

/// A page of one delivery of this number.
fn page(id: u64, link: &str) -> Reply {
    let row = format!(
        r#"{{"id":{id},"guid":"g","delivered_at":"2030-01-22T19:59:00.5Z","redelivery":true,"duration":1.5,
        "status":"Invalid HTTP Response: 503","status_code":503,"event":"workflow_job","action":"queued",
        "installation_id":null,"repository_id":5,"throttled_at":null}}"#
    );
    reply(200, &format!("link: {link}\r\n"), &format!("[{row}, {{\"id\": \"odd\"}}]"))
}

#[test]
fn pages_are_asked_for_by_the_cursor_of_the_link_and_of_every_outcome() {
    let next = "<https://evil.example/x?per_page=1&cursor=v1_12&status=failure>; rel=\"next\"";
    let server = Server::start([page(5, next), page(4, ""), page(3, "")]);
    let (client, stop) = (client(&server.url), Stop::unheard());
    let first = client.deliveries(&once(&stop), &repository(), None).unwrap();
    assert_eq!(first.next.as_deref(), Some("v1_12"));
    assert_eq!(first.date, Some(Millis(1_895_342_400_000)));
    let [delivery] = &first.deliveries[..] else { panic!("{first:?}") };
    assert_eq!((delivery.id, delivery.at, delivery.worked()), (5, Millis(1_895_342_340_500), Some(false)));
    assert!(delivery.redelivery);
    assert_eq!(client.deliveries(&once(&stop), &repository(), Some("v1_12")).unwrap().next, None);
    client.deliveries(&once(&stop), &organization(), None).unwrap();
    assert_eq!(
        server.lines(),
        [
            "GET /repos/acme/a%20pp/hooks/7/deliveries?per_page=100",
            "GET /repos/acme/a%20pp/hooks/7/deliveries?per_page=100&cursor=v1_12",
            "GET /orgs/acme/hooks/8/deliveries?per_page=100",
        ]
    );
}

#[test]
fn a_list_that_leads_nowhere_does_not_pass_for_its_end() {
    let circle = page(5, "</x?cursor=v1_12>; rel=\"next\"");
    let server = Server::start([
        circle,
        page(5, "</x?page=2>; rel=\"next\""),
        reply(200, "", "{}"),
        reply(200, "", "[{\"id\":1}]"),
    ]);
    let (client, stop) = (client(&server.url), Stop::unheard());
    for cursor in [Some("v1_12"), None, None, None] {
        let told = client.deliveries(&once(&stop), &repository(), cursor);
        assert!(matches!(told, Err(GitHubError::Away { .. })), "{told:?}");
    }
}

#[test]
fn a_delivery_is_sent_again_by_its_number() {
    let refused = r#"{"message":"Validation Failed"}"#;
    let answers = [reply(202, "", "{}"), reply(202, "", ""), reply(404, "", "{}"), reply(422, "", refused)];
    let server = Server::start(answers);
    let (client, stop) = (client(&server.url), Stop::unheard());
    let again = |hook: &Hook| client.redeliver(&once(&stop), hook, 12_345_678_901);
    assert_eq!(again(&repository()), Ok(()));
    assert_eq!(again(&organization()), Ok(()));
    assert!(matches!(again(&organization()), Err(GitHubError::NotFound { .. })));
    assert!(matches!(again(&organization()), Err(GitHubError::Refused { status: 422, .. })));
    assert_eq!(server.lines()[0], "POST /repos/acme/a%20pp/hooks/7/deliveries/12345678901/attempts");
    assert_eq!(server.lines()[1], "POST /orgs/acme/hooks/8/deliveries/12345678901/attempts");
}
