//! A composition whose charges do not add up to zero.

use cellwright_crystal::charge::{Balance, Declared, balance_with, oxygen_states};
use cellwright_crystal::{Composition, Element, Structure};
use cellwright_syntax::{File, Reading, Span};

use super::{symmetry_cell, symmetry_list};
use crate::words::{list, signed, trimmed};
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "charge-imbalance",
    severity: Severity::Warning,
    summary: "no oxidation states make the composition neutral",
    docs: r"A crystal is neutral. Where the file declares an oxidation number for every species (`Fe3+` as type symbol, or `_atom_type_oxidation_number`), they are
added up over the cell. Otherwise Cellwright looks for an assignment of known oxidation states that is neutral, first with one state for each element, then with
mixed valence of one element, the more electronegative elements negative; numbers that are declared for some species are kept, and oxygen atoms that are bound to
each other are peroxide. The message shows the assignment that comes nearest.

An imbalance mostly means that an atom is missing or there twice: a lithium that was lost, hydrogen that was not located, an oxygen too many.

Nothing is said where charges mean nothing: alloys, metallic borides, carbides, silicides and arsenides, cluster compounds and suboxides, molecules of nonmetals,
molecules and frameworks with carbon and hydrogen, compounds of noble gases, masked sites.

```cif
data_lost_lithium
_cell_length_a 4.00
_cell_length_b 4.00
_cell_length_c 4.00
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
Cl1 0.5 0.5 0.5
Cl2 0.5 0 0
```

## How to mend it

Compare the composition with its source; look for hydrogen that is not listed. A compound that really has such charges needs nothing: allow the finding with
`# cellwright: allow charge-imbalance`.

Sources of the states and of the idea: Davies et al., *Chem* 1, 617 (2016) (SMACT); how often states are reported in the ICSD of 2024.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        // Operations that form no group, or belong to other axes, make a wrong number of atoms.
        let told =
            Context::is_told(findings, reading, &[&symmetry_list::RULE, &symmetry_cell::RULE]);
        if facts.composition && !told {
            findings.extend(check_reading(context, reading));
        }
    }
}

fn check_reading(context: &Context<'_>, reading: &Reading) -> Option<Finding> {
    let structure = reading.structure.as_ref()?;
    let cell = structure.composition();
    let stated = stated(context, reading);
    // Hydrogen that the formula has and the sites have not was not located: the formula then says what is there.
    let hydrogen_missing = stated.as_ref().is_some_and(|(_, formula)| {
        let (h, others) =
            (formula.amount(Element::H), formula.total() - formula.amount(Element::H));
        let heavy = cell.total() - cell.amount(Element::H);
        h * heavy > 1.01 * cell.amount(Element::H) * others
    });
    if !hydrogen_missing && let Some(declared) = declared(reading) {
        return by_declaration(context, reading, &declared, stated.map(|s| s.0));
    }
    let (whole, known) = match &stated {
        Some((_, formula)) if hydrogen_missing => (formula.clone(), Vec::new()),
        _ => (cell, known_states(reading)),
    };
    let (unit, units) = whole.reduced();
    // Occupancies are rounded, and so are the formulas made of them.
    let tolerance = if structure.is_ordered() && !hydrogen_missing {
        1e-3
    } else {
        0.025 * unit.total().max(2.0) * units as f64
    };
    let verdict = balance_with(&whole, &known, tolerance);
    let Balance::Charged { nearest, charge } = verdict else { return None };
    let mut nearest = nearest;
    for (_, count) in nearest.iter_mut().flat_map(|a| &mut a.states) {
        *count /= units as f64;
    }
    let charge = charge / units as f64;
    let words: Vec<String> = nearest.iter().map(ToString::to_string).collect();
    // Too much oxygen is mostly hydrogen that is not listed.
    let oxygen = Element::from_symbol("O").is_some_and(|e| unit.amount(e) > 0.0);
    let hint = if charge < 0.0 && oxygen { ": is hydrogen missing?" } else { "" };
    let message = format!(
        "no oxidation states make {} neutral: nearest is {}, which leaves {} for each formula unit{hint}",
        unit.formula(),
        list(&words),
        signed(charge)
    );
    Some(Finding::new(&RULE, place(context, reading, stated.map(|s| s.0)), message))
}

/// The formula as stated, and where.
fn stated(context: &Context<'_>, reading: &Reading) -> Option<(Span, Composition)> {
    let File::Cif(cif) = &context.parsed.file else { return None };
    let (value, formula) = super::formula_sum::stated(context, cif.blocks.get(reading.block)?)?;
    Some((value.span, formula))
}

