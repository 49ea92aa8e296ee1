//! A comment that allows what is not there.

use cellwright_syntax::{File, Span, TextEdit};

use crate::suppress::{ALLOW, Instruction, instructions};
use crate::words::whole_lines;
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "allow-unused",
    severity: Severity::Hint,
    summary: "a comment allows a diagnostic that is not found",
    docs: r"The comment `# cellwright: allow CODE` silences a diagnostic that the file does not have. It does no harm today, but would
hide the fault should it come. Nothing is said while the text itself is wrong, since some checks are silent then.

```cif
# cellwright: allow cell-volume
data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 64
```

## How to mend it

Delete the code, and with the last one the comment.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    if !context.parsed.problems.is_empty() {
        return;
    }
    let mut unused = Vec::new();
    for instruction in instructions(context.parsed) {
        if context.text(instruction.verb) != ALLOW {
            continue;
        }
        for span in &instruction.codes {
            let code = context.text(*span);
            // Of codes that are none another rule speaks, and what models find comes later.
            let ours = super::ALL.iter().any(|rule| rule.code == code && rule.code != RULE.code);
            if ours && !findings.iter().any(|f| f.code == code) {
                let message = format!("'{code}' is allowed, but not found in this file");
                let edit = TextEdit::delete(removal(context, &instruction, *span));
                unused.push(
                    Finding::new(&RULE, *span, message).fix(format!("Delete '{code}'"), vec![edit]),
                );
            }
        }
    }
    findings.append(&mut unused);
}

/// The code with the space and the comma that divide it from its neighbour; where it is the only one, the
/// instruction, and with it the comment and the line that hold nothing else.
fn removal(context: &Context<'_>, instruction: &Instruction, code: Span) -> Span {
    let codes = &instruction.codes;
    match codes.iter().position(|c| *c == code) {
        Some(0) if codes.len() > 1 => return Span::new(code.start, codes[1].start),
        Some(i) if i > 0 => return Span::new(codes[i - 1].end, code.end),
        _ => {}
    }
    let text = &context.parsed.text;
    let comment = instruction.comment;
    let around = [
        Span::new(comment.start, instruction.span.start),
        Span::new(instruction.span.end, comment.end),
    ];
    let more = around.iter().any(|s| !s.text(text).trim_matches(['#', ' ', '\t', '\r']).is_empty());
    if more || matches!(context.parsed.file, File::Poscar(_)) {
        return instruction.span;
    }
    let line = whole_lines(text, comment);
    let alone = Span::new(line.start, comment.start).text(text).trim().is_empty();
    if alone { line } else { comment }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix, codes};

    const CELL: &str = "_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
";

    #[test]
    fn the_code_goes_and_the_others_stay() {
        let file = |codes: &str| {
            format!(
                "# cellwright: allow {codes}\ndata_x\n{CELL}_cell_volume 100\n_cell_length_a 4\n"
            )
        };
        // Nothing is said while the text is wrong.
        assert_eq!(codes(&file("cell-volume, short-distance")), ["duplicate-name"]);
        for (before, after) in [
            ("cell-volume, short-distance", "cell-volume"),
            ("short-distance,cell-volume", "cell-volume"),
        ] {
            let [before, after] = [before, after]
                .map(|codes| file(codes).replacen("100\n_cell_length_a 4\n", "100\n", 1));
            check_fix("allow-unused", &before, &after);
        }
    }

    #[test]
    fn the_last_code_takes_along_what_is_empty_without_it() {
        let file = |first: &str, title: &str| format!("{first}data_x{title}\n{CELL}");
        for (before, after) in [
            (file("  # cellwright: allow cell-volume (why)\n", ""), file("", "")),
            (file("", " # cellwright: allow cell-volume"), file("", " ")),
            (file("# old; cellwright: allow cell-volume (why)!\n", ""), file("# old; !\n", "")),
        ] {
            check_fix("allow-unused", &before, &after);
        }
        let poscar =
            |title: &str| format!("{title}\n1\n4 0 0\n0 4 0\n0 0 4\nFe\n1\nDirect\n0 0 0\n");
        check_fix("allow-unused", &poscar("iron cellwright: allow cell-volume"), &poscar("iron "));
    }

    #[test]
    fn being_unused_may_be_allowed() {
        check(&format!("# cellwright: allow allow-unused, cell-volume\ndata_x\n{CELL}"));
    }
}
