//! The formula that is stated against the atoms that are there.

use cellwright_crystal::{Composition, Element};
use cellwright_syntax::cif::{Block, Value};
use cellwright_syntax::{File, Reading, TextEdit};

use crate::mend::quoted_like;
use crate::words::{list, trimmed};
use crate::{Context, Finding, Rule, Severity, formula};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "formula-sum",
    severity: Severity::Warning,
    summary: "_chemical_formula_sum is not what the atom sites add up to",
    docs: r"The atoms of the cell, counted with their occupancies and divided by Z (`_cell_formula_units_Z`), are not the formula that is stated. An atom is missing
or there twice, an occupancy or the symmetry is wrong, or the formula is. Without Z any multiple of the formula is accepted. These are the
tests FORMU_01 and CELLZ_01 of checkCIF.

Integer formulas must agree to 0.02 atoms, disordered ones to 2 %. If only hydrogen differs it is information: hydrogen is often not located.

```cif
data_salt
_chemical_formula_sum 'Na2 Cl'
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
Na1 0 0 0
Cl1 0.5 0.5 0.5
```

## How to mend it

Count the atoms: `cellwright info` lists every site with its multiplicity. Where the sites are right, the fix sets the formula; where the proportions are right, it
sets Z.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let File::Cif(cif) = &context.parsed.file else { return };
    for (reading, facts) in context.readings() {
        if !facts.composition {
            continue;
        }
        let Some(block) = cif.blocks.get(reading.block) else { continue };
        findings.extend(compare(context, reading, block));
    }
}

/// The formula of a block as stated, and where.
pub(super) fn stated<'b>(
    context: &Context<'_>,
    block: &'b Block,
) -> Option<(&'b Value, Composition)> {
    let value = block.any_value(&["_chemical_formula_sum", "_chemical_formula.sum"])?;
    let text = &*context.parsed.text;
    if value.is_null(text) {
        return None;
    }
    Some((value, formula::parse(&value.text(text))?))
}

fn compare(context: &Context<'_>, reading: &Reading, block: &Block) -> Option<Finding> {
    let text = &*context.parsed.text;
    let (value, stated) = stated(context, block)?;
    let structure = reading.structure.as_ref()?;
    let cell = structure.composition();
    let ordered = structure.is_ordered();
    let z_value = block.any_value(&["_cell_formula_units_z", "_cell.formula_units_z"]);
    let z_stated = z_value.and_then(|v| v.number(text)).map(|n| n.value).filter(|z| *z > 0.0);
    let ratio = ratio(&cell, &stated);
    let z = z_stated.or(ratio)?;
    let differ = differences(&cell, &stated, z, ordered);
    if differ.is_empty() {
        return None;
    }
    if differ == [Element::H] {
        let there = cell.amount(Element::H) / z;
        let message = format!(
            "the formula has {} H, the sites {}: not all hydrogen is located",
            trimmed(stated.amount(Element::H), 3),
            trimmed(there, 3)
        );
        let severity = Severity::Information;
        return Some(Finding::new(&RULE, value.span, message).severity(severity));
    }
    // Another number of formula units explains it all?
    if let (Some(z_value), Some(units)) = (z_value, ratio) {
        let whole = (units - units.round()).abs() < 0.02 && units >= 0.98;
        let rest = differences(&cell, &stated, units, ordered);
        if whole && z_stated.is_some() && (rest.is_empty() || rest == [Element::H]) {
            let right = trimmed(units.round(), 0);
            let message = format!("the sites hold {right} formula units, Z is {}", trimmed(z, 3));
            let edit = TextEdit::replace(z_value.span, right.clone());
            let finding =
                Finding::new(&RULE, z_value.span, message).relate(value.span, "the formula");
            return Some(finding.fix(format!("Set Z to {right}"), vec![edit]));
        }
    }
    Some(report(text, value, &stated, &cell, z, &differ))
}

