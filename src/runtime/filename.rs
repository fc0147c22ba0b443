//! A plugin's name as a file's name: readable, and of every name another.

use std::fmt::Write;

/// ASCII letters, digits, `-`, `_` and `.` stay (a dot not at the front); every other byte becomes `%XX`.
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && at > 0);
        if plain {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_readable_and_leave_no_folder() {
        assert_eq!(encode("RUNNER-1_a.b"), "RUNNER-1_a.b");
        assert_eq!(encode("../x y"), "%2E.%2Fx%20y");
        assert_eq!(encode("ü%"), "%C3%BC%25");
    }
}
