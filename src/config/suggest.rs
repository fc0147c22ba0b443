//! The known name that is nearest to a mistyped one.

/// The nearest of the candidates, each with what is to be said of it. They come in order of preference: of equally
/// near ones the first wins.
pub(super) fn nearest<'c, T>(
    name: &str,
    candidates: impl Iterator<Item = (&'c str, T)>,
) -> Option<(usize, T)> {
    let name = plain(name);
    candidates.map(|(candidate, said)| (distance(&name, &plain(candidate)), said)).min_by_key(|(far, _)| *far)
}

/// Case and separators do not count: `logFileDir`, `log_file_dir` and `log.file_dir` are near.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that make one of the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_their_key() {
        let known = ["port", "token", "log.file_dir", "sleep_interval"];
        let cases = [("prot", "port"), ("logFileDir", "log.file_dir"), ("sleep_intervall", "sleep_interval")];
        for (typed, meant) in cases {
            assert_eq!(
                nearest(typed, known.into_iter().map(|n| (n, n))).map(|(_, n)| n),
                Some(meant),
                "{typed}"
            );
        }
        assert_eq!(nearest("prot", known.into_iter().map(|n| (n, ()))), Some((1, ())));
        assert_eq!(nearest::<()>("x", [].into_iter()), None);
    }
}
