//! Deliveries in GitHub's other content type: `application/x-www-form-urlencoded`, with the JSON in `payload`.

/// Whether this `Content-Type` says so.
pub(super) fn is_form(content_type: Option<&str>) -> bool {
    let kind = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The value of `payload`, decoded.
pub(super) fn payload(body: &[u8]) -> Option<Vec<u8>> {
    let mut fields = body.split(|&b| b == b'&');
    decoded(fields.find_map(|field| field.strip_prefix(b"payload="))?)
}

/// `+` is a blank, `%xx` a byte.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            plain => plain,
        });
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_found_and_decoded() {
        assert_eq!(
            payload(b"a=1&payload=%7B%22x%22%3A+%22%C3%BC%22%7D&b=2").unwrap(),
            "{\"x\": \"ü\"}".as_bytes()
        );
        assert_eq!(payload(b"payload=").unwrap(), b"");
        for bad in [&b""[..], b"{}", b"xpayload=1", b"payload=%", b"payload=%4", b"payload=%g0"] {
            assert_eq!(payload(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_content_type_decides() {
        assert!(is_form(Some("Application/x-www-form-urlencoded; charset=utf-8")));
        assert!(!is_form(Some("application/json")) && !is_form(None));
    }
}
