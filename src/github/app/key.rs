//! An App's private key, and the short-lived token that it signs.
//!
//! GitHub, "Generating a JSON Web Token (JWT) for a GitHub App": RS256; `iat` 60 s in the past, `exp` at most ten
//! minutes ahead, `iss` the App.

use std::fmt;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;

use crate::domain::base64;
use crate::domain::secret::Secret;

/// `{"alg":"RS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";
/// Against clocks that differ.
const BEFORE: i64 = 60;
/// Ten minutes are the most; GitHub's clock may be ahead.
const AFTER: i64 = 480;

/// A key that can sign.
#[derive(Clone)]
pub(super) struct AppKey(Arc<KeyPair>);

impl AppKey {
    /// From PEM, in PKCS#1 (`RSA PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`).
    pub(super) fn from_pem(pem: &str) -> Option<AppKey> {
        let (_, rest) = pem.split_once("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let der = base64::decode(rest.split_once("-----END ")?.0)?;
        let pair = match label {
            "RSA PRIVATE KEY" => KeyPair::from_der(&der),
            "PRIVATE KEY" => KeyPair::from_pkcs8(&der),
            _ => return None,
        };
        Some(AppKey(Arc::new(pair.ok()?)))
    }

    /// The App's own token at `now` (seconds since 1970 by GitHub's clock). `None`: there is no random number.
    pub(super) fn token(&self, app: u64, now: i64) -> Option<Secret> {
        let claims = format!(r#"{{"iat":{},"exp":{},"iss":"{app}"}}"#, now - BEFORE, now + AFTER);
        let signed = format!("{HEADER}.{}", base64::encode_for_url(claims.as_bytes()));
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(Secret::new(format!("{signed}.{}", base64::encode_for_url(&signature))))
    }
}

/// Whether two texts are one key, in one form or in two.
pub fn is_same_key(one: &Secret, other: &Secret) -> bool {
    let public = |pem: &Secret| Some(AppKey::from_pem(pem.expose())?.0.public().as_ref().to_vec());
    one == other || public(one).is_some_and(|known| Some(known) == public(other))
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    const PKCS1: &str = include_str!("../../../tests/keys/app.pem");
    const PKCS8: &str = include_str!("../../../tests/keys/app.pkcs8.pem");

    #[test]
    fn both_forms_sign_what_the_public_key_confirms() {
        let text = |coded: &str| {
            let usual = coded.replace('-', "+").replace('_', "/");
            String::from_utf8(base64::decode(&usual).unwrap()).unwrap()
        };
        let tokens = [PKCS1, PKCS8].map(|pem| AppKey::from_pem(pem).unwrap().token(7, 1000).unwrap());
        assert_eq!(tokens[0], tokens[1], "one key in two forms");
        let secret = |text: &str| Secret::new(text.to_owned());
        assert!(is_same_key(&secret(PKCS1), &secret(PKCS8)) && !is_same_key(&secret(PKCS1), &secret("x")));
        let (signed, signature) = tokens[0].expose().rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        assert_eq!(text(header), r#"{"alg":"RS256","typ":"JWT"}"#);
        assert_eq!(text(claims), r#"{"iat":940,"exp":1480,"iss":"7"}"#);
        let key = AppKey::from_pem(PKCS1).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.0.public().as_ref().to_vec());
        let signature = base64::decode(&signature.replace('-', "+").replace('_', "/")).unwrap();
        assert!(public.verify(signed.as_bytes(), &signature).is_ok());
    }

    #[test]
    fn what_cannot_sign_is_no_key() {
        let wrong_label = PKCS8.replace("PRIVATE KEY", "RSA PRIVATE KEY");
        for pem in ["", "-----BEGIN PRIVATE KEY-----", &PKCS8[..800], &wrong_label] {
            assert!(AppKey::from_pem(pem).is_none(), "{pem}");
        }
    }
}
