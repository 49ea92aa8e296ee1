//! Compounds whose charges need not add up: the electrons left over stay with the metal.

use crate::{Composition, Element};

/// Whether a compound without a neutral assignment is one of those. `charge` is the total charge of the
/// assignment nearest to neutral, positive where the metals have electrons to spare.
pub(super) fn is_expected(unit: &Composition, charge: f64) -> bool {
    let (metals, others): (Vec<_>, Vec<_>) = unit.iter().partition(|(e, _)| e.is_metal());
    let only = |set: &[&[&str]]| others.iter().all(|(e, _)| set.concat().contains(&e.symbol()));
    let any = |test: fn(Element) -> bool| metals.iter().any(|(e, _)| test(*e));
    let every = |test: fn(Element) -> bool| metals.iter().all(|(e, _)| test(*e));
    let atoms = |list: &[(Element, f64)]| list.iter().map(|(_, n)| n).sum::<f64>();
    let oxygen: f64 = others.iter().filter(|(e, _)| e.symbol() == "O").map(|(_, n)| n).sum();
    let richness = atoms(&metals) / atoms(&others);

    // Fe3C, LaB6, LaNi5H6, Ca5Sb3. The hydrides of sodium or silicon are no such thing.
    if only(&[SOFT]) {
        let hydride = others.iter().any(|(e, _)| *e == Element::H);
        return !hydride || any(|e| e.data().block != b's');
    }
    let left_over = [
        // GdS, Ti2S, Ti2AlN, Fe8N: the metal keeps electrons in its d band.
        only(&[SOFT, &["N", "S", "Se"]]) && any(is_transition_metal),
        // Gd2Cl3, ScCl, Pr2I5: bonds between metals, with or without an atom inside the cluster.
        only(&[SOFT, &["Cl", "Br", "I"]]) && any(|e| is_early(e) && e.data().group < 6),
        // Ti6O, Zr3O, Ti4Fe2OD2: oxygen dissolved in the metal, with or without hydrogen.
        only(&[&["O", "H"]])
            && every(is_transition_metal)
            && any(is_early)
            && atoms(&metals) >= 2.0 * oxygen,
        // CeO, PrO: monoxides of lanthanoids with a conduction band, as their sulfides.
        only(&[&["O"]]) && every(is_lanthanoid) && richness == 1.0,
        // Ag2F, Ag3O: silver keeps its bonds to silver.
        only(&[&["O", "F"]]) && every(|e| e.symbol() == "Ag") && richness >= 2.0,
        // Bi14I4: chains of bismuth.
        only(&[&["Cl", "Br", "I"]]) && every(|e| e.symbol() == "Bi") && richness > 1.0,
        // Ca3AuN, La3AlO, Sr5Pb3F: two metals, one of them an anion or both in clusters.
        metals.len() > 1 && any(|e| e.data().block != b's') && richness >= 3.0,
        // Ca2N, Ba3N, NaBa3N: electrons of their own between the layers and chains.
        only(&[&["N"]]) && any(|e| e.data().group == 2) && every(is_alkaline) && richness >= 2.0,
        // Rb9O2, Cs11O3: clusters of oxide in the metal.
        only(&[&["O"]]) && every(|e| matches!(e.symbol(), "Rb" | "Cs")) && richness >= 3.0,
    ];
    charge > 0.0 && left_over.contains(&true)
}

/// Non-metals that seldom make simple salts with metals.
const SOFT: &[&str] = &["H", "B", "C", "Si", "P", "Ge", "As", "Sb", "Te"];

/// Alkali and alkaline-earth metals.
fn is_alkaline(element: Element) -> bool {
    element.data().group <= 2
}

fn is_lanthanoid(element: Element) -> bool {
    (57..=71).contains(&element.z())
}

/// Groups 3 to 6 with the lanthanoids and actinoids.
fn is_early(element: Element) -> bool {
    (3..=6).contains(&element.data().group)
}

/// Groups 3 to 10: those with a part-filled d or f shell.
fn is_transition_metal(element: Element) -> bool {
    (3..=10).contains(&element.data().group)
}
