//! How much each piece of evidence about masked sites counts, learned from crystals whose elements are known.

use cellwright_crystal::Element;
use nalgebra::DVector;

use crate::eval::choice::{self, Choice, Prior};
use crate::tasks::complete::{Clue, Levels, PIECES, Weighing, Weights};

/// Pull towards the model's word alone, as of observations that say so with these standard deviations.
const SPREAD: [f64; PIECES] = [1.0, 1.0, 3.0, 10.0, 10.0, 3.0];

/// What was known of the assignments to a question, and which elements were there.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// One element for each group of masked sites.
    pub truth: Vec<Element>,
    /// Assignments that were looked at.
    pub clues: Vec<(Vec<Element>, Clue)>,
    /// Whether what was masked was all that there is of its species.
    pub whole: bool,
}

/// The weights under which what was there is likeliest: without stresses from all assignments, with them from those that a potential
/// was asked about. What no case tells anything of stays as it `was`.
#[must_use]
pub fn fit(cases: &[Case], was: &Weighing) -> Weighing {
    let of = |which: &dyn Fn(&&Case) -> bool, was: &Levels| {
        levels(&cases.iter().filter(which).collect::<Vec<_>>(), was)
    };
    Weighing {
        whole: of(&|c| c.whole, &was.whole),
        some: of(&|c| !c.whole, &was.some),
        unsaid: of(&|_| true, &was.unsaid),
    }
}

fn levels(cases: &[&Case], was: &Levels) -> Levels {
    let probed =
        |fine: bool| move |clue: &Clue| clue.probe.filter(|p| p.fine == fine).map(|_| *clue);
    Levels {
        quick: weights(cases, |clue| Some(clue.blind())).unwrap_or(was.quick),
        thorough: weights(cases, probed(false)).unwrap_or(was.thorough),
        finest: weights(cases, probed(true)).unwrap_or(was.finest),
    }
}

/// None where no assignment that was there was seen so.
fn weights(cases: &[&Case], seen: impl Fn(&Clue) -> Option<Clue>) -> Option<Weights> {
    let choices = |case: &&Case| -> Vec<Choice> {
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
    let questions: Vec<Vec<Choice>> = cases.iter().map(choices).collect();
    if !questions.iter().flatten().any(|choice| choice.right) {
        return None;
    }
    let fitted = choice::fit(&questions, &prior);
    Some(Weights::from_numbers(std::array::from_fn(|i| fitted[i])))
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
                probe: Some(Probe {
                    energy: None,
                    pressure: uniform(20.0),
                    shear: uniform(5.0),
                    fine: false,
                }),
                seen: uniform(1.0),
            };
            let clues: Vec<Clue> = elements.iter().map(clue).collect();
            let mut chance = uniform(1.0);
            let right = truth.chances(&clues).iter().position(|p| {
                chance -= p;
                chance < 0.0
            });
            let right = right.unwrap_or(0);
            let clues = elements.iter().map(|e| vec![*e]).zip(clues).collect();
            Case { truth: vec![elements[right]], clues, whole: true }
        };
        (0..count).map(case).collect()
    }

    #[test]
    fn weights_are_found_again() {
        let truth = Weights {
            chance: 0.7,
            known: 0.3,
            charged: 1.5,
            pressure: 2.0,
            shear: 1.0,
            seen: -1.0,
        };
        let found = fit(&drawn(12_000, &truth), &Weighing::NEUTRAL);
        let off = |(a, b): (f64, f64)| (a - b).abs();
        let all = found.whole.thorough.numbers().into_iter().zip(truth.numbers()).map(off);
        assert!(all.clone().all(|off| off < 0.12), "{found:?}");
        // Without the stresses the rest has to do.
        assert_eq!((found.whole.quick.pressure, found.whole.quick.shear), (0.0, 0.0));
        assert!(found.whole.quick.chance > 0.3);
        // Nobody knew fine stresses, and there were no questions of the other kind.
        assert_eq!((found.whole.finest, found.some), (Weights::NEUTRAL, Levels::NEUTRAL));
        assert_eq!(found.unsaid, found.whole);
    }

    #[test]
    fn without_questions_nothing_is_learned() {
        let was = Weighing::same(Levels {
            finest: Weights { chance: 0.5, ..Weights::NEUTRAL },
            ..Levels::NEUTRAL
        });
        assert_eq!(fit(&[], &was), was);
        let lost = Case { truth: vec![Element::H], ..drawn(1, &Weights::NEUTRAL)[0].clone() };
        let strange = Case { clues: lost.clues[1..].to_vec(), ..lost };
        assert_eq!(fit(&[strange], &was), was);
    }
}
