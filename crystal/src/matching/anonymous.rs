//! Matching when elements may be replaced, each by one of its own: is this the structure type of that?
//!
//! Elements of the first structure are given elements of the second one by one. A kind of site whose
//! elements all have one is placed on the kind it becomes, and what that costs is a lower bound of what
//! the whole will cost: the spread of some vectors about their mean never exceeds that of all about
//! theirs. So most permutations are given up early, and ten elements cost hardly more than three.

use std::ops::ControlFlow;

use nalgebra::Vector3;

use crate::Element;

use super::frame::{Block, Frame};
use super::periodic::nearest;
use super::replacement::Replacements;
use super::search::{PERFECT, Room, Scaled, spread};
use super::{Match, Matcher, Prepared};

/// A match after elements were replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct AnonymousMatch {
    /// How the structures lie on each other.
    pub found: Match,
    /// Elements of the first structure and what they become in the second, by atomic number.
    pub elements: Vec<(Element, Element)>,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The least rms, then the least change of electronegativity.
    LeastRms,
    /// The least change of electronegativity with an rms below stol, then the least rms.
    Rms,
    /// The least change of electronegativity with a largest distance below stol, then the least of these.
    Fit,
}

/// Numbers that differ by less are equally good.
const TIE: f64 = 1e-8;

