//! How much each piece of evidence about masked sites counts, learned from crystals whose elements are known.

use cellwright_crystal::Element;
use nalgebra::DVector;

use crate::eval::choice::{self, Choice, Prior};
use crate::tasks::complete::{Clue, PIECES, Weighing, Weights};

/// Pull towards the model's word alone, as of observations that say so with these standard deviations.
const SPREAD: [f64; PIECES] = [1.0, 1.0, 3.0, 3.0, 3.0];

/// What was known of the assignments to a question, and which elements were there.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// One element for each group of masked sites.
    pub truth: Vec<Element>,
    /// Assignments that were looked at.
    pub clues: Vec<(Vec<Element>, Clue)>,
}

/// The weights under which what was there is likeliest: without stresses from all assignments, with them from those that a potential
/// was asked about.
#[must_use]
pub fn fit(cases: &[Case]) -> Weighing {
    let quick = |clue: &Clue| Some(Clue { probe: None, ..*clue });
    Weighing { quick: weights(cases, quick), thorough: weights(cases, |c| c.probe.map(|_| *c)) }
}

fn weights(cases: &[Case], seen: impl Fn(&Clue) -> Option<Clue>) -> Weights {
    let choices = |case: &Case| -> Vec<Choice> {
        let choice = |(elements, clue): &(Vec<Element>, Clue)| {
            let features = DVector::from_row_slice(&seen(clue)?.pieces());
            Some(Choice { features, right: *elements == case.truth })
        };
        case.clues.iter().filter_map(choice).collect()
    };
    let prior = Prior {
        mean: DVector::from_row_slice(&Weights::NEUTRAL.numbers()),
        spread: DVector::from_row_slice(&SPREAD),
    };
    let fitted = choice::fit(&cases.iter().map(choices).collect::<Vec<_>>(), &prior);
    Weights::from_numbers(std::array::from_fn(|i| fitted[i]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::random::Random;
    use crate::tasks::complete::Probe;

    /// Questions whose answers are drawn with known weights.
    fn drawn(count: usize, truth: &Weights) -> Vec<Case> {
        let mut random = Random::new(3, 0);
        let mut uniform = |scale: f64| scale * random.below(1 << 20) as f64 / f64::from(1 << 20);
        let elements: Vec<Element> = Element::all().take(6).collect();
        let case = |_| {
            let clue = |_: &Element| Clue {
                log_chance: -uniform(4.0),
                share: Some(uniform(1.0)),
                charge_balanced: Some(uniform(1.0) > 0.3),
                probe: Some(Probe { energy: 0.0, pressure: uniform(20.0), shear: uniform(5.0) }),
            };
            let clues: Vec<Clue> = elements.iter().map(clue).collect();
            let mut chance = uniform(1.0);
            let right = truth.chances(&clues).iter().position(|p| {
                chance -= p;
                chance < 0.0
            });
            let right = right.unwrap_or(0);
            let clues = elements.iter().map(|e| vec![*e]).zip(clues).collect();
            Case { truth: vec![elements[right]], clues }
        };
        (0..count).map(case).collect()
    }

    #[test]
    fn weights_are_found_again() {
        let truth = Weights { chance: 0.7, known: 0.3, charged: 1.5, pressure: 2.0, shear: 1.0 };
        let found = fit(&drawn(6000, &truth));
        let off = |(a, b): (f64, f64)| (a - b).abs();
        let all = found.thorough.numbers().into_iter().zip(truth.numbers()).map(off);
        assert!(all.clone().all(|off| off < 0.12), "{found:?}");
        // Without the stresses the rest has to do.
        assert_eq!((found.quick.pressure, found.quick.shear), (0.0, 0.0));
        assert!(found.quick.chance > 0.3);
    }

    #[test]
    fn without_questions_nothing_is_learned() {
        assert_eq!(fit(&[]), Weighing::NEUTRAL);
        let lost = Case { truth: vec![Element::H], ..drawn(1, &Weights::NEUTRAL)[0].clone() };
        let strange = Case { clues: lost.clues[1..].to_vec(), ..lost };
        assert_eq!(fit(&[strange]), Weighing::NEUTRAL);
    }
}
