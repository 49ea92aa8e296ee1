//! A document: rope and syntax tree, edited together.

use std::path::Path;
use std::sync::Arc;

use ropey::Rope;
use tree_sitter::{InputEdit, Parser, Point, Tree};

use crate::cif::CifFile;
use crate::poscar::PoscarFile;
use crate::problem::Problem;
use crate::reading::Reading;
use crate::text::TextEdit;
use crate::{cif, poscar, reading};

/// The two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Crystallographic Information File, versions 1.1 and 2.0.
    Cif,
    /// VASP's POSCAR / CONTCAR.
    Poscar,
}

impl Language {
    /// By file name: `.cif .mcif .mmcif .dic` are CIF; `POSCAR*`, `CONTCAR*`, `*.vasp`, `*.poscar` and
    /// names with POSCAR or CONTCAR in them are POSCAR.
    #[must_use]
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let has = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if has(&[".cif", ".mcif", ".mmcif", ".dic"]) {
            return Some(Self::Cif);
        }
        let poscar =
            name.contains("poscar") || name.contains("contcar") || has(&[".vasp", ".poscar"]);
        poscar.then_some(Self::Poscar)
    }

    /// By LSP language id: `cif`, `mmcif`, `poscar`.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "cif" | "mmcif" => Some(Self::Cif),
            "poscar" => Some(Self::Poscar),
            _ => None,
        }
    }

    /// By content, for standard input and unknown names: CIF when a `data_` header or `#\#CIF` stands in it.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        let marks_cif = |line: &str| {
            let line = line.trim_start().trim_start_matches('\u{feff}').as_bytes();
            line.starts_with(b"#\\#CIF")
                || line.get(..5).is_some_and(|head| head.eq_ignore_ascii_case(b"data_"))
        };
        if text.split(['\n', '\r']).any(marks_cif) { Self::Cif } else { Self::Poscar }
    }
}

/// Text under edit. Cloning is cheap: rope and tree share their storage.
#[derive(Debug, Clone)]
pub struct Document {
    language: Language,
    rope: Rope,
    tree: Tree,
}

impl Document {
    /// Parses a whole text.
    #[must_use]
    pub fn new(language: Language, text: &str) -> Self {
        let tree = parser(language).parse(text, None).expect(PARSES);
        Self { language, rope: Rope::from_str(text), tree }
    }

    /// Applies one edit and re-parses incrementally; the tree afterwards equals a fresh parse.
    ///
    /// An edit that reaches behind the end or into a character stops at the end or before it.
    pub fn apply(&mut self, edit: &TextEdit) {
        let inside = |offset: usize| self.rope.byte_to_char(offset.min(self.rope.len_bytes()));
        let (first, last) = (inside(edit.span.start), inside(edit.span.end));
        let start_byte = self.rope.char_to_byte(first);
        let old_end_byte = self.rope.char_to_byte(last);
        let new_end_byte = start_byte + edit.text.len();
        let start_position = point_at(&self.rope, start_byte);
        let old_end_position = point_at(&self.rope, old_end_byte);
        self.rope.remove(first..last);
        self.rope.insert(first, &edit.text);
        let new_end_position = point_at(&self.rope, new_end_byte);
        self.tree.edit(&InputEdit {
            start_byte,
            old_end_byte,
            new_end_byte,
            start_position,
            old_end_position,
            new_end_position,
        });
        let rope = &self.rope;
        let mut read = |byte: usize, _: Point| {
            if byte >= rope.len_bytes() {
                return &[][..];
            }
            let (chunk, start, ..) = rope.chunk_at_byte(byte);
            &chunk.as_bytes()[byte - start..]
        };
        self.tree = parser(self.language)
            .parse_with_options(&mut read, Some(&self.tree), None)
            .expect(PARSES);
    }

    /// The format.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// The text. Line breaks are those of LSP: `\n`, `\r\n`, `\r`, nothing else.
    #[must_use]
    pub fn rope(&self) -> &Rope {
        &self.rope
    }

    /// The syntax tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Everything that is in the text, read once: what checks and features work on.
    #[must_use]
    pub fn parse(&self) -> Parsed {
        let text: Arc<str> = String::from(&self.rope).into();
        let (file, problems) = match self.language {
            Language::Cif => {
                let (file, problems) = cif::read(&text, &self.tree);
                (File::Cif(file), problems)
            }
            Language::Poscar => {
                let (file, problems) = poscar::read(&text);
                (File::Poscar(file), problems)
            }
        };
        let readings = reading::read(&text, &file);
        Parsed { text, file, problems, readings }
    }
}

const PARSES: &str = "a parser with a language and without a time limit gives a tree";

fn parser(language: Language) -> Parser {
    let grammar = match language {
        Language::Cif => tree_sitter_cif::LANGUAGE,
        Language::Poscar => tree_sitter_poscar::LANGUAGE,
    };
    let mut parser = Parser::new();
    parser
        .set_language(&grammar.into())
        .expect("the committed parsers are of an ABI that the library reads");
    parser
}

/// Row and column as tree-sitter counts them: only `\n` ends a row. (The rope's lines also end at a
/// lone `\r`.)
fn point_at(rope: &Rope, byte: usize) -> Point {
    let mut row = 0;
    let mut row_start = 0;
    let mut offset = 0;
    for chunk in rope.chunks() {
        let chunk = &chunk.as_bytes()[..chunk.len().min(byte - offset)];
        let breaks = chunk.iter().filter(|&&b| b == b'\n').count();
        if breaks > 0 {
            row += breaks;
            row_start = offset + chunk.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        }
        offset += chunk.len();
        if offset == byte {
            break;
        }
    }
    Point { row, column: byte - row_start }
}

/// The typed view of a document.
#[derive(Debug, Clone)]
// One stands in each reading of a document: its size costs nothing.
#[allow(clippy::large_enum_variant)]
pub enum File {
    /// A CIF.
    Cif(CifFile),
    /// A POSCAR.
    Poscar(PoscarFile),
}

/// An immutable reading of one version of a document.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The whole text that all spans refer to.
    pub text: Arc<str>,
    /// Typed view.
    pub file: File,
    /// Syntax problems, in order of place.
    pub problems: Vec<Problem>,
    /// One for each block that describes (or starts to describe) a crystal; exactly one for a POSCAR.
    pub readings: Vec<Reading>,
}

impl Parsed {
    /// Reads a text without keeping a document.
    #[must_use]
    pub fn new(language: Language, text: &str) -> Self {
        Document::new(language, text).parse()
    }

    /// The format.
    #[must_use]
    pub fn language(&self) -> Language {
        match self.file {
            File::Cif(_) => Language::Cif,
            File::Poscar(_) => Language::Poscar,
        }
    }
}
