//! A receiver's own keys.

use std::time::Duration;

use super::reader::Reader;
use crate::config::plugin::{Common, Credentials, Hook, ReceiverConfig, Redelivery};
use crate::config::real::Real;
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;

/// The receiver. Faults are reported, and then the values do not matter.
pub(super) fn resolve(reader: &Reader<'_>, common: Common) -> Option<ReceiverConfig> {
    if reader.written("port").is_none() {
        reader.missing("port", "write the port that GitHub sends webhooks to, e.g. 54321");
    }
    if reader.written("secret").is_none() {
        reader.missing("secret", "write the webhook's secret here, or global_receiver_secret at the top");
    }
    let redelivery = redelivery(reader, &common);
    Some(ReceiverConfig {
        port: reader.whole("port")? as u16,
        bind: reader.address("bind")?,
        secrets: reader.list("secret").into_iter().map(Secret::new).collect(),
        redelivery,
        common,
    })
}

/// `secret` from a variable is split at commas: said, since a comma may be part of the only one.
pub(super) fn say_how_many(reader: &Reader<'_>) {
    let Some(written) = reader.written("secret") else { return };
    if let (crate::config::note::Place::Variable(_), Some(Real::List(secrets))) =
        (&written.node.place, reader.convert("secret", &written))
        && secrets.len() > 1
    {
        let text = format!("is read as {} secrets: a comma separates them", secrets.len());
        reader.report.info(&written.node.place, &written.key, text);
    }
}

/// The contract's way out.
const NO_ENTERPRISE_HOOKS: &str = "GitHub lists no deliveries for an enterprise; use one receiver for each organization, \
                                   with queue_name: enterprise:SLUG";

fn redelivery(reader: &Reader<'_>, common: &Common) -> Option<Redelivery> {
    let skip = reader.flag("skip_redeliver");
    let Some(written) = reader.own("hook_id") else {
        if !skip && matches!(common.scope, Scope::Enterprise { .. }) {
            let key = format!("{}enterprise", reader.base);
            reader.report.warn(
                &reader.place,
                &key,
                format!("deliveries that are lost stay lost: {NO_ENTERPRISE_HOOKS}"),
            );
        } else if !skip {
            let key = format!("{}hook_id", reader.base);
            let text = "is missing: deliveries that are lost stay lost; write the webhook's number, or skip_redeliver: true";
            reader.report.warn(&reader.place, &key, text);
        }
        return None;
    };
    let hook = match reader.convert("hook_id", &written)? {
        Real::Whole(number) => Hook::Number(number),
        _ => Hook::App,
    };
    if matches!(common.scope, Scope::Enterprise { .. }) {
        reader.fault(&written, format!("cannot serve an enterprise: {NO_ENTERPRISE_HOOKS}"));
        return None;
    }
    if hook == Hook::App && !matches!(common.credentials, Credentials::App { .. }) {
        reader.fault(&written, "app needs the App's sign-in; write app_id and private_key, and no token");
        return None;
    }
    if skip {
        return None;
    }
    if common.credentials == Credentials::None {
        reader.fault(
            &written,
            "needs a sign-in to ask for lost deliveries; write token, or skip_redeliver: true",
        );
    }
    Some(Redelivery {
        hook,
        reach: Duration::from_secs(reader.whole("redeliver_hours").unwrap_or_default() * 3600),
        interval: reader.time("redeliver_interval_seconds").unwrap_or_default(),
    })
}
