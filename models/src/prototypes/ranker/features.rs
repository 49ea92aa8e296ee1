//! What the ranker sees of a question and its hits.

use cellwright_crystal::Element;

use super::super::library::Library;
use super::super::mendeleev::mendeleev;
use super::super::query::{Hit, Near};
use super::super::question::Question;

/// Numbers that describe a hit.
pub(super) const NUMBERS: usize = 38;

/// Numbers that describe a question.
pub(super) const OVERALL: usize = 9;

/// Members of a class that the learned distances look at.
pub(super) const MEMBERS: usize = 10;

/// A question with its hits, as numbers.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Of the question.
    pub(super) overall: [f32; OVERALL],
    /// Of each hit.
    pub(super) hits: Vec<Described>,
}

/// A hit as numbers.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) numbers: [f32; NUMBERS],
    /// For each of the nearest members and each slot: (asked, known) as one index into the table of distances.
    pub(super) pairs: Vec<Vec<u32>>,
}

/// Index of a pair of elements in a table of distances.
fn pair(asked: Element, known: Element) -> u32 {
    let place = |e: Element| u32::from(e.z()) - 1;
    place(asked) * Element::COUNT as u32 + place(known)
}

/// Describes the hits of a question; `total` is how many there were before the list was cut.
pub(super) fn describe(
    library: &Library,
    question: &Question,
    hits: &[Hit],
    total: usize,
) -> Asked {
    let sums = [0, 1, 2, 3].map(|k| hits.iter().map(|h| h.kernels[k]).sum::<f64>() + 1e-12);
    let best = hits.first().map_or(200.0, |h| h.near[0].cost);
    let described = |(rank, hit): (usize, &Hit)| Described {
        numbers: numbers(library, hit, rank, best, &sums),
        pairs: hit.near.iter().take(MEMBERS).map(|n| pairs(library, hit, n)).collect(),
    };
    let atoms = hits.first().map_or(0, |h| library.classes()[h.class].atoms());
    let overall = [
        best / 20.0,
        (1.0 + total as f64).ln(),
        question.reduced().len() as f64,
        (1.0 + atoms as f64).ln(),
        f64::from(u8::from(question.given.is_some())),
        sums[0].ln().max(-10.0) / 4.0,
        sums[1].ln().max(-10.0) / 4.0,
        sums[2].ln() / 4.0,
        sums[3].ln() / 4.0,
    ];
    Asked {
        overall: overall.map(|x| x as f32),
        hits: hits.iter().enumerate().map(described).collect(),
    }
}

fn pairs(library: &Library, hit: &Hit, near: &Near) -> Vec<u32> {
    let known = &library.classes()[hit.class].members[near.member].elements;
    near.elements.iter().zip(known).map(|(a, b)| pair(*a, *b)).collect()
}

/// A property of an element, with what stands in where it is not tabulated.
fn chi(e: Element) -> f64 {
    e.data().electronegativity.unwrap_or(1.5)
}

fn radius(e: Element) -> f64 {
    e.data().covalent_radius.unwrap_or(1.6)
}

fn numbers(
    library: &Library,
    hit: &Hit,
    rank: usize,
    best: f64,
    sums: &[f64; 4],
) -> [f32; NUMBERS] {
    let class = &library.classes()[hit.class];
    let near = &hit.near[0];
    let template = &class.members[near.member];
    let pairs: Vec<(Element, Element)> =
        near.elements.iter().copied().zip(template.elements.iter().copied()).collect();
    let slots = pairs.len() as f64;
    let of =
        |f: &dyn Fn(Element) -> f64| pairs.iter().map(|(a, b)| f(*a) - f(*b)).collect::<Vec<_>>();
    let (chi, radii) = (of(&chi), of(&radius));
    let row = of(&|e| f64::from(e.data().row));
    let number = of(&mendeleev);
    let count =
        |f: &dyn Fn(&(Element, Element)) -> bool| pairs.iter().filter(|p| f(p)).count() as f64;
    let ratios: Vec<f64> = pairs.iter().map(|(a, b)| radius(*a) / radius(*b)).collect();
    let states = |e: Element| e.data().icsd_oxidation_states;
    let shared = |p: &(Element, Element)| states(p.0).iter().any(|q| states(p.1).contains(q));
    let hulls: Vec<f64> = hit.near.iter().filter_map(|n| class.members[n.member].hull).collect();
    let hull = |x: Option<f64>| x.map_or(0.1, |h| h.min(1.0)) * 5.0;
    let nearest = &hulls[..hulls.len().min(5)];
    let cost = |i: usize| hit.near[i.min(hit.near.len() - 1)].cost / 20.0;
    let logs = hit.kernels.map(|k| (k + 1e-6).ln() / 4.0);
    let shares: Vec<f64> = hit.kernels.iter().zip(sums).map(|(k, sum)| k / sum).collect();
    let atoms = class.atoms() as f64;
    let sizes = |e: &[Element]| library.volumes().sum(&class.counts, e);
    let list = [
        (1.0 + rank as f64).ln(),
        cost(0),
        cost(0) - best / 20.0,
        cost(1),
        cost(4),
        hit.slotwise / 20.0,
        (hit.members as f64).ln(),
        atoms.ln(),
        slots,
        logs[0],
        logs[1],
        logs[2],
        logs[3],
        shares[0],
        shares[1],
        shares[2],
        shares[3],
        (shares[0] + 1e-6).ln() / 4.0,
        (shares[2] + 1e-6).ln() / 4.0,
        largest(&chi),
        size(&chi),
        spread(&chi),
        largest(&radii),
        size(&radii),
        spread(&radii),
        deviation(&ratios),
        largest(&number) / 20.0,
        row.iter().sum::<f64>(),
        size(&row),
        count(&|(a, b)| a == b),
        count(&|(a, b)| a.data().group == b.data().group) / slots,
        count(&shared) / slots,
        hull(template.hull),
        hull(hulls.iter().copied().reduce(f64::min)),
        hull((!nearest.is_empty()).then(|| mean(nearest))),
        f64::from(template.space_group) / 100.0,
        (template.volume() / atoms).ln(),
        (sizes(&near.elements) / sizes(&template.elements)).ln().abs(),
    ];
    list.map(|x| x as f32)
}

fn largest(list: &[f64]) -> f64 {
    list.iter().fold(0.0, |most, x| most.max(x.abs()))
}

fn size(list: &[f64]) -> f64 {
    list.iter().map(|x| x.abs()).sum()
}

fn spread(list: &[f64]) -> f64 {
    let end = |f: fn(f64, f64) -> f64| list.iter().copied().reduce(f).unwrap_or(0.0);
    end(f64::max) - end(f64::min)
}

fn mean(list: &[f64]) -> f64 {
    list.iter().sum::<f64>() / list.len() as f64
}

fn deviation(list: &[f64]) -> f64 {
    let middle = mean(list);
    (list.iter().map(|x| (x - middle).powi(2)).sum::<f64>() / list.len() as f64).sqrt()
}
