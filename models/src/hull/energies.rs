//! Energies of the library's crystals as a file, bound to the library it was made from.
//!
//! ```text
//! "cellwright library energies 1\n"   the version
//! { … }\n                             hash of the library, model, count (JSON, one line)
//! zstd                                low bytes of all energies, then the next bytes, up to the fourth
//! ```
//!
//! An energy is a whole number of 0.1 meV/atom, in the order of the library's classes and their members.

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::prototypes::Library;
use crate::{ModelError, Potential, Provenance};

const MAGIC: &str = "cellwright library energies ";
const VERSION: &str = "1";

/// What one step of a stored energy is (eV/atom).
const UNIT: f64 = 1e-4;

/// Stands for a crystal that the model refused, and one it was not asked about yet.
const REFUSED: i32 = i32::MIN;
const MISSING: i32 = i32::MIN + 1;

/// Crystals that are evaluated between two reports.
const PART: usize = 64;

/// Energies of the crystals of one library, by one model, without relaxation.
#[derive(Debug, Clone, PartialEq)]
pub struct Energies {
    header: Header,
    values: Vec<i32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Header {
    /// SHA-256 of the library's file.
    library: String,
    model: Provenance,
    crystals: usize,
}

/// SHA-256 in hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

impl Energies {
    /// None known yet, for the library whose file has these bytes.
    ///
    /// # Errors
    /// When the bytes are no library.
    pub fn none(library: &[u8], model: Provenance) -> Result<Self, ModelError> {
        let crystals = Library::from_bytes(library)?.crystals();
        let header = Header { library: sha256(library), model, crystals };
        Ok(Self { header, values: vec![MISSING; crystals] })
    }

    /// Asks the model about every crystal that is not known yet; `done` sees how many are and says whether to go on.
    ///
    /// # Errors
    /// [`ModelError::Cancelled`] when `done` said stop, with what was found so far kept; whatever is wrong with the model. A
    /// crystal that the model cannot treat is no error, it has no energy.
    pub fn complete(
        &mut self,
        library: &Library,
        potential: &dyn Potential,
        done: &mut dyn FnMut(&Self) -> bool,
    ) -> Result<(), ModelError> {
        let members: Vec<_> =
            library.classes().iter().flat_map(|c| c.members.iter().map(move |m| (c, m))).collect();
        let open: Vec<usize> = (0..self.values.len().min(members.len()))
            .filter(|i| self.values[*i] == MISSING)
            .collect();
        for part in open.chunks(PART) {
            let structures = part
                .iter()
                .map(|i| members[*i].0.crystal(members[*i].1))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|e| ModelError::Data(e.to_string()))?;
            let structures: Vec<_> = structures.iter().collect();
            for (i, answer) in part.iter().zip(potential.evaluate(&structures)) {
                self.values[*i] = match answer {
                    Ok(evaluation) => (evaluation.energy_per_atom / UNIT).round() as i32,
                    Err(ModelError::Unsupported(_)) => REFUSED,
                    Err(error) => return Err(error),
                };
            }
            if !done(self) {
                return Err(ModelError::Cancelled);
            }
        }
        Ok(())
    }

    /// The model behind the energies.
    #[must_use]
    pub fn model(&self) -> &Provenance {
        &self.header.model
    }

    /// Crystals that the model was asked about.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.values.iter().filter(|v| **v != MISSING).count()
    }

    /// Crystals that have an energy.
    #[must_use]
    pub fn known(&self) -> usize {
        self.iter().flatten().count()
    }

    /// Energies (eV/atom) in the order of the library's classes and their members.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<f64>> + '_ {
        let energy = |v: &i32| (*v != REFUSED && *v != MISSING).then(|| f64::from(*v) * UNIT);
        self.values.iter().map(energy)
    }

    /// The file.
    ///
    /// # Errors
    /// When the header cannot be written as text.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let header =
            serde_json::to_string(&self.header).map_err(|e| ModelError::Data(e.to_string()))?;
        let mut file = format!("{MAGIC}{VERSION}\n{header}\n").into_bytes();
        let planes = (0..4).flat_map(|k| self.values.iter().map(move |v| v.to_le_bytes()[k]));
        let body: Vec<u8> = planes.collect();
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        file.extend(ruzstd::encoding::compress_to_vec(body.as_slice(), level));
        Ok(file)
    }

    /// Writes the file, at once or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        crate::weights::write_atomically(path, &self.to_bytes()?)
    }

    /// The energies in the bytes of a file, for the library whose file has the bytes `library`.
    ///
    /// # Errors
    /// [`ModelError::BadWeights`] when they are no energies, damaged, or those of another library.
    pub fn from_bytes(bytes: &[u8], library: &[u8]) -> Result<Self, ModelError> {
        let bad =
            |reason: &str| ModelError::BadWeights(format!("no energies of the library: {reason}"));
        let (header, rest) = split(bytes).ok_or_else(|| bad("another kind of file"))?;
        let header: Header = serde_json::from_str(header).map_err(|e| bad(&e.to_string()))?;
        if header.library != sha256(library) {
            return Err(bad("they were made from another library"));
        }
        let mut body = Vec::new();
        ruzstd::decoding::StreamingDecoder::new(rest)
            .map_err(|e| bad(&e.to_string()))?
            .take(4 * header.crystals as u64 + 1)
            .read_to_end(&mut body)
            .map_err(|e| bad(&e.to_string()))?;
        if header.crystals == 0 || body.len() != 4 * header.crystals {
            return Err(bad("it is damaged"));
        }
        let plane = |k: usize| &body[k * header.crystals..(k + 1) * header.crystals];
        let value = |i| i32::from_le_bytes([0, 1, 2, 3].map(|k| plane(k)[i]));
        Ok(Self { values: (0..header.crystals).map(value).collect(), header })
    }
}

