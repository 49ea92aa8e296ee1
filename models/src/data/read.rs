//! Crystals of the benchmark sets: one JSON object a line, compressed with zstd.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use cellwright_crystal::{Element, Lattice, Site, Structure};
use nalgebra::Vector3;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::ModelError;

/// One crystal of a training, validation or test set.
#[derive(Debug, Clone, PartialEq)]
pub struct Crystal {
    /// Identifier in the database it comes from.
    pub id: String,
    /// Atomic numbers, one per atom.
    pub numbers: Vec<u8>,
    /// Fractional coordinates, one row per atom.
    pub frac: Vec<[f64; 3]>,
    /// Lengths a, b, c (Å).
    pub lengths: [f64; 3],
    /// Angles α, β, γ (degrees).
    pub angles: [f64; 3],
}

impl Crystal {
    /// The same as a structure, without its identifier.
    ///
    /// # Errors
    /// When lengths and angles make no cell or a number is that of no element; what [`read`] gives is neither.
    pub fn structure(&self) -> Result<Structure, ModelError> {
        let lattice = Lattice::from_parameters(self.lengths, self.angles)
            .map_err(|e| ModelError::Data(format!("{}: {e}", self.id)))?;
        let site = |(z, f): (&u8, &[f64; 3])| {
            let element = Element::from_z(*z)
                .ok_or_else(|| ModelError::Data(format!("{}: no element {z}", self.id)))?;
            Ok(Site::new(element, Vector3::from(*f)))
        };
        let sites =
            self.numbers.iter().zip(&self.frac).map(site).collect::<Result<_, ModelError>>()?;
        Ok(Structure { lattice, sites })
    }
}

/// A crystal with what else its line tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The crystal.
    pub crystal: Crystal,
    /// Energy above the hull of known phases (eV/atom), where the source gives it.
    pub hull: Option<f64>,
    /// Space group number (0.1 Å), where the source gives it.
    pub space_group: Option<u8>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(rename = "Z")]
    numbers: Vec<u8>,
    frac: Vec<[f64; 3]>,
    lattice: [f64; 6],
    e_hull: Option<f64>,
    spg: Option<u8>,
}

/// All crystals of a `.jsonl.zst` file (or a plain `.jsonl` one), in the order of the file.
///
/// # Errors
/// When the file cannot be read or a line is no crystal: a missing key, no atoms, as many coordinates as not there are
/// atoms, a length or angle that no cell has. The message names the line.
pub fn read(path: &Path) -> Result<Vec<Crystal>, ModelError> {
    Ok(entries(path)?.into_iter().map(|entry| entry.crystal).collect())
}

/// The same with energy above hull and space group.
///
/// # Errors
/// As [`read`].
pub fn entries(path: &Path) -> Result<Vec<Entry>, ModelError> {
    let mut crystals = Vec::new();
    for_lines(path, |line| {
        crystals.push(parse(line)?);
        Ok(())
    })?;
    Ok(crystals)
}

/// A number that a line may give beside its crystal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Energy above the hull of known phases (eV/atom).
    Hull,
    /// Energy of formation from the elements (eV/atom).
    Formation,
}

/// The numbers of a file by the identifiers of their crystals, where they are given.
///
/// # Errors
/// As [`read`], but crystals are not looked at.
pub fn labels(path: &Path, label: Label) -> Result<BTreeMap<String, f64>, ModelError> {
    #[derive(Deserialize)]
    struct Labels {
        id: String,
        e_hull: Option<f64>,
        e_form: Option<f64>,
    }
    let mut labels = BTreeMap::new();
    for_lines(path, |line| {
        let of: Labels = serde_json::from_str(line).map_err(|e| e.to_string())?;
        let value = match label {
            Label::Hull => of.e_hull,
            Label::Formation => of.e_form,
        };
        labels.extend(value.map(|value| (of.id, value)));
        Ok(())
    })?;
    Ok(labels)
}

