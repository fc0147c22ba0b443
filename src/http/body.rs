//! The body of a request: by its length or in chunks, counted while it is read.

use std::time::Instant;

use super::budget::Held;
use super::head::Framing;
use super::inlet::{Inlet, Source};
use super::refusal::{Refusal, Trouble};

/// Most bytes of the line before a chunk; extensions are read past.
const SIZE_LINE: usize = 256;

/// Most bytes of all lines after the last chunk; they are read past.
const TRAILERS: usize = 4 << 10;

/// Refuses a length that is over the bound before a byte of the body is read.
pub fn admit(framing: Framing, most: usize) -> Result<(), Refusal> {
    match framing {
        Framing::Length(length) if length > most => Err(Refusal::BodyTooLong),
        _ => Ok(()),
    }
}

/// Reads the body that `framing` announces, at most `most` bytes.
pub fn read(
    inlet: &mut Inlet<impl Source>,
    framing: Framing,
    most: usize,
    held: &mut Held<'_>,
    deadline: Instant,
) -> Result<Vec<u8>, Trouble> {
    admit(framing, most)?;
    let mut body = Vec::new();
    match framing {
        Framing::Length(length) => inlet.pour(&mut body, length, deadline, |size| held.cover(size))?,
        Framing::Chunked => {
            loop {
                let size = chunk_size(&inlet.line(SIZE_LINE, deadline)?)?;
                if size == 0 {
                    break;
                }
                if size > most - body.len() {
                    return Err(Refusal::BodyTooLong.into());
                }
                inlet.pour(&mut body, size, deadline, |size| held.cover(size))?;
                if !inlet.line(0, deadline)?.is_empty() {
                    return Err(Refusal::Malformed("a chunk is longer than its size").into());
                }
            }
            pass_trailers(inlet, deadline)?;
        }
    }
    Ok(body)
}

/// The hexadecimal number before `;` or the end; `usize::MAX` stands for any number above.
fn chunk_size(line: &[u8]) -> Result<usize, Refusal> {
    let size = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    let all = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(size).ok().filter(|_| all);
    let text = text.ok_or(Refusal::Malformed("the size of a chunk is not a number"))?;
    Ok(usize::from_str_radix(text, 16).unwrap_or(usize::MAX))
}

fn pass_trailers(inlet: &mut Inlet<impl Source>, deadline: Instant) -> Result<(), Trouble> {
    let mut left = TRAILERS;
    loop {
        let line = inlet.line(left, deadline)?;
        if line.is_empty() {
            return Ok(());
        }
        left = left.saturating_sub(line.len() + 2);
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::inlet::Script;
    use super::*;

    fn told(framing: Framing, bytes: &[u8], bite: usize) -> Result<(Vec<u8>, Vec<u8>), Trouble> {
        let budget = Budget::new(1 << 20);
        let mut inlet = Inlet::new(Script(bytes, bite));
        let deadline = Instant::now();
        let body = read(&mut inlet, framing, 100, &mut budget.hold(), deadline)?;
        while inlet.more(deadline).unwrap() > 0 {}
        Ok((body, inlet.held().to_vec()))
    }

    fn chunked(bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
        told(Framing::Chunked, bytes, 7).map(|(body, _)| body)
    }

    #[test]
    fn both_framings_leave_the_next_request_alone_in_any_bites() {
        for bite in [1, 2, 3, 5, 1000] {
            let by_length = told(Framing::Length(9), b"Wikipedia" as &[u8], bite).unwrap();
            assert_eq!(by_length, (b"Wikipedia".to_vec(), b"".to_vec()), "{bite}");
            let text = b"4\r\nWiki\r\n5;ext=\"1\"\r\npedia\r\n0\r\nTrailer: a\r\n\r\nGET /";
            let in_chunks = told(Framing::Chunked, text, bite).unwrap();
            assert_eq!(in_chunks, (b"Wikipedia".to_vec(), b"GET /".to_vec()), "{bite}");
        }
    }

    #[test]
    fn a_body_is_counted_while_it_is_read() {
        assert!(told(Framing::Length(100), &[b'a'; 100], 9).is_ok());
        let too_long = Err(Trouble::Refused(Refusal::BodyTooLong));
        assert_eq!(told(Framing::Length(101), &[b'a'; 101], 9), too_long);
        let mut text = b"32\r\n".to_vec();
        text.extend([b'a'; 50]);
        text.extend(b"\r\n33\r\n");
        assert_eq!(chunked(&text), Err(Trouble::Refused(Refusal::BodyTooLong)));
        assert_eq!(chunked(b"ffffffffffffffffffff\r\n"), Err(Trouble::Refused(Refusal::BodyTooLong)));
    }

    #[test]
    fn chunks_that_two_readers_could_read_differently_are_malformed() {
        for text in [
            "\r\n",
            "x\r\n",
            " 1\r\na\r\n0\r\n\r\n",
            "-1\r\na\r\n0\r\n\r\n",
            "0x1\r\na\r\n0\r\n\r\n",
            "1 1\r\na\r\n0\r\n\r\n",
            "1\na\r\n0\r\n\r\n",
            "1\r\nab\r\n0\r\n\r\n",
            "1\r\na0\r\n\r\n",
            "1;a\rb\r\na\r\n0\r\n\r\n",
            "1;a\nb\r\na\r\n0\r\n\r\n",
            "1\r\na\r\n0\r\n",
        ] {
            let told = chunked(text.as_bytes());
            assert!(matches!(told, Err(Trouble::Refused(Refusal::Malformed(_)))), "{text:?}: {told:?}");
        }
    }

    #[test]
    fn endless_lines_and_trailers_end() {
        let line = [b"1;".to_vec(), vec![b'a'; 300]].concat();
        assert!(chunked(&line).is_err());
        let trailers = [b"0\r\n".to_vec(), b"a: b\r\n".repeat(TRAILERS)].concat();
        assert!(chunked(&trailers).is_err());
    }
}
