//! Writing a CIF.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use cellwright_crystal::symmetry::{Operation, Setting};
use cellwright_crystal::{Composition, Element, Site, Structure};

use crate::edit::number::fixed;
use crate::reading::expand::{self, Row};
use crate::text::Span;

/// Decimals of the numbers: the fewest, and those that make reading them again exact to 1e-8.
const DECIMALS: (usize, usize) = (4, 8);

/// Writes one block. Without a setting the sites are all of the cell.
pub(super) fn write(
    structure: &Structure,
    labels: Option<&[String]>,
    setting: Option<Setting>,
    name: &str,
) -> String {
    let operations = setting.map_or(vec![Operation::identity()], Setting::operations);
    let mut out = format!("data_{}\n", block_code(name));
    formula(&mut out, structure, &operations);
    cell(&mut out, structure);
    let (hm, hall, number) = setting.map_or(("P 1", "P 1", 1), |s| (s.hm(), s.hall(), s.number()));
    let _ = writeln!(out, "_space_group_name_H-M_alt     {}", quoted(hm));
    let _ = writeln!(out, "_space_group_name_Hall        {}", quoted(hall));
    let _ = writeln!(out, "_space_group_IT_number        {number}");
    out.push_str("loop_\n  _space_group_symop_operation_xyz\n");
    for operation in &operations {
        let _ = writeln!(out, "  '{operation}'");
    }
    atom_types(&mut out, structure);
    sites(&mut out, structure, labels.unwrap_or_default());
    out
}

/// At most 75 printable ASCII characters without blanks, as CIF 1.1 asks.
fn block_code(name: &str) -> String {
    let clean = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    let code: String = name.trim().chars().map(clean).take(70).collect();
    if code.is_empty() { "structure".to_owned() } else { code }
}

/// Formula unit, weight and Z, if every species is known and the cell can be expanded.
fn formula(out: &mut String, structure: &Structure, operations: &[Operation]) {
    if structure.is_empty() || structure.sites.iter().any(|s| s.element.is_none()) {
        return;
    }
    let row = |(index, site): (usize, &Site)| Row {
        index,
        span: Span::default(),
        site: site.clone(),
        decimals: 8,
    };
    let rows = structure.sites.iter().enumerate().map(row).collect();
    let Ok((cell, _)) = expand::expand(&structure.lattice, operations, rows) else { return };
    let (unit, z) = cell.composition().reduced();
    let _ = writeln!(out, "_chemical_formula_sum         {}", quoted(&hill(&unit)));
    let _ = writeln!(out, "_chemical_formula_weight      {}", trimmed(unit.mass(), 3, 3));
    let _ = writeln!(out, "_cell_formula_units_Z         {z}");
}

