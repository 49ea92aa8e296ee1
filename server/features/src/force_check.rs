//! `large-force`: a site with an absurd force. The one diagnostic that needs a model, so it does not live with the
//! others in `cellwright-checks`.

use cellwright_checks::{Finding, Severity, is_allowed};
use cellwright_syntax::{AtomSite, Parsed, Reading, Span};

use crate::Energy;

/// Stable code of the diagnostic.
pub const CODE: &str = "large-force";

/// Its severity unless the user says otherwise.
pub const SEVERITY: Severity = Severity::Warning;

/// One line for lists.
pub const SUMMARY: &str = "an atom feels a force that no sensible structure has";

/// For the manual.
pub const DOCS: &str = "\
A learned potential gives an atom of the cell a force far above anything thermal motion or an ordinary relaxation \
brings about (by default 25 eV/Å). The message names the model, its version and the device: the number is the model's, not a \
measurement. It is found in the editor only, where the energy is computed as you type.

## How to mend it

Two atoms are too close, an atom is missing, or an element or a coordinate is wrong: mend that. If the structure is only \
strained, relax it.
";

/// One finding for every row of a crystal of `parsed` whose atoms feel more than `limit` (eV/Å); none where a
/// comment allows them.
#[must_use]
pub fn large_forces(
    parsed: &Parsed,
    reading: &Reading,
    energy: &Energy,
    limit: f64,
) -> Vec<Finding> {
    if is_allowed(parsed, CODE) {
        return Vec::new();
    }
    let rows = reading.sites.iter().zip(energy.row_forces(reading));
    rows.filter_map(|(site, force)| Some((site, force.filter(|f| *f > limit)?)))
        .map(|(site, force)| Finding {
            code: CODE,
            severity: SEVERITY,
            span: place(site),
            message: format!(
                "the force on {} is {force:.1} eV/Å ({}): its position, its species or a neighbour is very likely wrong",
                site.label, energy.model
            ),
            related: Vec::new(),
            fixes: Vec::new(),
        })
        .collect()
}

/// The coordinates, or the label where they do not stand together.
fn place(site: &AtomSite) -> Span {
    let spans = site.coordinate_spans;
    match spans {
        [Some(x), Some(y), Some(z)] if x.end <= y.start && y.end <= z.start => x.cover(z),
        _ => site.label_span,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{RUTILE, cif, energy};

    #[test]
    fn an_absurd_force_is_found_at_its_coordinates() {
        let parsed = cif(RUTILE);
        let reading = &parsed.readings[0];
        let norms: Vec<f64> =
            reading.origins.iter().map(|o| if o.site == 1 { 80.0 } else { 24.0 }).collect();
        let found = large_forces(&parsed, reading, &energy(&norms), 25.0);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].span.text(RUTILE), "0.3053(2) 0.3053(2) 0.0");
        assert!(found[0].message.starts_with("the force on O1 is 80.0 eV/Å (Fake 1 on abacus)"));
    }

    #[test]
    fn a_comment_allows_it_and_is_understood() {
        let parsed = cif(&format!("# cellwright: allow {CODE}\n{RUTILE}"));
        let reading = &parsed.readings[0];
        let norms = vec![80.0; reading.origins.len()];
        assert_eq!(large_forces(&parsed, reading, &energy(&norms), 25.0), []);
        let findings = cellwright_checks::check(&parsed, &cellwright_checks::Tolerances::default());
        assert_eq!(findings, []);
    }
}
