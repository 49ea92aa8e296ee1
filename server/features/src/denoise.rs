//! Denoising: where it is offered, what is held, and the numbers that sum it up.

use cellwright_crystal::symmetry::{Operation, detect};
use cellwright_crystal::{Structure, structure::wrap_half};
use cellwright_syntax::{Language, Parsed, Reading, Span};

use crate::energy::refusal_unless_masked;
use crate::lens::signed;
use crate::relax;

/// Distance tolerance (Å) of the symmetry that a POSCAR does not state.
const SYMPREC: f64 = 0.01;

/// Denoising of a crystal, or of some of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Imperative: `Denoise positions of 3 selected sites`.
    pub title: String,
    /// Rows that may move; none: all.
    pub rows: Option<Vec<usize>>,
    /// Why it cannot be done now.
    pub disabled: Option<String>,
}

/// What a selection means: the rows that it covers, or everything where it covers none or all.
#[must_use]
pub fn choice(reading: &Reading, selected: Span) -> Choice {
    let covered = |span: Span| span.start < selected.end && selected.start < span.end;
    let rows: Vec<usize> = (0..reading.sites.len())
        .filter(|row| selected.start < selected.end && covered(reading.sites[*row].row))
        .collect();
    let some = !rows.is_empty() && rows.len() < reading.sites.len();
    let title = match rows.len() {
        _ if !some => "Denoise positions".to_owned(),
        1 => format!("Denoise the position of {}", reading.sites[rows[0]].label),
        n => format!("Denoise positions of {n} selected sites"),
    };
    Choice { title, rows: some.then_some(rows), disabled: refusal_unless_masked(reading) }
}

/// The fractional coordinates that must stay, a row for each atom of the cell: those that selective dynamics holds and those of
/// rows that were not selected. Empty where nothing is held.
#[must_use]
pub fn held(parsed: &Parsed, reading: &Reading, rows: Option<&[usize]>) -> Vec<[bool; 3]> {
    let mut held = relax::held(parsed);
    let Some(rows) = rows else { return held };
    held.resize(reading.origins.len(), [false; 3]);
    for (held, origin) in held.iter_mut().zip(&reading.origins) {
        if !rows.contains(&origin.site) {
            *held = [true; 3];
        }
    }
    held
}

/// The operations to keep: those that a CIF declares; a POSCAR states none, so those that are found, unless `held` holds atoms
/// where a symmetry might not have them.
#[must_use]
pub fn operations(
    parsed: &Parsed,
    reading: &Reading,
    structure: &Structure,
    held: &[[bool; 3]],
) -> Option<Vec<Operation>> {
    match parsed.language() {
        Language::Cif => {
            let operations = &reading.symmetry.operations;
            (operations.len() > 1).then(|| operations.clone())
        }
        Language::Poscar if held.is_empty() => {
            detect(structure, SYMPREC).ok().map(|found| found.operations)
        }
        Language::Poscar => None,
    }
}

/// How far (Å) the atoms of each row moved, the furthest first; rows that stay are left out.
#[must_use]
pub fn moves(reading: &Reading, start: &Structure, end: &Structure) -> Vec<(String, f64)> {
    let mut rows = vec![0.0_f64; reading.sites.len()];
    for ((origin, a), b) in reading.origins.iter().zip(&start.sites).zip(&end.sites) {
        let way = start.lattice.to_cartesian(&(b.frac - a.frac).map(wrap_half)).norm();
        rows[origin.site] = rows[origin.site].max(way);
    }
    let mut moves: Vec<(String, f64)> = reading
        .sites
        .iter()
        .map(|s| s.label.clone())
        .zip(rows)
        .filter(|(_, d)| *d >= 5e-4)
        .collect();
    moves.sort_by(|a, b| b.1.total_cmp(&a.1));
    moves
}

/// Denoising in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Rounds that moved anything.
    pub rounds: usize,
    /// Labels of rows and how far they moved (Å), the furthest first.
    pub moves: Vec<(String, f64)>,
    /// Energies before and after (eV/atom), where a potential could be asked.
    pub energies: Option<(f64, f64)>,
    /// Shortest distances before and after (Å).
    pub shortest: (f64, f64),
    /// Why it stopped early, where another step would have made things worse.
    pub worse: Option<String>,
}

