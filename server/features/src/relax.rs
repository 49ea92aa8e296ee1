//! Relaxation: which ways there are, what their result does to the text, and the numbers that sum it up.

use cellwright_crystal::Structure;
use cellwright_crystal::structure::wrap_half;
use cellwright_syntax::edit::{EditError, Update, update, update_as_p1};
use cellwright_syntax::poscar::AtomRow;
use cellwright_syntax::{File, Parsed, Reading};

use crate::energy::refusal;
use crate::lens::signed;

/// One way to relax a crystal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Whether the cell may change.
    pub cell: bool,
    /// Whether the declared symmetry is kept; otherwise the block becomes P 1.
    pub keep_symmetry: bool,
}

/// A way to offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Imperative, names the symmetry: `Relax positions (keep F m -3 m)`.
    pub title: String,
    /// What it does.
    pub way: Way,
    /// Why it cannot be done now.
    pub disabled: Option<String>,
}

/// The ways to relax a reading: positions only, cell too, each with the declared symmetry and without. A reading that declares no
/// symmetry has only the latter.
#[must_use]
pub fn choices(reading: &Reading) -> Vec<Choice> {
    let disabled = refusal(reading);
    let symmetric = reading.symmetry.operations.len() > 1;
    let ways: &[bool] = if symmetric { &[true, false] } else { &[false] };
    let choice = |keep_symmetry: bool, cell: bool| {
        let what = if cell { "Relax cell and positions" } else { "Relax positions" };
        let how = match (symmetric, keep_symmetry) {
            (false, _) => String::new(),
            (true, true) => format!(" (keep {})", symmetry_name(reading)),
            (true, false) => " (as P 1)".to_owned(),
        };
        let way = Way { cell, keep_symmetry };
        Choice { title: format!("{what}{how}"), way, disabled: disabled.clone() }
    };
    ways.iter().flat_map(|keep| [choice(*keep, false), choice(*keep, true)]).collect()
}

fn symmetry_name(reading: &Reading) -> String {
    let symmetry = &reading.symmetry;
    let written = symmetry.hm.as_ref().map(|hm| hm.value.trim().to_owned());
    let written = written.filter(|hm| !hm.is_empty() && hm != "?" && hm != ".");
    written
        .or_else(|| symmetry.setting.map(|s| s.hm().to_owned()))
        .unwrap_or_else(|| format!("{} symmetry operations", symmetry.operations.len()))
}

/// What brings a relaxed structure (same atoms, same order) into the text.
///
/// # Errors
/// See [`EditError`]; a structure relaxed with its symmetry kept does not break it.
pub fn edits(
    parsed: &Parsed,
    reading: &Reading,
    relaxed: &Structure,
    way: Way,
) -> Result<Update, EditError> {
    let symmetric = reading.symmetry.operations.len() > 1;
    if symmetric && !way.keep_symmetry {
        update_as_p1(parsed, reading, relaxed)
    } else {
        update(parsed, reading, relaxed)
    }
}

/// The fractional coordinates that a relaxation must leave alone, a row for each atom: the `F` flags of selective
/// dynamics. Empty where nothing is held.
#[must_use]
pub fn held(parsed: &Parsed) -> Vec<[bool; 3]> {
    let File::Poscar(poscar) = &parsed.file else { return Vec::new() };
    let flags = |row: &AtomRow| {
        row.flags.as_ref().map_or([false; 3], |free| [0, 1, 2].map(|k| !free[k].value))
    };
    let rows: Vec<_> = poscar.atoms.iter().map(flags).collect();
    if rows.iter().flatten().any(|held| *held) { rows } else { Vec::new() }
}

/// How many atoms were held, as part of a sentence: `, 2 atoms held`. Empty where none is.
#[must_use]
pub fn held_words(held: &[[bool; 3]]) -> String {
    let count = |wanted: fn(&[bool; 3]) -> bool| held.iter().filter(|flags| wanted(flags)).count();
    let (any, partly) =
        (count(|f| f.contains(&true)), count(|f| f.contains(&true) && f.contains(&false)));
    let atoms = if any == 1 { "atom" } else { "atoms" };
    match (any, partly) {
        (0, _) => String::new(),
        (_, 0) => format!(", {any} {atoms} held"),
        _ => format!(", {any} {atoms} held ({partly} along some axes only)"),
    }
}

/// A relaxation in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Energy at the start (eV/atom).
    pub energy_before: f64,
    /// Energy at the end (eV/atom).
    pub energy_after: f64,
    /// Largest force at the start (eV/Å).
    pub max_force_before: f64,
    /// Largest force at the end (eV/Å).
    pub max_force_after: f64,
    /// Steps taken.
    pub steps: usize,
    /// Whether the tolerance was reached.
    pub converged: bool,
    /// Which coordinates were held, see [`held`].
    pub held: Vec<[bool; 3]>,
    /// Volume at the start (Å³).
    pub volume_before: f64,
    /// Volume at the end (Å³).
    pub volume_after: f64,
    /// Root mean square of the atoms' displacements (Å).
    pub rms_displacement: f64,
    /// Largest displacement of an atom (Å).
    pub max_displacement: f64,
    /// Reasons to trust the numbers less.
    pub cautions: Vec<String>,
}

