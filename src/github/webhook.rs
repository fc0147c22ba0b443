//! A delivery's signature: the HMAC-SHA256 of its raw bytes, compared in constant time.
//!
//! GitHub: "Validating webhook deliveries"; the header is `X-Hub-Signature-256: sha256=<64 hex digits>`.
//! The older `X-Hub-Signature` (SHA-1) is never looked at.

use std::fmt;

use ring::hmac;

use crate::domain::secret::Secret;

const PREFIX: &str = "sha256=";

/// A webhook's secrets; while one is changed there are two, the old and the new.
#[derive(Clone)]
pub struct SigningKeys(Vec<hmac::Key>);

/// The bytes of a delivery that GitHub signed: the only thing that can be parsed.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    pub(super) body: &'a [u8],
}

/// Why a delivery is not GitHub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// No `X-Hub-Signature-256`.
    Missing,
    /// Not `sha256=` and 64 hex digits.
    Malformed,
    /// Signed with another secret, or changed on the way.
    Wrong,
}

impl SigningKeys {
    /// From the secrets; an empty one is no secret and left out.
    pub fn new(secrets: &[Secret]) -> SigningKeys {
        let given = secrets.iter().map(|secret| secret.expose().as_bytes()).filter(|bytes| !bytes.is_empty());
        SigningKeys(given.map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, bytes)).collect())
    }

    /// `body`, when the value of `X-Hub-Signature-256` is its signature under one of the secrets.
    pub fn verify<'a>(
        &self,
        signature: Option<&str>,
        body: &'a [u8],
    ) -> Result<Verified<'a>, SignatureFault> {
        let text = signature.ok_or(SignatureFault::Missing)?.trim();
        let digest = text.strip_prefix(PREFIX).and_then(bytes_of_hex).ok_or(SignatureFault::Malformed)?;
        let signed = self.0.iter().any(|key| hmac::verify(key, body, &digest).is_ok());
        if signed { Ok(Verified { body }) } else { Err(SignatureFault::Wrong) }
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKeys({})", self.0.len())
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({} bytes)", self.body.len())
    }
}

impl fmt::Display for SignatureFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SignatureFault::Missing => "no X-Hub-Signature-256 header",
            SignatureFault::Malformed => "X-Hub-Signature-256 is not sha256= and 64 hex digits",
            SignatureFault::Wrong => "X-Hub-Signature-256 does not match the body under any secret",
        })
    }
}

impl std::error::Error for SignatureFault {}

fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = (high? << 4 | low?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's own vector ("Testing the webhook payload validation").
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn keys(secrets: &[&str]) -> SigningKeys {
        SigningKeys::new(&secrets.iter().copied().map(Secret::new).collect::<Vec<_>>())
    }

    #[test]
    fn githubs_vector_verifies_under_any_of_the_secrets() {
        for secrets in [&["It's a Secret to Everybody"][..], &["new", "It's a Secret to Everybody"]] {
            assert_eq!(keys(secrets).verify(Some(SIGNATURE), BODY).unwrap().body, BODY);
        }
        let upper = format!("sha256={}", SIGNATURE[7..].to_uppercase());
        assert!(keys(&["It's a Secret to Everybody"]).verify(Some(&upper), BODY).is_ok());
    }

    #[test]
    fn anything_else_does_not() {
        let keys = keys(&["It's a Secret to Everybody", ""]);
        let fault = |signature: Option<&str>, body: &[u8]| keys.verify(signature, body).unwrap_err();
        assert_eq!(fault(None, BODY), SignatureFault::Missing);
        assert_eq!(fault(Some(SIGNATURE), b"Hello, World?"), SignatureFault::Wrong);
        let short = &SIGNATURE[..SIGNATURE.len() - 1];
        let sha1 = SIGNATURE.replace("sha256", "sha1");
        let bare = &SIGNATURE[7..];
        let odd = SIGNATURE.replace('7', "+");
        for malformed in ["", "sha256=", short, &sha1, bare, &odd, &SIGNATURE.replace('7', "ü")] {
            assert_eq!(fault(Some(malformed), BODY), SignatureFault::Malformed, "{malformed}");
        }
    }

    #[test]
    fn an_empty_secret_opens_nothing() {
        // HMAC-SHA256 of the body under the key "".
        let signed_with_nothing = "sha256=2bbcfa9524f3218c7a34b30e6936f8b1a4516cb097f1a85a1c7d98b5977ec769";
        let fault = keys(&[""]).verify(Some(signed_with_nothing), BODY).unwrap_err();
        assert_eq!(fault, SignatureFault::Wrong);
    }
}
