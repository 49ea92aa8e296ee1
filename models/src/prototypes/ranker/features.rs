//! What the ranker sees of a question and its hits.

use cellwright_crystal::Element;

use super::super::library::Library;
use super::super::mendeleev::mendeleev;
use super::super::query::{Hit, Kind, Near};
use super::super::question::Question;
use super::geometry::{counts, radius};

/// Numbers that describe a hit.
pub(super) const NUMBERS: usize = 54;

/// Numbers that describe a question.
pub(super) const OVERALL: usize = 11;

/// Members of a class that the learned distances look at.
pub(super) const MEMBERS: usize = 8;

/// A question with its hits, as numbers.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Of the question.
    pub(super) overall: [f32; OVERALL],
    /// Atomic number − 1 of each element.
    pub(super) elements: Vec<u32>,
    /// Share of each element in the atoms.
    pub(super) shares: Vec<f32>,
    /// Of each hit.
    pub(super) hits: Vec<Described>,
}

/// A hit as numbers.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) numbers: [f32; NUMBERS],
    /// For each of the nearest members and each pair of an element and a slot: (asked, known) as one index into the table of
    /// distances.
    pub(super) pairs: Vec<Vec<u32>>,
    /// Neighbours, see [`super::geometry::counts`].
    pub(super) counts: Vec<f32>,
}

/// Index of a pair of elements in a table of distances.
fn pair(asked: Element, known: Element) -> u32 {
    let place = |e: Element| u32::from(e.z()) - 1;
    place(asked) * Element::COUNT as u32 + place(known)
}

/// What all hits of a question have in common.
struct Context {
    /// The least cost.
    best: f64,
    /// Sums of the kernels.
    sums: [f64; 4],
    /// ln of the volume of an atom (Å³), mean over the hits.
    volume: f64,
    /// Hits for which the very formula is known, and the least energy above hull (eV/atom) of these crystals.
    itself: (usize, f64),
}

/// Describes the hits of a question; `total` is how many whole ones there were before the list was cut.
pub(super) fn describe(
    library: &Library,
    question: &Question,
    hits: &[Hit],
    total: usize,
) -> Asked {
    let elements: Vec<Element> = question.reduced().iter().map(|(e, _)| *e).collect();
    let atoms: usize = question.reduced().iter().map(|(_, n)| n).sum();
    let volumes: Vec<f64> = hits.iter().map(|h| ln_volume(library, h)).collect();
    let itself: Vec<f64> =
        hits.iter().filter(|h| is_itself(h)).map(|h| hull(library, h, 0).unwrap_or(1.0)).collect();
    let context = Context {
        best: hits.iter().map(|h| h.near[0].cost).reduce(f64::min).unwrap_or(200.0),
        sums: [0, 1, 2, 3].map(|k| hits.iter().map(|h| h.kernels[k]).sum::<f64>() + 1e-12),
        volume: mean(&volumes),
        itself: (itself.len(), itself.iter().copied().reduce(f64::min).unwrap_or(0.0)),
    };
    let whole = hits.iter().filter(|h| h.kind == Kind::Whole).count();
    let described = |(rank, hit): (usize, &Hit)| {
        let (counts, least) =
            library.structure(hit).map_or_else(|_| (Vec::new(), 0.0), |s| counts(&s, &elements));
        // Partial hits are counted by themselves.
        let rank = if hit.kind == Kind::Whole { rank } else { rank - whole };
        Described {
            numbers: numbers(library, question, hit, rank, least, &context),
            pairs: hit.near.iter().take(MEMBERS).map(|n| pairs(library, hit, n)).collect(),
            counts,
        }
    };
    let first = hits.first().map_or(0, |h| library.classes()[h.class].atoms());
    let sums = context.sums;
    let overall = [
        context.best / 20.0,
        (1.0 + total as f64).ln(),
        elements.len() as f64,
        (1.0 + first as f64).ln(),
        f64::from(u8::from(question.given.is_some())),
        sums[0].ln().max(-10.0) / 4.0,
        sums[1].ln().max(-10.0) / 4.0,
        sums[2].ln() / 4.0,
        sums[3].ln() / 4.0,
        f64::from(u8::from(whole == 0)),
        (1.0 + context.itself.0 as f64).ln(),
    ];
    Asked {
        overall: overall.map(|x| x as f32),
        elements: elements.iter().map(|e| u32::from(e.z()) - 1).collect(),
        shares: question.reduced().iter().map(|(_, n)| *n as f32 / atoms as f32).collect(),
        hits: hits.iter().enumerate().map(described).collect(),
    }
}

