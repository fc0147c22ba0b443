//! What a host's machine looks like at one moment: plain data, measured by `host` and shown by `metrics`.

/// The figures of CPU, memory and disk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Logical CPUs.
    pub cpu_count: u64,
    /// How busy they were, in percent of all of them.
    pub cpu_usage_percentage: f64,
    /// The machine's memory.
    pub memory: Space,
    /// The disk that holds the daemon's folder.
    pub disk: Space,
}

/// A space of bytes: used and available make the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// All of it, in bytes.
    pub total: u64,
    /// What is still to be had, in bytes.
    pub available: u64,
}

impl Figures {
    /// CPUs that were busy, whole ones only.
    pub fn cpu_used_count(&self) -> u64 {
        (self.cpu_count as f64 * self.cpu_usage_percentage / 100.0) as u64
    }
}

impl Space {
    /// What is not available, in bytes.
    pub fn used(self) -> u64 {
        self.total.saturating_sub(self.available)
    }

    /// Used, in percent of the total.
    pub fn usage_percentage(self) -> f64 {
        if self.total == 0 { 0.0 } else { self.used() as f64 / self.total as f64 * 100.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of the ordering document's example.
    #[test]
    fn the_arithmetic_is_that_of_the_order() {
        let memory = Space { total: 38_654_705_664, available: 15_629_500_416 };
        assert_eq!(memory.used(), 23_025_205_248);
        assert!((memory.usage_percentage() - 59.566_370_646_158_85).abs() < 1e-9);
        let used = |cpu_count, cpu_usage_percentage| {
            Figures { cpu_count, cpu_usage_percentage, ..Figures::default() }.cpu_used_count()
        };
        assert_eq!((used(12, 5.572), used(12, 10.674), used(8, 20.96), used(12, 11.76)), (0, 1, 1, 1));
        assert!(Space::default().usage_percentage().abs() < f64::EPSILON);
    }
}
