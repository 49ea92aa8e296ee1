//! `cellwright substitutions`: what replaces what.

use std::path::Path;

use anyhow::{Context, Result, bail};
use cellwright_crystal::Element;
use cellwright_features::energy::refusal_unless_masked;
use cellwright_features::predict::percent;
use cellwright_models::tasks::mender::Mender;
use cellwright_models::tasks::predict::Predictor;
use cellwright_models::tasks::substitutions::{in_library, on_sites};
use cellwright_syntax::edit::{SiteGroup, site_groups};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::files::Source;
use crate::model::{MenderArgs, ModelArgs};
use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of an element: what a model puts on its sites in known crystals when it is hidden, by what surrounds them.
Of a site (rutile.cif:Ti1, POSCAR:Ti): what it puts there when all atoms of that row are hidden.")]
pub(crate) struct Args {
    /// Element, or site of a file as FILE:LABEL.
    #[arg(value_name = "ELEMENT|FILE:SITE")]
    what: String,

    /// Elements to list.
    #[arg(short = 'n', long, default_value_t = 10)]
    answers: usize,

    /// Known crystals to ask about at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    crystals: usize,

    #[command(flatten)]
    mender: MenderArgs,

    #[command(flatten)]
    model: ModelArgs,

    /// How to show the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Schema `substitutions` version 1.
#[derive(Debug, Serialize)]
struct Answer {
    /// As asked.
    what: String,
    model: String,
    device: String,
    environments: Vec<Environment>,
}

#[derive(Debug, Serialize)]
struct Environment {
    /// Number and most electronegative element of the neighbours; of a site its label.
    name: String,
    /// Crystals that were asked about.
    crystals: usize,
    elements: Vec<Chance>,
}

#[derive(Debug, Serialize)]
struct Chance {
    element: &'static str,
    probability: f64,
    /// Whether it is the element that is there.
    itself: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let mender = args.mender.load(&args.model)?;
    let environments = match Element::from_symbol(&args.what) {
        Some(element) => of_element(args, element, mender.as_ref())?,
        None => vec![of_site(args, mender.as_ref())?],
    };
    let by = mender.provenance();
    let answer = Answer {
        what: args.what.clone(),
        model: format!("{} {}", by.model, by.version),
        device: by.device,
        environments,
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&table(&answer))?,
    }
    Ok(Outcome::Clean)
}

fn of_element(args: &Args, element: Element, mender: &dyn Mender) -> Result<Vec<Environment>> {
    let predictor = Predictor::shipped()?;
    let library = &predictor.prototypes().library;
    let bar =
        ProgressBar::new(1000).with_style(ProgressStyle::with_template("{wide_bar} {eta} left")?);
    let found = in_library(mender, library, element, args.crystals, &mut |fraction| {
        bar.set_position((1000.0 * fraction) as u64);
        true
    })?;
    bar.finish_and_clear();
    let environment = |r: cellwright_models::tasks::substitutions::Replacements| {
        let mut all = r.others;
        all.push((element, r.itself));
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        Environment {
            name: r.environment.to_string(),
            crystals: r.crystals,
            elements: chances(&all, Some(element), args.answers),
        }
    };
    Ok(found.into_iter().map(environment).collect())
}

fn of_site(args: &Args, mender: &dyn Mender) -> Result<Environment> {
    let (path, label) = args.what.rsplit_once(':').with_context(|| {
        format!("'{}' is neither an element nor a site such as rutile.cif:Ti1", args.what)
    })?;
    let input = Source::named(Path::new(path)).read(None)?;
    let parsed = &input.parsed;
    for reading in &parsed.readings {
        let groups = site_groups(parsed, reading);
        let named = |group: &&SiteGroup| {
            let site = &reading.sites[group.rows[0]];
            group.name == label || site.label == label || site.species == label
        };
        // A label says which row is meant; a species alone only where there is no such label.
        let exact = groups.iter().find(|g| g.name == label);
        let Some(group) = exact.or_else(|| groups.iter().find(named)) else { continue };
        if let Some(reason) = refusal_unless_masked(reading) {
            bail!("{}: {reason}", reading.name);
        }
        let structure = reading.structure.as_ref().context("no atoms are given")?;
        let now = reading.sites[group.rows[0]].element;
        let found = on_sites(mender, structure, &group.atoms(reading), &|| false)?;
        return Ok(Environment {
            name: group.name.clone(),
            crystals: 1,
            elements: chances(&found, now, args.answers),
        });
    }
    bail!("{}: there is no site '{label}'", input.name)
}

fn chances(all: &[(Element, f64)], now: Option<Element>, most: usize) -> Vec<Chance> {
    let chance = |(e, p): &(Element, f64)| Chance {
        element: e.symbol(),
        probability: *p,
        itself: Some(*e) == now,
    };
    all.iter().take(most).map(chance).collect()
}

/// Environments that people are shown, the commonest ones.
const MOST: usize = 12;

/// For people.
fn table(answer: &Answer) -> String {
    let mut out = format!("{} ({})\n", answer.what, answer.model);
    for one in answer.environments.iter().take(MOST) {
        let chances = one.elements.iter().map(|c| {
            let mark = if c.itself { " (itself)" } else { "" };
            format!("{} {}{mark}", c.element, percent(c.probability))
        });
        let chances = chances.collect::<Vec<_>>().join(", ");
        let crystals = if one.crystals == 1 { "crystal" } else { "crystals" };
        out.push_str(&format!("  {} ({} {crystals}): {chances}\n", one.name, one.crystals));
    }
    let rarer = answer.environments.len().saturating_sub(MOST);
    if rarer > 0 {
        let noun = if rarer == 1 { "environment" } else { "environments" };
        out.push_str(&format!("  and {rarer} rarer {noun}: --format json has them all\n"));
    }
    out
}
