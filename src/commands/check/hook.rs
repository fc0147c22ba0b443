//! Whether a webhook sends what a receiver takes, and what became of its latest deliveries.

use std::collections::BTreeMap;

use super::finding::Finding;
use crate::github::hook_settings::HookSettings;
use crate::github::hooks::{Delivery, Hook};

/// The only path that a receiver takes deliveries at.
const PATH: &str = "/jobs/v1/receiver";
const EVENT: &str = "workflow_job";

/// What its settings say; `events` are those that it is sent, where anybody says them.
pub(super) fn settings(hook: &Hook, told: &HookSettings, events: Option<&[String]>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut fault = |text: String| found.push(Finding::Fault(format!("{hook} {text}")));
    if told.is_active == Some(false) {
        fault("is not active, and nothing is delivered; tick Active in its settings".into());
    }
    if events.is_some_and(|events| !events.iter().any(|event| event == EVENT || event == "*")) {
        fault(format!("is not subscribed to {EVENT}; tick Workflow jobs among its events"));
    }
    if let Some(other) = told.content_type.as_deref().filter(|kind| !["json", "form", ""].contains(kind)) {
        fault(format!("sends the content type {other:?}; choose application/json"));
    }
    let path = path(&told.url);
    if told.url.is_empty() {
        fault(format!("has no address to deliver to; write https://HOST{PATH}"));
    } else if !path.ends_with(PATH) {
        fault(format!("delivers to {}, where no receiver listens; its path must be {PATH}", told.url));
    } else if path != PATH {
        found.push(Finding::Warning(format!(
            "{hook} delivers to {}; what stands there must take away all before {PATH}",
            told.url
        )));
    }
    if found.is_empty() {
        let what = if events.is_some() { EVENT } else { "what the App is subscribed to" };
        found.push(Finding::Note(format!("{hook} delivers {what} to {}", told.url)));
    }
    found
}

/// What became of the latest deliveries, newest first: one that was taken at a later try counts as taken.
pub(super) fn deliveries(hook: &Hook, latest: &[Delivery]) -> Finding {
    let mut taken: BTreeMap<&str, bool> = BTreeMap::new();
    for delivery in latest.iter().filter(|delivery| delivery.worked().is_some()) {
        *taken.entry(&delivery.guid).or_default() |= delivery.worked() == Some(true);
    }
    let was_lost = |delivery: &&Delivery| taken.get(delivery.guid.as_str()) == Some(&false);
    let failed = taken.values().filter(|taken| !**taken).count();
    match latest.iter().find(was_lost) {
        Some(newest) => {
            let (all, answer) = (taken.len(), outcome(newest.status));
            let text = format!(
                "{hook}: {failed} of the latest {all} events were not taken, the last one ended with {answer}"
            );
            Finding::Warning(text)
        }
        None if taken.is_empty() => Finding::Note(format!("{hook} has delivered nothing in the last days")),
        None => Finding::Note(format!("{hook}: the latest {} events were all taken", taken.len())),
    }
}

fn outcome(status: Option<i64>) -> String {
    match status {
        Some(0) | None => "no answer; look whether its address leads to the receiver".into(),
        Some(401) => "401; write the webhook's secret into secret of the receiver".into(),
        Some(404) => format!("404; look whether its address leads to the receiver's {PATH}"),
        Some(503) => "503; look whether the receiver's database is there".into(),
        Some(status) => format!("{status}; look at its Recent Deliveries on GitHub"),
    }
}

fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Millis;

    fn good() -> HookSettings {
        HookSettings {
            is_active: Some(true),
            events: Some(vec![EVENT.into()]),
            url: format!("https://ci.acme.com{PATH}"),
            content_type: Some("form".into()),
        }
    }

    fn judged(told: &HookSettings) -> Finding {
        let found = settings(&Hook::App, told, told.events.as_deref());
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    #[test]
    fn each_fault_of_a_webhook_has_its_remedy() {
        assert!(matches!(judged(&good()), Finding::Note(_)));
        let url = |path: &str| format!("https://ci.acme.com{path}");
        let cases = [
            (HookSettings { is_active: Some(false), ..good() }, "tick Active"),
            (HookSettings { events: Some(vec!["push".into()]), ..good() }, "tick Workflow jobs"),
            (HookSettings { url: url("/jobs/v1/receiver/"), ..good() }, "its path must be"),
            (HookSettings { url: url(""), ..good() }, "its path must be"),
            (HookSettings { url: String::new(), ..good() }, "write https://HOST"),
            (HookSettings { content_type: Some("xml".into()), ..good() }, "choose application/json"),
        ];
        for (told, remedy) in cases {
            let found = judged(&told);
            assert!(matches!(&found, Finding::Fault(text) if text.contains(remedy)), "{remedy}: {found:?}");
        }
        let behind = judged(&HookSettings { url: url("/ci/jobs/v1/receiver"), ..good() });
        assert!(matches!(behind, Finding::Warning(_)));
        assert!(matches!(
            judged(&HookSettings { events: Some(vec!["*".into()]), ..good() }),
            Finding::Note(_)
        ));
        assert!(matches!(judged(&HookSettings { events: None, ..good() }), Finding::Note(_)));
    }

    #[test]
    fn an_event_that_was_taken_at_a_later_try_is_not_lost() {
        let one = |guid: &str, status| Delivery {
            id: 1,
            guid: guid.into(),
            at: Millis(0),
            redelivery: false,
            status,
            event: EVENT.into(),
            action: "queued".into(),
            installation: None,
        };
        let told = |latest: &[Delivery]| match deliveries(&Hook::App, latest) {
            Finding::Note(text) | Finding::Warning(text) => text,
            other => panic!("{other:?}"),
        };
        assert!(told(&[]).contains("nothing"));
        assert!(told(&[one("a", Some(200)), one("a", Some(502)), one("b", None)]).contains("latest 1 "));
        let lost = told(&[one("a", Some(401)), one("b", Some(200)), one("c", Some(0))]);
        assert!(lost.contains("2 of the latest 3") && lost.contains("401"), "{lost}");
    }
}
