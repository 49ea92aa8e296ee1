//! What a misspelled word was meant to be.

/// The only one of several words that `word` can be a misspelling of: it differs in fewer than a third
/// of its letters, or is one or more of its first syllables (`charge` for `charge-imbalance`).
pub(crate) fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    let mut ranked: Vec<(usize, &str)> = words
        .filter_map(|candidate| {
            let distance = distance(&word, candidate);
            let begins = candidate.strip_prefix(&word).is_some_and(|rest| rest.starts_with('-'));
            let near = begins || 3 * distance < candidate.chars().count();
            near.then_some((if begins { 0 } else { distance }, candidate))
        })
        .collect();
    ranked.sort();
    match ranked.as_slice() {
        [(_, only)] => Some(only),
        [(best, one), (next, _), ..] if best < next => Some(one),
        _ => None,
    }
}

/// How many letters must be put in, left out, changed or exchanged with their neighbour (the optimal
/// string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            rows[i][j] = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_once() {
        for (a, b, wanted) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("volume", "volmue", 1),
            ("kitten", "sitting", 3),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(a, b), wanted, "{a} {b}");
            assert_eq!(distance(b, a), wanted, "{b} {a}");
        }
    }

    #[test]
    fn only_what_can_be_meant_is_suggested() {
        let codes = ["short-distance", "cell-volume", "cell-missing", "charge-imbalance"];
        let near = |word| nearest(word, codes.into_iter());
        assert_eq!(near("short-distence"), Some("short-distance"));
        assert_eq!(near("Short_Distance"), Some("short-distance"));
        assert_eq!(near("charge"), Some("charge-imbalance"));
        assert_eq!(near("cell"), None);
        assert_eq!(near("because"), None);
    }
}
