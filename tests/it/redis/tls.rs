//! TLS: a certificate that is trusted, one that is not, and one that nobody asks about.
#![expect(clippy::disallowed_methods, reason = "makes certificates")]

use std::path::{Path, PathBuf};
use std::process::Command;

use anklet::store::Store;
use anklet::store::redis::{Options, Tls};

use crate::life::model::queued;
use crate::store::world::Folder;
use crate::support::redis::{TlsServer, options, store};

/// An authority, and a certificate for `localhost` and 127.0.0.1 that it has signed.
pub fn certificates(folder: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let script = r#"
set -e
cd "$0"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >names
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile names 2>/dev/null
"#;
    assert!(Command::new("bash").args(["-c", script]).arg(folder).status().unwrap().success());
    (folder.join("ca.pem"), folder.join("cert.pem"), folder.join("key.pem"))
}

#[test]
fn a_certificate_must_be_trusted_unless_nobody_asks() {
    // As main does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = Folder::new();
    let (authority, certificate, key) = certificates(folder.path());
    let server = TlsServer::start(&authority, &certificate, &key);
    let with = |host: &str, tls: Tls| {
        let retries = anklet::store::redis::Retries { most: 0, ..options(0).retries };
        let options = Options { nodes: vec![(host.into(), server.port)], tls, retries, ..options(0) };
        store(options).queue("acme")
    };
    let trusted = || Tls::Verified(Some(std::fs::read(&authority).unwrap()));
    let say = |queue: &dyn Store| queue.apply(&queued(1)).map(drop).map_err(|error| error.to_string());
    assert_eq!(say(&*with("localhost", trusted())), Ok(()));
    assert_eq!(say(&*with("127.0.0.1", trusted())), Ok(()));
    assert_eq!(say(&*with("127.0.0.1", Tls::Insecure)), Ok(()));
    let unknown = say(&*with("localhost", Tls::Verified(None))).unwrap_err();
    assert!(unknown.contains("certificate"), "{unknown}");
    let stranger = folder.path().join("stranger");
    std::fs::create_dir(&stranger).unwrap();
    let (other, _, _) = certificates(&stranger);
    let error = say(&*with("localhost", Tls::Verified(Some(std::fs::read(other).unwrap())))).unwrap_err();
    assert!(error.contains("certificate"), "{error}");
    assert!(say(&*with("localhost", Tls::Off)).is_err(), "the port speaks TLS only");
}