/// The formula, the species line of a POSCAR, or the header of the block.
fn place(context: &Context<'_>, reading: &Reading, formula: Option<Span>) -> Span {
    match &context.parsed.file {
        File::Cif(_) => formula.unwrap_or(reading.header),
        File::Poscar(poscar) => {
            let species = poscar.species.iter().map(|s| s.span);
            species.reduce(Span::cover).unwrap_or(reading.header)
        }
    }
}

/// The declared oxidation numbers, where every atom of the cell has one and not all are zero.
fn declared(reading: &Reading) -> Option<Vec<Declared>> {
    let structure = reading.structure.as_ref()?;
    let every = structure.sites.iter().all(|s| s.oxidation.is_some());
    let all = by_species(structure);
    (every && all.iter().any(|d| d.state != 0.0)).then_some(all)
}

/// How many atoms of the cell have which declared oxidation number.
fn by_species(structure: &Structure) -> Vec<Declared> {
    let mut all: Vec<Declared> = Vec::new();
    for site in &structure.sites {
        let (Some(element), Some(state)) = (site.element, site.oxidation) else { continue };
        match all.iter_mut().find(|d| d.element == element && d.state == state) {
            Some(known) => known.amount += site.occupancy,
            None => all.push(Declared { element, state, amount: site.occupancy }),
        }
    }
    all
}

/// What is known of the states where not all are declared: those that are, but for zeros, which stand for nothing
/// said, and those of oxygen, whose bonds to each other show.
fn known_states(reading: &Reading) -> Vec<Declared> {
    let Some(structure) = &reading.structure else { return Vec::new() };
    let mut known = by_species(structure);
    known.retain(|d| d.state != 0.0);
    let oxygen = Element::from_symbol("O");
    if !known.iter().any(|d| Some(d.element) == oxygen) {
        known.extend(oxygen_states(structure).unwrap_or_default());
    }
    known
}

fn by_declaration(
    context: &Context<'_>,
    reading: &Reading,
    declared: &[Declared],
    formula: Option<Span>,
) -> Option<Finding> {
    let structure = reading.structure.as_ref()?;
    let charge: f64 = declared.iter().map(|d| d.state * d.amount).sum();
    let size: f64 = declared.iter().map(|d| (d.state * d.amount).abs()).sum();
    let tolerance = if structure.is_ordered() { 1e-3 } else { 0.01 * size };
    if charge.abs() <= tolerance.max(1e-3) {
        return None;
    }
    let words: Vec<String> = declared
        .iter()
        .map(|d| format!("{} {} {}", trimmed(d.amount, 3), d.element, signed(d.state)))
        .collect();
    let message = format!(
        "the declared oxidation numbers leave a charge of {} in the cell: {}",
        signed(charge),
        list(&words)
    );
    Some(Finding::new(&RULE, place(context, reading, formula), message))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn one_chlorine_too_many() {
        check(
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Na Cl
^^^^^ warning charge-imbalance: no oxidation states make NaCl2 neutral: nearest is Na +1 and Cl −1, which leaves −1 for each formula unit
1 2
Direct
0 0 0
0.5 0 0
0 0.5 0
"#,
        );
    }

    #[test]
    fn declared_numbers_come_first() {
        check(
            r#"
data_x
_chemical_formula_sum 'Fe O'
                      ^^^^^^ warning charge-imbalance: the declared oxidation numbers leave a charge of +4 in the cell: 4 Fe +3 and 4 O −2
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_type_symbol
Fe1 0 0 0 Fe3+
O1 0.5 0.5 0.5 O2-
"#,
        );
    }

    #[test]
    fn mixed_valence_alloys_and_molecules_are_neutral() {
        check(
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Fe O
3 4
Direct
0 0 0
0.5 0 0
0 0.5 0
0.5 0.5 0.5
0 0 0.5
0.25 0.25 0.25
0.75 0.75 0.75
"#,
        );
        check(
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Ni Al
1 3
Direct
0 0 0
0.5 0 0
0 0.5 0
0.5 0.5 0
"#,
        );
        check(
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Mg B
1 2
Direct
0 0 0
0.5 0 0
0 0.5 0
"#,
        );
        check(
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
C H O
1 3 1
Direct
0 0 0
0.13 0 0
0 0.13 0
0 0 0.13
0.8 0 0
"#,
        );
    }
}
