//! The library as a file: a header that can be read by eye and compressed columns of small whole numbers.
//!
//! ```text
//! "cellwright prototypes 1\n"   the version
//! { … }\n                       provenance, counts, prefixes of ids (JSON, one line)
//! zstd                          classes; ids; elements; hull and space group; cells; coordinates; volumes
//! ```
//!
//! Numbers are little-endian base 128; signed ones zigzag. Cells and coordinates of a class are differences to its first
//! member, on which the others are laid: for special positions they are zero.

use std::io::Read;
use std::path::Path;

use cellwright_crystal::Element;
use serde::{Deserialize, Serialize};

use super::geometry::{GRID, lattice};
use super::library::{Class, Library, Member, Provenance};
use super::volume::Volumes;
use crate::ModelError;

const MAGIC: &str = "cellwright prototypes ";
const VERSION: &str = "1";

#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(flatten)]
    provenance: Provenance,
    classes: usize,
    crystals: usize,
    prefixes: Vec<String>,
}

impl Library {
    /// The file.
    ///
    /// # Errors
    /// When the provenance cannot be written as text.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut prefixes: Vec<String> = Vec::new();
        let mut body = Vec::new();
        let members = || self.classes.iter().flat_map(|c| &c.members);
        for class in &self.classes {
            put(&mut body, class.counts.len() as u64);
            put(&mut body, class.automorphisms.len() as u64);
            put(&mut body, class.members.len() as u64);
            class.counts.iter().for_each(|n| put(&mut body, *n as u64));
            class.automorphisms.iter().flatten().for_each(|n| put(&mut body, *n as u64));
        }
        for member in members() {
            let digits =
                member.id.len() - member.id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            // Leading zeros and what no number holds belong to the prefix.
            let (prefix, number) = member.id.split_at(member.id.len() - digits.min(18));
            let zeros = number.len() - number.trim_start_matches('0').len();
            let (prefix, number) = (format!("{prefix}{}", &number[..zeros]), &number[zeros..]);
            let place = prefixes.iter().position(|p| *p == prefix).unwrap_or_else(|| {
                prefixes.push(prefix);
                prefixes.len() - 1
            });
            put(&mut body, place as u64);
            // One more, so that no number is not zero.
            put(&mut body, number.parse::<u64>().map_or(0, |n| n + 1));
        }
        for member in members() {
            body.extend(member.elements.iter().map(|e| e.z()));
        }
        for member in members() {
            put(&mut body, member.hull.map_or(0, |h| 1 + zigzag((h * 1e3).round() as i64)));
            body.push(member.space_group);
        }
        for class in &self.classes {
            let mut before = [0; 6];
            for member in &class.members {
                for (x, y) in member.cell.iter().zip(before) {
                    put(&mut body, zigzag(i64::from(*x) - i64::from(y)));
                }
                before = class.members[0].cell;
            }
        }
        for class in &self.classes {
            let first = &class.members[0].frac;
            for (i, member) in class.members.iter().enumerate() {
                for (at, there) in member.frac.iter().zip(first) {
                    for (x, y) in at.iter().zip(there) {
                        put(&mut body, zigzag(step(if i == 0 { 0 } else { *y }, *x)));
                    }
                }
            }
        }
        body.extend(self.volumes.of.iter().flat_map(|v| v.to_le_bytes()));
        let header = Header {
            provenance: self.provenance.clone(),
            classes: self.classes.len(),
            crystals: self.crystals(),
            prefixes,
        };
        let header = serde_json::to_string(&header).map_err(|e| ModelError::Data(e.to_string()))?;
        let mut file = format!("{MAGIC}{VERSION}\n{header}\n").into_bytes();
        file.extend(ruzstd::encoding::compress_to_vec(
            body.as_slice(),
            ruzstd::encoding::CompressionLevel::Fastest,
        ));
        Ok(file)
    }

    /// Writes the file, at once or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        crate::weights::write_atomically(path, &self.to_bytes()?)
    }

    /// The library in a file.
    ///
    /// # Errors
    /// When it cannot be read, and as [`Self::from_bytes`].
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let bytes = std::fs::read(path)
            .map_err(|e| ModelError::Data(format!("{} cannot be read: {e}", path.display())))?;
        Self::from_bytes(&bytes)
            .map_err(|e| ModelError::BadWeights(format!("{} is {e}", path.display())))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// [`ModelError::BadWeights`] when it is no library, one of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let bad =
            |reason: &str| ModelError::BadWeights(format!("no library of prototypes: {reason}"));
        let version =
            bytes.strip_prefix(MAGIC.as_bytes()).ok_or_else(|| bad("another kind of file"))?;
        let (version, rest) = line(version).ok_or_else(|| bad("it ends early"))?;
        if version != VERSION {
            return Err(bad(&format!("it has version {version}, this program reads {VERSION}")));
        }
        let (header, rest) = line(rest).ok_or_else(|| bad("it ends early"))?;
        let header: Header = serde_json::from_str(header).map_err(|e| bad(&e.to_string()))?;
        let mut body = Vec::new();
        ruzstd::decoding::StreamingDecoder::new(rest)
            .map_err(|e| bad(&e.to_string()))?
            .take(LARGEST)
            .read_to_end(&mut body)
            .map_err(|e| bad(&e.to_string()))?;
        let mut input = Input { rest: &body };
        decode(&mut input, &header).ok_or_else(|| bad("it is damaged"))
    }
}