/// The best match when elements may be replaced.
pub(super) fn search(
    matcher: &Matcher,
    room: &mut Room,
    first: &Prepared,
    second: &Prepared,
    goal: Goal,
) -> Option<AnonymousMatch> {
    if first.anonymous_signature() != second.anonymous_signature() {
        return None;
    }
    let replacements = Replacements::between(first, second)?;
    let scaled = Scaled::new(matcher, first, second)?;
    let mut descent = Descent::new(matcher.stol, goal, &replacements, first, second);
    let target = second.anchor;
    let anchor = second.groups[target].start;
    let alike = |origin: &usize| replacements.alike(*origin, target);
    let origins: Vec<usize> = (0..first.kinds.len()).filter(alike).collect();
    let Room { mappings, frame, .. } = room;
    scaled.each_frame((mappings, frame), (first, second, matcher.stol), |mapping, frame| {
        for &origin in &origins {
            for i in first.groups[origin].clone() {
                descent.start(frame.translation(i, anchor), (origin, target));
                if descent.descend(frame, 0, Partial::default()) {
                    descent.found.basis = mapping.basis;
                }
                if descent.perfect() {
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    });
    descent.answer()
}

/// What the kinds placed so far come to.
#[derive(Debug, Default, Clone, Copy)]
struct Partial {
    sites: usize,
    sum: Vector3<f64>,
    squares: f64,
    /// Change of electronegativity, Σ n (χ − χ′)².
    change: f64,
}

impl Partial {
    /// Sum of squared distances from their mean (Å²).
    fn spread(&self) -> f64 {
        self.squares - self.sum.norm_squared() / self.sites.max(1) as f64
    }
}

/// One kind upon another, for one translation.
#[derive(Debug, Clone, Copy)]
enum Placed {
    NotTried,
    Impossible,
    At(Block),
}

/// The search through replacements of elements.
struct Descent<'a> {
    stol: f64,
    goal: Goal,
    replacements: &'a Replacements<'a>,
    first: &'a Prepared,
    second: &'a Prepared,
    translation: Vector3<f64>,
    /// The kind of the first structure that has to become this kind of the second.
    pinned: (usize, usize),
    /// What each element, and each kind, of the first structure has become.
    elements: Vec<usize>,
    kinds: Vec<usize>,
    used: Vec<bool>,
    /// For kind a upon kind b at a · (number of kinds) + b.
    placed: Vec<Placed>,
    /// Partners and vectors of kind a upon kind b: from a · (number of sites) + the first site of b.
    partners: Vec<usize>,
    vectors: Vec<Vector3<f64>>,
    gathered: Vec<Vector3<f64>>,
    /// Value that decides after or before the change of electronegativity, and that change.
    best: Option<(f64, f64)>,
    found: Match,
    found_elements: Vec<usize>,
}

impl<'a> Descent<'a> {
    fn new(
        stol: f64,
        goal: Goal,
        replacements: &'a Replacements<'a>,
        first: &'a Prepared,
        second: &'a Prepared,
    ) -> Self {
        let (sites, kinds) = (first.len(), first.kinds.len());
        let elements = replacements.len();
        Self {
            stol,
            goal,
            replacements,
            first,
            second,
            translation: Vector3::zeros(),
            pinned: (0, 0),
            elements: vec![0; elements],
            kinds: vec![0; kinds],
            used: vec![false; elements],
            placed: vec![Placed::NotTried; kinds * kinds],
            partners: vec![0; kinds * sites],
            vectors: vec![Vector3::zeros(); kinds * sites],
            gathered: vec![Vector3::zeros(); sites],
            best: None,
            found: Match {
                rms: 0.0,
                max: 0.0,
                partners: vec![0; sites],
                basis: nalgebra::Matrix3::identity(),
                translation: Vector3::zeros(),
            },
            found_elements: vec![0; elements],
        }
    }

    fn start(&mut self, translation: Vector3<f64>, pinned: (usize, usize)) {
        self.translation = translation;
        self.pinned = pinned;
        self.placed.fill(Placed::NotTried);
    }

    /// Whether nothing better can come.
    fn perfect(&self) -> bool {
        self.best.is_some_and(|(value, change)| value < PERFECT && change == 0.0)
    }

    /// Gives elements from `depth` on their replacements; whether a better match was found.
    fn descend(&mut self, frame: &mut Frame, depth: usize, partial: Partial) -> bool {
        if depth == self.elements.len() {
            return self.compare(frame, partial.change);
        }
        let mut improved = false;
        let replacements = self.replacements;
        for &(element, change) in replacements.of(depth) {
            let next = Partial { change: partial.change + change, ..partial };
            // In order of change: those that follow are no better.
            if self.goal != Goal::LeastRms
                && self.best.is_some_and(|(_, least)| next.change > least + TIE)
            {
                break;
            }
            if self.used[element] {
                continue;
            }
            self.elements[depth] = element;
            self.used[element] = true;
            if let Some(next) = self.place(frame, depth, next) {
                improved |= self.descend(frame, depth + 1, next);
            }
            self.used[element] = false;
        }
        improved
    }

    /// Places the kinds whose last element was given at `depth`; `None` where that cannot lead to a match
    /// better than the best.
    fn place(&mut self, frame: &mut Frame, depth: usize, mut partial: Partial) -> Option<Partial> {
        let replacements = self.replacements;
        for &a in replacements.completed(depth) {
            let b = replacements.image(a, &self.elements)?;
            if (a == self.pinned.0) != (b == self.pinned.1) {
                return None;
            }
            let block = self.block(frame, a, b)?;
            self.kinds[a] = b;
            partial.sites += self.first.groups[a].len();
            partial.sum += block.sum;
            partial.squares += block.squares;
        }
        let bound = match (self.goal, self.best) {
            (Goal::LeastRms, Some((least, _))) => least + TIE,
            _ => self.stol,
        };
        let most = self.first.len() as f64 * (bound / frame.normalization).powi(2);
        // Rounding must not cost the match that is looked for.
        (partial.spread() <= most + 1e-9 * partial.squares).then_some(partial)
    }

    fn block(&mut self, frame: &mut Frame, a: usize, b: usize) -> Option<Block> {
        let slot = a * self.kinds.len() + b;
        if let Placed::NotTried = self.placed[slot] {
            let (from, to) = (&self.first.groups[a], &self.second.groups[b]);
            let place = a * self.first.len() + to.start;
            let place = place..place + to.len();
            let (partners, vectors) = (&mut self.partners[place.clone()], &mut self.vectors[place]);
            let covered = frame.covers(from, to, &self.translation);
            let block = if covered {
                frame.place(from, to, &self.translation, partners, vectors)
            } else {
                None
            };
            self.placed[slot] = block.map_or(Placed::Impossible, Placed::At);
        }
        match self.placed[slot] {
            Placed::At(block) => Some(block),
            Placed::NotTried | Placed::Impossible => None,
        }
    }

    /// Keeps a complete replacement if it is the best so far.
    fn compare(&mut self, frame: &Frame, change: f64) -> bool {
        let sites = self.first.len();
        for (a, &b) in self.kinds.iter().enumerate() {
            let to = self.second.groups[b].clone();
            let from = a * sites + to.start;
            let vectors = &self.vectors[from..from + to.len()];
            self.gathered[to].copy_from_slice(vectors);
        }
        let (rms, max, mean) = spread(&self.gathered);
        let [rms, max] = [rms, max].map(|distance| distance * frame.normalization);
        let value = if self.goal == Goal::Fit { max } else { rms };
        if value >= self.stol {
            return false;
        }
        if let Some((least, least_change)) = self.best {
            let better = if self.goal == Goal::LeastRms {
                value < least - TIE || (value < least + TIE && change < least_change - TIE)
            } else {
                change < least_change - TIE || value < least
            };
            if !better {
                return false;
            }
        }
        self.best = Some((value, change));
        self.found.rms = rms;
        self.found.max = max;
        let translation = self.translation + frame.fractional(&mean);
        self.found.translation = translation.map(|x| x - nearest(x));
        for (a, &b) in self.kinds.iter().enumerate() {
            let start = self.first.groups[a].start;
            for j in self.second.groups[b].clone() {
                self.found.partners[start + self.partners[a * sites + j]] = j;
            }
        }
        self.found_elements.copy_from_slice(&self.elements);
        true
    }

    fn answer(self) -> Option<AnonymousMatch> {
        self.best?;
        let elements = self.replacements.named(&self.found_elements);
        Some(AnonymousMatch { found: self.found, elements })
    }
}
