//! Species that are no element.

use cellwright_crystal::Element;
use cellwright_syntax::reading::{Obstacle, ObstacleKind};
use cellwright_syntax::{File, Reading, TextEdit};

use crate::words::plural;
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "unknown-species",
    severity: Severity::Error,
    summary: "a species that is no chemical element",
    docs: r"What sits on a site is read from `_atom_site_type_symbol`, without one from the label; in a POSCAR from line 6, or from the comment line in files of VASP 4. This
names none of the elements from H to Lr. A POSCAR of VASP 4 need not name its species: that is an information only. Such a site is left out of formula, charge and energy.

`D` and `T` are hydrogen. A charge may follow (`Fe3+`), in a POSCAR the variant of the potential (`Fe_pv`). `?` and `X` are masked sites, whose species
is asked for. Dummy atoms (`_atom_site_calc_flag dum`) and vacancies (`Va`) are no atoms.

```poscar
rock salt
1.0
5.64 0 0
0 5.64 0
0 0 5.64
Na Ci
1 1
Direct
0 0 0
0.5 0.5 0.5
```

## How to mend it

Write the symbol of the element. Where one symbol is near, the fix writes it.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        if !facts.geometry {
            continue;
        }
        let unknown: Vec<&Obstacle> = reading
            .obstacles
            .iter()
            .filter(|o| o.kind == ObstacleKind::Species && !context.is_disturbed(o.span))
            .collect();
        for obstacle in unknown.iter().take(MAX_FINDINGS) {
            findings.push(match context.text(obstacle.span) {
                counts if !counts.contains(|c: char| c.is_alphabetic()) && is_poscar(context) => {
                    // Where a line is missing or too many, the names may have been read as another.
                    if !context.parsed.problems.is_empty() {
                        continue;
                    }
                    unnamed(obstacle)
                }
                _ => report(context, reading, obstacle),
            });
        }
        if let Some(rest) = unknown.len().checked_sub(MAX_FINDINGS).filter(|n| *n > 0) {
            let message = format!("{} more", plural(rest, "unknown species"));
            findings.push(Finding::new(&RULE, reading.header, message));
        }
    }
}

/// How many species of a crystal are said to be unknown before the rest is summed up.
const MAX_FINDINGS: usize = 50;

fn is_poscar(context: &Context<'_>) -> bool {
    matches!(context.parsed.file, File::Poscar(_))
}

/// A POSCAR of VASP 4, which leaves the species to the POTCAR: right for VASP, but nothing can be computed.
fn unnamed(obstacle: &Obstacle) -> Finding {
    let message = format!("{}: a line above the counts can (VASP 5)", obstacle.message);
    Finding::new(&RULE, obstacle.span, message).severity(Severity::Information)
}

fn report(context: &Context<'_>, reading: &Reading, obstacle: &Obstacle) -> Finding {
    let written = context.text(obstacle.span);
    let word = written.trim_matches(['\'', '"']);
    let symbol = reading.sites.iter().any(|s| s.symbol_span == Some(obstacle.span))
        || reading
            .sites
            .iter()
            .any(|s| s.symbol_span.is_some_and(|span| context.text(span) == written));
    let near = suggestions(word, reading);
    let mut message = obstacle.message.clone();
    match near.as_slice() {
        [] => {}
        [one] => message += &format!("; did you mean {one}?"),
        several => {
            let words: Vec<&str> = several.iter().map(|e| e.symbol()).collect();
            message += &format!("; did you mean one of {}?", words.join(", "));
        }
    }
    let same: Vec<_> = reading
        .sites
        .iter()
        .filter(|s| s.element.is_none() && s.species == word && s.row.start > obstacle.span.end)
        .collect();
    let mut finding = Finding::new(&RULE, obstacle.span, message);
    if let Some(other) = same.first().filter(|_| symbol) {
        let rows = plural(same.len(), "more row");
        let place = other.symbol_span.unwrap_or(other.label_span);
        if place != obstacle.span {
            finding = finding.relate(place, format!("{rows} of '{word}'"));
        }
    }
    // A label is named elsewhere too, in bonds and displacement parameters: it is not changed here.
    if let (true, [element]) = (symbol, near.as_slice()) {
        let mut places: Vec<_> = same.iter().filter_map(|s| s.symbol_span).collect();
        places.push(obstacle.span);
        places.sort();
        places.dedup();
        let edits: Vec<TextEdit> = places
            .into_iter()
            .filter(|span| context.text(*span) == written)
            .map(|span| TextEdit::replace(span, written.replacen(word, element.symbol(), 1)))
            .collect();
        finding = finding.fix(format!("Write {element}"), edits);
    }
    finding
}