fn pairs(library: &Library, hit: &Hit, near: &Near) -> Vec<u32> {
    let known = &library.classes()[hit.class].members[near.member].elements;
    hit.pairs(near).iter().map(|(element, slot)| pair(*element, known[*slot])).collect()
}

/// Whether the nearest member has the very formula that is asked for.
fn is_itself(hit: &Hit) -> bool {
    hit.kind == Kind::Whole && hit.near[0].cost == 0.0
}

/// Energy above hull (eV/atom) of one of the nearest members.
fn hull(library: &Library, hit: &Hit, rank: usize) -> Option<f64> {
    library.classes()[hit.class].members[hit.near[rank].member].hull
}

fn ln_volume(library: &Library, hit: &Hit) -> f64 {
    (library.volume(hit) / library.classes()[hit.class].atoms() as f64).ln()
}

/// How far the elements asked for lie in another order than the known ones: share of the pairs of slots whose order by
/// electronegativity is another, and whether the most electronegative one lies on the slot it had.
fn order(pairs: &[(Element, Element)]) -> (f64, bool) {
    let (mut against, mut all) = (0.0, 0.0);
    for (i, (a, b)) in pairs.iter().enumerate() {
        for (c, d) in &pairs[..i] {
            let (asked, known) = (chi(*a) - chi(*c), chi(*b) - chi(*d));
            all += 1.0;
            if asked * known < 0.0 {
                against += asked.abs().min(known.abs()).min(1.0);
            }
        }
    }
    let most = |of: &dyn Fn(&(Element, Element)) -> f64| {
        (0..pairs.len()).max_by(|i, j| of(&pairs[*i]).total_cmp(&of(&pairs[*j])))
    };
    (against / f64::max(all, 1.0), most(&|p| chi(p.0)) == most(&|p| chi(p.1)))
}

/// A property of an element, with what stands in where it is not tabulated.
fn chi(e: Element) -> f64 {
    e.data().electronegativity.unwrap_or(1.5)
}

fn numbers(
    library: &Library,
    question: &Question,
    hit: &Hit,
    rank: usize,
    least: f64,
    context: &Context,
) -> [f32; NUMBERS] {
    let class = &library.classes()[hit.class];
    let near = &hit.near[0];
    let template = &class.members[near.member];
    let pairs: Vec<(Element, Element)> =
        hit.pairs(near).iter().map(|(e, slot)| (*e, template.elements[*slot])).collect();
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
    let hulls: Vec<f64> = (0..hit.near.len()).filter_map(|i| hull(library, hit, i)).collect();
    let (against, last) = order(&pairs);
    let flag = |x: bool| f64::from(u8::from(x));
    let itself = is_itself(hit);
    let hull = |x: Option<f64>| x.map_or(0.1, |h| h.min(1.0)) * 5.0;
    let nearest = &hulls[..hulls.len().min(5)];
    let cost = |i: usize| hit.near[i.min(hit.near.len() - 1)].cost / 20.0;
    let logs = hit.kernels.map(|k| (k + 1e-6).ln() / 4.0);
    let shares: Vec<f64> = hit.kernels.iter().zip(context.sums).map(|(k, sum)| k / sum).collect();
    let atoms = class.atoms() as f64;
    let known = library.volumes().sum(&class.counts, &template.elements);
    let growth = (library.size(hit, near) / known).ln();
    let list = [
        (1.0 + rank as f64).ln(),
        cost(0),
        cost(0) - context.best / 20.0,
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
        growth.abs(),
        growth,
        flag(hit.kind == Kind::Merged),
        flag(hit.kind == Kind::Split),
        question.given.map_or(0.0, |given| f64::from(given / hit.units.max(1)).ln()),
        f64::from(hit.units).ln(),
        flag(itself),
        if itself { hull(template.hull) - hull(Some(context.itself.1)) } else { 0.0 },
        flag(itself && template.hull.is_some_and(|h| h <= context.itself.1)),
        against,
        flag(last),
        ln_volume(library, hit) - context.volume,
        least,
        (class.members.len() as f64).ln(),
        (class.automorphisms.len() as f64).ln(),
        (hit.blocks.len() as f64).ln(),
        count(&|(a, b)| a.is_metal() != b.is_metal()) / slots,
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
