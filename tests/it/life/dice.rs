//! Chance that can be had again: the seed is printed, and `ANKLET_SEED` sets it.

/// Numbers by xorshift, the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `n`.
    pub fn roll(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.roll(from.len() as u64) as usize) }
    }
}

/// A seed for this run, or the one that `ANKLET_SEED` names.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
pub fn seed() -> u64 {
    let named = std::env::var("ANKLET_SEED").ok().and_then(|text| text.parse().ok());
    let fresh = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = named.unwrap_or_else(|| fresh().map_or(1, |since| since.as_nanos() as u64 >> 7));
    println!("ANKLET_SEED={seed}");
    seed
}
