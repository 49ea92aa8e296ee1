//! Lists and tables of CIF 2.0.

use tree_sitter::Node;

use super::Report;
use crate::problem::ProblemKind;
use crate::text::Span;

impl Report<'_> {
    /// A list or table of CIF 2.0: everything in it must be closed, and tables have keys. Nesting may
    /// be deep, so this walks without recursion.
    pub(in crate::cif) fn compound(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let mut ancestors = Vec::new();
        // A bracket that is missing inside leaves all around it open.
        let mut any_open = false;
        loop {
            let node = cursor.node();
            let kind = node.kind();
            self.in_table(node, ancestors.last() == Some(&"table"));
            if !any_open && matches!(kind, "list" | "table") {
                any_open = self.open_bracket(node);
            }
            if cursor.goto_first_child() {
                ancestors.push(kind);
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                ancestors.pop();
            }
        }
    }

    /// Reports a list or table that is not closed.
    fn open_bracket(&mut self, node: Node<'_>) -> bool {
        let (opening, closing) = if node.kind() == "list" { ("[", "]") } else { ("{", "}") };
        let last = node.child(node.child_count().saturating_sub(1));
        let open = last.is_none_or(|child| child.kind() != closing);
        if open {
            let start = node.start_byte();
            let message = format!("this `{opening}` is never closed by `{closing}`");
            self.push(ProblemKind::Unexpected, Span::new(start, start + 1), message);
        }
        open
    }

    /// Reports an entry without a value, and a value without a key.
    fn in_table(&mut self, node: Node<'_>, in_table: bool) {
        let span = node.byte_range().into();
        match node.kind() {
            "table_entry" if node.child_count() == 2 => self.push(
                ProblemKind::MissingValue,
                span,
                "this key has no value; `?` says that it is unknown",
            ),
            "table_entry" | "{" | "}" | "comment" => {}
            _ if in_table => self.push(
                ProblemKind::Unexpected,
                span,
                "a table entry begins with a quoted key and a colon",
            ),
            _ => {}
        }
    }
}
