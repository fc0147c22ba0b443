//! Random numbers, hashes and signatures.

use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use std::fmt::Write;

/// `bytes` random bytes in hexadecimal.
pub fn random_hex(bytes: usize) -> String {
    let mut drawn = vec![0_u8; bytes];
    // The operating system's generator fails on no system that this runs on; zeroes would only make names collide.
    let _ = SystemRandom::new().fill(&mut drawn);
    hex(&drawn)
}

/// A random UUID, version 4.
pub fn random_uuid() -> String {
    uuid_from(&random_hex(16))
}

/// The same UUID for the same name: a test can write it down.
pub fn uuid_of(name: &str) -> String {
    uuid_from(&hex(digest::digest(&digest::SHA256, name.as_bytes()).as_ref()))
}

/// The bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The value of `X-Hub-Signature-256` for these bytes.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hex(hmac::sign(&key, body).as_ref()))
}

fn uuid_from(digits: &str) -> String {
    format!(
        "{}-{}-4{}-8{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        &digits[17..20],
        &digits[20..32]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's published vector.
    #[test]
    fn signs_as_github_does() {
        assert_eq!(
            signature("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }

    #[test]
    fn one_name_has_one_uuid() {
        assert_eq!(uuid_of("macos-15"), uuid_of("macos-15"));
        assert_ne!(uuid_of("macos-15"), uuid_of("macos-14"));
        assert_eq!(random_uuid().len(), 36);
    }
}
