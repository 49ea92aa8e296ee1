//! `# cellwright: allow CODE, CODE (reason)`: a comment anywhere in a CIF, or the comment line of a POSCAR,
//! that silences kinds of findings for the whole file.

use cellwright_syntax::{File, Parsed, Span};

use crate::Finding;

/// What such a comment is known by; upper and lower case make no difference.
const MARK: &str = "cellwright";

/// An instruction in a comment, whether or not it can be followed.
#[derive(Debug, PartialEq)]
pub(crate) struct Instruction {
    /// The comment it stands in.
    pub(crate) comment: Span,
    /// From the mark to the end of the codes or of the reason behind them.
    pub(crate) span: Span,
    /// What is to be done: `allow`.
    pub(crate) verb: Span,
    /// What it is to be done with.
    pub(crate) codes: Vec<Span>,
}

/// The verb that is understood.
pub(crate) const ALLOW: &str = "allow";

/// Whether a comment of the file allows a diagnostic.
#[must_use]
pub fn is_allowed(parsed: &Parsed, code: &str) -> bool {
    allowed(parsed).any(|span| span.text(&parsed.text) == code)
}

/// Drops the findings that a comment of the file allows.
pub(crate) fn remove_allowed(parsed: &Parsed, findings: &mut Vec<Finding>) {
    if findings.is_empty() {
        return;
    }
    let allowed: Vec<&str> = allowed(parsed).map(|span| span.text(&parsed.text)).collect();
    findings.retain(|f| !allowed.contains(&f.code));
}

/// Where codes are allowed.
fn allowed(parsed: &Parsed) -> impl Iterator<Item = Span> {
    let instructions = instructions(parsed).into_iter();
    instructions.filter(|i| i.verb.text(&parsed.text) == ALLOW).flat_map(|i| i.codes)
}

/// The instructions in the comments of a file, in order.
pub(crate) fn instructions(parsed: &Parsed) -> Vec<Instruction> {
    let text = &parsed.text;
    match &parsed.file {
        File::Cif(cif) => cif.comments.iter().filter_map(|c| instruction(text, *c)).collect(),
        File::Poscar(poscar) => {
            poscar.comment.iter().filter_map(|c| instruction(text, c.span)).collect()
        }
    }
}

/// The instruction in a comment: the mark, a verb, codes between commas or spaces, and perhaps a reason
/// in brackets.
fn instruction(text: &str, comment: Span) -> Option<Instruction> {
    let start = comment.text(text).to_ascii_lowercase().find(MARK)? + comment.start;
    let behind = Span::new(start + MARK.len(), comment.end);
    let (said, reason) = match behind.text(text).split_once('(') {
        Some((said, reason)) => (said, Some(reason)),
        None => (behind.text(text), None),
    };
    let mut words = words(said, behind.start);
    let verb = words.next()?;
    let codes: Vec<Span> = words.collect();
    let end = match reason {
        Some(reason) => {
            behind.start + said.len() + 1 + reason.find(')').map_or(reason.len(), |at| at + 1)
        }
        None => codes.last().unwrap_or(&verb).end,
    };
    Some(Instruction { comment, span: Span::new(start, end), verb, codes })
}

fn words(text: &str, start: usize) -> impl Iterator<Item = Span> {
    let mut at = start;
    text.split([':', ',', ' ', '\t', '\r', '\n']).filter_map(move |word| {
        let span = Span::new(at, at + word.len());
        at = span.end + 1;
        (!word.is_empty()).then_some(span)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, codes};

    #[test]
    fn a_comment_silences_its_codes_and_no_others() {
        check(
            "
# cellwright: allow cell-volume
data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 100
",
        );
    }

    #[test]
    fn a_comment_behind_a_value_is_one_and_a_title_is_none() {
        let cell = |volume: &str| {
            format!(
                "data_x\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n_cell_angle_alpha 90\n\
                 _cell_angle_beta 90\n_cell_angle_gamma 90\n_cell_volume {volume}\n"
            )
        };
        assert_eq!(codes(&cell("99 # Cellwright:allow cell-volume (of the supercell)")), [""; 0]);
        let title = cell("99\n_title '# cellwright: allow cell-volume'");
        assert_eq!(codes(&title), ["cell-volume"]);
        let field = cell("99\n_title\n;\n# cellwright: allow cell-volume\n;");
        assert_eq!(codes(&field), ["cell-volume"]);
    }

    #[test]
    fn a_poscar_allows_on_its_comment_line() {
        let poscar = |comment: &str| {
            format!("{comment}\n1\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 1\nDirect\n0 0 0\n0 0 0.05\n")
        };
        assert_eq!(codes(&poscar("salt")), ["short-distance"]);
        assert_eq!(codes(&poscar("salt # cellwright: allow short-distance")), [""; 0]);
    }
}
