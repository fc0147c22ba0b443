//! How a plugin signs in: own `token` > own `private_key` > `global_private_key` with an `app_id` > `global_token`.

use super::reader::{Reader, Written};
use crate::config::node::Map;
use crate::config::plugin::Credentials;
use crate::config::real::Real;
use crate::config::report::Report;
use crate::domain::secret::Secret;

/// The credentials that win. `None`: they have a fault, which was reported.
pub(super) fn resolve(reader: &Reader<'_>, is_enterprise: bool) -> Option<Credentials> {
    let own_token = reader.own("token");
    let own_key = reader.own("private_key");
    let app = reader.own("app_id");
    if let (Some(_), Some(key)) = (&own_token, &own_key) {
        reader.fault(key, "is a second credential beside token; keep one of the two");
        return None;
    }
    if let Some(written) = own_token {
        warn_of_app(reader, app.as_ref());
        return token(reader, &written);
    }
    if is_enterprise && let Some(written) = own_key.as_ref().or(app.as_ref()) {
        reader.fault(
            written,
            "cannot sign in for an enterprise: GitHub refuses Apps there; write token instead",
        );
        return None;
    }
    if let Some(key) = own_key {
        let Some(app) = app else {
            reader.fault(&key, "has no app_id beside it; write the App's number under app_id");
            return None;
        };
        return sign_in_as_app(reader, &app, &key);
    }
    if let (Some(app), Some(key)) = (&app, reader.global("private_key")) {
        return sign_in_as_app(reader, app, &key);
    }
    if let Some(written) = reader.global("token") {
        warn_of_app(reader, app.as_ref());
        return token(reader, &written);
    }
    if let Some(app) = app {
        reader.fault(&app, "has no key beside it; write private_key here, or global_private_key at the top");
        return None;
    }
    Some(Credentials::None)
}

/// Two credentials for all plugins leave open which one is meant.
pub(super) fn check_globals(root: &Map, report: &Report) {
    if let (Some(_), Some(key)) = (root.at("global_token"), root.at("global_private_key")) {
        let text = "is a second credential beside global_token; keep one of the two at the top";
        report.fault(&key.place, "global_private_key", text);
    }
}

fn warn_of_app(reader: &Reader<'_>, app: Option<&Written<'_>>) {
    if let Some(app) = app {
        reader.warn(app, "is not used: the token wins; remove one of the two");
    }
}

/// A token travels in a header: what cannot stand there is no token.
fn token(reader: &Reader<'_>, written: &Written<'_>) -> Option<Credentials> {
    let Some(Real::Text(text)) = reader.convert("token", written) else { return None };
    let text = text.trim();
    if text.bytes().any(|b| !b.is_ascii_graphic()) {
        reader.fault(written, "holds a space or a character that no token has; copy it again from GitHub");
        return None;
    }
    Some(Credentials::Token(Secret::new(text)))
}

fn sign_in_as_app(reader: &Reader<'_>, app: &Written<'_>, key: &Written<'_>) -> Option<Credentials> {
    let Some(Real::Whole(app_id)) = reader.convert("app_id", app) else { return None };
    let Some(Real::Text(pem)) = reader.convert("private_key", key) else { return None };
    let installation_id = reader.whole("installation_id");
    Some(Credentials::App { app_id, installation_id, private_key: Secret::new(pem) })
}