impl Summary {
    /// One sentence for a title or a notification, no trailing dot.
    #[must_use]
    pub fn message(&self) -> String {
        let start = match (self.moves.first(), &self.worse) {
            (None, Some(reason)) => return format!("Nothing was moved: {reason}"),
            (None, None) => return "Nothing to move: every atom is where it belongs".to_owned(),
            (Some((label, distance)), _) => {
                let sites = if self.moves.len() == 1 { "site" } else { "sites" };
                let count = self.moves.len();
                format!("Denoised: {count} {sites} moved, {label} furthest by {distance:.3} Å")
            }
        };
        let energies = self.energies.map(|(before, after)| {
            format!(", E {} → {} eV/atom", signed(before, 4), signed(after, 4))
        });
        format!("{start}{}", energies.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{POSCAR, RUTILE, cif, poscar};

    fn span(text: &str, part: &str) -> Span {
        let start = text.find(part).unwrap();
        Span::new(start, start + part.len())
    }

    #[test]
    fn a_selection_says_which_rows_may_move() {
        let parsed = cif(RUTILE);
        let reading = &parsed.readings[0];
        let title = |selected| choice(reading, selected).title;
        assert_eq!(title(Span::at(40)), "Denoise positions");
        assert_eq!(title(span(RUTILE, "O1 O")), "Denoise the position of O1");
        assert_eq!(title(Span::new(0, RUTILE.len())), "Denoise positions");
        assert_eq!(choice(reading, span(RUTILE, "O1 O")).rows, Some(vec![1]));
        let masked = cif(&RUTILE.replace("O1 O", "O1 ?"));
        assert_eq!(choice(&masked.readings[0], Span::at(0)).disabled, None);
        let without = cif(&RUTILE.replace("_cell_", "_no_"));
        assert!(choice(&without.readings[0], Span::at(0)).disabled.is_some());
    }

    #[test]
    fn rows_that_were_not_selected_are_held() {
        let parsed = cif(RUTILE);
        let reading = &parsed.readings[0];
        assert!(held(&parsed, reading, None).is_empty());
        let held = held(&parsed, reading, Some(&[1]));
        assert_eq!(held, [[[true; 3]; 2].as_slice(), &[[false; 3]; 4]].concat());
        let structure = reading.structure.as_ref().unwrap();
        assert_eq!(operations(&parsed, reading, structure, &held).unwrap().len(), 16);
        let salt = poscar(POSCAR);
        let structure = salt.readings[0].structure.as_ref().unwrap();
        let found = |held: &[[bool; 3]]| operations(&salt, &salt.readings[0], structure, held);
        assert_eq!(found(&[]).unwrap().len(), 48);
        assert_eq!(found(&[[true; 3], [false; 3]]), None);
        let slab = poscar(
            "slab\n1\n4 0 0\n0 4 0\n0 0 9\nH\n2\nSelective dynamics\nDirect\n0 0 0 F F F\n0 0 .3 T F T\n",
        );
        let held = super::held(&slab, &slab.readings[0], Some(&[1]));
        assert_eq!(held, [[true; 3], [false, true, false]]);
    }

    #[test]
    fn the_summary_says_who_moved_and_what_it_gained() {
        let parsed = cif(RUTILE);
        let reading = &parsed.readings[0];
        let start = reading.structure.as_ref().unwrap();
        let mut end = start.clone();
        end.sites[4].frac.x += 1.0 + 0.1 / 4.594;
        let moves = moves(reading, start, &end);
        assert_eq!((moves.len(), moves[0].0.as_str()), (1, "O1"));
        let summary = Summary {
            rounds: 1,
            moves,
            energies: Some((-8.0, -8.25)),
            shortest: (1.5, 1.9),
            worse: None,
        };
        assert_eq!(
            summary.message(),
            "Denoised: 1 site moved, O1 furthest by 0.100 Å, E −8.0000 → −8.2500 eV/atom"
        );
        let none = Summary { moves: Vec::new(), ..summary };
        assert_eq!(none.message(), "Nothing to move: every atom is where it belongs");
        let worse =
            Summary { worse: Some("the energy would rise by 3 meV/atom".to_owned()), ..none };
        assert_eq!(worse.message(), "Nothing was moved: the energy would rise by 3 meV/atom");
    }
}
