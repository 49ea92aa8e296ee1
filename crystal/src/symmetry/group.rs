//! Groups from generators.

use super::Operation;

/// No space group has more operations in a conventional cell: m-3m with F centring, 48 × 4.
const LARGEST_GROUP: usize = 192;

/// Every operation that products of these make, modulo lattice translations, identity first. `None`
/// where there would be more than any space group in a conventional cell has, so that the generators
/// belong to no space group.
#[must_use]
pub fn generate(generators: &[Operation]) -> Option<Vec<Operation>> {
    let mut group = vec![Operation::identity()];
    let mut next = 0;
    while next < group.len() {
        for generator in generators {
            let product = generator.compose(&group[next]);
            if !group.iter().any(|op| op.same(&product, TOLERANCE)) {
                // Rotations of infinite order grow without bound: stop before they overflow.
                if group.len() == LARGEST_GROUP || product.rotation.amax() > 1000 {
                    return None;
                }
                group.push(product);
            }
        }
        next += 1;
    }
    Some(group)
}

/// Whether two lists hold the same operations, in any order and modulo lattice translations.
pub(crate) fn same_set(a: &[Operation], b: &[Operation]) -> bool {
    let holds = |list: &[Operation], op: &Operation| list.iter().any(|o| o.same(op, TOLERANCE));
    a.len() == b.len() && a.iter().all(|op| holds(b, op)) && b.iter().all(|op| holds(a, op))
}

/// Translations that differ by less are the same: files give them with three decimals.
const TOLERANCE: f64 = 2e-3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generators_make_the_group() {
        let op = |text: &str| text.parse::<Operation>().unwrap();
        let group = generate(&[op("-x,-y,-z"), op("-x,y+1/2,-z+1/2")]).unwrap();
        let want = ["x,y,z", "-x,-y,-z", "-x,y+1/2,-z+1/2", "x,-y+1/2,z+1/2"].map(op);
        assert!(same_set(&group, &want));
        assert_eq!(group[0], Operation::identity());
        assert_eq!(generate(&[]).unwrap(), [Operation::identity()]);
    }

    #[test]
    fn what_is_no_space_group_ends() {
        let op = |text: &str| text.parse::<Operation>().unwrap();
        assert_eq!(generate(&[op("x+y,y,z")]), None);
        assert_eq!(generate(&[op("x+99y,y,z"), op("x,y+99x,z")]), None);
        assert_eq!(generate(&[op("x+0.00371,y,z")]), None);
    }
}
