//! GitHub Apps: who signs a call, what the App itself may ask, and the tokens of its installations.

use super::hooks;
use super::http::{Answer, Request, json};
use super::hub::Hub;
use super::payload;
use super::rest::{not_found, number, ok};
use super::rules::message;
use super::state::State;
use crate::{clock, secret};
use anklet::domain::base64;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// GitHub's bounds for a JSON Web Token.
const LONGEST: i64 = 600;
const EARLIEST: i64 = 60;

/// All that anybody needs.
const ALL: [&str; 5] = [
    "actions",
    "administration",
    "organization_hooks",
    "organization_self_hosted_runners",
    "repository_hooks",
];

/// One App, as the settings write it.
#[derive(Serialize, Deserialize, Clone, Default)]
#[serde(default, deny_unknown_fields)]
pub struct App {
    pub id: u64,
    /// The file of its private key (PKCS#1); only the public half is used.
    pub key: String,
    pub installations: Vec<Installation>,
}

#[derive(Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct Installation {
    pub id: u64,
    /// An organization's or user's login.
    pub account: String,
    pub is_user: bool,
    /// Those selected; empty: all.
    pub repositories: Vec<String>,
    pub suspended: bool,
    /// Such as `administration: write`; empty: all that anybody needs.
    pub permissions: BTreeMap<String, String>,
    /// How long a token lives.
    pub token_seconds: u64,
}

impl Default for Installation {
    fn default() -> Self {
        Self {
            id: 0,
            account: String::new(),
            is_user: false,
            repositories: Vec::new(),
            suspended: false,
            permissions: BTreeMap::new(),
            token_seconds: 3600,
        }
    }
}

/// A token that was given out.
pub struct Token {
    text: String,
    installation: u64,
    expires: Instant,
}

/// Who calls.
pub enum Caller {
    /// With a personal access token, which may do everything.
    Person,
    /// An App in its own name.
    App(App),
    /// An installation of one.
    Installation(Installation),
}

impl Caller {
    /// Whose token it is; the answer when it is nobody's.
    pub fn of(state: &State, token: &str) -> Result<Self, Answer> {
        if state.settings.tokens.iter().any(|known| known == token) {
            return Ok(Self::Person);
        }
        if token.matches('.').count() == 2 {
            return signed_by(state, token).map(Self::App);
        }
        let known = |one: &&Token| one.text == token && one.expires > Instant::now();
        let given = state.installation_tokens.iter().find(known);
        let installation = given.and_then(|given| {
            installations(state).map(|(_, it)| it).find(|it| it.id == given.installation).cloned()
        });
        match installation {
            Some(it) if it.suspended => Err(suspended()),
            Some(it) => Ok(Self::Installation(it)),
            None => Err(message(401, "Bad credentials")),
        }
    }

    /// Whether it may see this place, and has what the call needs.
    pub fn may(&self, request: &Request, parts: &[&str]) -> Result<(), Answer> {
        let Self::Installation(it) = self else { return Ok(()) };
        let sees = match parts {
            ["repos", owner, repo, ..] => {
                let selected = &it.repositories;
                owner.eq_ignore_ascii_case(&it.account)
                    && (selected.is_empty() || selected.iter().any(|one| one.eq_ignore_ascii_case(repo)))
            }
            ["orgs", owner, ..] => owner.eq_ignore_ascii_case(&it.account) && !it.is_user,
            ["enterprises", ..] => false,
            _ => true,
        };
        if !sees {
            return Err(not_found());
        }
        let Some((name, level)) = needed(request, parts) else { return Ok(()) };
        let has = it.permissions.get(name).is_some_and(|has| has == level || has == "write");
        if it.permissions.is_empty() || has {
            return Ok(());
        }
        let refusal = message(403, "Resource not accessible by integration");
        Err(refusal.with("X-Accepted-GitHub-Permissions", format!("{name}={level}")))
    }
}

