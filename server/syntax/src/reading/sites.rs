//! The rows of atoms of a CIF.

use std::collections::{HashMap, HashSet};

use cellwright_crystal::Element;
use nalgebra::Vector3;

use super::expand::MAX_ATOMS;
use super::frame::Frame;
use super::names::{Names, Place};
use super::species::{self, Species};
use super::{AtomSite, Obstacle, ObstacleKind};
use crate::cif::Value;
use crate::text::Span;

/// Names of the fractional coordinates, in the spelling of [`Names`].
pub(crate) const FRACTIONAL: [&str; 3] =
    ["_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"];
/// Names of the Cartesian coordinates, in the spelling of [`Names`].
pub(crate) const CARTESIAN: [&str; 3] =
    ["_atom_site_cartn_x", "_atom_site_cartn_y", "_atom_site_cartn_z"];
/// Names of the label, the usual one first, then those of macromolecular files.
pub(crate) const LABELS: [&str; 4] =
    ["_atom_site_label", "_atom_site_label_atom_id", "_atom_site_auth_atom_id", "_atom_site_id"];
const SYMBOL: &str = "_atom_site_type_symbol";

/// Coordinates beyond this many cells are slips of the pen, and too large to compute with.
pub(super) const FARTHEST: f64 = 1e5;

/// Whether the block says something about atoms, be it unfinished.
pub(crate) fn mentioned(names: &Names) -> bool {
    let all = FRACTIONAL.iter().chain(&CARTESIAN).chain(&LABELS[..2]);
    all.chain(&[SYMBOL]).any(|n| names.has(n))
}

/// The names that hold the coordinates, fractional where there are any, and whether they are Cartesian.
pub(crate) fn coordinate_names(names: &Names) -> (&'static [&'static str; 3], bool) {
    let any = |list: &[&str; 3]| list.iter().any(|n| names.has(n));
    if !any(&FRACTIONAL) && any(&CARTESIAN) { (&CARTESIAN, true) } else { (&FRACTIONAL, false) }
}

/// The name whose loop (or group of single items) is the table of atoms.
pub(crate) fn table<'a>(names: &Names<'a>) -> Option<Place<'a>> {
    let (coordinates, _) = coordinate_names(names);
    coordinates.iter().chain(&LABELS).chain(&[SYMBOL]).find_map(|n| names.place(n))
}

/// The table of atoms.
#[derive(Default)]
pub(super) struct Sites {
    /// Every row.
    pub(super) rows: Vec<AtomSite>,
    /// Which rows are atoms of the crystal: dummy sites, vacancies and all models but the first are rows and nothing
    /// else.
    pub(super) is_atom: Vec<bool>,
    /// Whether the coordinates are Cartesian.
    pub(super) cartesian: bool,
}

/// Reads every row.
pub(super) fn read(
    text: &str,
    names: &Names,
    frame: Option<&Frame>,
    obstacles: &mut Vec<Obstacle>,
) -> Sites {
    let Some(table) = table(names) else { return Sites::default() };
    if let Place::Column(rows, _) = table
        && table.rows() > MAX_ATOMS
    {
        let message = format!("{} rows of atoms: more than can be held", table.rows());
        let (span, kind) = (rows.keyword, ObstacleKind::TooManyAtoms);
        obstacles.push(Obstacle { span, kind, message });
        return Sites::default();
    }
    let place = |name: &str| names.place(name).filter(|p| p.beside(table));
    let (coordinates, cartesian) = coordinate_names(names);
    let types = atom_types(text, names);
    let mut reader = Reader {
        text,
        label: LABELS.iter().find_map(|n| place(n)),
        symbol: place(SYMBOL),
        coordinates: coordinates.map(place),
        occupancy: place("_atom_site_occupancy"),
        assembly: place("_atom_site_disorder_assembly"),
        group: place("_atom_site_disorder_group").or_else(|| place("_atom_site_label_alt_id")),
        calculated: place("_atom_site_calc_flag"),
        model: place("_atom_site_pdbx_pdb_model_num"),
        known: known_elements(text, names, &types),
        types,
        cartesian,
        frame,
        obstacles,
        complained: HashSet::new(),
        symbols: HashMap::new(),
    };
    let all = match table {
        Place::Column(..) => Vec::new(),
        Place::Item(_) => {
            // A row of single items is as wide as the items it takes its values from.
            let known = coordinates.iter().chain(&LABELS).chain(&[SYMBOL]);
            known.filter_map(|n| place(n)?.get(0)).map(|v| v.span).collect()
        }
    };
    let of_items = all.into_iter().reduce(Span::cover);
    let span = |row: usize| match table {
        Place::Item(_) => of_items,
        Place::Column(table, _) => {
            let width = table.names.len();
            let row = table.values.get(row * width..)?;
            let last = row.get(width - 1).or(row.last())?;
            Some(row.first()?.span.cover(last.span))
        }
    };
    // Sized beforehand: a row is a large thing to move when a vector grows.
    let mut rows = Vec::with_capacity(table.rows());
    let mut is_atom = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let Some(span) = span(row) else { break };
        let (site, atom) = reader.row(row, span);
        rows.push(site);
        is_atom.push(atom);
    }
    Sites { rows, is_atom, cartesian }
}

