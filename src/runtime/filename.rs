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
    fn no_name_leaves_the_folder_or_meets_another() {
        let names = ["RUNNER1", "a/b", "a%2Fb", "..", ".", ".hidden", "v1.2-x_y", "ä b", ""];
        let files: Vec<String> = names.iter().map(|n| encode(n)).collect();
        let want = ["RUNNER1", "a%2Fb", "a%252Fb", "%2E.", "%2E", "%2Ehidden", "v1.2-x_y", "%C3%A4%20b", ""];
        assert_eq!(files, want);
    }
}
