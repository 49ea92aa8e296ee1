//! Trained weights, ready to answer.

use std::path::Path;

use candle_core::{DType, Device};
use cellwright_crystal::{Element, Structure};
use nalgebra::Vector3;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::graph::{Cell, Graph};
use super::loss::log_softmax;
use super::network::Equiformer;
use super::task::Setup;
use crate::data::{Seen, Sets};
use crate::nn::checkpoint;
use crate::tasks::batches;
use crate::{ModelError, Provenance};

/// Cells may be so many times as large as the largest one that was learned from: what an atom is told comes from its
/// nearest neighbours, which are the same in a supercell.
const MARGIN: usize = 3;

/// Weights with their settings.
#[derive(Debug)]
pub struct Model {
    setup: Setup,
    network: Equiformer,
    device: Device,
    data: Sets,
    seen: Seen,
    provenance: Provenance,
}

/// What the model makes of a crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Mended {
    /// For each site the probabilities of the elements by atomic number less one; they sum to 1. Of a site whose element
    /// was given they say little: the model has seen it.
    pub probabilities: Vec<Vec<f64>>,
    /// For each site how far it is from where the model would have it (Å, Cartesian): to be subtracted.
    pub displacement: Vec<Vector3<f64>>,
}

impl Mended {
    /// The probability of an element on a site; 0 for one that the model has never seen.
    #[must_use]
    pub fn probability(&self, site: usize, element: Element) -> f64 {
        let of = self.probabilities.get(site);
        of.and_then(|p| p.get(usize::from(element.z()) - 1)).copied().unwrap_or(0.0)
    }

    /// The elements of a site that the model gives a probability, the likeliest first.
    #[must_use]
    pub fn ranked(&self, site: usize) -> Vec<(Element, f64)> {
        let of = self.probabilities.get(site).map_or(&[][..], Vec::as_slice);
        let element =
            |(i, p): (usize, &f64)| Some((Element::from_z(u8::try_from(i + 1).ok()?)?, *p));
        let mut ranked: Vec<_> =
            of.iter().enumerate().filter_map(element).filter(|(_, p)| *p > 0.0).collect();
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranked
    }
}

impl Model {
    /// Reads `model.safetensors` of a training run.
    ///
    /// # Errors
    /// When the file is not there, is damaged, holds another model or does not say what it was learned from.
    pub fn open(path: &Path, device: &Device) -> Result<Self, ModelError> {
        Self::from_bytes(&checkpoint::bytes(path)?, &path.display().to_string(), device)
    }