fn report(
    text: &str,
    value: &Value,
    stated: &Composition,
    cell: &Composition,
    z: f64,
    differ: &[Element],
) -> Finding {
    const SHOWN: usize = 4;
    let mut words: Vec<String> = differ
        .iter()
        .take(SHOWN)
        .map(|e| {
            let there = trimmed(cell.amount(*e) / z, 3);
            format!("{e} {} in the formula, {there} in the sites", trimmed(stated.amount(*e), 3))
        })
        .collect();
    if differ.len() > SHOWN {
        words.push(format!("{} more", differ.len() - SHOWN));
    }
    let message =
        format!("the sites do not add up to the formula (Z = {}): {}", trimmed(z, 3), list(&words));
    let written = value.text(text);
    let show_one = stated
        .iter()
        .any(|(e, n)| n == 1.0 && written.split_whitespace().any(|word| word == format!("{e}1")));
    // Whole formula units where Z divides the cell, else the reduced formula.
    let unit: Composition = cell.iter().map(|(e, n)| (e, n / z)).collect();
    let whole = unit.iter().all(|(_, n)| (n - n.round()).abs() < 1e-3);
    let unit = if whole { unit } else { cell.reduced().0 };
    let right = formula::hill(&unit, show_one);
    let edit = TextEdit::replace(value.span, quoted_like(value, text, &right));
    Finding::new(&RULE, value.span, message)
        .fix(format!("Set the formula to '{right}'"), vec![edit])
}

/// How many formula units the cell holds, by all atoms but hydrogen.
fn ratio(cell: &Composition, stated: &Composition) -> Option<f64> {
    let heavy = |c: &Composition| {
        let without = c.total() - c.amount(Element::H);
        if without > 0.0 { without } else { c.total() }
    };
    // By the elements that both have: an element that is missing must not shift the others.
    let common = |c: &Composition, other: &Composition| -> Composition {
        c.iter().filter(|(e, _)| other.amount(*e) > 0.0).collect()
    };
    let (there, said) = (heavy(&common(cell, stated)), heavy(&common(stated, cell)));
    let units = there / said;
    if !(units.is_finite() && units > 0.0) {
        return None;
    }
    // One element that is wrong must not make all the others look wrong: prefer a whole number near.
    let votes = stated.iter().filter(|(e, _)| *e != Element::H).map(|(e, n)| cell.amount(e) / n);
    let mut votes: Vec<f64> = votes.filter(|v| *v > 0.0).collect();
    votes.sort_by(f64::total_cmp);
    let agree = |x: f64| votes.iter().filter(|v| (**v - x).abs() < 0.01 * x).count();
    votes.iter().copied().max_by_key(|v| agree(*v)).filter(|v| agree(*v) > 1).or(Some(units))
}

/// The elements whose amounts differ.
fn differences(cell: &Composition, stated: &Composition, z: f64, ordered: bool) -> Vec<Element> {
    Element::all()
        .filter(|e| {
            let (there, said) = (cell.amount(*e) / z, stated.amount(*e));
            let share = if ordered { 0.0 } else { 0.02 * said.max(there) };
            (there - said).abs() > 0.02 + share
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn an_atom_more_in_the_formula() {
        check(
            r#"
data_x
_chemical_formula_sum 'Na2 Cl'
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
Na1 0 0 0
Cl1 0.5 0.5 0.5
"#,
        );
    }

    #[test]
    fn any_multiple_without_z() {
        check(
            r#"
data_x
_chemical_formula_sum 'Na4 Cl4'
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
Na1 0 0 0
Cl1 0.5 0.5 0.5
"#,
        );
    }

    #[test]
    fn another_z() {
        check_fix(
            "formula-sum",
            r#"
data_x
_chemical_formula_sum 'Cl Na'
_cell_formula_units_Z 2
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
Na1 0 0 0
Cl1 0.5 0.5 0.5
"#,
            r#"
data_x
_chemical_formula_sum 'Cl Na'
_cell_formula_units_Z 4
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
Na1 0 0 0
Cl1 0.5 0.5 0.5
"#,
        );
    }

    #[test]
    fn hydrogen_that_is_not_located() {
        check(
            r#"
data_x
_chemical_formula_sum 'H2 O'
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 0 0 0
"#,
        );
    }

    #[test]
    fn the_formula_is_set_in_its_own_style() {
        check_fix(
            "formula-sum",
            r#"
data_x
_chemical_formula_sum "Na1 Br1"
_cell_formula_units_Z 4
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
Na1 0 0 0
Cl1 0.5 0.5 0.5
"#,
            r#"
data_x
_chemical_formula_sum "Cl1 Na1"
_cell_formula_units_Z 4
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
Na1 0 0 0
Cl1 0.5 0.5 0.5
"#,
        );
    }

    #[test]
    fn a_missing_atom_does_not_blame_the_others() {
        check(
            r#"
data_x
_chemical_formula_sum 'C2 H4 O2'
_cell_formula_units_Z 1
_cell_length_a 8
_cell_length_b 8
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
C1 0 0 0
O1 0.15 0 0
O2 0 0.15 0
H1 0.1 0.2 0.3
H2 0.5 0.5 0.5
H3 0.7 0.5 0.5
H4 0.7 0.7 0.5
"#,
        );
    }
}
