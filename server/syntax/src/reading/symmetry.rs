//! The symmetry a block declares.

use std::borrow::Cow;

use cellwright_crystal::Lattice;
use cellwright_crystal::symmetry::{Operation, OperationError, Setting, hall_operations};

use super::expand::Row;
use super::names::Names;
use super::{Obstacle, ObstacleKind, OperationSource, Symmetry, origin, settings};
use crate::cif::Value;
use crate::text::Span;
use crate::value::Spanned;

/// Names of the list of operations, the ones in use today first.
pub(crate) const XYZ: [&str; 2] =
    ["_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"];
/// Names of the operations of a magnetic structure; a fourth part is the time reversal.
pub(crate) const MAGNETIC_XYZ: [&str; 2] =
    ["_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_operation_bns_xyz"];
/// Names of the centring translations of a magnetic structure.
pub(crate) const MAGNETIC_CENTRING: [&str; 2] =
    ["_space_group_symop_magn_centering_xyz", "_space_group_symop_magn_centering_bns_xyz"];
/// Names of the Hermann–Mauguin symbol.
pub(crate) const HERMANN_MAUGUIN: [&str; 7] = [
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_ref",
    "_space_group_name_h-m_full",
    "_symmetry_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m_full",
    "_space_group_name_h-m",
];
/// Names of the Hall symbol.
pub(crate) const HALL: [&str; 2] = ["_space_group_name_hall", "_symmetry_space_group_name_hall"];
/// Names of the International Tables number.
pub(crate) const NUMBER: [&str; 2] = ["_space_group_it_number", "_symmetry_int_tables_number"];

/// Reads the declared symmetry and decides which operations are applied.
pub(super) fn read(
    text: &str,
    names: &Names,
    lattice: Option<&Lattice>,
    atoms: &[Row],
    obstacles: &mut Vec<Obstacle>,
) -> Symmetry {
    let first = |list: &[&str]| list.iter().find_map(|n| names.value(text, n));
    let symbol =
        |list| first(list).map(|v| Spanned { value: v.text(text).trim().to_owned(), span: v.span });
    let hm = symbol(&HERMANN_MAUGUIN);
    let hall = symbol(&HALL);
    let number = first(&NUMBER).and_then(|v| {
        let number = v.number(text)?.value;
        let whole = number.fract() == 0.0 && (0.0..=999.0).contains(&number);
        whole.then_some(Spanned { value: number as u16, span: v.span })
    });
    let candidates: Vec<Setting> =
        hm.iter().flat_map(|hm| settings::candidates(&hm.value)).collect();

    let mut symmetry = Symmetry {
        operations: vec![Operation::identity()],
        source: OperationSource::Nothing,
        operation_spans: Vec::new(),
        hm,
        hall,
        number,
        setting: None,
    };
    if let Some((operations, spans)) = operation_list(text, names, obstacles) {
        // What the list says counts, also where it is no tabulated setting (another origin, say) and the
        // symbol beside it is.
        symmetry.source = OperationSource::Xyz;
        symmetry.setting = settings::identify(&operations, &candidates);
        symmetry.operations = operations;
        symmetry.operation_spans = spans;
        return symmetry;
    }
    let mut unknown = |span: Span, message: String| {
        obstacles.push(Obstacle { span, kind: ObstacleKind::SpaceGroup, message });
    };
    if let Some(hall) = &symmetry.hall {
        // A Hall symbol is explicit: it need not be tabulated to be understood.
        if let Some(operations) = hall_operations(&hall.value) {
            symmetry.setting = Setting::from_hall(&hall.value);
            symmetry.operations = symmetry.setting.map_or(operations, Setting::operations);
            symmetry.source = OperationSource::Hall;
            return symmetry;
        }
        unknown(hall.span, format!("'{}' is not a Hall symbol", hall.value));
    }
    let choose = |candidates: &[Setting]| {
        let fitting = settings::fitting(candidates, lattice);
        // A symbol that may mean several groups means the first.
        let same = |s: &&Setting| Some(s.number()) == fitting.first().map(|s| s.number());
        let fitting: Vec<Setting> = fitting.iter().filter(same).copied().collect();
        origin::choose(&fitting, lattice, atoms, origin::formula(text, names).as_ref())
    };
    let mut named = None;
    if let Some(hm) = &symmetry.hm {
        named = choose(&candidates).map(|s| (s, OperationSource::HermannMauguin));
        if named.is_none() {
            let what = format!("'{}' is not the Hermann-Mauguin symbol of a space group", hm.value);
            unknown(hm.span, what);
        }
    }
    if let (None, Some(number)) = (&named, &symmetry.number) {
        named = choose(&by_number(number.value)).map(|s| (s, OperationSource::Number));
        if named.is_none() {
            let what = format!("space groups are numbered 1 to 230, this is {}", number.value);
            unknown(number.span, what);
        }
    }
    if let Some((setting, source)) = named {
        symmetry.setting = Some(setting);
        symmetry.operations = setting.operations();
        symmetry.source = source;
    }
    symmetry
}

