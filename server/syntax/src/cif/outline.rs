//! From the tree to blocks, items and loops.

use tree_sitter::{Node, Tree, TreeCursor};

use super::report::Report;
use super::{Block, CifFile, CifVersion, Item, Loop, Name, Value, ValueKind};
use crate::problem::Problem;
use crate::text::Span;
use crate::value::Spanned;

/// The typed view of a text and of its tree, and what is wrong with it. One pass over the tree.
pub(crate) fn read(source: &str, tree: &Tree) -> (CifFile, Vec<Problem>) {
    let root = tree.root_node();
    let mut cursor = root.walk();
    let version = match cursor.goto_first_child().then(|| cursor.node()) {
        Some(node) if node.kind() == "magic" && is_version_2(span(node).text(source)) => {
            CifVersion::V2
        }
        _ => CifVersion::V1,
    };
    let mut outline = Outline {
        source,
        cursor: root.walk(),
        report: Report::new(source, version),
        comments: Vec::new(),
        values: 0,
    };
    let blocks = outline.file();
    let problems = outline.report.finish(&outline.comments);
    (CifFile { version, blocks, comments: outline.comments }, problems)
}

fn is_version_2(magic: &str) -> bool {
    magic.split([' ', '\t']).next() == Some("#\\#CIF_2.0")
}

fn span(node: Node<'_>) -> Span {
    node.byte_range().into()
}

struct Outline<'s, 't> {
    source: &'s str,
    cursor: TreeCursor<'t>,
    report: Report<'s>,
    comments: Vec<Span>,
    /// Values of the last loop, a guess for the next one's capacity.
    values: usize,
}

impl<'t> Outline<'_, 't> {
    /// Calls `visit` with the cursor at each child of the current node; comments, which may stand
    /// anywhere, are put aside.
    fn children(&mut self, mut visit: impl FnMut(&mut Self, Node<'t>)) {
        if !self.cursor.goto_first_child() {
            return;
        }
        loop {
            let node = self.cursor.node();
            if node.is_extra() {
                self.comments.push(span(node));
            } else {
                visit(self, node);
            }
            if !self.cursor.goto_next_sibling() {
                break;
            }
        }
        self.cursor.goto_parent();
    }

    fn file(&mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        // What stands before the first header is no block, but if it holds items it is read as one.
        let nameless = Spanned { value: String::new(), span: Span::at(0) };
        let mut prologue = empty_block(nameless, Span::at(0));
        self.children(|this, node| match node.kind() {
            "data_block" => blocks.push(this.block(node)),
            "magic" => {}
            _ => {
                this.report.before_first_block(span(node), node.kind());
                this.content(node, &mut prologue);
            }
        });
        if !prologue.items.is_empty() || !prologue.loops.is_empty() || !prologue.frames.is_empty() {
            blocks.insert(0, prologue);
        }
        let starts: Vec<usize> = blocks.iter().skip(1).map(|b| b.name.span.start).collect();
        let ends = starts.into_iter().chain([self.source.len()]);
        for (block, end) in blocks.iter_mut().zip(ends) {
            block.span.end = end;
        }
        blocks
    }

    /// A data block or a save frame.
    fn block(&mut self, node: Node<'t>) -> Block {
        let mut block =
            empty_block(Spanned { value: String::new(), span: Span::at(0) }, span(node));
        let is_frame = node.kind() == "save_frame";
        let mut closed = false;
        self.children(|this, node| match node.kind() {
            "data_heading" | "save_heading" => {
                let header = span(node);
                // `data_` and `save_` are of one length.
                let code = header.text(this.source)[5..].to_owned();
                block.name = Spanned { value: code, span: header };
                this.report.heading(&block.name, is_frame);
            }
            "save_end" => closed = true,
            _ => this.content(node, &mut block),
        });
        if is_frame {
            self.report.end_of_frame(block.name.span, closed);
        }
        block
    }

    fn content(&mut self, node: Node<'t>, block: &mut Block) {
        match node.kind() {
            "item" => {
                let item = self.item();
                self.report.item(&item);
                block.items.push(item);
            }
            "loop" => {
                let table = self.table(node);
                self.report.table(&table);
                block.loops.push(table);
            }
            "save_frame" => {
                let frame = self.block(node);
                block.frames.push(frame);
            }
            "stray_values" => {
                let mut values = Vec::new();
                self.report.stray_begins();
                self.children(|this, node| this.values(node, &mut values));
                self.report.stray(span(node), &values);
            }
            "unexpected" => self.report.unexpected(span(node)),
            _ => {}
        }
    }

    fn item(&mut self) -> Item {
        self.report.item_begins();
        let mut name = None;
        let mut values = Vec::new();
        self.children(|this, node| match node.kind() {
            "name" => name = Some(this.name(node)),
            _ => this.values(node, &mut values),
        });
        let name = name.expect("the grammar gives every item a name");
        Item { name, value: values.first().copied() }
    }

    fn table(&mut self, node: Node<'t>) -> Loop {
        let mut keyword = Span::at(0);
        let mut names = Vec::new();
        let mut values = Vec::with_capacity(self.values);
        self.children(|this, node| match node.kind() {
            "loop_keyword" => keyword = span(node),
            "name" => names.push(this.name(node)),
            _ => this.values(node, &mut values),
        });
        self.values = values.len().min(1024);
        // A loop may fill most of the memory that the file takes.
        values.shrink_to_fit();
        Loop { span: span(node), keyword, names, values }
    }

    fn name(&mut self, node: Node<'t>) -> Name {
        let span = span(node);
        let written = span.text(self.source);
        self.report.word(span);
        Spanned { value: written.to_lowercase(), span }
    }

    /// Adds the values of one node: several for the bare values of a line.
    fn values(&mut self, node: Node<'t>, values: &mut Vec<Value>) {
        let whole = span(node);
        let kind = match node.kind() {
            "bare_values" => {
                let mut at = whole.start;
                for word in whole.text(self.source).split([' ', '\t']) {
                    if !word.is_empty() {
                        let span = Span::new(at, at + word.len());
                        self.report.bare_value(span);
                        values.push(Value { span, kind: ValueKind::Bare });
                    }
                    at += word.len() + 1;
                }
                return;
            }
            "bare_value" => ValueKind::Bare,
            "quoted_string" | "unterminated_string" => ValueKind::Quoted,
            "triple_quoted_string" | "unterminated_triple" => ValueKind::TripleQuoted,
            "text_field" | "unterminated_text" => ValueKind::TextField,
            "list" => ValueKind::List,
            "table" => ValueKind::Table,
            _ => return,
        };
        let value = Value { span: whole, kind };
        match kind {
            ValueKind::Bare => self.report.bare_value(whole),
            ValueKind::List | ValueKind::Table => self.report.compound(node),
            _ => {}
        }
        self.report.delimited(value, node.kind().starts_with("unterminated"));
        values.push(value);
    }
}

fn empty_block(name: Spanned<String>, span: Span) -> Block {
    Block { name, span, items: Vec::new(), loops: Vec::new(), frames: Vec::new() }
}
