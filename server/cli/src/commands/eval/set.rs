//! Which crystals a measurement looks at.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cellwright_models::data::{self, Crystal};

use crate::files;

/// A part of a data set.
#[derive(Debug, clap::Args)]
pub(super) struct Set {
    /// Data set, a folder below that of --data.
    #[arg(long)]
    pub(super) dataset: String,

    /// val, to choose settings by; test, once for a finished model.
    #[arg(long, default_value = "val")]
    pub(super) split: String,

    /// Folder of the data sets; without it $CELLWRIGHT_DATA, else ../shared/data.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,

    /// Look for about so many crystals only: every second, every third… of the set.
    #[arg(long, value_name = "N")]
    pub(super) crystals: Option<usize>,
}

/// What a file of crystals is called after its split.
const SUFFIX: &str = ".jsonl.zst";

impl Set {
    /// Data set and split, as provenances name them.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.dataset, self.split)
    }

    /// The crystals.
    pub(super) fn read(&self) -> Result<Vec<Crystal>> {
        let all = self.whole(&self.split)?;
        let wanted = self.crystals.unwrap_or(all.len()).min(all.len());
        if wanted == 0 {
            bail!("there is nothing to look for");
        }
        let step = all.len() / wanted;
        Ok(all.into_iter().step_by(step).take(wanted).collect())
    }

    /// All crystals of the training part of the same data set.
    pub(super) fn training(&self) -> Result<Vec<Crystal>> {
        self.whole("train")
    }

    fn whole(&self, split: &str) -> Result<Vec<Crystal>> {
        let sets = files::data_sets(self.data.as_deref());
        let folder = sets.join(&self.dataset);
        if !folder.is_dir() {
            let there = names(&sets, Path::is_dir);
            bail!("there is no data set {} in {}{there}", self.dataset, sets.display());
        }
        let path = folder.join(format!("{split}{SUFFIX}"));
        if !path.is_file() {
            let there = names(&folder, |path| path.to_string_lossy().ends_with(SUFFIX));
            bail!("the data set {} has no split {split}{there}", self.dataset);
        }
        Ok(data::read(&path)?)
    }
}

/// What is in a folder, to be told to somebody who looked for something else.
fn names(folder: &Path, wanted: impl Fn(&Path) -> bool) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let mut names: Vec<String> = entries
        .filter(|path| wanted(path))
        .filter_map(|path| Some(path.file_name()?.to_str()?.trim_end_matches(SUFFIX).to_owned()))
        .collect();
    names.sort();
    if names.is_empty() {
        ", which has none".to_owned()
    } else {
        format!(": it has {}", names.join(", "))
    }
}