/// A formula in the order that `_chemical_formula_sum` prescribes: C, H, then by symbol; without C all by symbol.
fn hill(composition: &Composition) -> String {
    let carbon = composition.iter().any(|(e, _)| e.symbol() == "C");
    let mut parts: Vec<(Element, f64)> = composition.iter().collect();
    parts.sort_by_key(|(e, _)| {
        let rank = match e.symbol() {
            "C" if carbon => 0,
            "H" if carbon => 1,
            _ => 2,
        };
        (rank, e.symbol())
    });
    let part = |(e, n): &(Element, f64)| match trimmed(*n, 0, 4).as_str() {
        "1" => e.symbol().to_owned(),
        count => format!("{e}{count}"),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(" ")
}

fn cell(out: &mut String, structure: &Structure) {
    let lattice = &structure.lattice;
    let number = |x| trimmed(x, DECIMALS.0, DECIMALS.1);
    for (name, length) in ["a", "b", "c"].into_iter().zip(lattice.lengths()) {
        let _ = writeln!(out, "_cell_length_{name}                {}", number(length));
    }
    for (name, angle) in ["alpha", "beta ", "gamma"].into_iter().zip(lattice.angles()) {
        let _ = writeln!(out, "_cell_angle_{name}             {}", trimmed(angle, 2, DECIMALS.1));
    }
    let _ = writeln!(out, "_cell_volume                  {}", fixed(lattice.volume(), 4));
}

/// The declared oxidation numbers, one for each type symbol.
fn atom_types(out: &mut String, structure: &Structure) {
    let types: BTreeMap<String, f64> =
        structure.sites.iter().filter_map(|s| Some((symbol(s), s.oxidation?))).collect();
    if types.is_empty() {
        return;
    }
    out.push_str("loop_\n  _atom_type_symbol\n  _atom_type_oxidation_number\n");
    for (symbol, oxidation) in types {
        let _ = writeln!(out, "  {symbol}  {}", trimmed(oxidation, 0, 3));
    }
}

/// The type symbol: element and charge, `?` where the species is asked for.
fn symbol(site: &Site) -> String {
    match (site.element, site.oxidation) {
        (None, _) => "?".to_owned(),
        (Some(element), None) => element.to_string(),
        (Some(element), Some(charge)) => {
            let sign = if charge < 0.0 { '-' } else { '+' };
            format!("{element}{}{sign}", trimmed(charge.abs(), 0, 3))
        }
    }
}

fn sites(out: &mut String, structure: &Structure, given: &[String]) {
    if structure.is_empty() {
        // A loop must hold something.
        return;
    }
    out.push_str(concat!(
        "loop_\n  _atom_site_label\n  _atom_site_type_symbol\n  _atom_site_fract_x\n",
        "  _atom_site_fract_y\n  _atom_site_fract_z\n  _atom_site_occupancy\n"
    ));
    let labels = labels(structure, given);
    let symbols: Vec<String> = structure.sites.iter().map(symbol).collect();
    let width = |texts: &[String]| texts.iter().map(|t| t.chars().count()).max().unwrap_or(0);
    let (w1, w2) = (width(&labels), width(&symbols));
    let decimals =
        decimals(&structure.sites.iter().flat_map(|s| s.frac.iter().copied()).collect::<Vec<_>>());
    for ((site, label), symbol) in structure.sites.iter().zip(&labels).zip(&symbols) {
        let _ = write!(out, "  {label:w1$} {symbol:w2$}");
        for x in &site.frac {
            let _ = write!(out, " {:>w$}", fixed(*x, decimals), w = decimals + 3);
        }
        let _ = writeln!(out, " {}", trimmed(site.occupancy, 0, DECIMALS.1));
    }
}

/// Labels as given where they are fit, otherwise element and running number; all different.
fn labels(structure: &Structure, given: &[String]) -> Vec<String> {
    let fit = |l: &&String| {
        let plain =
            l.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'[' | b']' | b'{' | b'}'));
        // A label that looks like something else to a reader of CIF would have to be quoted.
        let begins = l.starts_with(|c: char| c.is_ascii_alphabetic());
        let lower = l.to_ascii_lowercase();
        let reserved = ["data_", "loop_", "save_", "stop_", "global_"];
        plain && begins && !reserved.iter().any(|r| lower.starts_with(r))
    };
    let mut taken: HashSet<String> = given.iter().filter(fit).cloned().collect();
    let mut used = HashSet::new();
    let mut running: BTreeMap<&str, usize> = BTreeMap::new();
    let mut label = |(i, site): (usize, &Site)| {
        if let Some(label) = given.get(i).filter(fit).filter(|l| used.insert((*l).clone())) {
            return label.clone();
        }
        let element = site.element.map_or("X", Element::symbol);
        let number = running.entry(element).or_default();
        loop {
            *number += 1;
            let label = format!("{element}{number}");
            if taken.insert(label.clone()) {
                return label;
            }
        }
    };
    structure.sites.iter().enumerate().map(&mut label).collect()
}

/// The fewest decimals that give all numbers to 1e-10, at most eight.
fn decimals(numbers: &[f64]) -> usize {
    let exact = |d: &usize| {
        let power = 10f64.powi(*d as i32);
        numbers.iter().all(|x| (x - (x * power).round() / power).abs() < 1e-10)
    };
    (DECIMALS.0..DECIMALS.1).find(exact).unwrap_or(DECIMALS.1)
}

/// A number with at most `most` decimals, zeros at the end left out down to `least`.
fn trimmed(x: f64, least: usize, most: usize) -> String {
    let mut text = fixed(x, most);
    if let Some(point) = text.find('.') {
        let digits = text.trim_end_matches('0').len();
        text.truncate(digits.max(point + 1 + least));
        if text.ends_with('.') {
            text.pop();
        }
    }
    text
}

/// A value that may hold blanks, in quotes that it does not hold itself.
fn quoted(value: &str) -> String {
    let quote = if value.contains('\'') { '"' } else { '\'' };
    format!("{quote}{value}{quote}")
}
