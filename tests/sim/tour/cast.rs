//! The eight jobs: what is special about each, and what must come of it.

use serde_json::{Value, json};

/// A job of the tour.
pub struct Part {
    pub name: &'static str,
    pub special: &'static str,
    /// On the host is macos-15:v1; in the registry are macos-15 and macos-14; macos-9 is nowhere.
    template: &'static str,
    /// What the simulated GitHub is told beyond that, as JSON.
    order: &'static str,
    pub end: End,
}

/// What must come of it.
pub struct End {
    /// GitHub's conclusion.
    pub conclusion: &'static str,
    /// VMs that it may cost.
    pub vms: usize,
    /// Claims that it takes.
    pub claims: usize,
    /// What its `queued` deliveries are answered with.
    pub answers: &'static [u16],
}

const HOST: &str = "macos-15 v1";
const REGISTRY: &str = "macos-14 v1";
const NOWHERE: &str = "macos-9 v1";

#[rustfmt::skip]
pub const CAST: [Part; 8] = [
    Part {
        name: "unit", special: "its runner takes `ui`: equal labels", template: HOST,
        order: r#"{"hold": true, "duration_ms": 700}"#,
        end: End { conclusion: "success", vms: 1, claims: 1, answers: &[202] },
    },
    Part {
        name: "ui", special: "its runner takes `unit`: equal labels", template: HOST,
        order: r#"{"hold": true, "duration_ms": 900}"#,
        end: End { conclusion: "success", vms: 1, claims: 1, answers: &[202] },
    },
    Part {
        name: "nightly", special: "cancelled while it waits", template: HOST,
        order: r#"{"hold": true}"#,
        end: End { conclusion: "cancelled", vms: 0, claims: 0, answers: &[202] },
    },
    Part {
        name: "docs", special: "`completed` overtakes `queued`", template: HOST,
        order: r#"{"hold": true, "duration_ms": 200,
                   "webhooks": {"queued": {"after": "completed"}, "in_progress": {"drop": true}}}"#,
        end: End { conclusion: "success", vms: 0, claims: 0, answers: &[200] },
    },
    Part {
        name: "lint", special: "fails", template: HOST,
        order: r#"{"conclusion": "failure"}"#,
        end: End { conclusion: "failure", vms: 1, claims: 1, answers: &[202] },
    },
    Part {
        name: "test", special: "delivered three times", template: HOST,
        order: r#"{"webhooks": {"queued": {"copies": 2}}}"#,
        end: End { conclusion: "success", vms: 1, claims: 1, answers: &[202, 200, 200] },
    },
    Part {
        name: "deploy", special: "template pulled; cancelled as it runs", template: REGISTRY,
        order: r#"{"duration_ms": 60000}"#,
        end: End { conclusion: "cancelled", vms: 1, claims: 1, answers: &[202] },
    },
    Part {
        name: "legacy", special: "its template is in no registry", template: NOWHERE,
        order: "{}",
        end: End { conclusion: "cancelled", vms: 0, claims: 1, answers: &[202] },
    },
];

/// What the metrics must say of them.
pub const TOTALS: [(&str, u64); 4] = [
    ("total_running_vms", 0),
    ("total_successful_runs_since_start", 3),
    ("total_failed_runs_since_start", 1),
    ("total_canceled_runs_since_start", 1),
];

impl Part {
    /// The part of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CAST.iter().find(|part| part.name == name)
    }

    /// As the simulated GitHub takes an order.
    pub fn order(&self) -> Value {
        let (template, tag) = self.template.split_once(' ').unwrap_or((self.template, ""));
        let labels = [
            "self-hosted".to_owned(),
            format!("anka-template:{template}"),
            format!("anka-template-tag:{tag}"),
        ];
        let mut order = json!({ "name": self.name, "workflow": "Tour", "labels": labels });
        if let (Some(order), Ok(Value::Object(more))) =
            (order.as_object_mut(), serde_json::from_str(self.order))
        {
            order.extend(more);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_whole() {
        for part in &CAST {
            let more: Value = serde_json::from_str(part.order).unwrap();
            let order = part.order();
            assert!(
                more.as_object().unwrap().iter().all(|(key, value)| order[key] == *value),
                "{}",
                part.name
            );
            assert_eq!(order["labels"].as_array().unwrap().len(), 3);
        }
    }
}