/// Header and body of a file of this version.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(MAGIC.as_bytes())?.strip_prefix(VERSION.as_bytes())?;
    let rest = rest.strip_prefix(b"\n")?;
    let end = rest.iter().position(|b| *b == b'\n')?;
    Some((std::str::from_utf8(&rest[..end]).ok()?, &rest[end + 1..]))
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::{Element, Structure};

    use super::*;
    use crate::Evaluation;
    use crate::data::{Crystal, Entry};
    use crate::prototypes::{Known, build};

    /// −1 eV for every unit of the first atomic number; knows no potassium.
    struct Simple;

    impl Potential for Simple {
        fn provenance(&self) -> Provenance {
            let [model, version, device] = ["Simple", "1", "cpu"].map(str::to_owned);
            Provenance { model, version, device }
        }

        fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
            let one = |s: &&Structure| {
                let z = s.sites.iter().filter_map(|s| s.element).map(Element::z).max().unwrap_or(0);
                if z == 19 {
                    return Err(ModelError::Unsupported("potassium".into()));
                }
                Ok(Evaluation {
                    energy_per_atom: -f64::from(z) - 0.00004,
                    forces: Vec::new(),
                    stress: nalgebra::Matrix3::zeros(),
                    magmoms: Vec::new(),
                    site_energies: Vec::new(),
                    cautions: Vec::new(),
                })
            };
            structures.iter().map(one).collect()
        }
    }

    fn library(numbers: &[[u8; 2]]) -> Vec<u8> {
        let known = numbers.iter().enumerate().map(|(i, numbers)| {
            let crystal = Crystal {
                id: format!("x-{i}"),
                numbers: numbers.to_vec(),
                frac: vec![[0.0; 3], [0.5; 3]],
                lengths: [4.0; 3],
                angles: [60.0; 3],
            };
            Known::new(Entry { crystal, hull: None, space_group: None }).unwrap().unwrap()
        });
        build(known.collect(), crate::prototypes::Provenance::default()).to_bytes().unwrap()
    }

    #[test]
    fn energies_belong_to_one_library_and_can_be_taken_up_again() {
        let bytes = library(&[[11, 9], [19, 9], [12, 8]]);
        let read = Library::from_bytes(&bytes).unwrap();
        let mut energies = Energies::none(&bytes, Simple.provenance()).unwrap();
        assert_eq!((energies.asked(), energies.known()), (0, 0));
        let stopped = energies.complete(&read, &Simple, &mut |_| false);
        assert!(matches!(stopped, Err(ModelError::Cancelled)));
        let file = energies.to_bytes().unwrap();
        let mut again = Energies::from_bytes(&file, &bytes).unwrap();
        assert_eq!(again, energies);
        again.complete(&read, &Simple, &mut |_| panic!("there is nothing left to ask")).unwrap();
        assert_eq!((again.asked(), again.known(), again.iter().len()), (3, 2, 3));
        // To a tenth of a millielectronvolt.
        let mut known: Vec<f64> = again.iter().flatten().collect();
        known.sort_by(f64::total_cmp);
        assert_eq!(known, [-12.0, -11.0]);
        let reason = |file: &[u8], library: &[u8]| {
            Energies::from_bytes(file, library).unwrap_err().to_string()
        };
        assert!(reason(&file, &library(&[[11, 9]])).contains("another library"));
        assert!(reason(b"data_x", &bytes).contains("another kind of file"));
        for end in 0..file.len() {
            assert!(Energies::from_bytes(&file[..end], &bytes).is_err(), "{end} bytes");
        }
    }
}
