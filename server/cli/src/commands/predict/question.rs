//! A composition as it is typed.

use anyhow::{Context, Result, bail};
use cellwright_crystal::Composition;
use cellwright_models::tasks::predict::Request;

use super::Args;

/// The request that a text makes: a formula, and after commas `Z=`, `spacegroup=` and `n=`.
pub(super) fn question(text: &str, args: &Args) -> Result<Request> {
    let mut parts = text.split(',').map(str::trim);
    let formula = parts.next().unwrap_or_default();
    let composition: Composition =
        formula.parse().with_context(|| format!("'{formula}' is no composition"))?;
    let mut counts = Vec::new();
    for (element, amount) in composition.iter() {
        if amount.fract() != 0.0 || amount > f64::from(u32::MAX) {
            bail!(
                "'{formula}' has {amount} of {element}: a cell holds whole atoms, so write whole numbers"
            );
        }
        counts.push((element, amount as u32));
    }
    let mut request = Request {
        composition: counts,
        units: args.z,
        space_group: args.spacegroup,
        answers: args.answers,
    };
    for setting in parts {
        let (name, value) =
            setting.split_once('=').with_context(|| format!("'{setting}' is no setting"))?;
        let value = value.trim();
        let bad = || format!("'{value}' is no number for {name}");
        match name.trim().to_ascii_lowercase().as_str() {
            "z" => request.units = Some(value.parse().with_context(bad)?),
            "spacegroup" => request.space_group = Some(value.parse().with_context(bad)?),
            "n" => request.answers = value.parse().with_context(bad)?,
            other => bail!("'{other}' is no setting of a composition: Z, spacegroup and n are"),
        }
    }
    Ok(request)
}
