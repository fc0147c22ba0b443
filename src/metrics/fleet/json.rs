//! One object for each host, by its URL: its own page, and how fresh it is.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::host::Host;
use crate::runtime::clock;

/// The page, with an end of line.
pub(super) fn page(hosts: &[Host], now: SystemTime) -> String {
    let objects: Map<String, Value> =
        hosts.iter().map(|host| (host.url.clone(), object(host, now))).collect();
    let mut text = serde_json::to_string_pretty(&objects).unwrap_or_default();
    text.push('\n');
    text
}

fn object(host: &Host, now: SystemTime) -> Value {
    let mut object = host.object.as_deref().cloned().unwrap_or_default();
    let age = host.age(now).map(|age| (age.as_secs_f64() * 1000.0).round() / 1000.0);
    object.insert("up".into(), json!(host.is_up()));
    object.insert("last_seen".into(), json!(host.seen.map(clock::text)));
    object.insert("age_seconds".into(), json!(age));
    object.insert("error".into(), json!(host.error));
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::super::host::example::{hosts, now};
    use super::*;

    #[test]
    fn each_host_under_its_url_with_all_that_it_said() {
        let page: Value = serde_json::from_str(&page(&hosts(), now())).unwrap();
        let (up, gone, never) =
            (&page["http://a/metrics"], &page["http://b/metrics"], &page["http://c/metrics"]);
        assert_eq!((&up["up"], &up["age_seconds"], &up["error"]), (&json!(true), &json!(1.5), &Value::Null));
        assert_eq!((&up["total_running_vms"], &up["odd"]), (&json!(1), &json!("x")));
        assert_eq!(up["plugins"][0]["name"], "RUNNER\"3");
        assert!(up["last_seen"].as_str().unwrap().contains('T'));
        assert_eq!((&gone["up"], &gone["error"]), (&json!(false), &json!("no connection")));
        assert_eq!(gone["total_running_vms"], 1, "its last page stays");
        assert_eq!((&never["up"], &never["last_seen"]), (&json!(false), &Value::Null));
        assert_eq!(never.as_object().unwrap().len(), 4);
    }
}
