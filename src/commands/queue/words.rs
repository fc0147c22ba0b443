//! Times and names, for people.

use std::time::Duration;

use super::report::Who;
use crate::domain::ids::{JobId, Millis};

/// How long, in one unit: `40 s`, `3 min`, `5 h`, `2 d`.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", seconds / 60),
        6_000..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// From `earlier` to `later`.
pub fn since(later: Millis, earlier: Millis) -> String {
    time(later.since(earlier))
}

/// `job 1`, `jobs 1, 2`.
pub fn ids(jobs: &[JobId]) -> String {
    let many: Vec<String> = jobs.iter().map(JobId::to_string).collect();
    format!("{} {}", if many.len() == 1 { "job" } else { "jobs" }, many.join(", "))
}

/// Thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `PLUGIN on HOST`.
pub fn name(who: &Who) -> String {
    plain(&format!("{} on {}", who.plugin, host(who)))
}

/// The host's own name, else its id.
pub fn host(who: &Who) -> &str {
    if who.host_name.is_empty() { &who.host } else { &who.host_name }
}

/// Without what would move a terminal's cursor or turn its text round: labels and names come from workflows.
pub fn plain(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if harmful(c) { '\u{fffd}' } else { c }).collect()
}

/// A row of cells, each as wide as its column, the last as long as it is.
pub fn row(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        line.push_str(cell);
        if at + 1 < cells.len() {
            let pad = widths[at].saturating_sub(cell.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', pad));
        }
    }
    line.trim_end().to_owned()
}

/// The widest cell of each column, the header among them.
pub fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max();
    (0..columns).map(|column| wide(column).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_that_says_enough() {
        let cases =
            [(0, "0 s"), (99, "99 s"), (100, "1 min"), (5999, "99 min"), (6000, "1 h"), (172_800, "2 d")];
        for (seconds, want) in cases {
            assert_eq!(time(Duration::from_secs(seconds)), want);
        }
        assert_eq!(since(Millis(1), Millis(5000)), "0 s");
        assert_eq!([count(7), count(999), count(1000), count(1_234_567)], ["7", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_a_workflow_says_moves_no_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\n\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
        assert_eq!(plain("größer — 漢"), "größer — 漢");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["JOB".into(), "X".into(), "Y".into()], vec!["1".into(), "long".into(), "z".into()]];
        let widths = widths(&rows);
        assert_eq!(row(&rows[0], &widths), "JOB  X     Y");
        assert_eq!(row(&rows[1], &widths), "1    long  z");
    }
}
