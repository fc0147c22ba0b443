//! Base64 (RFC 4648): reading the usual alphabet, writing that one and the one of URLs.

const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const USUAL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes; white space and padding are passed over. `None`: another letter is in it.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for c in text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=') {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

/// In the alphabet of URLs, without padding, as a JSON Web Token has it.
pub fn encode_for_url(bytes: &[u8]) -> String {
    written(bytes, URL)
}

/// In the usual alphabet, with padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = written(bytes, USUAL);
    text.extend(std::iter::repeat_n('=', text.len().next_multiple_of(4) - text.len()));
    text
}

fn written(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let all = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        let six = |n: usize| char::from(alphabet[(all >> (18 - 6 * n) & 63) as usize]);
        text.extend((0..=chunk.len()).map(six));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_both_ways() {
        let cases = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("\u{fb}\u{ff}", "w7vDvw"),
        ];
        for (plain, coded) in cases {
            assert_eq!(encode_for_url(plain.as_bytes()), coded);
            assert_eq!(decode(coded).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(encode_for_url(&[0xFB, 0xEF, 0xFF]), "--__");
        assert_eq!(decode("++//"), Some(vec![0xFB, 0xEF, 0xFF]));
        assert_eq!(decode(" Zm\n9v==\r\n"), Some(b"foo".to_vec()));
        assert_eq!(decode("Zm9v-"), None);
    }

    #[test]
    fn every_length_is_read_back() {
        for len in 0..70_u8 {
            let bytes: Vec<u8> = (0..len).map(|n| n.wrapping_mul(37)).collect();
            let (usual, for_url) = (encode(&bytes), encode_for_url(&bytes));
            assert_eq!(usual.trim_end_matches('='), for_url.replace('-', "+").replace('_', "/"));
            assert_eq!(usual.len() % 4, 0);
            assert_eq!(decode(&usual), Some(bytes));
        }
    }
}