/// No library unpacks to more (bytes).
const LARGEST: u64 = 1 << 28;

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

fn decode(input: &mut Input, header: &Header) -> Option<Library> {
    let mut classes = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..header.classes {
        let [slots, orders, members] = [input.size()?, input.size()?, input.size()?];
        let counts = (0..slots).map(|_| input.size()).collect::<Option<Vec<_>>>()?;
        let order =
            |input: &mut Input| (0..slots).map(|_| input.size()).collect::<Option<Vec<_>>>();
        let automorphisms = (0..orders).map(|_| order(input)).collect::<Option<Vec<_>>>()?;
        let sound = (1..=Element::COUNT).contains(&slots)
            && members > 0
            && counts.iter().all(|n| (1..=LARGEST_COUNT).contains(n))
            && counts.is_sorted()
            && automorphisms.first().is_some_and(|first| first.iter().copied().eq(0..slots))
            && automorphisms.iter().flatten().all(|s| *s < slots);
        if !sound {
            return None;
        }
        sizes.push(members);
        classes.push(Class { counts, automorphisms, members: Vec::new() });
    }
    for (class, size) in classes.iter_mut().zip(sizes) {
        for _ in 0..size {
            let prefix = header.prefixes.get(input.size()?)?;
            let id = match input.number()? {
                0 => prefix.clone(),
                n => format!("{prefix}{}", n - 1),
            };
            let (elements, frac) = (Vec::new(), Vec::new());
            class.members.push(Member {
                id,
                elements,
                hull: None,
                space_group: 0,
                cell: [0; 6],
                frac,
            });
        }
    }
    for class in &mut classes {
        let slots = class.counts.len();
        for member in &mut class.members {
            let elements = (0..slots).map(|_| Element::from_z(input.byte()?));
            member.elements = elements.collect::<Option<_>>()?;
        }
    }
    for member in classes.iter_mut().flat_map(|c| &mut c.members) {
        member.hull = match input.number()? {
            0 => None,
            h => Some(unzigzag(h - 1) as f64 / 1e3),
        };
        member.space_group = input.byte()?;
    }
    for class in &mut classes {
        let mut first = [0_u32; 6];
        for (i, member) in class.members.iter_mut().enumerate() {
            for (x, y) in member.cell.iter_mut().zip(first) {
                *x = u32::try_from(i64::from(y).checked_add(unzigzag(input.number()?))?).ok()?;
            }
            lattice(&member.cell).ok()?;
            if i == 0 {
                first = member.cell;
            }
        }
    }
    for class in &mut classes {
        let atoms = class.atoms();
        let mut first = vec![[0_u16; 3]; atoms];
        for (i, member) in class.members.iter_mut().enumerate() {
            for there in &first {
                let mut at = [0; 3];
                for (x, y) in at.iter_mut().zip(there) {
                    let sum = i64::from(*y) + unzigzag(input.number()?).clamp(-1 << 20, 1 << 20);
                    *x = sum.rem_euclid(i64::from(GRID)) as u16;
                }
                member.frac.push(at);
            }
            if i == 0 {
                first.clone_from(&member.frac);
            }
        }
    }
    let volume = |input: &mut Input| {
        let bytes = [input.byte()?, input.byte()?, input.byte()?, input.byte()?];
        Some(f32::from_le_bytes(bytes)).filter(|v| v.is_finite() && *v > 0.0)
    };
    let of = (0..2 * Element::COUNT).map(|_| volume(input)).collect::<Option<_>>()?;
    let all = input.rest.is_empty();
    let library = Library::with_volumes(classes, Volumes { of }, header.provenance.clone());
    (all && library.crystals() == header.crystals).then_some(library)
}

