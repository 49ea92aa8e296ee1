//! The order of candidates whose chances are known and of those whose chances nobody knows.

use std::collections::VecDeque;

/// Every so many places one is for what has no chance of its own.
const EVERY: usize = 4;

/// The ranked ones in their order, with one of the others at every fourth place as long as there are any: a sample or a relaxed
/// random structure has no probability that could be compared, but is worth being seen.
pub(crate) fn interleaved<T>(ranked: Vec<T>, others: Vec<T>) -> Vec<T> {
    let (mut ranked, mut others) = (VecDeque::from(ranked), VecDeque::from(others));
    let mut list = Vec::with_capacity(ranked.len() + others.len());
    loop {
        let is_other = (list.len() + 1).is_multiple_of(EVERY);
        let [first, second] =
            if is_other { [&mut others, &mut ranked] } else { [&mut ranked, &mut others] };
        match first.pop_front().or_else(|| second.pop_front()) {
            Some(one) => list.push(one),
            None => return list,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fourth_place_is_for_others() {
        let list = |ranked: &str, others: &str| -> String {
            interleaved(ranked.chars().collect(), others.chars().collect()).into_iter().collect()
        };
        assert_eq!(list("abcdefg", "xyz"), "abcxdefygz");
        assert_eq!(list("ab", "xyz"), "abxyz");
        assert_eq!(list("", "xy"), "xy");
        assert_eq!(list("abcde", ""), "abcde");
    }
}
