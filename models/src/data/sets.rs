//! Which crystals a run learns from and which it is judged by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::read::{Crystal, read, sha256};
use crate::ModelError;

/// A training and a validation set, as the settings of a run name them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sets {
    /// Folder with `train.jsonl.zst`, and `val.jsonl.zst` if [`Self::validation`] names no other.
    pub train: String,
    /// Folder whose `val.jsonl.zst` is used; none for that of the training set.
    #[serde(default)]
    pub validation: Option<String>,
    /// File beside the folders with the identifiers of the training crystals to use, one a line; none for all.
    #[serde(default)]
    pub ids: Option<String>,
    /// Crystals with more atoms than this are left out of both sets; none for no limit.
    #[serde(default)]
    pub most_atoms: Option<usize>,
    /// Crystals of the training set that are used, the first ones; none for all.
    #[serde(default)]
    pub first_train: Option<usize>,
    /// Crystals of the validation set that are looked at, the first ones; none for all.
    #[serde(default)]
    pub first_validation: Option<usize>,
}

/// The crystals of [`Sets`].
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// To learn from; not empty.
    pub train: Vec<Crystal>,
    /// To be judged by; not empty.
    pub validation: Vec<Crystal>,
    /// The hashes of the files they come from.
    pub hash: String,
}

impl Sets {
    /// The files of both sets in their folders below `data`.
    #[must_use]
    pub fn files(&self, data: &Path) -> [PathBuf; 2] {
        let file = |set: &str, part: &str| data.join(set).join(format!("{part}.jsonl.zst"));
        let validation = self.validation.as_ref().unwrap_or(&self.train);
        [file(&self.train, "train"), file(validation, "val")]
    }

    /// Reads both sets from their folders below `data`.
    ///
    /// # Errors
    /// When a file cannot be read, an identifier has no crystal, or a set is empty.
    pub fn open(&self, data: &Path) -> Result<Split, ModelError> {
        let [train, validation] = self.files(data);
        let mut hash = format!("{} {}", sha256(&train)?, sha256(&validation)?);
        let mut crystals = read(&train)?;
        if let Some(ids) = &self.ids {
            let path = data.join(ids);
            hash = format!("{hash} {}", sha256(&path)?);
            keep(&mut crystals, &std::fs::read_to_string(&path)?)?;
        }
        self.cut(crystals, read(&validation)?, hash)
    }

    /// The part of two sets that is wanted. `hash` names the data they come from.
    ///
    /// # Errors
    /// When nothing is left of one of them.
    pub fn cut(
        &self,
        mut train: Vec<Crystal>,
        mut validation: Vec<Crystal>,
        hash: String,
    ) -> Result<Split, ModelError> {
        for (set, first) in
            [(&mut train, self.first_train), (&mut validation, self.first_validation)]
        {
            set.retain(|c| self.most_atoms.is_none_or(|most| c.numbers.len() <= most));
            set.truncate(first.unwrap_or(usize::MAX));
        }
        if train.is_empty() || validation.is_empty() {
            return Err(ModelError::Data(
                "training and validation need at least one crystal".into(),
            ));
        }
        Ok(Split { train, validation, hash })
    }
}

/// What a model has learned from: nothing else is familiar to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Numbers of atoms in a cell, ascending, each with how many crystals have it.
    pub sizes: Vec<[usize; 2]>,
    /// Atomic numbers, ascending.
    pub elements: Vec<u8>,
}

impl Seen {
    /// Least and largest number of atoms in a cell; both 0 where nothing was learned from.
    #[must_use]
    pub fn atoms(&self) -> [usize; 2] {
        [self.sizes.first(), self.sizes.last()].map(|size| size.map_or(0, |[atoms, _]| *atoms))
    }
}

impl Split {
    /// What there is in the training set.
    #[must_use]
    pub fn seen(&self) -> Seen {
        let mut sizes = BTreeMap::<usize, usize>::new();
        for crystal in &self.train {
            *sizes.entry(crystal.numbers.len()).or_default() += 1;
        }
        let elements: BTreeSet<u8> =
            self.train.iter().flat_map(|c| c.numbers.iter().copied()).collect();
        Seen {
            sizes: sizes.into_iter().map(|(atoms, crystals)| [atoms, crystals]).collect(),
            elements: elements.into_iter().collect(),
        }
    }
}

/// Keeps the crystals whose identifiers are lines of `ids`.
fn keep(crystals: &mut Vec<Crystal>, ids: &str) -> Result<(), ModelError> {
    let mut wanted: BTreeSet<&str> =
        ids.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    crystals.retain(|c| wanted.remove(c.id.as_str()));
    match wanted.first() {
        None => Ok(()),
        Some(id) => Err(ModelError::Data(format!(
            "{} identifiers are not in the training set, {id} the first",
            wanted.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crystal(id: &str, atoms: usize) -> Crystal {
        Crystal {
            id: id.into(),
            numbers: vec![29; atoms],
            frac: vec![[0.0; 3]; atoms],
            lengths: [3.0; 3],
            angles: [90.0; 3],
        }
    }

    #[test]
    fn identifiers_choose_crystals() {
        let set = || vec![crystal("a", 1), crystal("b", 1), crystal("c", 1)];
        let mut crystals = set();
        keep(&mut crystals, "c\n\n a \n").unwrap();
        let ids: Vec<&str> = crystals.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids, ["a", "c"]);
        let error = keep(&mut set(), "a\nx\ny").unwrap_err().to_string();
        assert!(error.contains("2 identifiers") && error.contains('x'), "{error}");
    }

    #[test]
    fn large_cells_are_left_out_before_the_first_are_taken() {
        let sets = Sets { most_atoms: Some(2), first_train: Some(2), ..Sets::default() };
        let train = vec![crystal("a", 3), crystal("b", 1), crystal("c", 2), crystal("d", 1)];
        let split = sets.cut(train, vec![crystal("e", 1)], "h".into()).unwrap();
        let ids: Vec<&str> = split.train.iter().map(|c| c.id.as_str()).collect();
        assert_eq!((ids, split.hash.as_str()), (vec!["b", "c"], "h"));
        assert_eq!(split.seen(), Seen { sizes: vec![[1, 1], [2, 1]], elements: vec![29] });
        let error = sets.cut(vec![crystal("a", 3)], Vec::new(), String::new()).unwrap_err();
        assert!(error.to_string().contains("at least one crystal"));
    }
}
