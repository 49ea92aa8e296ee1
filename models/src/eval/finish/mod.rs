//! Whether finishing helps: known crystals are looked for, their candidates are relaxed, and the order by chemistry, by energy and
//! by both together ([`crate::tasks::finish::Weights`]) are compared. The weights are fitted here, too.

use cellwright_crystal::Element;
use serde::{Deserialize, Serialize};

use super::csp::matcher;
use crate::ModelError;
use crate::data::Crystal;
use crate::hull::NoHull;
use crate::prototypes::Question;
use crate::tasks::finish::{Clue, Evaluate, Options, finish};
use crate::tasks::predict::{Candidate, Prediction, Prototypes, Request, distinct};

mod compare;
mod fit;

pub use compare::{Compared, Order, compare};
pub use fit::fit;

/// A crystal that was looked for and the candidates for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// Identifier of the crystal.
    pub id: String,
    /// The rms to the crystal of every candidate before relaxing, where it matched; the likeliest first.
    pub before: Vec<Option<f64>>,
    /// The candidates after relaxing, the likeliest by chemistry first.
    pub tried: Vec<Tried>,
}

/// One relaxed candidate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Probability, energy and strain.
    #[serde(flatten)]
    pub clue: Clue,
    /// The rms to the crystal, where it matched.
    pub rms: Option<f64>,
    /// Steps taken.
    pub steps: usize,
    /// Whether they were enough.
    pub converged: bool,
}

/// Looks for a crystal by its composition, without entries of its formula, and relaxes the first `most` candidates.
///
/// # Errors
/// When the crystal is none, or the ranker or the potential fails.
pub fn look(
    prototypes: &Prototypes,
    crystal: &Crystal,
    most: usize,
    options: &Options,
    evaluate: &mut Evaluate<'_>,
) -> Result<Looked, ModelError> {
    let matcher = matcher();
    let truth = crystal.structure()?;
    let composition = truth.composition();
    let counts: Vec<(Element, u32)> = composition.iter().map(|(e, n)| (e, n as u32)).collect();
    let mut question = Question::in_cell(&counts)?;
    question.without_itself = true;
    let request = Request {
        composition: counts,
        units: None,
        space_group: None,
        answers: most,
        samples: 0,
        starts: Some(0),
        seed: 0,
    };
    let drafts = distinct(prototypes.ranked(&question, most)?, most);
    let candidates: Vec<_> =
        drafts.into_iter().map(|draft| request.candidate(draft, None)).collect();
    let truth = matcher.prepare(&truth).ok();
    let rms = |candidate: &Candidate| {
        let prepared = matcher.prepare(&candidate.structure).ok()?;
        Some(matcher.rms(&prepared, truth.as_ref()?)?.rms)
    };
    let before = candidates.iter().map(rms).collect();
    let prediction = Prediction { candidates, ..Prediction::default() };
    let relaxed = finish(prediction, Err(NoHull::Empty), None, options, evaluate, &mut |_| true)?;
    let tried = |candidate: &Candidate| {
        let (prior, energy) = candidate.probability.zip(candidate.energy)?;
        let relaxation = candidate.relaxation?;
        Some(Tried {
            clue: Clue { prior, energy, strain: relaxation.volume_change.ln_1p() },
            rms: rms(candidate),
            steps: relaxation.steps,
            converged: relaxation.converged,
        })
    };
    let tried = relaxed.candidates.iter().filter_map(tried).collect();
    Ok(Looked { id: crystal.id.clone(), before, tried })
}
