//! Bytes that nobody can foretell, from the system.

use ring::rand::{SecureRandom, SystemRandom};

/// `N` random bytes.
///
/// # Panics
/// When the system has no source of randomness, without which no name of a VM would be its own.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A random number, all of its 64 bits.
///
/// # Panics
/// As [`bytes`].
pub fn number() -> u64 {
    u64::from_be_bytes(bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_never_equal() {
        assert_ne!(bytes::<16>(), bytes::<16>());
        assert_ne!(number(), number());
    }
}
