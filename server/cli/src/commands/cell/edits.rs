//! What is changed in a structure besides its cell.

use anyhow::Result;
use cellwright_crystal::cells::{
    Order, Recast, Substitution, remove_duplicates, sort, strain, substitute, translate, voigt,
};
use cellwright_crystal::{Element, Structure};
use clap::ValueEnum;
use nalgebra::Vector3;

#[derive(Debug, clap::Args)]
pub(super) struct Edits {
    /// First remove every site that repeats an earlier one of its species within this distance.
    #[arg(long, value_name = "Å")]
    remove_duplicates: Option<f64>,

    /// Then replace elements, all at once: "Fe=Co" or "Na=K,K=Na"; "?" is a masked site. Charges that were
    /// declared for a replaced element go with it.
    #[arg(long, value_name = "A=B", value_delimiter = ',', value_parser = substitution)]
    substitute: Vec<Substitution>,

    /// Strain the new cell: xx yy zz yz xz xy (Voigt; shears are engineering shears) along the Cartesian axes
    /// of the file, those of a CIF being c along z and a in the xz plane.
    #[arg(long, value_name = "SIX NUMBERS", value_parser = numbers::<6>, allow_hyphen_values = true)]
    strain: Option<[f64; 6]>,

    /// Move all atoms by this vector, in fractions of the new cell.
    #[arg(long, value_name = "THREE NUMBERS", value_parser = numbers::<3>, allow_hyphen_values = true)]
    translate: Option<[f64; 3]>,

    /// Sort the sites.
    #[arg(long, value_enum)]
    sort: Option<Sort>,

    /// Leave coordinates outside the cell where they are.
    #[arg(long)]
    no_wrap: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sort {
    /// By electronegativity, as formulas are written.
    Formula,
    /// By atomic number.
    Number,
    /// By symbol, alphabetically.
    Symbol,
    /// By position: x, then y, then z.
    Position,
}

impl From<Sort> for Order {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Formula => Self::Electronegativity,
            Sort::Number => Self::AtomicNumber,
            Sort::Symbol => Self::Symbol,
            Sort::Position => Self::Position,
        }
    }
}

impl Edits {
    /// What happens before the cell is changed. The result lists the sites that are left.
    pub(super) fn before(&self, structure: &mut Structure) -> Result<Vec<usize>> {
        let mut kept: Vec<usize> = (0..structure.len()).collect();
        if let Some(within) = self.remove_duplicates {
            let removed = remove_duplicates(structure, within)?;
            kept.retain(|site| removed.iter().all(|duplicate| duplicate.site != *site));
        }
        substitute(structure, &self.substitute)?;
        Ok(kept)
    }

    /// What happens in the new cell, to its structure and to the list of where its sites come from.
    pub(super) fn after(&self, new: &mut Recast) -> Result<()> {
        if let Some(components) = self.strain {
            strain(&mut new.structure, &voigt(components))?;
        }
        if let Some(by) = self.translate {
            translate(&mut new.structure, &Vector3::from(by));
        }
        if !self.no_wrap {
            cellwright_crystal::cells::wrap(&mut new.structure);
        }
        if let Some(order) = self.sort {
            let places = sort(&mut new.structure, order.into());
            new.sites = places.iter().map(|&place| new.sites[place]).collect();
        }
        Ok(())
    }
}

fn substitution(text: &str) -> Result<Substitution, String> {
    let species = |symbol: &str| match symbol.trim() {
        "?" => Ok(None),
        symbol => symbol.parse::<Element>().map(Some).map_err(|e| e.to_string()),
    };
    let (from, to) = text.split_once('=').ok_or("a replacement is written A=B")?;
    Ok(Substitution { from: species(from)?, to: species(to)?, oxidation: None })
}

/// So many finite numbers with blanks or commas between them.
fn numbers<const N: usize>(text: &str) -> Result<[f64; N], String> {
    let parts = text.split([' ', '\t', ',']).filter(|part| !part.is_empty());
    let numbers: Result<Vec<f64>, _> = parts.map(str::parse).collect();
    let numbers = numbers.map_err(|_| "every entry is a number".to_owned())?;
    if numbers.iter().any(|x| !x.is_finite()) {
        return Err("every number is finite".to_owned());
    }
    let count = numbers.len();
    numbers.try_into().map_err(|_| format!("{N} numbers are needed, not {count}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_replacements_as_people_write_them() {
        assert_eq!(numbers::<3>("0.5 -0.25,1e-3"), Ok([0.5, -0.25, 1e-3]));
        for text in ["", "1 2", "1 2 3 4", "1 2 x", "1 2 nan"] {
            assert!(numbers::<3>(text).is_err(), "{text}");
        }
        let symbols = |s: Substitution| [s.from, s.to].map(|e| e.map(Element::symbol));
        assert_eq!(substitution("Fe = Co").map(symbols), Ok([Some("Fe"), Some("Co")]));
        assert_eq!(substitution("?=O").map(symbols), Ok([None, Some("O")]));
        for text in ["Fe", "Fe=", "=Co", "Fe=Xx"] {
            assert!(substitution(text).is_err(), "{text}");
        }
    }
}
