//! Code lenses over each block: what crystal it is, its energy, and "Relax".

use cellwright_syntax::Span;

use crate::{Energy, EnergyState, Facts};

/// One lens.
#[derive(Debug, Clone, PartialEq)]
pub struct Lens {
    /// Where it stands.
    pub span: Span,
    /// What it says.
    pub title: String,
    /// What it does.
    pub action: Option<LensAction>,
}

/// What a click on a lens does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LensAction {
    /// Offer to relax this reading (index into [`cellwright_syntax::Parsed::readings`]).
    Relax(usize),
    /// Offer to predict for this composition line (index into what [`cellwright_syntax::composition_lines`] gives).
    Predict(usize),
}

/// The lenses of a document. `energies` belongs to the readings one by one; missing entries count as
/// [`EnergyState::Off`].
#[must_use]
pub fn lenses<E: AsRef<Energy>>(facts: &[Option<Facts>], energies: &[EnergyState<E>]) -> Vec<Lens> {
    let known = facts.iter().enumerate().filter_map(|(i, f)| Some((i, f.as_ref()?)));
    known.flat_map(|(i, facts)| of_reading(i, facts, energies.get(i))).collect()
}

fn of_reading<E: AsRef<Energy>>(
    index: usize,
    facts: &Facts,
    energy: Option<&EnergyState<E>>,
) -> Vec<Lens> {
    let mut parts = vec![facts.formula.clone(), format!("Z = {}", facts.z)];
    parts.extend(facts.space_group.clone());
    parts.push(format!("{:.3} g/cm³", facts.density));
    match energy {
        None | Some(EnergyState::Off) => {}
        Some(EnergyState::Pending) => parts.push("E …".to_owned()),
        Some(EnergyState::Refused(reason)) => parts.push(format!("no energy: {reason}")),
        Some(EnergyState::Known(energy)) => {
            let energy = energy.as_ref();
            parts.push(format!("E {} eV/atom", signed(energy.energy_per_atom, 4)));
            parts.push(format!("max |F| {:.2} eV/Å", energy.max_force()));
            parts.push(energy.model.clone());
            parts.extend(energy.cautions.iter().map(|caution| format!("caution: {caution}")));
        }
    }
    let mut lenses = vec![Lens { span: facts.header, title: parts.join(" · "), action: None }];
    if facts.refusal.is_none() {
        let action = Some(LensAction::Relax(index));
        lenses.push(Lens { span: facts.header, title: "Relax".to_owned(), action });
    }
    lenses
}

/// A number with a real minus sign.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    // What rounds to zero is neither above nor below it.
    let is_zero = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    if is_zero { text.replace('-', "") } else { text.replace('-', "−") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::facts::facts;
    use crate::fixtures::{RUTILE, cif, energy};

    #[test]
    fn zero_has_no_sign() {
        assert_eq!([signed(-0.04, 1), signed(-0.06, 1), signed(0.0, 1)], ["0.0", "−0.1", "0.0"]);
    }

    fn titles(text: &str, state: EnergyState<Arc<Energy>>) -> Vec<String> {
        lenses(&facts(&cif(text)), &[state]).into_iter().map(|l| l.title).collect()
    }

    #[test]
    fn the_title_grows_with_what_is_known() {
        let what = "TiO2 · Z = 2 · P 42/m n m · 4.247 g/cm³";
        assert_eq!(titles(RUTILE, EnergyState::Off), [what, "Relax"]);
        assert_eq!(titles(RUTILE, EnergyState::Pending)[0], format!("{what} · E …"));
        let known = EnergyState::Known(Arc::new(energy(&[0.5, 0.25])));
        let with_energy =
            format!("{what} · E −8.2500 eV/atom · max |F| 0.50 eV/Å · Fake 1 on abacus");
        assert_eq!(titles(RUTILE, known), [with_energy.as_str(), "Relax"]);
        let doubtful = Energy { cautions: vec!["lone atom".to_owned()], ..energy(&[0.5]) };
        let title = &titles(RUTILE, EnergyState::Known(Arc::new(doubtful)))[0];
        assert_eq!(title, &format!("{with_energy} · caution: lone atom"));
        let refused = EnergyState::Refused("too many atoms".to_owned());
        assert_eq!(titles(RUTILE, refused)[0], format!("{what} · no energy: too many atoms"));
    }

    #[test]
    fn what_cannot_be_relaxed_has_no_lens_for_it() {
        let masked = RUTILE.replace("Ti1 Ti", "Ti1 ?");
        assert_eq!(titles(&masked, EnergyState::Off).len(), 1);
    }
}
