//! The formula that is stated against the atoms that are there.

use cellwright_crystal::{Composition, Element};
use cellwright_syntax::cif::{Block, Value};
use cellwright_syntax::{File, Reading, TextEdit};

use super::{symmetry_cell, symmetry_list, symmetry_symbol};
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

Programs that write the content of the whole cell beside a Z of more than 1 get an information only.

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
        // Wrong operations make a wrong number of atoms.
        let causes = [&symmetry_list::RULE, &symmetry_symbol::RULE, &symmetry_cell::RULE];
        let told = Context::is_told(findings, reading, &causes);
        if !facts.composition || told {
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
    if value.is_null(text) || context.is_disturbed(value.span) {
        return None;
    }
    Some((value, value.text(text).parse().ok()?))
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
    // Some programs write what the whole cell holds, and Z beside it.
    if z > 1.0 && differences(&cell, &stated, 1.0, ordered).is_empty() {
        let message = format!(
            "this is what the whole cell holds, not one of Z = {} formula units",
            trimmed(z, 3)
        );
        let unit: Composition = cell.iter().map(|(e, n)| (e, n / z)).collect();
        let right = formula::hill(&unit, shows_one(&value.text(text)));
        let edit = TextEdit::replace(value.span, quoted_like(value, text, &right));
        let finding = Finding::new(&RULE, value.span, message).severity(Severity::Information);
        return Some(finding.fix(format!("Set the formula to '{right}'"), vec![edit]));
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
    // Whole formula units where Z divides the cell, else the reduced formula.
    let unit: Composition = cell.iter().map(|(e, n)| (e, n / z)).collect();
    let whole = unit.iter().all(|(_, n)| (n - n.round()).abs() < 1e-3);
    let unit = if whole { unit } else { cell.reduced().0 };
    let right = formula::hill(&unit, shows_one(&value.text(text)));
    let edit = TextEdit::replace(value.span, quoted_like(value, text, &right));
    Finding::new(&RULE, value.span, message)
        .fix(format!("Set the formula to '{right}'"), vec![edit])
}

/// Whether a formula writes its ones: `Na1 Cl1`.
fn shows_one(written: &str) -> bool {
    written.split_whitespace().any(|word| {
        word.strip_suffix('1').is_some_and(|symbol| Element::from_symbol(symbol).is_some())
    })
}

/// How many formula units the cell holds: what most elements but hydrogen agree on, so that one element
/// that is wrong does not make all the others look wrong; between equals what leaves the smallest differences.
fn ratio(cell: &Composition, stated: &Composition) -> Option<f64> {
    let common: Vec<(f64, f64)> = stated
        .iter()
        .filter(|(e, _)| *e != Element::H || stated.len() == 1)
        .map(|(e, said)| (cell.amount(e), said))
        .filter(|(there, said)| *there > 0.0 && *said > 0.0)
        .collect();
    let agreeing = |units: f64| {
        common.iter().filter(move |(there, said)| (there / said - units).abs() < 0.01 * units)
    };
    let misfit = |units: f64| -> f64 {
        common.iter().map(|(there, said)| (there / units - said).abs()).sum()
    };
    let best = common.iter().map(|(there, said)| there / said).max_by(|x, y| {
        let agree = agreeing(*x).count().cmp(&agreeing(*y).count());
        agree.then(misfit(*y).total_cmp(&misfit(*x))).then(x.total_cmp(y))
    });
    let Some(best) = best else {
        // Nothing in common: the formula is another one, whatever Z.
        return (!cell.is_empty()).then(|| cell.reduced().1 as f64);
    };
    let (there, said) = agreeing(best).fold((0.0, 0.0), |sum, x| (sum.0 + x.0, sum.1 + x.1));
    let units: f64 = there / said;
    (units.is_finite() && units > 0.0).then_some(units)
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
                      ^^^^^^^^ warning formula-sum: the sites do not add up to the formula (Z = 4): Na 2 in the formula, 1 in the sites
                      | fix: Set the formula to 'Cl Na'
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
                      ^^^^^^ information formula-sum: the formula has 2 H, the sites 0: not all hydrogen is located
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
                      ^^^^^^^^^^ warning formula-sum: the sites do not add up to the formula (Z = 1): C 2 in the formula, 1 in the sites
                      | fix: Set the formula to 'C H4 O2'
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

    #[test]
    fn atoms_that_a_missing_operation_would_make_are_not_missed_twice() {
        check(
            r#"
data_x
_chemical_formula_sum 'Na4 Cl2'
_cell_formula_units_Z 1
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_space_group_symop_operation_xyz
x,y,z
-x,-y,z
^^^^^^^ warning symmetry-list: the operations form no group: -x,y,-z after -x,-y,z is x,-y,-z, which is not in the list
| line 14 "-x,y,-z": -x,y,-z
-x,y,-z
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0.2 0.2 0.2
Cl1 0.2 0 0
"#,
        );
    }
}