impl Summary {
    /// One sentence for a title or a notification, no trailing dot.
    #[must_use]
    pub fn message(&self) -> String {
        let steps = if self.steps == 1 { "step" } else { "steps" };
        let held = held_words(&self.held);
        let start = if self.converged {
            format!("Relaxed in {} {steps}{held}", self.steps)
        } else {
            format!("Not converged after {} {steps}{held}", self.steps)
        };
        format!(
            "{start}: E {} → {} eV/atom, max |F| {:.2} → {:.2} eV/Å",
            signed(self.energy_before, 4),
            signed(self.energy_after, 4),
            self.max_force_before,
            self.max_force_after
        )
    }
}

/// Root mean square and largest displacement (Å) of the atoms between two structures with the same atoms: the change of the
/// fractional coordinates, shortest way round, measured in the mean of both lattices, so that a mere strain moves nothing.
#[must_use]
pub fn displacements(start: &Structure, end: &Structure) -> (f64, f64) {
    let mean = (start.lattice.matrix() + end.lattice.matrix()) * 0.5;
    let squares: Vec<f64> = start
        .sites
        .iter()
        .zip(&end.sites)
        .map(|(a, b)| mean.tr_mul(&(b.frac - a.frac).map(wrap_half)).norm_squared())
        .collect();
    if squares.is_empty() {
        return (0.0, 0.0);
    }
    let mean_square = squares.iter().sum::<f64>() / squares.len() as f64;
    (mean_square.sqrt(), squares.iter().copied().fold(0.0, f64::max).sqrt())
}

#[cfg(test)]
mod tests {
    use cellwright_syntax::text::apply_edits;

    use super::*;
    use crate::fixtures::{POSCAR, RUTILE, cif, poscar};

    #[test]
    fn symmetry_decides_which_ways_there_are() {
        let titles = |parsed: &Parsed| -> Vec<String> {
            choices(&parsed.readings[0]).into_iter().map(|c| c.title).collect()
        };
        assert_eq!(
            titles(&cif(RUTILE)),
            [
                "Relax positions (keep P 42/m n m)",
                "Relax cell and positions (keep P 42/m n m)",
                "Relax positions (as P 1)",
                "Relax cell and positions (as P 1)",
            ]
        );
        assert_eq!(titles(&poscar(POSCAR)), ["Relax positions", "Relax cell and positions"]);
        let masked = cif(&RUTILE.replace("Ti1 Ti", "Ti1 ?"));
        assert!(choices(&masked.readings[0]).iter().all(|c| c.disabled.is_some()));
    }

    #[test]
    fn a_strain_that_keeps_the_symmetry_changes_only_the_cell() {
        let parsed = cif(RUTILE);
        let reading = &parsed.readings[0];
        let start = reading.structure.clone().unwrap();
        let mut end = start.clone();
        let rows = start.lattice.matrix() * 1.01;
        end.lattice = cellwright_crystal::Lattice::from_rows(rows).unwrap();
        let way = Way { cell: true, keep_symmetry: true };
        let text = apply_edits(RUTILE, &edits(&parsed, reading, &end, way).unwrap().edits);
        assert!(text.contains("_cell_length_a 4.6399") && text.contains("0.3053(2)"), "{text}");
        assert_eq!(displacements(&start, &end), (0.0, 0.0), "a mere strain moves nothing");
        // Without the symmetry every site is listed.
        let way = Way { cell: true, keep_symmetry: false };
        let text = apply_edits(RUTILE, &edits(&parsed, reading, &end, way).unwrap().edits);
        assert_eq!(cif(&text).readings[0].sites.len(), 6, "{text}");
    }

    #[test]
    fn flags_of_selective_dynamics_hold_coordinates() {
        let free = poscar(POSCAR);
        assert!(held(&free).is_empty());
        let slab = "slab\n1\n4 0 0\n0 4 0\n0 0 9\nH\n2\nSelective dynamics\nDirect\n0 0 0 F F F\n0 0 .3 T F T\n";
        let held = held(&poscar(slab));
        assert_eq!(held, [[true; 3], [false, true, false]]);
        assert_eq!(held_words(&held), ", 2 atoms held (1 along some axes only)");
        assert_eq!(held_words(&held[..1]), ", 1 atom held");
        assert_eq!(held_words(&[[false; 3]]), "");
    }

    #[test]
    fn displacements_take_the_shortest_way_round() {
        let start = poscar(POSCAR).readings[0].structure.clone().unwrap();
        let mut end = start.clone();
        end.sites[1].frac.x += 0.75;
        let (rms, max) = displacements(&start, &end);
        assert!((max - 0.25 * 4.12).abs() < 1e-9, "{max}");
        assert!((rms - max / 2_f64.sqrt()).abs() < 1e-9, "{rms}");
    }

    #[test]
    fn a_summary_says_whether_it_converged() {
        let mut summary = Summary {
            energy_before: -8.0,
            energy_after: -8.5,
            max_force_before: 2.0,
            max_force_after: 0.04,
            steps: 12,
            converged: true,
            held: Vec::new(),
            volume_before: 60.0,
            volume_after: 61.0,
            rms_displacement: 0.1,
            max_displacement: 0.2,
            cautions: Vec::new(),
        };
        let numbers = "E −8.0000 → −8.5000 eV/atom, max |F| 2.00 → 0.04 eV/Å";
        assert_eq!(summary.message(), format!("Relaxed in 12 steps: {numbers}"));
        summary.converged = false;
        summary.steps = 1;
        summary.held = vec![[true; 3], [false; 3]];
        assert_eq!(
            summary.message(),
            format!("Not converged after 1 step, 1 atom held: {numbers}")
        );
    }
}
