//! Orders of a few things.

/// Every order of the numbers from 0 to `n` − 1 that leaves `same(place, number)` true at every place, as long as
/// `visit` says go on.
pub(super) fn permutations(
    n: usize,
    same: &dyn Fn(usize, usize) -> bool,
    visit: &mut dyn FnMut(&[usize]) -> bool,
) {
    let mut order = Vec::with_capacity(n);
    let mut used = vec![false; n];
    extend(n, same, &mut order, &mut used, visit);
}

fn extend(
    n: usize,
    same: &dyn Fn(usize, usize) -> bool,
    order: &mut Vec<usize>,
    used: &mut [bool],
    visit: &mut dyn FnMut(&[usize]) -> bool,
) -> bool {
    if order.len() == n {
        return visit(order);
    }
    for number in 0..n {
        if used[number] || !same(order.len(), number) {
            continue;
        }
        used[number] = true;
        order.push(number);
        let go_on = extend(n, same, order, used, visit);
        order.pop();
        used[number] = false;
        if !go_on {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equals_change_places() {
        let counts = [1, 1, 3, 3];
        let mut all = Vec::new();
        let same = |a: usize, b: usize| counts[a] == counts[b];
        permutations(4, &same, &mut |p| {
            all.push(p.to_vec());
            true
        });
        assert_eq!(all, [[0, 1, 2, 3], [0, 1, 3, 2], [1, 0, 2, 3], [1, 0, 3, 2]]);
        let mut seen = 0;
        permutations(9, &|_, _| true, &mut |_| {
            seen += 1;
            seen < 100
        });
        assert_eq!(seen, 100);
    }
}
