//! What no fault, warning or remark may show.

use super::{Home, handler, receiver, top};

const SECRET: &str = "hunter2hunter2";

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let files = [
        handler(&[&format!("sleep_interval: {SECRET}")]).replace("tokentokentoken", SECRET),
        handler(&[]).replace("tokentokentoken", &format!("[{SECRET}]")),
        handler(&[]).replace("tokentokentoken", &format!("{SECRET} x")),
        handler(&[]).replace("tokentokentoken", &format!("{{a: {SECRET}}}")),
        handler(&["database:", &format!("  url: redis://u:{SECRET}@h:bad")]),
        handler(&["database:", &format!("  url: http://u:{SECRET}@h")]),
        handler(&["database:", "  url: h", &format!("  password: [{SECRET}]")]),
        handler(&[&format!("registry_url: x{SECRET}"), "sleep_interval: 10", &format!("  secret:{SECRET}")]),
        handler(&[&format!("repo: https://u:{SECRET}@github.com/a/b")]),
        receiver(&[]).replace("s3cr3t", SECRET).replace("54321", SECRET),
        receiver(&[]).replace("secret: s3cr3t", &format!("secret:{SECRET}")),
        receiver(&[]).replace("secret: s3cr3t", &format!("secret: \"{SECRET}")),
        receiver(&[]).replace("secret: s3cr3t", &format!("secret: @{SECRET}")),
        receiver(&[]).replace("secret: s3cr3t", &format!("secret: [ok, {{a: {SECRET}}}]")),
        top(&[&format!("github_url: https://u:{SECRET}@h")]),
        top(&[&format!("github_url: ftp://u:{SECRET}@h")]),
        top(&[
            &format!("global_token: [{SECRET}]"),
            &format!("work_dir: ~{SECRET}/x"),
            &format!("global_receiver_secret: {SECRET}"),
        ]),
        format!("metrics: {{aggregator: true, metrics_urls: [\"ftp://u:{SECRET}@h\"]}}"),
        SECRET.to_owned(),
        format!("- {SECRET}"),
    ];
    for text in files {
        let said = everything(Home::new(), &text);
        assert!(!said.is_empty(), "{text}");
        assert!(!said.contains(SECRET), "{text}\n{said}");
    }
}

#[test]
fn a_secret_that_is_a_common_word_hides_no_key() {
    let faults = Home::new()
        .load(receiver(&["bind: x", "bind: y"]).replace("s3cr3t", "bind"))
        .map(|_| ())
        .unwrap_err();
    assert!(faults[0].starts_with("config.yml:8: plugins[0].bind: "), "{faults:?}");
    assert!(faults[1].starts_with("config.yml:9: plugins[0].bind: stands twice"), "{faults:?}");
}

#[test]
fn what_looks_like_a_secret_is_not_shown_wherever_it_stands() {
    for value in
        ["ghp_0123456789", "github_pat_0123456789", "ghs_0123456789", "-----BEGIN RSA PRIVATE KEY-----"]
    {
        let said =
            everything(Home::new(), &handler(&[&format!("sleep_interval: {value}"), &format!("{value}: x")]));
        assert!(said.contains("***") && !said.contains(value), "{said}");
    }
}

#[test]
fn a_secret_of_a_variable_is_not_shown() {
    let variables = [
        ("RUNNER1_TOKEN", "hunter2 hunter2"),
        ("RUNNER1_SLEEP_INTERVAL", "hunter2"),
        ("ANKLET_GLOBAL_DATABASE_URL", "redis://:hunter2@h?"),
    ];
    let said = everything(Home::new().env(&variables), &handler(&[]));
    assert!(
        said.contains("RUNNER1_TOKEN: holds a space") && said.contains("ANKLET_GLOBAL_DATABASE_URL: "),
        "{said}"
    );
    let elsewhere = said.replace("RUNNER1_SLEEP_INTERVAL: \"hunter2\"", "");
    assert!(!elsewhere.contains("hunter2"), "{said}");
}

#[test]
fn a_loaded_configuration_prints_without_its_secrets() {
    let text =
        receiver(&["database: {url: \"redis://u:hunter2@h\"}"]) + &handler(&[]).replace("plugins:\n", "");
    let shown = format!("{:?}", Home::new().load(text).unwrap());
    for secret in ["hunter2", "s3cr3t", "tokentokentoken"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

fn everything(home: Home, text: &str) -> String {
    match home.load(text) {
        Err(faults) => faults.join("\n"),
        Ok(checked) => {
            let notes = checked.warnings.iter().chain(&checked.infos);
            notes.map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
    }
}
