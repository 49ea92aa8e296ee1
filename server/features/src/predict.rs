//! What an editor shows of a prediction: where it is offered, and what is said of each candidate.

use cellwright_syntax::CompositionLine;

use crate::lens::{Lens, LensAction, signed};

/// What a model says about a candidate, units as users read them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CandidateNumbers {
    /// Where it comes from: `NaCl (mp-22862)`, `EquiCSP, seed 3`.
    pub source: String,
    /// Reduced formula units in the cell.
    pub units: u32,
    /// Chance that this is the structure.
    pub probability: Option<f64>,
    /// eV/atom.
    pub energy: Option<f64>,
    /// eV/atom above the hull of known phases (below zero: under it), and how many phases those are.
    pub above_hull: Option<(f64, usize)>,
    /// What relaxing did.
    pub relaxed: Option<Relaxed>,
    /// Number and symbol of the space group.
    pub space_group: Option<(u16, String)>,
    /// g/cm³.
    pub density: f64,
    /// Shortest distance (Å).
    pub shortest: Option<f64>,
    /// Whether usual oxidation states add up to zero.
    pub charge_balanced: Option<bool>,
}

/// What relaxing did to a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relaxed {
    /// Steps taken.
    pub steps: usize,
    /// Whether they were enough.
    pub converged: bool,
    /// Change of the volume as a share of what it was.
    pub volume_change: f64,
}

/// Atoms closer than this (Å) make no structure: the validity of the benchmarks.
const CLOSEST: f64 = 0.5;

/// A candidate as a row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateWords {
    /// `F m -3 m · E −3.3941 eV/atom · 12 meV above hull`.
    pub title: String,
    /// How sure the ranking is: `62 %`; empty where nobody knows.
    pub description: String,
    /// The rest.
    pub detail: String,
}

impl CandidateNumbers {
    /// For the user.
    #[must_use]
    pub fn words(&self) -> CandidateWords {
        let mut title = Vec::new();
        match &self.space_group {
            Some((number, symbol)) if symbol.is_empty() => title.push(format!("group {number}")),
            Some((_, symbol)) => title.push(symbol.clone()),
            None => title.push("no space group found".to_owned()),
        }
        title.extend(self.energy.map(|e| format!("E {} eV/atom", signed(e, 4))));
        title.extend(self.above_hull.map(|(above, _)| hull(above)));
        let description = self.probability.map_or_else(String::new, percent);
        let mut detail = vec![format!("from {}", self.source), format!("Z = {}", self.units)];
        detail.push(format!("{:.3} g/cm³", self.density));
        detail.extend(self.shortest.map(|d| {
            let much = if d < CLOSEST { ": atoms overlap" } else { "" };
            format!("shortest distance {d:.2} Å{much}")
        }));
        detail.extend(self.charge_balanced.map(|balanced| {
            if balanced { "charges balance" } else { "charges do not balance" }.to_owned()
        }));
        detail.extend(self.relaxed.filter(|r| r.steps > 0).map(|r| {
            let open = if r.converged { "" } else { ", not to the end" };
            let volume = signed(100.0 * r.volume_change, 1);
            let noun = if r.steps == 1 { "step" } else { "steps" };
            format!("relaxed in {} {noun}{open} (volume {volume} %)", r.steps)
        }));
        detail.extend(self.above_hull.map(|(_, phases)| {
            let noun = if phases == 1 { "phase" } else { "phases" };
            format!("hull of {phases} known {noun}")
        }));
        CandidateWords { title: title.join(" · "), description, detail: detail.join(" · ") }
    }
}

impl CandidateNumbers {
    /// Where the structure comes from, on one line of ASCII, to be kept in the file: program and version, source, how sure, and how it
    /// was relaxed. `potential` is what relaxed it, where that is known.
    #[must_use]
    pub fn origin(&self, potential: Option<&str>) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let mut origin = format!("predicted by Cellwright {version} from {}", self.source);
        if let Some(p) = self.probability {
            origin.push_str(&format!(", chance {}", percent(p)));
        }
        if let Some(relaxed) = self.relaxed.filter(|r| r.steps > 0) {
            let noun = if relaxed.steps == 1 { "step" } else { "steps" };
            origin.push_str(&format!(", relaxed in {} {noun}", relaxed.steps));
            if let Some(potential) = potential {
                origin.push_str(&format!(" with {potential}"));
            }
        }
        origin
    }
}

/// `12 meV above hull`; what rounds to nothing is on it.
fn hull(above: f64) -> String {
    let millis = (above * 1e3).round();
    if millis > 0.0 {
        format!("{millis:.0} meV above hull")
    } else if millis < 0.0 {
        format!("{:.0} meV below hull", -millis)
    } else {
        "on the hull".to_owned()
    }
}

