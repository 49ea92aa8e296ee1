//! `# cellwright: allow CODE, CODE`: a comment anywhere in a CIF, or the comment line of a POSCAR, that
//! silences kinds of findings for the whole file.

use cellwright_syntax::{File, Parsed};

use crate::Finding;

/// What the comment starts with.
const MARK: &str = "cellwright: allow";

/// Drops the findings that a comment of the file allows.
pub(crate) fn remove_allowed(parsed: &Parsed, findings: &mut Vec<Finding>) {
    if findings.is_empty() {
        return;
    }
    let allowed = allowed_codes(parsed);
    findings.retain(|f| !allowed.contains(&f.code));
}

/// The codes named in the file's comments.
fn allowed_codes(parsed: &Parsed) -> Vec<&str> {
    let comments: Vec<&str> = match &parsed.file {
        // Only a `#` at the start of a token begins a comment; a mark inside a text field or a quoted
        // title is no comment, so nothing but space may stand before the `#` on its line.
        File::Cif(_) => parsed
            .text
            .match_indices(MARK)
            .filter(|(at, _)| {
                let line = parsed.text[..*at].rsplit(['\n', '\r']).next().unwrap_or_default();
                line.trim().starts_with('#')
            })
            .map(|(at, mark)| &parsed.text[at + mark.len()..])
            .collect(),
        File::Poscar(poscar) => poscar
            .comment
            .iter()
            .filter_map(|c| Some(&c.value[c.value.find(MARK)? + MARK.len()..]))
            .collect(),
    };
    comments
        .into_iter()
        .flat_map(|rest| {
            rest.split(['\n', '\r']).next().unwrap_or_default().split([',', ' ', '\t'])
        })
        .filter(|code| !code.is_empty())
        .collect()
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
    fn a_poscar_allows_on_its_comment_line() {
        let poscar = |comment: &str| {
            format!("{comment}\n1\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 1\nDirect\n0 0 0\n0 0 0.05\n")
        };
        assert_eq!(codes(&poscar("salt")), ["short-distance"]);
        assert_eq!(codes(&poscar("salt # cellwright: allow short-distance")), [""; 0]);
        assert_eq!(codes(&poscar("cellwright: allow charge, short-distance")), [""; 0]);
    }
}
