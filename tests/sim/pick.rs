//! `anklet-sim pick PATH…`: values out of the JSON on standard input, one a line, for scripts without jq.

use serde_json::Value;

pub fn main(paths: &[String]) -> Result<(), String> {
    let json: Value = serde_json::from_reader(std::io::stdin()).map_err(|e| e.to_string())?;
    for path in paths {
        for found in picked(&json, path) {
            println!("{}", found.as_str().map_or_else(|| found.to_string(), str::to_owned));
        }
    }
    Ok(())
}

/// A dotted path; `*` is every item of a list. What is not there is `null`.
fn picked<'j>(json: &'j Value, path: &str) -> Vec<&'j Value> {
    path.split('.').fold(vec![json], |found, key| {
        found
            .into_iter()
            .flat_map(|value| match (key, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                (_, Value::Array(items)) => {
                    vec![key.parse::<usize>().ok().and_then(|at| items.get(at)).unwrap_or(&Value::Null)]
                }
                _ => vec![value.get(key).unwrap_or(&Value::Null)],
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_through_lists_and_objects() {
        let json = json!({ "ids": [1, 2], "jobs": [{ "status": "queued" }, { "status": "over" }] });
        assert_eq!(picked(&json, "ids.1"), [&json!(2)]);
        assert_eq!(picked(&json, "jobs.*.status"), [&json!("queued"), &json!("over")]);
        assert_eq!(picked(&json, "none.x"), [&Value::Null]);
    }
}
