//! The search for the best way to lay one structure on another, kinds upon equal kinds.

use std::cell::RefCell;
use std::ops::ControlFlow;

use nalgebra::Vector3;

use crate::Lattice;

use super::frame::Frame;
use super::mapping::{Mapping, Mappings, Window};
use super::periodic::nearest;
use super::{Match, Matcher, Prepared};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The least rms of all.
    LeastRms,
    /// Any match whose largest distance is below stol.
    AnyFit,
}

/// An rms this small is as good as none: the search ends.
pub(super) const PERFECT: f64 = 1e-5;

/// What a search needs to remember, kept from one search of a thread to the next, so that a search
/// allocates nothing but its answer.
#[derive(Debug, Default, Clone)]
pub(super) struct Room {
    pub(super) mappings: Mappings,
    pub(super) frame: Frame,
    /// Partners of the second structure's sites (from the start of their kind) and vectors to them.
    pub(super) partners: Vec<usize>,
    pub(super) vectors: Vec<Vector3<f64>>,
    /// The partners of the best match so far.
    pub(super) best: Vec<usize>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

impl Room {
    /// Lends the thread's room.
    pub(super) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        // Taken out, so that a search within a search would get a room of its own.
        let mut room = ROOM.take();
        let answer = work(&mut room);
        ROOM.replace(room);
        answer
    }
}

/// Both lattices as they are compared: scaled to one volume if the matcher scales.
pub(super) struct Scaled {
    first: Lattice,
    lengths: [f64; 3],
    angles: [f64; 3],
    window: Window,
}

impl Scaled {
    pub(super) fn new(matcher: &Matcher, first: &Prepared, second: &Prepared) -> Option<Self> {
        let ratio = second.lattice.volume() / first.lattice.volume();
        let factor = if matcher.scale { ratio.cbrt().sqrt() } else { 1.0 };
        Some(Self {
            first: Lattice::from_rows(first.lattice.matrix() * factor).ok()?,
            lengths: second.lengths.map(|length| length / factor),
            angles: second.angles,
            window: Window { ltol: matcher.ltol, angle_tol: matcher.angle_tol },
        })
    }

    /// Calls `visit` for every lattice mapping with the frame set up for it, until it breaks.
    pub(super) fn each_frame(
        &self,
        (mappings, frame): (&mut Mappings, &mut Frame),
        (first, second, stol): (&Prepared, &Prepared, f64),
        mut visit: impl FnMut(&Mapping, &mut Frame) -> ControlFlow<()>,
    ) {
        mappings.each(&self.first, self.lengths, self.angles, self.window, |mapping| {
            if frame.set(mapping, first, second, (self.lengths, self.angles), stol) {
                visit(mapping, frame)
            } else {
                ControlFlow::Continue(())
            }
        });
    }
}

/// Root mean square and largest length of vectors after their mean is taken off (Å), and the mean.
pub(super) fn spread(vectors: &[Vector3<f64>]) -> (f64, f64, Vector3<f64>) {
    let count = vectors.len() as f64;
    let mean = vectors.iter().sum::<Vector3<f64>>() / count;
    let (mut sum, mut most) = (0.0, 0.0_f64);
    for vector in vectors {
        let squared = (vector - mean).norm_squared();
        sum += squared;
        most = most.max(squared);
    }
    ((sum / count).sqrt(), most.sqrt(), mean)
}

/// The best match of equal kinds.
pub(super) fn exact(
    matcher: &Matcher,
    room: &mut Room,
    first: &Prepared,
    second: &Prepared,
    goal: Goal,
) -> Option<Match> {
    // Kinds are sorted in both, so that equal lists are all there is to ask for.
    if first.groups != second.groups || first.kinds != second.kinds {
        return None;
    }
    let scaled = Scaled::new(matcher, first, second)?;
    let Room { mappings, frame, partners, vectors, best } = room;
    partners.resize(first.len(), 0);
    vectors.resize(first.len(), Vector3::zeros());
    let anchor = second.groups[second.anchor].start;
    let mut found: Option<(f64, Match)> = None;
    scaled.each_frame((mappings, frame), (first, second, matcher.stol), |mapping, frame| {
        for i in first.groups[second.anchor].clone() {
            let translation = frame.translation(i, anchor);
            if !first.groups.iter().all(|group| frame.covers(group, group, &translation)) {
                continue;
            }
            let placed = first.groups.iter().all(|group| {
                let (partners, vectors) =
                    (&mut partners[group.clone()], &mut vectors[group.clone()]);
                frame.place(group, group, &translation, partners, vectors).is_some()
            });
            if !placed {
                continue;
            }
            let (rms, max, mean) = spread(vectors);
            let [rms, max] = [rms, max].map(|distance| distance * frame.normalization);
            let value = if goal == Goal::LeastRms { rms } else { max };
            if value >= found.as_ref().map_or(matcher.stol, |(least, _)| *least) {
                continue;
            }
            best.clone_from(partners);
            let translation = translation + frame.fractional(&mean);
            let answer = Match {
                rms,
                max,
                partners: Vec::new(),
                basis: mapping.basis,
                translation: translation.map(|x| x - nearest(x)),
            };
            found = Some((value, answer));
            if goal == Goal::AnyFit || value < PERFECT {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    let (_, mut answer) = found?;
    answer.partners = vec![0; first.len()];
    for group in &first.groups {
        for j in group.clone() {
            answer.partners[group.start + best[j]] = j;
        }
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_taken_off() {
        let vectors = [Vector3::new(1.0, 2.0, 0.0), Vector3::new(3.0, 2.0, 0.0)];
        let (rms, max, mean) = spread(&vectors);
        assert_eq!((rms, max, mean), (1.0, 1.0, Vector3::new(2.0, 2.0, 0.0)));
        assert_eq!(spread(&vectors[..1]).0, 0.0);
    }
}
