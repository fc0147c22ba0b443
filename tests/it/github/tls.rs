//! TLS towards GitHub: an authority of one's own is trusted beside the built-in ones, and nobody else's.
#![expect(clippy::disallowed_methods, reason = "a test's server and its certificates")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use anklet::domain::ids::JobId;
use anklet::github::runs::Repository;
use anklet::github::{Client, Limits, Options, OptionsFault};
use anklet::runtime::stop::Stop;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{once, options};

/// An authority, and a certificate for a name that it has signed: the authority's file.
pub fn certificates(folder: &Path, name: &str) -> PathBuf {
    let script = r#"
set -e
mkdir -p "$0"
cd "$0"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=server 2>/dev/null
printf 'subjectAltName=DNS:%s' "$1" >names
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile names 2>/dev/null
"#;
    assert!(Command::new("bash").args(["-c", script]).arg(folder).arg(name).status().unwrap().success());
    folder.join("ca.pem")
}

/// What a server of these certificates speaks.
pub fn server(folder: &Path) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// Answers every request with a job; gives its address.
pub fn start(folder: &Path) -> String {
    let config = server(folder);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let body = r#"{"status":"queued","conclusion":null,"runner_name":null}"#;
            if stream.read(&mut [0; 4096]).is_ok() {
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = stream.write_all((head + body).as_bytes());
            }
        }
    });
    format!("https://localhost:{port}")
}

#[test]
fn an_authority_of_ones_own_is_trusted_and_another_one_is_not() {
    let folder = std::env::temp_dir().join(format!("anklet-it-tls-{}", std::process::id()));
    let [ours, other] = ["ours", "other"].map(|name| certificates(&folder.join(name), "localhost"));
    let url = start(&folder.join("ours"));
    let ask = |authorities: Option<&Path>| {
        let authorities = authorities.map(|file| fs::read(file).unwrap());
        let options = Options { authorities, ..options(&url, Limits::default()) };
        let client = Client::new(options).unwrap();
        let asked =
            client.get_job(&once(&Stop::unheard()), Repository { owner: "a", repo: "b" }, JobId(1), None);
        asked.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(ask(Some(&ours)), Ok(()));
    for untrusted in [None, Some(&*other)] {
        let error = ask(untrusted).unwrap_err();
        assert!(error.contains("no trusted TLS connection") && error.contains("ca_file"), "{error}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_without_a_whole_certificate_is_a_fault() {
    for text in ["", "hello", "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"] {
        let options = Options { authorities: Some(text.into()), ..options("https://x", Limits::default()) };
        assert_eq!(Client::new(options).unwrap_err(), OptionsFault::Authorities, "{text}");
    }
}