/// Everything that reading one row needs.
struct Reader<'a, 't> {
    text: &'t str,
    label: Option<Place<'a>>,
    symbol: Option<Place<'a>>,
    coordinates: [Option<Place<'a>>; 3],
    occupancy: Option<Place<'a>>,
    assembly: Option<Place<'a>>,
    group: Option<Place<'a>>,
    calculated: Option<Place<'a>>,
    /// Several models of one structure stand below each other in macromolecular files.
    model: Option<Place<'a>>,
    /// Oxidation numbers of the atom types.
    types: HashMap<String, Option<f64>>,
    /// Elements that the formula or the atom types name.
    known: Vec<Element>,
    cartesian: bool,
    frame: Option<&'t Frame>,
    obstacles: &'t mut Vec<Obstacle>,
    /// Species texts that were complained of already: one obstacle each.
    complained: HashSet<String>,
    /// Symbols that were read already.
    symbols: HashMap<String, Species>,
}

impl<'a> Reader<'a, '_> {
    /// One row, and whether it is an atom.
    fn row(&mut self, row: usize, span: Span) -> (AtomSite, bool) {
        let text = self.text;
        let get = |place: Option<Place<'a>>| place.and_then(|p| p.get(row));
        let given = |place| get(place).filter(|v: &&Value| !v.is_null(text));
        let string = |v: &Value| v.text(text).trim().to_owned();

        let label_value = get(self.label);
        let symbol_value = get(self.symbol);
        let dummy =
            given(self.calculated).is_some_and(|v| v.text(text).trim().eq_ignore_ascii_case("dum"));
        let disorder = match (given(self.assembly), given(self.group)) {
            (None, None) => None,
            (a, g) => Some((a.map(string).unwrap_or_default(), g.map(string).unwrap_or_default())),
        };
        // A symbol that is `.` leaves the question to the label; one that is `?` asks it.
        let stated = symbol_value.filter(|v| !v.is_null(text) || v.is_unknown(text));
        let label = label_value.or(stated).map(string).unwrap_or_default();
        let species_value = stated.or(label_value);
        let species = species_value.map(string).unwrap_or_default();
        let read = self.species(&species, stated.is_some());
        let model = |row: usize| self.model?.get(row).map(|v| v.span.text(text));
        let is_atom = !dummy && read != Species::Vacancy && model(row) == model(0);
        let species_span = species_value.map_or(span, |v| v.span);
        if is_atom && read == Species::Unknown && self.complained.insert(species.clone()) {
            let message = if species.is_empty() {
                "nothing says what sits here".to_owned()
            } else if stated.is_some() {
                format!("'{species}' is not an element")
            } else {
                format!("no element can be read from the label '{species}'")
            };
            self.obstacle(species_span, ObstacleKind::Species, message);
        }
        let (element, charge) = match read {
            Species::Element(element, charge) if !dummy => (Some(element), charge),
            _ => (None, None),
        };
        let oxidation = self.types.get(&species).copied().flatten().or(charge);
        let occupancy_value = get(self.occupancy);
        let occupancy = self.occupancy(occupancy_value, is_atom);
        let coordinate_values = self.coordinates.map(get);
        let (frac, decimals) = self.position(coordinate_values, span, is_atom);
        let site = AtomSite {
            label,
            label_span: label_value.map_or(span, |v| v.span),
            symbol_span: symbol_value.map(|v| v.span),
            element,
            masked: is_atom && read == Species::Masked,
            species,
            oxidation: oxidation.filter(|_| element.is_some()),
            frac,
            coordinate_spans: coordinate_values.map(|v| v.map(|v| v.span)),
            decimals,
            occupancy,
            occupancy_span: occupancy_value.map(|v| v.span),
            disorder,
            row: span,
            multiplicity: 0,
        };
        (site, is_atom)
    }