/// What only the App itself may ask; `None`: another call.
pub fn answer(hub: &Hub, request: &Request, parts: &[&str], caller: &Caller) -> Option<Answer> {
    let own = matches!(
        parts,
        ["app", ..] | ["repos", _, _, "installation"] | ["orgs" | "users", _, "installation"]
    );
    let app = match caller {
        Caller::App(app) if own => app,
        Caller::App(_) => return Some(message(403, "Resource not accessible by integration")),
        _ if own => return Some(message(401, "A JSON web token could not be decoded")),
        _ => return None,
    };
    let here = |it: &&Installation, owner: &str| it.account.eq_ignore_ascii_case(owner);
    let find = |wanted: &dyn Fn(&&Installation) -> bool| {
        let found = app.installations.iter().find(wanted);
        found.map_or_else(not_found, |it| ok(&described(app, it, &hub.url)))
    };
    Some(match (request.method.as_str(), parts) {
        ("GET", ["app"]) => ok(&itself(app, &hub.url)),
        ("GET", ["app", "installations"]) => {
            ok(&app.installations.iter().map(|it| described(app, it, &hub.url)).collect())
        }
        ("GET", ["repos", owner, repo, _]) => find(&|it| {
            let selected = &it.repositories;
            here(it, owner)
                && (selected.is_empty() || selected.iter().any(|one| one.eq_ignore_ascii_case(repo)))
        }),
        ("GET", ["orgs", owner, _]) => find(&|it| here(it, owner) && !it.is_user),
        ("GET", ["users", owner, _]) => find(&|it| here(it, owner) && it.is_user),
        ("POST", ["app", "installations", id, "access_tokens"]) => token(hub, app, id),
        (_, ["app", "hook", rest @ ..]) => hooks::of_app(hub, request, app.id, rest),
        _ => not_found(),
    })
}

fn token(hub: &Hub, app: &App, id: &str) -> Answer {
    let found = app.installations.iter().find(|it| number(id) == Some(it.id));
    let Some(it) = found else { return not_found() };
    if it.suspended {
        return suspended();
    }
    let text = format!("ghs_{}", secret::random_hex(18));
    hub.state().installation_tokens.push(Token {
        text: text.clone(),
        installation: it.id,
        expires: Instant::now() + Duration::from_secs(it.token_seconds),
    });
    let selection = if it.repositories.is_empty() { "all" } else { "selected" };
    json(
        201,
        &json!({
            "token": text, "expires_at": clock::date_in(it.token_seconds.cast_signed()),
            "permissions": permissions(it), "repository_selection": selection,
        }),
    )
}

/// The App that signed it, within GitHub's bounds of time.
fn signed_by(state: &State, token: &str) -> Result<App, Answer> {
    let refused = |why: &str| message(401, why);
    let undecodable = || refused("A JSON web token could not be decoded");
    let (signed, signature) = token.rsplit_once('.').ok_or_else(undecodable)?;
    let (header, claims) = signed.split_once('.').ok_or_else(undecodable)?;
    let (header, claims) = (value(header).ok_or_else(undecodable)?, value(claims).ok_or_else(undecodable)?);
    if header["alg"] != "RS256" {
        return Err(undecodable());
    }
    let iss = claims["iss"].as_u64().or_else(|| claims["iss"].as_str()?.parse().ok());
    let Some(app) = state.settings.apps.iter().find(|app| Some(app.id) == iss) else {
        return Err(message(404, "Integration not found"));
    };
    let public = public_key(&app.key).ok_or_else(undecodable)?;
    let signature = bytes(signature).ok_or_else(undecodable)?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(signed.as_bytes(), &signature).map_err(|_| undecodable())?;
    let now = clock::epoch_seconds() + state.settings.clock_ahead;
    let (Some(iat), Some(exp)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
        return Err(undecodable());
    };
    if iat > now + EARLIEST {
        return Err(refused(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ));
    }
    if exp <= now || exp > now + LONGEST {
        let why = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
        return Err(refused(why));
    }
    Ok(app.clone())
}

