//! Different structures out of many proposals.

use cellwright_crystal::matching::Prepared;

use super::Draft;
use crate::eval::csp::matcher;

/// Chances below this are not looked for among what is left once the list is full.
const NEGLIGIBLE: f64 = 1e-3;

/// Geometries of one structure that are this near to each other (rms in units of (V/N)^⅓) are not worth two places.
const VARIANT: f64 = 0.01;

/// Drafts that are different structures, at most so many, in order of probability; drafts come in that order. The first of
/// each kind gets the probability of all of it, but for what is negligible.
///
/// Where there are fewer different ones, other geometries of the same structures follow, in the order of the drafts and
/// without a probability of their own: a matcher takes them for one structure, relaxing them may not.
#[must_use]
pub fn distinct(drafts: Vec<Draft>, most: usize) -> Vec<Draft> {
    let matcher = matcher();
    let mut kept: Vec<(Draft, Prepared)> = Vec::new();
    let mut again: Vec<(Draft, Prepared, usize)> = Vec::new();
    for draft in drafts {
        if kept.len() >= most && draft.probability.unwrap_or(0.0) < NEGLIGIBLE {
            break;
        }
        // What is no crystal is no answer.
        let Ok(prepared) = matcher.prepare(&draft.structure) else { continue };
        match kept.iter().position(|(_, other)| matcher.fit(other, &prepared)) {
            Some(home) => {
                if let (Some(sum), Some(more)) = (&mut kept[home].0.probability, draft.probability)
                {
                    *sum += more;
                }
                again.push((draft, prepared, home));
            }
            None => kept.push((draft, prepared)),
        }
    }
    let mut variants: Vec<(Draft, Prepared, usize)> = Vec::new();
    for (mut draft, prepared, home) in again {
        if kept.len() + variants.len() >= most {
            break;
        }
        let near = |other: &Prepared| {
            matcher.rms(other, &prepared).is_some_and(|found| found.rms < VARIANT)
        };
        let listed = variants.iter().filter(|v| v.2 == home).any(|v| near(&v.1));
        if !listed && !near(&kept[home].1) {
            draft.probability = None;
            variants.push((draft, prepared, home));
        }
    }
    let mut drafts: Vec<Draft> = kept.into_iter().map(|(draft, _)| draft).collect();
    let chance = |draft: &Draft| draft.probability.unwrap_or(0.0);
    drafts.sort_by(|a, b| chance(b).total_cmp(&chance(a)));
    drafts.extend(variants.into_iter().map(|(draft, ..)| draft));
    drafts.truncate(most);
    drafts
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::{Element, Lattice, Site, Structure};
    use nalgebra::Vector3;

    use super::*;
    use crate::tasks::predict::Source;

    /// Caesium chloride, its chlorine moved along the diagonal; with 0.25 it is as zinc blende in this cell.
    fn salt(shift: f64, probability: Option<f64>) -> Draft {
        let site = |symbol: &str, x: f64| {
            Site::new(symbol.parse::<Element>().unwrap(), Vector3::new(x, x, x))
        };
        let lattice = Lattice::from_parameters([4.1; 3], [90.0; 3]).unwrap();
        let structure =
            Structure { lattice, sites: vec![site("Cs", 0.0), site("Cl", 0.5 + shift)] };
        let source = Source::Prototype { id: format!("{shift}"), formula: "CsCl".into() };
        Draft { structure, source, probability }
    }

    #[test]
    fn one_of_each_kind_and_then_other_geometries() {
        let mut other = salt(0.0, Some(0.3));
        other.structure.lattice = Lattice::from_parameters([4.0; 3], [60.0; 3]).unwrap();
        let drafts = || {
            vec![
                salt(0.0, Some(0.4)),
                other.clone(),
                salt(0.06, Some(0.2)),
                salt(0.0601, None),
                salt(0.03, None),
            ]
        };
        let ids = |list: &[Draft]| -> Vec<(String, Option<f64>)> {
            let id = |d: &Draft| match &d.source {
                Source::Prototype { id, .. } => id.clone(),
                _ => String::new(),
            };
            list.iter().map(|d| (id(d), d.probability.map(|p| (p * 1e6).round() / 1e6))).collect()
        };
        let two = distinct(drafts(), 2);
        assert_eq!(ids(&two), [("0".into(), Some(0.6)), ("0".into(), Some(0.3))]);
        // The fourth is the third again.
        let all = distinct(drafts(), 9);
        assert_eq!(ids(&all)[..2], ids(&two));
        assert_eq!(ids(&all)[2..], [("0.06".into(), None), ("0.03".into(), None)]);
        assert_eq!(distinct(drafts(), 3).len(), 3);
        assert!(distinct(Vec::new(), 3).is_empty());
    }
}
