//! A document: a rope that is edited, and its syntax tree, which follows when the text is read.

mod growth;

use std::path::Path;
use std::sync::Arc;

use growth::Growth;
use ropey::Rope;
use tree_sitter::Tree;

use crate::cif::CifFile;
use crate::poscar::PoscarFile;
use crate::problem::Problem;
use crate::reading::Reading;
use crate::text::{Span, TextEdit};
use crate::{cif, foreign, poscar, reading};

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
///
/// Editing touches the rope alone and costs the same in a text of any size. The tree follows when the text is read, from
/// the newest tree there is; so whoever must not wait edits, and reads a clone elsewhere (see [`Document::adopt`]).
#[derive(Debug, Clone)]
pub struct Document {
    language: Language,
    rope: Rope,
    growth: Growth,
}

impl Document {
    /// Takes a whole text.
    #[must_use]
    pub fn new(language: Language, text: &str) -> Self {
        Self { language, rope: Rope::from_str(text), growth: Growth::default() }
    }

    /// Applies one edit to the text.
    ///
    /// An edit that reaches behind the end or into a character stops at the end or before it.
    pub fn apply(&mut self, edit: &TextEdit) {
        let inside = |offset: usize| self.rope.byte_to_char(offset.min(self.rope.len_bytes()));
        let (first, last) = (inside(edit.span.start), inside(edit.span.end));
        let span = Span::new(self.rope.char_to_byte(first), self.rope.char_to_byte(last));
        self.rope.remove(first..last);
        self.rope.insert(first, &edit.text);
        self.growth.changed(span, edit.text.len());
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

    /// The syntax tree, parsed incrementally if a tree of an earlier text is there; it equals that of a fresh parse.
    pub fn tree(&mut self) -> &Tree {
        let text = String::from(&self.rope);
        self.growth.tree(self.language, &self.rope, &text)
    }

    /// Everything that is in the text, read once: what checks and features work on.
    ///
    /// A POSCAR is read line by line as VASP does, without a tree.
    pub fn parse(&mut self) -> Parsed {
        let text: Arc<str> = String::from(&self.rope).into();
        let (file, problems) = match self.language {
            Language::Cif => {
                let tree = self.growth.tree(self.language, &self.rope, &text);
                let (file, problems) = cif::read(&text, tree);
                (File::Cif(file), problems)
            }
            Language::Poscar => {
                self.forget_tree();
                let (file, problems) = poscar::read(&text);
                (File::Poscar(file), problems)
            }
        };
        let problems = foreign::problem(&text).map_or(problems, |only| vec![only]);
        let readings = reading::read(&text, &file);
        Parsed { text, file, problems, readings }
    }

    /// Takes over the tree of a clone that was made earlier and read meanwhile. What `read` holds afterwards is of no use
    /// and may take time to drop.
    pub fn adopt(&mut self, read: &mut Self) {
        self.growth.adopt(&mut read.growth);
    }

    /// Forgets the tree: the next reading parses everything.
    pub fn forget_tree(&mut self) {
        self.growth.forget();
    }
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
