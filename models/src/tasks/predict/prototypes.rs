//! Known structures as proposals.

use cellwright_crystal::cells::standard;
use cellwright_crystal::{Element, Structure};

use super::generator::{Draft, Generator};
use super::polymorphs::polymorphs;
use super::{Request, SYMPREC, Source};
use crate::ModelError;
use crate::prototypes::ranker::Ranker;
use crate::prototypes::{Hit, Library, Question};

/// Classes and assignments that are ranked: as many as the ranker was trained with.
const HITS: usize = 48;

/// The same in cells that hold a fraction of the one given, and of structures with two elements on the places of one.
const MORE: usize = 24;

/// Chance that a crystal's cell is, within the tolerance of the matcher, several cells of a smaller structure: 12 of 1000
/// crystals of `mp_20/val`, 12 of 600 of `mpts_52/val`.
const REDUCIBLE: f64 = 0.015;

/// Chance that one of [`MORE`] structures with two elements on the places of one is right where no other is: 3 of 36
/// crystals of `mp_20/val`, 17 of 281 of `mpts_52/val`.
const PARTIAL: f64 = 0.07;

/// Scale (Mendeleev numbers) on which the nearer of these are likelier.
const PARTIAL_SCALE: f64 = 10.0;

/// Formula units that are tried where no known structure has the ratio of the elements: structures with two elements on the places
/// of one have to do.
const UNITS: [u32; 3] = [1, 2, 4];

/// Known structures and what ranks them.
#[derive(Debug, Clone)]
pub struct Prototypes {
    /// The known structures.
    pub library: Library,
    /// Without it the nearest in chemistry is first, and there are no probabilities.
    pub ranker: Option<Ranker>,
}

impl Prototypes {
    /// Structures for a question, the likeliest first. Where there are fewer than twice `answers`, the geometries of other
    /// members of the same classes follow, the chemically nearest first, without a probability: most of them repeat a
    /// structure a little differently.
    ///
    /// # Errors
    /// When the ranker fails.
    pub fn ranked(&self, question: &Question, answers: usize) -> Result<Vec<Draft>, ModelError> {
        let (mut hits, mut chances) = self.chances(question, HITS)?;
        let none = 1.0 - chances.iter().flatten().sum::<f64>();
        if let Some(smaller) = question.smaller() {
            let (more, total) = self.library.query(&smaller, MORE);
            let likely = self.rank(&smaller, &more, total)?;
            chances.iter_mut().flatten().for_each(|chance| *chance *= 1.0 - REDUCIBLE);
            chances.extend(likely.into_iter().map(|chance| Some(chance? * REDUCIBLE)));
            hits.extend(more);
        }
        let partial = self.library.query_partial(question, MORE);
        let weight = |hit: &Hit| (-hit.near[0].cost / PARTIAL_SCALE).exp();
        let sum: f64 = partial.iter().map(weight).sum::<f64>().max(f64::MIN_POSITIVE);
        let share = (1.0 - REDUCIBLE) * none * PARTIAL / sum;
        chances.extend(partial.iter().map(|h| self.ranker.as_ref().map(|_| share * weight(h))));
        hits.extend(partial);
        let mut order: Vec<usize> = (0..hits.len()).collect();
        order.sort_by(|a, b| chances[*b].unwrap_or(0.0).total_cmp(&chances[*a].unwrap_or(0.0)));
        let drafts = order.into_iter().map(|i| self.draft(&hits[i], 0, chances[i]));
        let mut others: Vec<(&Hit, usize)> =
            hits.iter().flat_map(|hit| (1..hit.near.len()).map(move |rank| (hit, rank))).collect();
        let cost = |(hit, rank): &(&Hit, usize)| hit.near[*rank].cost;
        others.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        others.truncate((2 * answers).saturating_sub(hits.len()));
        drafts.chain(others.into_iter().map(|(hit, rank)| self.draft(hit, rank, None))).collect()
    }

    /// Hits for a question with the chance of each: of known crystals of the formula by their stability, of others by the ranker, as
    /// if these were not known.
    fn chances(
        &self,
        question: &Question,
        most: usize,
    ) -> Result<(Vec<Hit>, Vec<Option<f64>>), ModelError> {
        let (hits, total) = self.library.query(question, most);
        let known = polymorphs(&self.library, &hits);
        if known.is_empty() || self.ranker.is_none() {
            let ranked = self.rank(question, &hits, total)?;
            return Ok((hits, ranked));
        }
        let left = 1.0 - known.iter().map(|(_, chance)| chance).sum::<f64>();
        let mut others = question.clone();
        others.without_itself = true;
        let room = most.saturating_sub(known.len()).max(most / 2);
        let (others, total) = self.library.query(&others, room);
        let ranked = self.rank(question, &others, total)?;
        let mut chances: Vec<_> = known.iter().map(|(_, chance)| Some(*chance)).collect();
        chances.extend(ranked.into_iter().map(|chance| Some(left * chance?)));
        let known = known.into_iter().map(|(i, _)| hits[i].clone());
        Ok((known.chain(others).collect(), chances))
    }

