//! A composition as it is typed.

use anyhow::{Result, anyhow};
use cellwright_models::tasks::predict::Request;
use cellwright_syntax::composition_line::wanted;

use super::Args;

/// The request that a text makes, with the options of the command where it says nothing.
pub(super) fn question(text: &str, args: &Args) -> Result<Request> {
    let wanted = wanted(text).map_err(|complaint| anyhow!("'{text}': {}", complaint.message))?;
    Ok(Request {
        composition: wanted.composition,
        units: wanted.units.or(args.z),
        space_group: wanted.space_group.or(args.spacegroup),
        answers: wanted.answers.unwrap_or(args.answers),
        samples: args.samples,
        // Random starts are no answer before they are relaxed.
        starts: if args.relax.is_some() { args.starts } else { Some(0) },
        seed: args.seed,
    })
}
