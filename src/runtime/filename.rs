//! File names made of names that people choose.

use std::fmt::Write;

/// `name` as one component of a path: ASCII letters, digits, `-`, `_` and `.` stay, everything else (and a
/// leading dot) becomes `%` and two hexadecimal digits a byte. Different names give different files.
pub fn encode(name: &str) -> String {
    let mut file = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && at > 0) {
            file.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(file, "%{byte:02X}");
        }
    }
    file
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