    /// What a symbol or label stands for. Symbols are few and rows are many, so each is read once.
    fn species(&mut self, text: &str, is_symbol: bool) -> Species {
        if !is_symbol {
            return species::from_label(text, &self.known);
        }
        if let Some(known) = self.symbols.get(text) {
            return *known;
        }
        let read = species::from_symbol(text);
        self.symbols.insert(text.to_owned(), read);
        read
    }

    /// Occupancy, 1 where nothing is said.
    fn occupancy(&mut self, value: Option<&Value>, is_atom: bool) -> f64 {
        let Some(value) = value.filter(|v| !v.is_null(self.text)) else { return 1.0 };
        if let Some(number) = value.number(self.text) {
            return number.value;
        }
        if is_atom {
            let what = format!("the occupancy '{}' is not a number", value.text(self.text));
            self.obstacle(value.span, ObstacleKind::Occupancy, what);
        }
        1.0
    }

    /// Fractional coordinates and the decimals they were written with; an obstacle for the first coordinate that
    /// keeps the atom from being placed.
    fn position(
        &mut self,
        values: [Option<&Value>; 3],
        row: Span,
        is_atom: bool,
    ) -> (Option<Vector3<f64>>, [u8; 3]) {
        let mut position = Vector3::zeros();
        let mut decimals = [0; 3];
        let mut trouble = None;
        for (i, axis) in ["x", "y", "z"].into_iter().enumerate() {
            let number = values[i].and_then(|v| v.number(self.text));
            match (values[i], number) {
                (_, Some(number)) if number.value.abs() <= FARTHEST => {
                    position[i] = number.value;
                    decimals[i] = number.decimals;
                }
                (Some(v), Some(_)) => {
                    let what = format!("the coordinate {axis} lies far outside any cell");
                    trouble = trouble.or(Some((v.span, what)));
                }
                (Some(v), None) if v.is_null(self.text) => {
                    trouble =
                        trouble.or(Some((v.span, format!("the coordinate {axis} is not given"))));
                }
                (Some(v), None) => {
                    let what = format!("the coordinate '{}' is not a number", v.text(self.text));
                    trouble = trouble.or(Some((v.span, what)));
                }
                (None, None) => {
                    trouble = trouble.or(Some((row, format!("the coordinate {axis} is missing"))));
                }
                (None, Some(_)) => {}
            }
        }
        if let Some((span, message)) = trouble {
            if is_atom {
                self.obstacle(span, ObstacleKind::Coordinate, message);
            }
            return (None, decimals);
        }
        if self.cartesian {
            return (self.frame.map(|f| f.fractional(&position)), decimals);
        }
        (Some(position), decimals)
    }

    fn obstacle(&mut self, span: Span, kind: ObstacleKind, message: String) {
        self.obstacles.push(Obstacle { span, kind, message });
    }
}

/// Symbols of the `_atom_type` loop with their oxidation numbers.
fn atom_types(text: &str, names: &Names) -> HashMap<String, Option<f64>> {
    let Some(symbols) = names.place("_atom_type_symbol") else { return HashMap::new() };
    let numbers = names.place("_atom_type_oxidation_number").filter(|p| p.beside(symbols));
    let row = |row: usize| {
        let number = numbers.and_then(|n| n.get(row)).and_then(|v| v.number(text));
        Some((symbols.get(row)?.text(text).trim().to_owned(), number.map(|n| n.value)))
    };
    (0..symbols.rows()).filter_map(row).collect()
}

/// Elements that the block names outside its table of atoms.
fn known_elements(text: &str, names: &Names, types: &HashMap<String, Option<f64>>) -> Vec<Element> {
    let from_types = types.keys().filter_map(|symbol| match species::from_symbol(symbol) {
        Species::Element(element, _) => Some(element),
        _ => None,
    });
    let mut known: Vec<Element> = from_types.collect();
    for name in
        ["_chemical_formula_sum", "_chemical_formula_moiety", "_chemical_formula_structural"]
    {
        if let Some(formula) = names.value(text, name) {
            known.extend(species::elements_of_formula(&formula.text(text)));
        }
    }
    known.sort_unstable();
    known.dedup();
    known
}
