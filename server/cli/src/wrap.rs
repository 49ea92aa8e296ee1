//! Markdown for a terminal: paragraphs are filled to the width, code stays as it is.

/// Widest text that is easy to read.
const WIDEST: u16 = 96;

/// What a terminal is without being asked.
const USUAL: u16 = 80;

/// The width to fill: that of the terminal on stdout, where there is one.
pub(crate) fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    let columns = terminal.map_or(USUAL, |(width, _)| width.0);
    usize::from(columns.clamp(20, WIDEST))
}

/// Fills every paragraph of a text to `width` columns. Headings, list items and fenced code keep their
/// lines; a word longer than the width keeps its own.
pub(crate) fn wrap(markdown: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    let mut fenced = false;
    for line in markdown.lines() {
        let fence = line.starts_with("```");
        let own = fenced || fence || line.trim().is_empty() || line.starts_with('#');
        if column > 0 && (own || line.starts_with("- ")) {
            out.push('\n');
            column = 0;
        }
        fenced ^= fence;
        if own {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        for word in line.split_whitespace() {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > width {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    if column > 0 {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn paragraphs_are_filled_and_code_is_kept() {
        let text = "One two\nthree four µé.\n\n```cif\n_a   1\n_b this line is long\n```\nfive\n\n## A heading of words\n- six\n- seven\n";
        let filled = "One two three\nfour µé.\n\n```cif\n_a   1\n_b this line is long\n```\nfive\n\n\
                      ## A heading of words\n- six\n- seven\n";
        assert_eq!(wrap(text, 13), filled);
        assert_eq!(wrap("unbreakable words", 4), "unbreakable\nwords\n");
        assert_eq!(wrap("", 80), "");
    }
}