    /// What the ranker makes of hits.
    fn rank(
        &self,
        question: &Question,
        hits: &[Hit],
        total: usize,
    ) -> Result<Vec<Option<f64>>, ModelError> {
        let Some(ranker) = &self.ranker else { return Ok(vec![None; hits.len()]) };
        let ranked = ranker.rank(&self.library, question, hits, total)?;
        Ok(ranked.into_iter().map(Some).collect())
    }

    /// A hit with the geometry of its nearest member number `rank`.
    fn draft(&self, hit: &Hit, rank: usize, probability: Option<f64>) -> Result<Draft, ModelError> {
        let class = &self.library.classes()[hit.class];
        let member = &class.members[hit.near[rank].member];
        let formula = class.composition(member).reduced().0.formula();
        Ok(Draft {
            structure: self.library.structure_by(hit, rank)?,
            source: Source::Prototype { id: member.id.clone(), formula },
            probability,
        })
    }

    /// Elements of a composition that no known structure holds.
    fn unseen(&self, composition: &[(Element, u32)]) -> Vec<Element> {
        let members = || self.library.classes().iter().flat_map(|c| &c.members);
        let seen = |element: Element| members().any(|m| m.elements.contains(&element));
        composition.iter().map(|(e, _)| *e).filter(|e| !seen(*e)).collect()
    }
}

impl Generator for Prototypes {
    fn generate(
        &self,
        request: &Request,
        _cancelled: &dyn Fn() -> bool,
    ) -> Result<(Vec<Draft>, Vec<String>), ModelError> {
        let mut notes = Vec::new();
        if self.library.classes().is_empty() {
            notes.push("the library of known structures is empty".to_owned());
            return Ok((Vec::new(), notes));
        }
        let counts: Vec<u32> = request.composition.iter().map(|(_, n)| *n).collect();
        let known = self.library.known_units(&counts);
        let asked = request.reduced_units();
        let unasked = || if known.is_empty() { UNITS.to_vec() } else { known.clone() };
        let units = asked.map_or_else(unasked, primitive_units);
        // Several primitive cells can have the conventional one that was asked for.
        let given = units.first().copied().filter(|_| asked.is_some() && units.len() == 1);
        let question = Question::new(&request.composition, &units, given)?;
        let mut drafts = self.ranked(&question, request.answers)?;
        if let Some(asked) = asked {
            drafts = in_cells_of(drafts, asked);
        }
        if drafts.is_empty() && known.is_empty() {
            notes.push("no known structure has this ratio of elements".to_owned());
        } else if drafts.is_empty() {
            let list: Vec<String> = known.iter().map(u32::to_string).collect();
            notes.push(format!(
                "no known structure has so many formula units in its cell; known in primitive cells are {}",
                list.join(", ")
            ));
        }
        let unseen = self.unseen(&request.composition);
        if !unseen.is_empty() {
            let symbols: Vec<_> = unseen.iter().map(|e| e.symbol()).collect();
            notes.push(format!("no known structure holds {}", symbols.join(", ")));
        }
        Ok((drafts, notes))
    }
}

/// How many formula units a primitive cell may hold where `units` were asked for: as many, or as many as a conventional cell
/// of these has with one of the centrings (2, 3 or 4 lattice points).
fn primitive_units(units: u32) -> Vec<u32> {
    [1, 2, 3, 4]
        .into_iter()
        .filter(|points| units.is_multiple_of(*points))
        .map(|points| units / points)
        .collect()
}

/// The drafts in cells of so many formula units: primitive cells that hold them as they are, others as their conventional cell.
/// Those that cannot be that are left out, and their chance goes to the others in proportion.
fn in_cells_of(drafts: Vec<Draft>, units: u32) -> Vec<Draft> {
    let mut excluded = 0.0;
    let mut kept: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match in_cell_of(&draft.structure, units) {
            Some(structure) => kept.push(Draft { structure, ..draft }),
            None => excluded += draft.probability.unwrap_or(0.0),
        }
    }
    let left = (1.0 - excluded).max(f64::EPSILON);
    for draft in &mut kept {
        draft.probability = draft.probability.map(|p| (p / left).min(1.0));
    }
    kept
}

/// A structure, given by its primitive cell, in a cell of so many formula units.
fn in_cell_of(structure: &Structure, units: u32) -> Option<Structure> {
    let atoms = structure.composition().reduced().0.total().round() as usize * units as usize;
    if structure.len() == atoms {
        return Some(structure.clone());
    }
    let conventional = standard(structure, SYMPREC).ok()?.conventional.structure;
    (conventional.len() == atoms).then_some(conventional)
}