/// A probability as nobody misreads it: neither 0 % nor 100 % is ever meant.
#[must_use]
pub fn percent(p: f64) -> String {
    match 100.0 * p {
        x if x < 1.0 => "< 1 %".to_owned(),
        x if x > 99.0 => "> 99 %".to_owned(),
        x => format!("{x:.0} %"),
    }
}

/// The lenses over composition lines that can be answered.
#[must_use]
pub fn lenses(lines: &[CompositionLine]) -> Vec<Lens> {
    let lens = |(index, line): (usize, &CompositionLine)| {
        line.wanted.as_ref().ok()?;
        let action = Some(LensAction::Predict(index));
        Some(Lens { span: line.span, title: title(line), action })
    };
    lines.iter().enumerate().filter_map(lens).collect()
}

/// Imperative, with what is to be predicted: `Predict structure of LiFePO4, Z = 4`.
#[must_use]
pub fn title(line: &CompositionLine) -> String {
    let Ok(wanted) = &line.wanted else { return "Predict structure".to_owned() };
    let (unit, units) = wanted.composition().reduced();
    let mut title = format!("Predict structure of {}", unit.formula());
    // A formula without Z leaves it open; the counts of a POSCAR do not.
    let z = wanted.units.map(|n| u64::from(n) * units);
    if let Some(z) = z {
        title.push_str(&format!(", Z = {z}"));
    }
    title
}

#[cfg(test)]
mod tests {
    use cellwright_syntax::composition_lines;

    use super::*;
    use crate::fixtures::cif;

    #[test]
    fn a_lens_offers_what_was_asked_for() {
        let lines = composition_lines(&cif(
            "# predict: Li4 Fe4 P4 O16\n# predict: NaQ\n# predict: NaCl, Z=4\n",
        ));
        let titles: Vec<_> = lenses(&lines).into_iter().map(|l| (l.title, l.action)).collect();
        assert_eq!(
            titles,
            [
                ("Predict structure of LiFePO4".to_owned(), Some(LensAction::Predict(0))),
                ("Predict structure of NaCl, Z = 4".to_owned(), Some(LensAction::Predict(2))),
            ]
        );
    }

    #[test]
    fn a_candidate_says_all_it_knows_and_no_more() {
        let full = CandidateNumbers {
            source: "KCl (mp-23193)".to_owned(),
            units: 4,
            probability: Some(0.617),
            energy: Some(-3.3941),
            above_hull: Some((0.0123, 7)),
            relaxed: Some(Relaxed { steps: 12, converged: false, volume_change: -0.021 }),
            space_group: Some((225, "F m -3 m".to_owned())),
            density: 2.164,
            shortest: Some(2.82),
            charge_balanced: Some(true),
        };
        let words = full.words();
        assert_eq!(words.title, "F m -3 m · E −3.3941 eV/atom · 12 meV above hull");
        assert_eq!(words.description, "62 %");
        assert_eq!(
            words.detail,
            "from KCl (mp-23193) · Z = 4 · 2.164 g/cm³ · shortest distance 2.82 Å · charges balance · \
             relaxed in 12 steps, not to the end (volume −2.1 %) · hull of 7 known phases"
        );
        assert_eq!(
            full.origin(Some("CHGNet 0.3.0")),
            format!(
                "predicted by Cellwright {} from KCl (mp-23193), chance 62 %, relaxed in 12 steps with CHGNet 0.3.0",
                env!("CARGO_PKG_VERSION")
            )
        );
        let bare = CandidateNumbers {
            source: "EquiCSP, seed 3".to_owned(),
            units: 1,
            ..Default::default()
        };
        let words = bare.words();
        assert_eq!(
            (words.title.as_str(), words.description.as_str()),
            ("no space group found", "")
        );
        assert_eq!(words.detail, "from EquiCSP, seed 3 · Z = 1 · 0.000 g/cm³");
        assert!(bare.origin(None).ends_with(" from EquiCSP, seed 3"), "{}", bare.origin(None));
        let close = CandidateNumbers { shortest: Some(0.4), ..bare };
        assert!(close.words().detail.ends_with("shortest distance 0.40 Å: atoms overlap"));
        assert_eq!(
            [-0.0211, 0.0004, 0.2].map(hull),
            ["21 meV below hull", "on the hull", "200 meV above hull"]
        );
        assert_eq!(
            [0.0, 0.009, 0.0101, 0.5, 1.0].map(percent),
            ["< 1 %", "< 1 %", "1 %", "50 %", "> 99 %"]
        );
    }
}
