//! Which files a command works on, and how they are read and written.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cellwright_syntax::text::{Encoding, decode, encode};
use cellwright_syntax::{Language, Parsed};
use clap::{Args, ValueEnum};

/// The files of a command.
#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// Files, folders (searched for CIF and POSCAR files), or `-` for standard input.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,

    /// Read every file as this format instead of going by name and content.
    #[arg(long, value_enum)]
    language: Option<LanguageArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LanguageArg {
    Cif,
    Poscar,
}

impl From<LanguageArg> for Language {
    fn from(value: LanguageArg) -> Self {
        match value {
            LanguageArg::Cif => Self::Cif,
            LanguageArg::Poscar => Self::Poscar,
        }
    }
}

/// One file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Input {
    /// As shown to the user.
    pub(crate) name: String,
    pub(crate) source: Source,
    pub(crate) encoding: Encoding,
    pub(crate) parsed: Parsed,
}

/// A file that could not be read, with the reason.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {reason}")]
pub(crate) struct Unreadable {
    pub(crate) name: String,
    pub(crate) reason: String,
}

impl Inputs {
    /// Every file, in the order given, folders in order of name. A path that is not there is an entry
    /// of its own, so that it does not stop the others.
    pub(crate) fn sources(&self) -> Vec<Result<Source, Unreadable>> {
        self.paths.iter().flat_map(|path| expand(path)).collect()
    }

    /// Reads one file.
    pub(crate) fn read(&self, source: &Source) -> Result<Input, Unreadable> {
        source.read(self.language.map(Language::from))
    }

    /// Reads every file, one after the other.
    pub(crate) fn read_all(&self) -> impl Iterator<Item = Result<Input, Unreadable>> {
        self.sources().into_iter().map(|source| self.read(&source?))
    }
}

impl Source {
    /// What a path on the command line names: `-` is standard input.
    pub(crate) fn named(path: &Path) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::File(path.to_owned()) }
    }

    /// Reads the file, as this language or going by its name and content.
    pub(crate) fn read(&self, language: Option<Language>) -> Result<Input, Unreadable> {
        let name = self.name();
        let bytes =
            self.bytes().map_err(|e| Unreadable { name: name.clone(), reason: e.to_string() })?;
        let (text, encoding) = decode(&bytes);
        let by_name = match self {
            Self::File(path) => Language::from_path(path),
            Self::Stdin => None,
        };
        let language = language.or(by_name).unwrap_or_else(|| Language::guess(&text));
        Ok(Input { name, source: self.clone(), encoding, parsed: Parsed::new(language, &text) })
    }

    /// As shown to the user.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    fn bytes(&self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::File(path) => std::fs::read(path),
            Self::Stdin => {
                let mut bytes = Vec::new();
                std::io::stdin().lock().read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }
}

fn expand(path: &Path) -> Vec<Result<Source, Unreadable>> {
    if path == Path::new("-") || !path.is_dir() {
        return vec![Ok(Source::named(path))];
    }
    let hidden = |entry: &walkdir::DirEntry| {
        entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
    };
    let found: Vec<_> = walkdir::WalkDir::new(path)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !hidden(entry))
        .filter_map(|entry| match entry {
            Ok(entry) => {
                let wanted =
                    entry.file_type().is_file() && Language::from_path(entry.path()).is_some();
                wanted.then(|| Ok(Source::File(entry.into_path())))
            }
            Err(error) => {
                let name = error.path().unwrap_or(path).display().to_string();
                Some(Err(Unreadable { name, reason: error.to_string() }))
            }
        })
        .collect();
    if found.is_empty() {
        let reason = "no CIF or POSCAR file in this folder".to_owned();
        return vec![Err(Unreadable { name: path.display().to_string(), reason })];
    }
    found
}

/// Writes a file whole or not at all: beside the target first, then in its place. Links are followed
/// and permissions kept.
pub(crate) fn write(path: &Path, text: &str, encoding: Encoding) -> Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if target.is_dir() {
        bail!("{} is a folder", path.display());
    }
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let context = || format!("cannot write {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
    file.write_all(&encode(text, encoding)).with_context(context)?;
    file.as_file().sync_all().with_context(context)?;
    match std::fs::metadata(&target) {
        Ok(old) => file.as_file().set_permissions(old.permissions()).with_context(context)?,
        Err(_) => make_readable(file.as_file()).with_context(context)?,
    }
    file.persist(&target).with_context(context)?;
    Ok(())
}

/// A temporary file is for its owner only; a new result is for everyone that the folder lets in.
#[cfg(unix)]
fn make_readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Folder of the data sets to train and measure on: the one given, else $CELLWRIGHT_DATA, else `../shared/data`.
pub(crate) fn data_sets(given: Option<&Path>) -> PathBuf {
    given.map(Path::to_path_buf).unwrap_or_else(|| {
        std::env::var_os("CELLWRIGHT_DATA").map_or_else(|| "../shared/data".into(), PathBuf::from)
    })
}