/// Elements that the word may stand for: one whose English name it is; else those of the file, else all, that
/// differ from it in one letter.
fn suggestions(word: &str, reading: &Reading) -> Vec<Element> {
    let letters: String = word.chars().take_while(|c| c.is_alphanumeric()).collect();
    let letters = letters.trim_end_matches(|c: char| c.is_ascii_digit() && c != '0' && c != '1');
    if letters.is_empty() || !letters.is_ascii() {
        return Vec::new();
    }
    let lower = letters.to_ascii_lowercase();
    // British spellings and a name cut short are names too.
    let spelled = lower
        .replace("aluminium", "aluminum")
        .replace("caesium", "cesium")
        .replace("sulphur", "sulfur");
    let by_name = Element::all().find(|e| {
        let name = e.data().name.to_ascii_lowercase();
        name == spelled || (spelled.len() >= 4 && name.starts_with(&spelled))
    });
    if let Some(element) = by_name {
        return vec![element];
    }
    // What looks alike: 0 and O; 1, i and l.
    let alike = lower.replace('0', "o").replace('1', "l");
    let mut looks = vec![alike.clone()];
    looks.extend(alike.strip_suffix('i').map(|stem| format!("{stem}l")));
    let seen = looks.iter().filter(|word| **word != lower).find_map(|w| Element::from_symbol(w));
    if let Some(element) = seen {
        return vec![element];
    }
    if lower.len() > 3 {
        return Vec::new();
    }
    let near = |e: &Element| distance(&e.symbol().to_ascii_lowercase(), &alike) <= 1;
    let mut known: Vec<Element> =
        reading.sites.iter().filter_map(|s| s.element).filter(near).collect();
    known.sort();
    known.dedup();
    if !known.is_empty() && lower.len() > 1 {
        return known;
    }
    // The first letter is the one that is rarely wrong.
    let first = |e: &Element| e.symbol().to_ascii_lowercase().starts_with(&alike[..1]);
    let all: Vec<Element> = Element::all().filter(|e| near(e) && first(e)).collect();
    if all.len() <= 6 { all } else { Vec::new() }
}

/// Number of letters to insert, delete or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn a_name_a_slip_and_nonsense() {
        check(
            r#"
x
1.0
5.64 0 0
0 5.64 0
0 0 5.64
Ci Aluminium Qq
^^ error unknown-species: 'Ci' is not an element; did you mean Cl?
| fix: Write Cl
   ^^^^^^^^^ error unknown-species: 'Aluminium' is not an element; did you mean Al?
   | fix: Write Al
             ^^ error unknown-species: 'Qq' is not an element
1 1 1
Direct
0 0 0
0.5 0.5 0.5
0.5 0 0
"#,
        );
    }

    #[test]
    fn masks_and_dummies_are_no_elements() {
        check(
            r#"
x
1.0
5.64 0 0
0 5.64 0
0 0 5.64
X
^ information masked-species: the species of X is asked for
1
Direct
0 0 0
"#,
        );
    }

    #[test]
    fn every_row_gets_the_symbol() {
        check_fix(
            "unknown-species",
            r#"
data_x
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
_atom_site_type_symbol
Fe1 0 0 0 Fe
O1 0.5 0 0 0
O2 0 0.5 0 0
"#,
            r#"
data_x
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
_atom_site_type_symbol
Fe1 0 0 0 Fe
O1 0.5 0 0 O
O2 0 0.5 0 O
"#,
        );
    }
}
