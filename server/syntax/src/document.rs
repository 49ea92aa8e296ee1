//! A document: rope and syntax tree, edited together.

use std::path::Path;
use std::sync::Arc;

use ropey::Rope;
use tree_sitter::Tree;

use crate::cif::CifFile;
use crate::poscar::PoscarFile;
use crate::problem::Problem;
use crate::reading::Reading;
use crate::text::TextEdit;

/// The two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Crystallographic Information File, versions 1.1 and 2.0.
    Cif,
    /// VASP's POSCAR / CONTCAR.
    Poscar,
}

impl Language {
    /// By file name: `.cif .mcif .mmcif .dic` are CIF; `POSCAR*`, `CONTCAR*`, `*.vasp`, `*.poscar` and names with POSCAR or
    /// CONTCAR in them are POSCAR.
    #[must_use]
    pub fn from_path(path: &Path) -> Option<Self> {
        todo!()
    }

    /// By LSP language id: `cif`, `mmcif`, `poscar`.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        todo!()
    }

    /// By content, for standard input and unknown names: CIF when a `data_` header or `#\#CIF` stands in it.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        todo!()
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
        todo!()
    }

    /// Applies one edit and re-parses incrementally; the tree afterwards equals a fresh parse.
    pub fn apply(&mut self, edit: &TextEdit) {
        todo!()
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
        todo!()
    }
}

/// The typed view of a document.
#[derive(Debug, Clone)]
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