fn public_key(file: &str) -> Option<Vec<u8>> {
    let pem = fs::read_to_string(file).ok()?;
    let der = base64::decode(pem.split("-----").nth(2)?)?;
    Some(RsaKeyPair::from_der(&der).ok()?.public_key().as_ref().to_vec())
}

fn value(part: &str) -> Option<Value> {
    serde_json::from_slice(&bytes(part)?).ok()
}

fn bytes(part: &str) -> Option<Vec<u8>> {
    base64::decode(&part.replace('-', "+").replace('_', "/"))
}

fn installations(state: &State) -> impl Iterator<Item = (&App, &Installation)> {
    state.settings.apps.iter().flat_map(|app| app.installations.iter().map(move |it| (app, it)))
}

/// The installation that an App's hook names for a job of this owner.
pub fn installation_of(state: &State, app: u64, owner: &str) -> Option<u64> {
    let mut all = installations(state);
    all.find(|(one, it)| one.id == app && it.account.eq_ignore_ascii_case(owner)).map(|(_, it)| it.id)
}

fn suspended() -> Answer {
    message(403, "This installation has been suspended")
}

/// Permission and level, in GitHub's words.
fn needed(request: &Request, parts: &[&str]) -> Option<(&'static str, &'static str)> {
    let level = if request.method == "GET" { "read" } else { "write" };
    match parts {
        ["repos", _, _, "actions", "runners", ..] => Some(("administration", level)),
        ["repos", _, _, "actions", ..] => Some(("actions", level)),
        ["repos", _, _, "hooks", ..] => Some(("repository_hooks", level)),
        ["orgs", _, "actions", "runners" | "runner-groups", ..] => {
            Some(("organization_self_hosted_runners", level))
        }
        ["orgs", _, "hooks", ..] => Some(("organization_hooks", level)),
        _ => None,
    }
}

/// What a person's token may ask: who it is.
pub fn user() -> Value {
    let mut user = payload::user("mona");
    let more = json!({
        "bio": null, "blog": null, "company": null, "email": null, "followers": 1, "following": 0, "hireable": null,
        "location": null, "name": "Mona", "public_gists": 0, "public_repos": 1,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    });
    if let (Some(user), Value::Object(more)) = (user.as_object_mut(), more) {
        user.extend(more);
    }
    user
}

/// Those that an installation has: as written, or all.
fn permissions(it: &Installation) -> BTreeMap<String, String> {
    if it.permissions.is_empty() {
        return ALL.map(|name| (name.to_owned(), "write".to_owned())).into();
    }
    it.permissions.clone()
}

fn itself(app: &App, url: &str) -> Value {
    json!({
        "id": app.id, "slug": "anklet", "node_id": "MDExOkludGVncmF0aW9uMQ==", "client_id": "Iv1.8a61f9b3a7aba766",
        "owner": payload::user("acme"), "name": "Anklet", "description": null, "external_url": url,
        "html_url": format!("{url}/apps/anklet"), "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z", "permissions": {}, "events": ["workflow_job"],
    })
}

fn described(app: &App, it: &Installation, url: &str) -> Value {
    let this = format!("{url}/app/installations/{}", it.id);
    let selection = if it.repositories.is_empty() { "all" } else { "selected" };
    json!({
        "id": it.id, "app_id": app.id, "app_slug": "anklet", "target_id": 1,
        "target_type": if it.is_user { "User" } else { "Organization" },
        "account": payload::user(&it.account), "repository_selection": selection,
        "access_tokens_url": format!("{this}/access_tokens"), "repositories_url": format!("{url}/installation/repositories"),
        "html_url": format!("{url}/organizations/{}/settings/installations/{}", it.account, it.id),
        "events": ["workflow_job"], "permissions": permissions(it), "single_file_name": null,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        "suspended_by": it.suspended.then(|| payload::user("mona")),
        "suspended_at": it.suspended.then(clock::date),
    })
}