    /// From the contents of such a file, which is called `name` in messages and answers.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(bytes: &[u8], name: &str, device: &Device) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct Identity {
            model: Setup,
            data: Sets,
            seen: Seen,
        }
        let (weights, Identity { model: setup, data, seen }) =
            checkpoint::trained(bytes, name, "selfsup", device)?;
        setup.check()?;
        let network = Equiformer::new(&setup.network, &weights)?;
        let version = Sha256::digest(bytes).iter().take(4).map(|b| format!("{b:02x}")).collect();
        let provenance = Provenance {
            model: name.to_owned(),
            version,
            device: if device.is_cuda() { "cuda:0" } else { "cpu" }.to_owned(),
        };
        Ok(Self { setup, network, device: device.clone(), data, seen, provenance })
    }

    /// Its name, the beginning of the hash of its file, and the device.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.provenance.clone()
    }

    /// The sets that it was trained with.
    #[must_use]
    pub fn data(&self) -> &Sets {
        &self.data
    }

    /// What it has learned from.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The largest number of atoms in a cell that it answers for.
    #[must_use]
    pub fn most_atoms(&self) -> usize {
        MARGIN * self.seen.atoms()[1]
    }

    /// Whether the model may be asked about a crystal at all; masked sites (without an element) are what it is for.
    ///
    /// # Errors
    /// Says why not: no atoms, too many, a partly occupied site, an element that it has never seen.
    pub fn check(&self, cell: &Structure) -> Result<(), ModelError> {
        let refused = |reason: String| Err(ModelError::Unsupported(reason));
        if cell.is_empty() {
            return refused("there is no atom".into());
        }
        let most = self.most_atoms();
        if cell.len() > most {
            return refused(format!(
                "{} atoms are too many: this model has learned from cells of up to {} and answers for up to {most}",
                cell.len(),
                self.seen.atoms()[1]
            ));
        }
        for (i, site) in cell.sites.iter().enumerate() {
            if (site.occupancy - 1.0).abs() > 1e-6 {
                return refused(format!(
                    "site {} is occupied to {}: this model knows ordered crystals only",
                    i + 1,
                    site.occupancy
                ));
            }
            if let Some(element) = site.element
                && !self.seen.elements.contains(&element.z())
            {
                return refused(format!("this model has never seen {}", element.symbol()));
            }
        }
        Ok(())
    }

    /// Species and displacements of every site of every crystal.
    ///
    /// # Errors
    /// When a crystal fails [`Self::check`] or has no graph (an atom without neighbours, two atoms at one place), the
    /// device fails, or `cancelled` says so, which is asked every few crystals.
    pub fn mend(
        &self,
        cells: &[Structure],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Mended>, ModelError> {
        cells.iter().try_for_each(|cell| self.check(cell))?;
        let sizes: Vec<usize> = cells.iter().map(Structure::len).collect();
        let mut mended = Vec::with_capacity(cells.len());
        for range in batches(&sizes) {
            if cancelled() {
                return Err(ModelError::Cancelled);
            }
            mended.extend(self.answer(&cells[range])?);
        }
        Ok(mended)
    }

    /// Probabilities of the elements on each site as if it were masked and all others were not.
    ///
    /// # Errors
    /// As [`Self::mend`].
    pub fn alternatives(
        &self,
        cell: &Structure,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Vec<f64>>, ModelError> {
        self.check(cell)?;
        let masked = |site: usize| {
            let mut cell = cell.clone();
            cell.sites[site].element = None;
            cell
        };
        let cells: Vec<Structure> = (0..cell.len()).map(masked).collect();
        let mended = self.mend(&cells, cancelled)?.into_iter().enumerate();
        Ok(mended.map(|(site, mut mended)| mended.probabilities.swap_remove(site)).collect())
    }

    fn answer(&self, cells: &[Structure]) -> Result<Vec<Mended>, ModelError> {
        let element = |e: Option<Element>| e.map_or(0, Element::z);
        let parts: Vec<(Vec<u8>, Vec<Vector3<f64>>)> = cells
            .iter()
            .map(|c| (c.sites.iter().map(|s| element(s.element)).collect(), c.fractional()))
            .collect();
        let graphs: Vec<Cell> = cells
            .iter()
            .zip(&parts)
            .map(|(c, (numbers, frac))| Cell { lattice: &c.lattice, numbers, frac })
            .collect();
        let graph = Graph::new(&self.setup.network, &graphs, DType::F32, &self.device)?;
        let said = self.network.forward(&graph)?;
        let logs = log_softmax(&said.scalars)?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let vectors = said.vectors()?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let mut rows = logs.into_iter().zip(vectors);
        let mended = cells.iter().map(|cell| {
            let (logs, vectors): (Vec<_>, Vec<_>) = rows.by_ref().take(cell.len()).unzip();
            Mended {
                probabilities: logs.iter().map(|row| self.probabilities(row)).collect(),
                displacement: vectors.iter().map(|v| Vector3::from_column_slice(v)).collect(),
            }
        });
        Ok(mended.collect())
    }

    /// Over the elements that it has seen.
    fn probabilities(&self, logs: &[f64]) -> Vec<f64> {
        let mut probabilities = vec![0.0; logs.len()];
        for z in &self.seen.elements {
            let class = usize::from(*z) - 1;
            probabilities[class] = logs[class].exp();
        }
        let sum: f64 = probabilities.iter().sum();
        probabilities.iter_mut().for_each(|p| *p /= sum);
        probabilities
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cellwright_crystal::{Lattice, Site};

    use super::*;
    use crate::nn::random::Random;
    use crate::selfsup::config::Network;
    use crate::selfsup::network::parameters;

    /// The bytes of untrained weights that have seen Na, Cl and O in cells of up to 4 atoms.
    fn file(kind: &str, seen: bool) -> Vec<u8> {
        let network = Network {
            lmax: 1,
            mmax: 1,
            blocks: 1,
            channels: 8,
            feed_forward_hidden: 8,
            edge_channels: 8,
            gaussians: 8,
            neighbors: 6,
            outputs: 103,
            elements: 103,
            summary: true,
            ..Network::default()
        };
        let setup = Setup { network, ..Setup::default() };
        let weights = parameters(&setup.network, &mut Random::new(1, 0), &Device::Cpu).unwrap();
        let mut task = serde_json::json!({ "kind": kind, "model": setup, "data": Sets::default() });
        if seen {
            task["seen"] =
                serde_json::json!({ "sizes": [[2, 1], [4, 1]], "elements": [8, 11, 17] });
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        let text = BTreeMap::from([("task".to_owned(), task.to_string())]);
        checkpoint::write(&path, &weights.values().unwrap(), &text).unwrap();
        std::fs::read(path).unwrap()
    }

    fn model() -> Model {
        Model::from_bytes(&file("selfsup", true), "ours", &Device::Cpu).unwrap()
    }

    fn salt(copies: usize) -> Structure {
        let lattice = Lattice::from_parameters([2.9, 2.9, 5.0 * copies as f64], [90.0; 3]).unwrap();
        let site = |i: usize| {
            let z = [11, 17][i % 2];
            let frac = Vector3::new(0.0, 0.0, i as f64 / (2 * copies) as f64);
            Site::new(Element::from_z(z).unwrap(), frac)
        };
        Structure { lattice, sites: (0..2 * copies).map(site).collect() }
    }

    #[test]
    fn every_site_gets_chances_and_a_way() {
        let model = model();
        let mut masked = salt(1);
        masked.sites[1].element = None;
        let mended = model.mend(&[masked, salt(2)], &|| false).unwrap();
        assert_eq!(mended.len(), 2);
        for (mended, sites) in mended.iter().zip([2, 4]) {
            assert_eq!((mended.probabilities.len(), mended.displacement.len()), (sites, sites));
            for site in 0..sites {
                assert!((mended.probabilities[site].iter().sum::<f64>() - 1.0).abs() < 1e-12);
                let ranked = mended.ranked(site);
                assert_eq!(ranked.len(), 3);
                assert!(ranked.windows(2).all(|pair| pair[0].1 >= pair[1].1));
                let (first, p) = ranked[0];
                assert_eq!(mended.probability(site, first), p);
            }
        }
        let iron = Element::from_symbol("Fe").unwrap();
        assert_eq!(mended[0].probability(0, iron), 0.0);
        assert!(model.mend(&[], &|| false).unwrap().is_empty());
    }

    #[test]
    fn crystals_in_one_call_do_not_disturb_each_other() {
        let model = model();
        let together = model.mend(&[salt(1), salt(2)], &|| false).unwrap();
        let alone = model.mend(&[salt(2)], &|| false).unwrap();
        for (a, b) in together[1].probabilities.iter().zip(&alone[0].probabilities) {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    #[test]
    fn alternatives_mask_one_site_at_a_time() {
        let model = model();
        let alternatives = model.alternatives(&salt(1), &|| false).unwrap();
        let mut masked = salt(1);
        masked.sites[1].element = None;
        let mended = model.mend(&[masked], &|| false).unwrap();
        for (a, b) in alternatives[1].iter().zip(&mended[0].probabilities[1]) {
            assert!((a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn what_it_does_not_know_it_refuses() {
        let model = model();
        let refused = |cell: &Structure| {
            let error = model.mend(std::slice::from_ref(cell), &|| false).unwrap_err();
            assert!(matches!(error, ModelError::Unsupported(_)));
            error.to_string()
        };
        let mut strange = salt(1);
        strange.sites[0].element = Element::from_symbol("Xe");
        assert!(refused(&strange).contains("never seen Xe"));
        let mut half = salt(1);
        half.sites[1].occupancy = 0.5;
        assert!(refused(&half).contains("site 2 is occupied to 0.5"));
        assert_eq!(model.most_atoms(), 12);
        assert!(refused(&salt(7)).contains("14 atoms are too many"));
        let nothing = Structure { sites: Vec::new(), ..salt(1) };
        assert!(refused(&nothing).contains("no atom"));
        let stopped = model.mend(&[salt(1)], &|| true);
        assert!(matches!(stopped, Err(ModelError::Cancelled)));
    }

    #[test]
    fn other_weights_are_refused() {
        let error = |bytes: &[u8]| {
            Model::from_bytes(bytes, "theirs", &Device::Cpu).unwrap_err().to_string()
        };
        assert!(error(&file("equicsp", true)).contains("theirs is a model of equicsp"));
        assert!(error(&file("selfsup", false)).contains("missing field `seen`"));
        assert!(error(b"nothing").contains("no file of weights"));
    }

    #[test]
    fn the_version_is_that_of_the_bytes() {
        let provenance = model().provenance();
        assert_eq!((provenance.model.as_str(), provenance.device.as_str()), ("ours", "cpu"));
        assert_eq!(provenance.version.len(), 8);
        assert_eq!(provenance, model().provenance());
    }
}
