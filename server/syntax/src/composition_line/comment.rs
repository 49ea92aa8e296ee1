//! A composition with options, `Li Fe P O4, Z=4 spacegroup=Pnma n=20`, and the comment that holds one.

use cellwright_crystal::Composition;
use cellwright_crystal::symmetry::Setting;

use super::{Complaint, Wanted, counts};
use crate::text::Span;

/// Most answers that can be asked for.
const MOST_ANSWERS: usize = 1000;

/// What a comment asks for; `None` where it is another comment. `at` is the byte at which it begins.
pub(super) fn read(comment: &str, at: usize) -> Option<Result<Wanted, Complaint>> {
    let text = comment.trim_start_matches(['#', '!']).trim_start();
    let (word, rest) = text.split_once(':')?;
    if !word.trim_end().eq_ignore_ascii_case("predict") {
        return None;
    }
    let start = at + comment.len() - rest.len();
    // Behind this mark the editor says where the answer came from.
    let request_only = rest.split_once(" ! ").map_or(rest, |(request, _)| request);
    Some(request(request_only, start))
}

/// Whether a comment asks for a structure, rightly or not.
pub(crate) fn asks(comment: &str) -> bool {
    read(comment, 0).is_some()
}

/// The formula and what follows it.
pub(super) fn request(text: &str, at: usize) -> Result<Wanted, Complaint> {
    let end = text.find('=').map_or(text.len(), |equals| key_start(text, equals));
    let (formula, mut options) = text.split_at(end);
    let trimmed = formula.trim_matches([' ', '\t', ',', ';', '\r']);
    // The formula is a part of the text, so this is where it begins in it.
    let start = at + formula.find(trimmed).unwrap_or(0);
    let composition: Composition =
        trimmed.parse().map_err(|error: cellwright_crystal::FormulaError| {
            let (byte, character) =
                trimmed.char_indices().nth(error.character).unwrap_or((trimmed.len(), ' '));
            let wrong = start + byte;
            let end = if byte < trimmed.len() { wrong + character.len_utf8() } else { wrong };
            let message = format!("{}; write, for example, `Li Fe P O4, Z=4`", error.kind);
            Complaint { span: Span::new(wrong, end), message }
        })?;
    let span = Span::new(start, start + trimmed.len());
    let composition = counts(&composition).map_err(|message| Complaint { span, message })?;
    let mut wanted = Wanted { composition, units: None, space_group: None, answers: None };
    while let Some(equals) = options.find('=') {
        let key = options[..equals].trim_matches([' ', '\t', ',', ';']);
        let rest = options[equals + 1..].trim_start();
        let (value, behind) = value(rest);
        let offset = at + text.len() - rest.len();
        let span = Span::new(offset, offset + value.len());
        option(&mut wanted, key, value).map_err(|message| Complaint { span, message })?;
        options = behind;
    }
    let left = options.trim_matches([' ', '\t', ',', ';', '\r', '\'', '"']);
    if left.is_empty() {
        return Ok(wanted);
    }
    let start = at + text.len() - options.len() + options.find(left).unwrap_or(0);
    let message =
        format!("'{left}' is not understood; options look like `Z=4`, and the formula comes first");
    Err(Complaint { span: Span::new(start, start + left.len()), message })
}

/// Where the word before an equals sign begins.
fn key_start(text: &str, equals: usize) -> usize {
    let before = text[..equals].trim_end();
    before.rfind([' ', '\t', ',', ';']).map_or(0, |i| i + 1)
}

/// The value at the start, quoted or a word, and what follows.
fn value(text: &str) -> (&str, &str) {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let inner = &text[1..];
        let end = inner.find(quote).unwrap_or(inner.len());
        return inner.split_at(end);
    }
    text.split_at(text.find([' ', '\t', ',', ';', '\r']).unwrap_or(text.len()))
}

fn option(wanted: &mut Wanted, key: &str, value: &str) -> Result<(), String> {
    match key.to_ascii_lowercase().as_str() {
        "z" | "units" => {
            let units = value.parse().ok().filter(|n| *n > 0);
            wanted.units = Some(units.ok_or_else(|| {
                format!("Z is the number of formula units in the cell, so '{value}' cannot be one")
            })?);
        }
        "spacegroup" | "space_group" | "sg" => wanted.space_group = Some(space_group(value)?),
        "n" => {
            let answers = value.parse().ok().filter(|n| (1..=MOST_ANSWERS).contains(n));
            wanted.answers = Some(answers.ok_or_else(|| {
                format!("n is the number of answers, from 1 to {MOST_ANSWERS}, not '{value}'")
            })?);
        }
        _ => return Err(format!("'{key}' is no option; there are Z, spacegroup and n")),
    }
    Ok(())
}

/// The number of a space group given by number or Hermann–Mauguin symbol.
pub(super) fn space_group(text: &str) -> Result<u16, String> {
    let unknown = || {
        format!("'{text}' is no space group: give a number from 1 to 230 or a symbol such as Pnma")
    };
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().filter(|n| (1..=230).contains(n)).ok_or_else(unknown);
    }
    let candidates = Setting::candidates(text);
    candidates.first().map(|setting| setting.number()).ok_or_else(unknown)
}
