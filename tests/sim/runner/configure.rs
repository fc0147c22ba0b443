//! `config.sh`: the flags of the real one, and the registration.

use super::{Configured, Ended, guest, terminated};
use crate::files;
use lexopt::prelude::*;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

#[derive(Serialize, Default)]
struct Wish {
    url: String,
    token: String,
    name: String,
    labels: Vec<String>,
    group: String,
    ephemeral: bool,
    replace: bool,
    version: String,
    #[serde(skip)]
    unattended: bool,
    #[serde(skip)]
    default_labels: bool,
}

pub fn configure(args: Vec<String>) -> Ended {
    if args.first().is_some_and(|word| word == "remove") {
        let _ = std::fs::remove_file(".runner");
        return Ok(());
    }
    let mut wish = wished(args).map_err(|e| terminated(e.to_string()))?;
    if !wish.unattended {
        return Err(terminated("it would ask on the terminal: --unattended is missing"));
    }
    if Path::new(".runner").exists() {
        return Err(terminated("Cannot configure the runner because it is already configured."));
    }
    if wish.default_labels {
        wish.labels.extend(["self-hosted", "macOS", "ARM64"].map(String::from));
    }
    let host = host_of(&wish.url).ok_or_else(|| terminated("the URL is none of this GitHub"))?;
    if let Some(vm) = guest::vm_folder() {
        let _ = std::fs::write(vm.join("registration-token"), &wish.token);
    }
    let body = serde_json::to_vec(&wish).map_err(|e| terminated(e.to_string()))?;
    let (status, answer) = ask(&host, "/_sim/runner/register", &body).map_err(terminated)?;
    if status != 200 {
        return Err(terminated(format!("Http response code: {status}: {}", answer["message"])));
    }
    let secret = answer["secret"].as_str().unwrap_or_default().to_owned();
    files::write_json(Path::new(".runner"), &Configured { host, secret, name: wish.name })
        .map_err(terminated)?;
    println!("\n√ Runner successfully added\n√ Runner connection is good\n√ Settings Saved.");
    Ok(())
}

fn wished(args: Vec<String>) -> Result<Wish, lexopt::Error> {
    let mut wish = Wish { default_labels: true, ..Wish::default() };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("url") => wish.url = parser.value()?.string()?,
            Long("token") => wish.token = parser.value()?.string()?,
            Long("name") => wish.name = parser.value()?.string()?,
            Long("labels") => {
                let all = parser.value()?.string()?;
                wish.labels = all.split(',').filter(|label| !label.is_empty()).map(Into::into).collect();
            }
            Long("runnergroup") => wish.group = parser.value()?.string()?,
            Long("work") => drop(parser.value()?),
            Long("runner-version") => wish.version = parser.value()?.string()?,
            Long("unattended") => wish.unattended = true,
            Long("ephemeral") => wish.ephemeral = true,
            Long("replace") => wish.replace = true,
            Long("no-default-labels") => wish.default_labels = false,
            Long("disableupdate") => {}
            other => return Err(other.unexpected()),
        }
    }
    Ok(wish)
}

fn ask(host: &str, path: &str, body: &[u8]) -> Result<(u16, Value), String> {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let mut response =
        agent.post(format!("http://{host}{path}")).send(body).map_err(|e| format!("{host}: {e}"))?;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().map_err(|e| e.to_string())?;
    Ok((status, serde_json::from_str(&text).unwrap_or_default()))
}

/// The host and port of a URL.
fn host_of(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://")?;
    Some(rest.split('/').next()?.to_owned())
}