/// Calls `take` with every line that is not empty.
fn for_lines(
    path: &Path,
    mut take: impl FnMut(&str) -> Result<(), String>,
) -> Result<(), ModelError> {
    let file = File::open(path)
        .map_err(|e| ModelError::Data(format!("{} cannot be opened: {e}", path.display())))?;
    let bad = |reason: &dyn std::fmt::Display| {
        ModelError::Data(format!("{} is not zstd: {reason}", path.display()))
    };
    let reader: Box<dyn Read> = if path.extension().is_some_and(|e| e == "zst") {
        Box::new(ruzstd::decoding::StreamingDecoder::new(file).map_err(|e| bad(&e))?)
    } else {
        Box::new(file)
    };
    for (number, line) in BufReader::new(reader).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        take(&line).map_err(|reason| {
            ModelError::Data(format!("{} line {}: {reason}", path.display(), number + 1))
        })?;
    }
    Ok(())
}

/// SHA-256 of a file, hex: which data a model was trained on.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256(path: &Path) -> Result<String, ModelError> {
    let bytes = std::fs::read(path)
        .map_err(|e| ModelError::Data(format!("{} cannot be opened: {e}", path.display())))?;
    Ok(Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect())
}

fn parse(line: &str) -> Result<Entry, String> {
    let Line { id, numbers, frac, lattice, e_hull, spg } =
        serde_json::from_str(line).map_err(|e| e.to_string())?;
    let [a, b, c, alpha, beta, gamma] = lattice;
    if numbers.is_empty() || numbers.len() != frac.len() {
        return Err(format!("{} atomic numbers and {} positions", numbers.len(), frac.len()));
    }
    if let Some(z) = numbers.iter().find(|z| !(1..=118).contains(*z)) {
        return Err(format!("no element has the atomic number {z}"));
    }
    let (lengths, angles) = ([a, b, c], [alpha, beta, gamma]);
    Lattice::from_parameters(lengths, angles).map_err(|e| e.to_string())?;
    let crystal = Crystal { id, numbers, frac, lengths, angles };
    Ok(Entry { crystal, hull: e_hull, space_group: spg })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const GOOD: &str =
        r#"{"id":"x","Z":[55,17],"frac":[[0,0,0],[0.5,0.5,0.5]],"lattice":[4.1,4.1,4.1,90,90,90]}"#;

    fn read_text(text: &str) -> Result<Vec<Crystal>, String> {
        let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        read(file.path()).map_err(|e| e.to_string())
    }

    #[test]
    fn lines_become_crystals() {
        let crystals = read_text(&format!("{GOOD}\n\n{GOOD}\n")).unwrap();
        assert_eq!(crystals.len(), 2);
        assert_eq!(crystals[0].numbers, [55, 17]);
        assert_eq!(crystals[0].frac[1], [0.5; 3]);
        assert_eq!((crystals[1].lengths, crystals[1].angles), ([4.1; 3], [90.0; 3]));
        let structure = crystals[0].structure().unwrap();
        assert!((structure.lattice.volume() - 4.1_f64.powi(3)).abs() < 1e-9);
        assert_eq!(structure.sites[1].element, Element::from_z(17));
    }

    #[test]
    fn labels_are_known_where_they_are_given() {
        let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
        let with = GOOD.replace("{\"id\":\"x\"", r#"{"id":"y","e_hull":0.1,"e_form":-1.5"#);
        file.write_all(format!("{GOOD}\n{with}\n").as_bytes()).unwrap();
        let of = |label| labels(file.path(), label).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(of(Label::Hull), [("y".to_owned(), 0.1)]);
        assert_eq!(of(Label::Formation), [("y".to_owned(), -1.5)]);
    }

    #[test]
    fn a_bad_line_is_named() {
        for (from, to, reason) in [
            ("[55,17]", "[55]", "1 atomic numbers and 2 positions"),
            ("[55,17]", "[55,0]", "atomic number 0"),
            ("4.1,90", "-4.1,90", "cell length c"),
            ("90,90,90", "60,60,130", "no cell has the angles"),
            ("\"Z\"", "\"z\"", "missing field"),
        ] {
            let error = read_text(&format!("{GOOD}\n{}\n", GOOD.replace(from, to))).unwrap_err();
            assert!(error.contains("line 2") && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn what_is_not_compressed_is_refused() {
        let mut file = tempfile::Builder::new().suffix(".jsonl.zst").tempfile().unwrap();
        file.write_all(GOOD.as_bytes()).unwrap();
        let error = read(file.path()).unwrap_err().to_string();
        assert!(error.contains("is not zstd"), "{error}");
        assert!(read(Path::new("/nowhere.jsonl")).unwrap_err().to_string().contains("opened"));
    }
}