/// No slot has more atoms.
const LARGEST_COUNT: usize = 10_000;

/// From one place on the circle to another, the short way.
fn step(from: u16, to: u16) -> i64 {
    let (whole, half) = (i64::from(GRID), i64::from(GRID) / 2);
    (i64::from(to) - i64::from(from) + half).rem_euclid(whole) - half
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// What has not been read yet.
struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }

    /// A number of things, each of which takes at least a byte of what follows.
    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|n| *n <= 1 << 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> Library {
        let member = |id: &str, symbols: [&str; 2], shift: u16| Member {
            id: id.into(),
            elements: symbols.iter().map(|s| s.parse().unwrap()).collect(),
            hull: (shift > 0).then_some(0.123),
            space_group: 225,
            cell: [3988 + u32::from(shift), 3988, 3988, 6000, 6000, 6000],
            frac: vec![[0, 0, GRID - shift.max(1)], [30720; 3]],
        };
        let members = vec![
            member("mp-22862", ["Na", "Cl"], 0),
            member("own", ["K", "Br"], 7),
            member("x-007", ["Li", "F"], 3),
        ];
        let class =
            Class { counts: vec![1, 1], automorphisms: vec![vec![0, 1], vec![1, 0]], members };
        Library::new(vec![class], Provenance { licence: "ours".into(), ..Provenance::default() })
    }

    #[test]
    fn there_and_back() {
        let library = library();
        let back = Library::from_bytes(&library.to_bytes().unwrap()).unwrap();
        assert_eq!(back, library);
        assert_eq!(back.known_units(&[2, 2]), [1]);
        assert!(back.known_units(&[1, 2]).is_empty());
    }

    #[test]
    fn what_is_no_library_is_told_so() {
        let whole = library().to_bytes().unwrap();
        let reason = |bytes: &[u8]| Library::from_bytes(bytes).unwrap_err().to_string();
        assert!(reason(b"").contains("another kind of file"));
        assert!(reason(b"data_x\n").contains("another kind of file"));
        assert!(reason(b"cellwright prototypes 7\n{}\n").contains("version 7"));
        for end in 0..whole.len() {
            assert!(Library::from_bytes(&whole[..end]).is_err(), "{end} of {} bytes", whole.len());
        }
    }

    #[test]
    fn places_near_the_edge_of_the_cell_are_close() {
        assert_eq!((step(0, GRID - 1), step(GRID - 1, 0), step(5, 3)), (-1, 1, -2));
        for n in [0, 1, -1, 63, -64, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(n)), n);
        }
    }
}