/// The standard setting of a number, and those on other axes or another origin.
fn by_number(number: u16) -> Vec<Setting> {
    let Some(standard) = Setting::standard(number) else { return Vec::new() };
    let mut candidates = vec![standard];
    let others = settings::candidates(standard.hm_without_choice());
    candidates.extend(others.into_iter().filter(|s| *s != standard));
    candidates
}

/// The operations of the list with their places, identity first; `None` where no operation could be read.
fn operation_list(
    text: &str,
    names: &Names,
    obstacles: &mut Vec<Obstacle>,
) -> Option<(Vec<Operation>, Vec<Span>)> {
    let mut read = |list: &[&str], magnetic: bool| -> Vec<(Operation, Span)> {
        let Some(name) = list.iter().find(|n| names.value(text, n).is_some()) else {
            return Vec::new();
        };
        let values = names.values(name);
        values.filter_map(|v| operation(text, v, magnetic, obstacles)).collect()
    };
    let mut listed = read(&XYZ, false);
    if listed.is_empty() {
        listed = read(&MAGNETIC_XYZ, true);
        let centring = read(&MAGNETIC_CENTRING, true);
        if !centring.is_empty() {
            let product = |(c, _): &(Operation, Span)| -> Vec<(Operation, Span)> {
                listed.iter().map(|(op, span)| (c.compose(op), *span)).collect()
            };
            listed = centring.iter().flat_map(product).collect();
        }
    }
    let (first, _) = listed.first()?;
    let identity = Operation::identity();
    if !first.same(&identity, 1e-6) {
        // The identity goes in front. A list without one means it all the same; it then stands where the
        // list begins.
        let found = listed.iter().position(|(op, _)| op.same(&identity, 1e-6));
        let entry = match found {
            Some(i) => listed.remove(i),
            None => (identity, listed[0].1),
        };
        listed.insert(0, entry);
    }
    Some(listed.into_iter().unzip())
}

/// One operation of the list, or an obstacle.
fn operation(
    text: &str,
    value: &Value,
    magnetic: bool,
    obstacles: &mut Vec<Obstacle>,
) -> Option<(Operation, Span)> {
    let written = value.text(text);
    let mut xyz: Cow<str> = written.clone();
    if magnetic {
        // x,y,z,+1: the time reversal moves no atom.
        if let Some((head, _)) =
            written.rsplit_once(',').filter(|(h, _)| h.matches(',').count() == 2)
        {
            xyz = head.to_owned().into();
        }
    }
    let read: Result<Operation, OperationError> = xyz.trim().parse();
    match read {
        Ok(operation) => Some((operation, value.span)),
        Err(error) => {
            let (span, kind) = (value.span, ObstacleKind::Operation);
            obstacles.push(Obstacle { span, kind, message: error.to_string() });
            None
        }
    }
}
