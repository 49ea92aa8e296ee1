//! The best assignments, found group by group.

use cellwright_crystal::{Element, Structure};

use super::{Question, fill};
use crate::ModelError;
use crate::tasks::mender::{Mended, Mender, check};

/// Assignments that are kept while groups are named.
const WIDTH: usize = 16;

/// Elements below this chance are not looked at further, where it is not the last group.
const LEAST: f64 = 1e-6;

/// An assignment with what the model says of it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// In the order of the groups.
    pub(super) elements: Vec<Element>,
    /// Logarithm of the product of the conditional chances.
    pub(super) log_chance: f64,
}

/// An assignment of the groups named so far.
struct Partial {
    structure: Structure,
    chosen: Vec<Option<Element>>,
    log_chance: f64,
}

/// Assignments of all groups: of the [`WIDTH`] best ones of all groups but one, with every element on that one.
pub(super) fn search(
    mender: &dyn Mender,
    question: &Question,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<Found>, ModelError> {
    let mut beam = vec![Partial {
        structure: question.structure.clone(),
        chosen: vec![None; question.groups.len()],
        log_chance: 0.0,
    }];
    let mut left: Vec<usize> = (0..question.groups.len()).collect();
    while !left.is_empty() {
        if cancelled() {
            return Err(ModelError::Cancelled);
        }
        let cells: Vec<Structure> = beam.iter().map(|p| p.structure.clone()).collect();
        let mended = mender.mend(&cells, cancelled)?;
        if mended.len() != beam.len() {
            return Err(ModelError::Unsupported("the model gave no answer".to_owned()));
        }
        for (cell, mended) in cells.iter().zip(&mended) {
            check(mended, cell)?;
        }
        // The best assignment decides which group is next: all have to name the same one.
        let surest = left.iter().enumerate().map(|(place, group)| {
            (place, doubt(&chances(&mended[0], &question.groups[*group], &question.allowed)))
        });
        let place = surest.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(place, _)| place);
        let group = left.swap_remove(place);
        let sites = &question.groups[group];
        let last = left.is_empty();
        let mut next: Vec<Partial> = Vec::new();
        for (partial, mended) in beam.iter().zip(&mended) {
            let chances = chances(mended, sites, &question.allowed);
            if chances.is_empty() {
                return Err(ModelError::Unsupported(format!(
                    "the model has seen none of {}",
                    symbols(&question.allowed)
                )));
            }
            for (element, chance) in chances.into_iter().filter(|(_, p)| last || *p > LEAST) {
                let mut structure = partial.structure.clone();
                fill(&mut structure, sites, element);
                let mut chosen = partial.chosen.clone();
                chosen[group] = Some(element);
                next.push(Partial {
                    structure,
                    chosen,
                    log_chance: partial.log_chance + chance.max(f64::MIN_POSITIVE).ln(),
                });
            }
        }
        next.sort_by(|a, b| b.log_chance.total_cmp(&a.log_chance));
        if !last {
            next.truncate(WIDTH);
        }
        beam = next;
    }
    let found = beam.into_iter().filter_map(|p| {
        let elements = p.chosen.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Found { elements, log_chance: p.log_chance })
    });
    Ok(found.collect())
}

/// Chances of the allowed elements on sites that take one together: the geometric mean over the sites, made to add up to one.
/// Sites that symmetry makes equal get the chances of each; where sites disagree, what all can live with counts.
fn chances(mended: &Mended, sites: &[usize], allowed: &[Element]) -> Vec<(Element, f64)> {
    let log = |site: &usize, e: Element| mended.probability(*site, e).max(f64::MIN_POSITIVE).ln();
    let mean = |e: Element| sites.iter().map(|s| log(s, e)).sum::<f64>() / sites.len() as f64;
    let logs: Vec<(Element, f64)> = Element::all()
        .filter(|e| allowed.is_empty() || allowed.contains(e))
        .filter(|e| sites.iter().any(|s| mended.probability(*s, *e) > 0.0))
        .map(|e| (e, mean(e)))
        .collect();
    let highest = logs.iter().map(|(_, l)| *l).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logs.iter().map(|(_, l)| (l - highest).exp()).sum();
    logs.into_iter().map(|(e, l)| (e, (l - highest).exp() / total)).collect()
}

/// How unsure chances are: their entropy (nat).
fn doubt(chances: &[(Element, f64)]) -> f64 {
    chances.iter().filter(|(_, p)| *p > 0.0).map(|(_, p)| -p * p.ln()).sum()
}

fn symbols(elements: &[Element]) -> String {
    elements.iter().map(|e| e.symbol()).collect::<Vec<_>>().join(", ")
}
