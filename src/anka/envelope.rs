//! Anka's machine-readable answer: `{"status":"OK"|"ERROR","code":N,"message":"…","body":…}` on one line.
//!
//! It is the last line that is one; what comes before (progress) or after (warnings of a wrapper) is skipped.
//! `code`, `message` and `body` may be absent, unknown fields are ignored, and bytes need not be UTF-8.

use serde_json::Value;

use super::error::{AnkaError, for_people};

/// How many lines behind the answer are looked through.
const LOOK_BACK: usize = 16;
/// How much of an output can hold what is shown of it, in bytes, with secrets still whole.
const SHOWN: usize = 64 << 10;

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Whether the status is OK.
    pub ok: bool,
    /// Anka's code.
    pub code: Option<i64>,
    /// Anka's words; empty when absent.
    pub message: String,
    /// What was asked for; null when absent.
    pub body: Value,
}

/// The answer in a child's output.
fn find(output: &[u8]) -> Option<Answer> {
    lines_from_the_end(output).take(LOOK_BACK).find_map(read)
}

/// The answer in the last line, for a child whose output may be anybody's.
pub fn last(output: &[u8]) -> Option<Answer> {
    lines_from_the_end(output).next().and_then(read)
}

fn lines_from_the_end(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.rsplit(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// The body of a good answer. `exit` is the child's exit code, none when a signal ended it.
pub fn body(output: &[u8], errors: &[u8], exit: Option<i32>) -> Result<Value, AnkaError> {
    let Some(answer) = find(output) else { return Err(garbage(output, errors, exit)) };
    match (answer.ok, exit) {
        (true, Some(0)) => Ok(answer.body),
        (true, None) => Err(garbage(output, errors, exit)),
        (true, Some(exit)) => Err(AnkaError::answered(exit.into(), &answer.message)),
        (false, _) => Err(answer.into_error(exit)),
    }
}

impl Answer {
    /// What an ERROR says. Without a code of Anka's the exit code stands for it.
    pub fn into_error(self, exit: Option<i32>) -> AnkaError {
        let code = self.code.unwrap_or_else(|| exit.unwrap_or(-1).into());
        AnkaError::answered(code, &self.message)
    }
}

/// A body of another shape than the call's.
pub fn misshapen(call: &str, body: &Value) -> AnkaError {
    let output = for_people(&body.to_string());
    AnkaError::Garbage { ended: format!("a body that no {call} has"), output }
}

/// The end of an output, as text that is still to be cleaned.
pub fn end_of(output: &[u8]) -> String {
    let end = &output[output.len().saturating_sub(SHOWN)..];
    String::from_utf8_lossy(end).into_owned()
}

fn garbage(output: &[u8], errors: &[u8], exit: Option<i32>) -> AnkaError {
    let ended = exit.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}"));
    let said = if errors.trim_ascii().is_empty() { output } else { errors };
    AnkaError::Garbage { ended, output: for_people(&end_of(said)) }
}

fn read(line: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(line);
    let Ok(Value::Object(mut fields)) = serde_json::from_str(&text) else { return None };
    let status = fields.get("status")?.as_str()?;
    let ok = status.eq_ignore_ascii_case("OK");
    if !ok && !status.eq_ignore_ascii_case("ERROR") {
        return None;
    }
    let message = fields.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    let code = fields.get("code").and_then(Value::as_i64);
    Some(Answer { ok, code, message, body: fields.remove("body").unwrap_or(Value::Null) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(output: &[u8], exit: Option<i32>) -> String {
        match body(output, b"", exit) {
            Ok(value) => value.to_string(),
            Err(e) => format!("{e:?}"),
        }
    }

    #[test]
    fn answers_and_what_they_mean() {
        let cases: &[(&[u8], Option<i32>, &str)] = &[
            (b"{\"status\":\"OK\",\"body\":[1],\"new\":{}}\n", Some(0), "[1]"),
            (b"{\"status\":\"OK\"}", Some(0), "null"),
            (b"{\"progress\":1}\r\n\n{\"status\":\"OK\",\"body\":2}\r\n\n", Some(0), "2"),
            (b"{\"status\":\"OK\",\"body\":2}\nwarning: \xff\n", Some(0), "2"),
            (b"{\"status\":\"OK\",\"message\":\"\xff\"}", Some(0), "null"),
            (b"{\"status\":\"ERROR\",\"code\":3,\"message\":\"fine\"}", Some(0), "NotThere(\"fine\")"),
            (b"{\"status\":\"ERROR\"}", Some(18), "NameTaken(\"\")"),
            (b"{\"status\":\"ERROR\"}", None, "Failed { code: -1, message: \"\" }"),
            (b"{\"status\":\"OK\"}", Some(7), "Failed { code: 7, message: \"\" }"),
            (b"{\"status\":\"ERROR\",\"code\":\"x\"}", Some(1), "Failed { code: 1, message: \"\" }"),
        ];
        for (output, exit, want) in cases {
            assert_eq!(outcome(output, *exit), *want, "{}", output.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_answer_is_garbage_with_the_exit_and_the_end_of_it() {
        let flood = vec![b'x'; 3 << 20];
        let cases: &[(&[u8], Option<i32>)] = &[
            (b"", Some(0)),
            (b"\n\n", Some(1)),
            (b"Segmentation fault", None),
            (b"{\"status\":\"OK\"}", None),
            (b"{\"status\":\"OK\",\"body\":[", Some(0)),
            (b"[{\"status\":\"OK\"}]", Some(0)),
            (b"{\"status\":5}", Some(0)),
            (b"{\"status\":\"running\"}", Some(0)),
            (&flood, Some(0)),
        ];
        for (output, exit) in cases {
            let error = body(output, b"", *exit).unwrap_err();
            assert!(matches!(error, AnkaError::Garbage { .. }), "{error:?}");
            assert!(error.to_string().len() < 3000);
        }
        let error = body(b"out", b"the reason\n", Some(2)).unwrap_err();
        assert_eq!(error.to_string(), "anka gave no answer that can be read (exit code 2): the reason");
    }

    #[test]
    fn a_deeply_nested_answer_is_garbage_not_an_overflow() {
        let nested = [b"{\"status\":\"OK\",\"body\":".to_vec(), vec![b'['; 500_000]].concat();
        assert!(body(&nested, b"", Some(0)).is_err());
    }
}
