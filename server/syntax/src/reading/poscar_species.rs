//! Which species the groups of a POSCAR are.

use cellwright_crystal::Element;

use super::species::{self, Species};
use super::{Obstacle, ObstacleKind};
use crate::poscar::PoscarFile;
use crate::text::Span;

/// The species of one group of atoms.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Group {
    /// As written; `?` where nothing names it.
    pub(super) name: String,
    /// Where line 6 names it.
    pub(super) span: Option<Span>,
    pub(super) element: Option<Element>,
    pub(super) masked: bool,
}

/// One group for each count: named by line 6 (VASP 5), else by what stands behind the coordinates, else by the comment line as
/// VASP 4 recommends. Groups that nothing names, or whose name is no element, get an obstacle.
pub(super) fn groups(text: &str, file: &PoscarFile, obstacles: &mut Vec<Obstacle>) -> Vec<Group> {
    let fallback = if file.species.is_empty() {
        from_rows(text, file).or_else(|| from_comment(file))
    } else {
        None
    };
    let mut trouble = |span: Span, message: String| {
        obstacles.push(Obstacle { span, kind: ObstacleKind::Species, message });
    };
    if file.species.is_empty() && fallback.is_none() {
        let spans = file.counts.iter().map(|c| c.span).reduce(Span::cover);
        if let Some(span) = spans {
            trouble(span, "nothing names the species of these atoms".to_owned());
        }
        return file.counts.iter().map(|_| unnamed()).collect();
    }
    if let Some(names) = fallback {
        return names;
    }
    let group = |(i, count): (usize, Span)| match file.species.get(i) {
        Some(name) => {
            let group = named(&name.value, Some(name.span));
            if group.element.is_none() && !group.masked {
                trouble(name.span, format!("'{}' is not an element", name.value));
            }
            group
        }
        None => {
            trouble(count, "no species stands above this count".to_owned());
            unnamed()
        }
    };
    file.counts.iter().map(|c| c.span).enumerate().map(group).collect()
}

/// A name as VASP knows it: an element, perhaps with the variant of its potential (`Fe_pv`, `Ti_sv.GW`).
fn named(name: &str, span: Option<Span>) -> Group {
    let stem = name.split(['_', '.', '/']).next().unwrap_or(name);
    let (element, masked) = match species::from_symbol(stem) {
        Species::Element(element, _) => (Some(element), false),
        Species::Masked => (None, true),
        Species::Vacancy | Species::Unknown => (None, false),
    };
    Group { name: stem.to_owned(), span, element, masked }
}

fn unnamed() -> Group {
    Group { name: "?".to_owned(), ..Group::default() }
}

/// Names behind the coordinates, where all rows of every group agree on an element.
fn from_rows(text: &str, file: &PoscarFile) -> Option<Vec<Group>> {
    let mut groups: Vec<Option<Group>> = vec![None; file.counts.len()];
    for row in &file.atoms {
        let word = row.trailing?.text(text).split_whitespace().next()?;
        let group = named(word, None);
        group.element?;
        match groups.get_mut(row.group)? {
            Some(known) if *known != group => return None,
            slot => *slot = Some(group),
        }
    }
    // Groups of no atoms need no name.
    groups.iter().any(Option::is_some).then_some(())?;
    Some(groups.into_iter().map(|g| g.unwrap_or_else(unnamed)).collect())
}

/// Symbols that begin an English sentence more often than they name the one species of a file.
const ENGLISH: [&str; 8] = ["In", "As", "At", "He", "No", "Be", "Am", "I"];

/// Names in the comment: `Cs Cl`, `Cs1 Cl1`, or a formula `CsCl` with as many elements as there are counts.
fn from_comment(file: &PoscarFile) -> Option<Vec<Group>> {
    let comment = file.comment.as_ref()?.value.as_str();
    let wanted = file.counts.len();
    if wanted == 0 {
        return None;
    }
    let words: Vec<&str> = comment.split_whitespace().take(wanted).collect();
    let sentence = wanted == 1
        && comment.split_whitespace().count() > 1
        && words.first().is_some_and(|w| ENGLISH.contains(w));
    if words.len() == wanted && !sentence {
        let groups: Option<Vec<Group>> = words.iter().map(|w| exact(w)).collect();
        if groups.is_some() {
            return groups;
        }
    }
    let formula = elements_in_order(comment.split_whitespace().next()?)?;
    let group =
        |e: Element| Group { name: e.symbol().to_owned(), element: Some(e), ..Group::default() };
    (formula.len() == wanted).then(|| formula.into_iter().map(group).collect())
}

/// An element in its proper case with an optional count behind: stricter than a name of line 6, because a comment may
/// be any words.
fn exact(word: &str) -> Option<Group> {
    let symbol = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let element = Element::from_symbol(symbol).filter(|e| e.symbol() == symbol)?;
    Some(Group { name: symbol.to_owned(), span: None, element: Some(element), masked: false })
}

/// The elements of a formula in the order they are written; `None` if a part is no element in its proper case.
fn elements_in_order(formula: &str) -> Option<Vec<Element>> {
    let mut rest = formula;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let next = rest.char_indices().skip(1).find(|(_, c)| c.is_ascii_uppercase());
        let part = next.map_or(rest.len(), |(i, _)| i);
        found.push(exact(&rest[..part])?.element?);
        rest = &rest[part..];
    }
    Some(found)
}
