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
    /// Number and symbol of the space group.
    pub space_group: Option<(u16, String)>,
    /// g/cm³.
    pub density: f64,
    /// Shortest distance (Å).
    pub shortest: Option<f64>,
    /// Whether usual oxidation states add up to zero.
    pub charge_balanced: Option<bool>,
}

/// A candidate as a row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateWords {
    /// `F m -3 m · E −3.3941 eV/atom`.
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
        let description = self.probability.map_or_else(String::new, percent);
        let mut detail = vec![format!("from {}", self.source), format!("Z = {}", self.units)];
        detail.push(format!("{:.3} g/cm³", self.density));
        detail.extend(self.shortest.map(|d| format!("shortest distance {d:.2} Å")));
        detail.extend(self.charge_balanced.map(|balanced| {
            if balanced { "charges balance" } else { "charges do not balance" }.to_owned()
        }));
        CandidateWords { title: title.join(" · "), description, detail: detail.join(" · ") }
    }
}

/// A probability as nobody misreads it: neither 0 % nor 100 % is ever meant.
fn percent(p: f64) -> String {
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
            space_group: Some((225, "F m -3 m".to_owned())),
            density: 2.164,
            shortest: Some(2.82),
            charge_balanced: Some(true),
        };
        let words = full.words();
        assert_eq!(words.title, "F m -3 m · E −3.3941 eV/atom");
        assert_eq!(words.description, "62 %");
        assert_eq!(
            words.detail,
            "from KCl (mp-23193) · Z = 4 · 2.164 g/cm³ · shortest distance 2.82 Å · charges balance"
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
        assert_eq!(
            [0.0, 0.009, 0.0101, 0.5, 1.0].map(percent),
            ["< 1 %", "< 1 %", "1 %", "50 %", "> 99 %"]
        );
    }
}
