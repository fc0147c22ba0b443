//! The runner's releases: the latest one, the archives of each system with their SHA-256, and the archives themselves.

use super::http::Answer;
use super::hub::Hub;
use super::rest::{Scope, not_found, ok};
use super::rules::message;
use crate::{anka, clock, secret};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

const SYSTEMS: [(&str, &str); 4] = [("osx", "x64"), ("osx", "arm64"), ("linux", "x64"), ("linux", "arm64")];

/// The archive of each version that was asked for, made once.
static ARCHIVES: Mutex<Vec<(String, Vec<u8>)>> = Mutex::new(Vec::new());

/// Read without signing in: the runner's own repository.
pub fn is_public(parts: &[&str]) -> bool {
    matches!(parts, ["repos", "actions", "runner", ..])
}

pub fn answer(hub: &Hub, method: &str, scope: &Scope<'_>, rest: &[&str]) -> Option<Answer> {
    let version = hub.state().settings.runner_release.clone();
    match (method, rest) {
        ("GET", ["actions", "runners", "downloads"]) => {
            let rows: Vec<Value> = SYSTEMS.iter().map(|system| row(&hub.url, &version, *system)).collect();
            Some(ok(&rows.into()))
        }
        ("GET", ["releases", "latest"]) if scope.name() == "actions/runner" => {
            Some(ok(&release(&hub.url, &version)))
        }
        ("GET", ["releases", "tags", tag]) if scope.name() == "actions/runner" => {
            Some(tag.strip_prefix('v').map_or_else(not_found, |version| ok(&release(&hub.url, version))))
        }
        _ => None,
    }
}

/// `/actions/runner/releases/download/vVERSION/FILE`, or `None` for another path.
pub fn archive(path: &str) -> Option<Answer> {
    let rest = path.strip_prefix("/actions/runner/releases/download/v")?;
    let (version, file) = rest.split_once('/')?;
    if !SYSTEMS.iter().any(|system| file == file_name(version, *system)) {
        return Some(message(404, "Not Found"));
    }
    Some(Answer {
        status: 200,
        headers: vec![("Content-Type".into(), "application/octet-stream".into())],
        body: packed(version),
    })
}

fn row(url: &str, version: &str, system: (&str, &str)) -> Value {
    let file = file_name(version, system);
    json!({
        "os": system.0, "architecture": system.1, "filename": file,
        "download_url": format!("{url}/actions/runner/releases/download/v{version}/{file}"),
        "sha256_checksum": secret::sha256(&packed(version)),
    })
}

fn file_name(version: &str, (system, architecture): (&str, &str)) -> String {
    format!("actions-runner-{system}-{architecture}-{version}.tar.gz")
}

fn release(url: &str, version: &str) -> Value {
    let this = format!("{url}/repos/actions/runner/releases/1");
    let digest = secret::sha256(&packed(version));
    let assets: Vec<Value> = SYSTEMS
        .iter()
        .zip(1..)
        .map(|(system, id)| {
            let file = file_name(version, *system);
            json!({
                "url": format!("{this}/assets/{id}"), "id": id, "node_id": format!("RA_{id}"), "name": file,
                "browser_download_url": format!("{url}/actions/runner/releases/download/v{version}/{file}"),
                "label": null, "state": "uploaded", "content_type": "application/x-gzip",
                "size": packed(version).len(), "digest": format!("sha256:{digest}"), "download_count": 1,
                "created_at": clock::date(), "updated_at": clock::date(), "uploader": null,
            })
        })
        .collect();
    json!({
        "url": this, "html_url": format!("{url}/actions/runner/releases/tag/v{version}"),
        "assets_url": format!("{this}/assets"), "upload_url": format!("{this}/assets{{?name,label}}"),
        "tarball_url": null, "zipball_url": null, "id": 1, "node_id": "RE_1", "tag_name": format!("v{version}"),
        "target_commitish": "main", "name": format!("v{version}"), "draft": false, "prerelease": false,
        "created_at": clock::date(), "published_at": clock::date(), "author": author(url), "assets": assets,
        "body": release_notes(version, &digest),
    })
}

/// GitHub's own notes carry the checksums between such comments.
fn release_notes(version: &str, digest: &str) -> String {
    let line = |(system, architecture): &(&str, &str)| {
        format!(
            "- {} <!-- BEGIN SHA {system}-{architecture} -->{digest}<!-- END SHA {system}-{architecture} -->\n",
            file_name(version, (system, architecture))
        )
    };
    format!("## SHA-256 Checksums\n\n{}", SYSTEMS.iter().map(line).collect::<String>())
}

fn author(url: &str) -> Value {
    let mut author = json!({ "login": "github-actions[bot]", "id": 1, "node_id": "U_1", "gravatar_id": "",
        "type": "Bot", "site_admin": false });
    for field in [
        "avatar",
        "html",
        "followers",
        "following",
        "gists",
        "starred",
        "subscriptions",
        "organizations",
        "repos",
        "events",
        "received_events",
    ] {
        author[format!("{field}_url")] = json!(format!("{url}/users/sim"));
    }
    author["url"] = json!(format!("{url}/users/sim"));
    author
}

/// The fake runner as a gzipped tar; the same bytes for every system. Empty where there is no tar.
fn packed(version: &str) -> Vec<u8> {
    let mut archives = ARCHIVES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, bytes)) = archives.iter().find(|(have, _)| have == version) {
        return bytes.clone();
    }
    let folder = std::env::temp_dir().join(format!("anklet-sim-{}", secret::random_hex(6)));
    let bytes = pack(&folder, version).unwrap_or_else(|why| {
        eprintln!("anklet-sim github: no archive of the runner: {why}");
        Vec::new()
    });
    let _ = std::fs::remove_dir_all(&folder);
    archives.push((version.into(), bytes.clone()));
    bytes
}

fn pack(folder: &Path, version: &str) -> Result<Vec<u8>, String> {
    anka::install_runner(folder, version)?;
    let out = Command::new("tar").arg("-czf").arg("-").arg("-C").arg(folder).arg(".").output();
    out.map(|out| out.stdout).map_err(|e| e.to_string())
}
