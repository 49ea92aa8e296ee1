//! `cellwright complete`: which elements sit on masked sites.

use anyhow::{Result, bail};
use cellwright_crystal::Element;
use cellwright_features::complete::open_groups;
use cellwright_features::energy::refusal_unless_masked;
use cellwright_features::measured::measured;
use cellwright_features::predict::percent;
use cellwright_models::chgnet::Chgnet;
use cellwright_models::sevennet::Sevennet;
use cellwright_models::tasks::complete::{
    Assignment, Completion, Evidence, Potentials, Question, Weighing, complete,
};
use cellwright_models::tasks::mender::Mender;
use cellwright_models::tasks::predict::Predictor;
use cellwright_models::{Potential, Provenance};
use cellwright_syntax::edit::{SiteGroup, name_sites};
use cellwright_syntax::text::{TextEdit, apply_edits};
use cellwright_syntax::{Parsed, Reading};
use serde::Serialize;

use crate::files::{Input, Inputs};
use crate::model::{MenderArgs, ModelArgs};
use crate::output::{self, Format, Outcome};
use crate::write_back::WriteBack;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A masked site has the symbol ? or X, or without a symbol a label that begins with one; in a POSCAR such a name on line 6.
Rows of a CIF are named each for itself, all atoms below one name of a POSCAR together.
An element that does not belong pulls or pushes at the cell: of the likeliest assignments the energy models tell the pressure, once the
atoms are at rest, and the chances take it into account.")]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    /// Assignments of all masked sites to list.
    #[arg(short = 'n', long, default_value_t = 5)]
    answers: usize,

    /// Only these elements, such as O,S,F.
    #[arg(long, value_delimiter = ',', value_name = "SYMBOLS")]
    elements: Vec<Element>,

    /// Do not ask the energy models, as where none is installed: quicker, and less often right.
    #[arg(long)]
    no_energy: bool,

    /// Where the cell comes from; without it what the file says (a POSCAR is computed, a CIF with standard uncertainties measured), and
    /// both where it says nothing.
    #[arg(long, value_enum)]
    cell: Option<Size>,

    /// Whether the masked sites are all that there is of their species, or other sites hold it too; without it nobody knows.
    #[arg(long, value_enum)]
    species: Option<Species>,

    #[command(flatten)]
    mender: MenderArgs,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    write: WriteBack,

    /// How to show the answers.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Measured cells are smaller than those that the models have learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Size {
    /// By an experiment.
    Measured,
    /// With the PBE functional, as in the Materials Project.
    Computed,
}

/// What the masked sites are of their species.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Species {
    /// All of it.
    Whole,
    /// Other sites hold it too.
    Some,
}

/// The masked sites of one structure, schema `complete` version 1.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    block: String,
    model: String,
    device: String,
    n_atoms: usize,
    sites: Vec<SiteLine>,
    assignments: Vec<AssignmentLine>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SiteLine {
    site: String,
    /// Atoms of the cell.
    atoms: usize,
    elements: Vec<Chance>,
}

#[derive(Debug, Serialize)]
struct Chance {
    element: &'static str,
    probability: f64,
}

#[derive(Debug, Serialize)]
struct AssignmentLine {
    /// In the order of the sites.
    elements: Vec<&'static str>,
    formula: String,
    probability: f64,
    charge_balanced: Option<bool>,
    /// eV/atom, the atoms at rest.
    energy_per_atom: Option<f64>,
    /// eV/atom.
    above_hull: Option<f64>,
    /// GPa, tension positive.
    pressure: Option<f64>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    args.write.check(args.inputs.sources().len(), false)?;
    let mender = args.mender.load(&args.model)?;
    let (potential, without) = args.model.load_if_installed(!args.no_energy)?;
    let (fine, coarse) = if args.no_energy { (None, None) } else { args.model.load_fine()? };
    let without = without.into_iter().chain(coarse).collect();
    let predictor = Predictor::shipped()?;
    let models = Models { mender: mender.as_ref(), potential, fine, predictor, without };
    let mut answers = Vec::new();
    let outcome = args.write.each(&args.inputs, false, |input| {
        let (own, edits) = of_file(args, input, &models)?;
        answers.extend(own);
        Ok((apply_edits(&input.parsed.text, &edits), Outcome::Clean))
    })?;
    match args.format {
        Format::Json => output::print_json(&answers)?,
        Format::Text => output::print(&answers.iter().map(table).collect::<String>())?,
    }
    Ok(outcome)
}

/// What is asked.
struct Models<'a> {
    mender: &'a dyn Mender,
    /// Whose energies are those of the known phases.
    potential: Option<Chgnet>,
    /// Whose stresses are fine.
    fine: Option<Sevennet>,
    predictor: Predictor,
    /// Why a potential is missing that was wanted.
    without: Vec<String>,
}

impl Models<'_> {
    /// Who says energies and pressures.
    fn asked(&self) -> Option<String> {
        let name = |by: Provenance| format!("{} {}", by.model, by.version);
        let energies = self.potential.as_ref().map(|p| name(p.provenance()));
        match (energies, self.fine.as_ref().map(|p| name(p.provenance()))) {
            (Some(coarse), Some(fine)) => {
                Some(format!("energies by {coarse}, pressures by {fine}"))
            }
            (Some(coarse), None) => Some(format!("energies and pressures by {coarse}")),
            (None, Some(fine)) => Some(format!("pressures by {fine}")),
            (None, None) => None,
        }
    }
}

/// The masked sites of every structure of a file, and what writes the best assignment.
fn of_file(
    args: &Args,
    input: &Input,
    models: &Models<'_>,
) -> Result<(Vec<Answer>, Vec<TextEdit>)> {
    let parsed = &input.parsed;
    let (mut answers, mut edits) = (Vec::new(), Vec::new());
    for reading in &parsed.readings {
        if reading.sites.iter().all(|s| s.element.is_some() || s.multiplicity == 0) {
            continue;
        }
        if let Some(reason) = refusal_unless_masked(reading) {
            bail!("{}: {reason}", reading.name);
        }
        let groups = open_groups(parsed, reading);
        let question = question(args, parsed, reading, &groups)?;
        let mut coarse =
            |cells: &[&_]| models.potential.as_ref().map_or_else(Vec::new, |p| p.evaluate(cells));
        let mut fine =
            |cells: &[&_]| models.fine.as_ref().map_or_else(Vec::new, |p| p.evaluate(cells));
        let evidence = Evidence {
            library: Some(&models.predictor.prototypes().library),
            potentials: Potentials::of(
                models.fine.is_some().then_some(&mut fine),
                models.potential.is_some().then_some(&mut coarse),
            ),
            weighing: Weighing::shipped()?,
        };
        let done = complete(models.mender, &question, evidence, &|| false)?;
        if let Some(best) = done.joint.first() {
            let pairs: Vec<_> = groups.iter().zip(best.elements.iter().copied()).collect();
            edits.extend(name_sites(parsed, reading, &pairs)?);
        }
        answers.push(answer(&input.name, reading, &groups, &question, &done, models));
    }
    if answers.is_empty() {
        bail!("no site is masked: {}", masks(parsed));
    }
    Ok((answers, edits))
}

fn masks(parsed: &Parsed) -> &'static str {
    match parsed.language() {
        cellwright_syntax::Language::Cif => "write ? as the type symbol of a site to ask for it",
        cellwright_syntax::Language::Poscar => "write X in line 6 to ask for a species",
    }
}

fn question(
    args: &Args,
    parsed: &Parsed,
    reading: &Reading,
    groups: &[SiteGroup],
) -> Result<Question> {
    let structure = reading.structure.clone();
    Ok(Question {
        structure: structure.ok_or_else(|| anyhow::anyhow!("no atoms are given"))?,
        groups: groups.iter().map(|group| group.atoms(reading)).collect(),
        allowed: args.elements.clone(),
        answers: args.answers,
        measured: args
            .cell
            .map_or_else(|| measured(parsed, reading), |c| Some(c == Size::Measured)),
        whole: args.species.map(|s| s == Species::Whole),
    })
}

fn answer(
    file: &str,
    reading: &Reading,
    groups: &[SiteGroup],
    question: &Question,
    done: &Completion,
    models: &Models<'_>,
) -> Answer {
    let by = models.mender.provenance();
    let mut notes = models.without.clone();
    notes.extend(models.asked().map(|who| {
        format!(
            "{who}, the atoms at rest; of a cell that may have been measured, in one of 2 or 4 % more volume where that fits better"
        )
    }));
    let chance = |(e, p): &(Element, f64)| Chance { element: e.symbol(), probability: *p };
    let site = |(i, group): (usize, &SiteGroup)| SiteLine {
        site: group.name.clone(),
        atoms: question.groups[i].len(),
        elements: done.groups[i].iter().take(10).map(chance).collect(),
    };
    let mut line = |a: &Assignment| {
        let composition = Completion::completed(question, a).composition();
        let formula = composition.formula();
        let energy = a.probe.and_then(|probe| probe.energy);
        let above_hull = energy.and_then(|energy| match models.predictor.hull(&composition) {
            Ok(hull) => Some(hull.above(energy)),
            Err(reason) => {
                notes.push(format!("{formula}: {reason}"));
                None
            }
        });
        AssignmentLine {
            elements: a.elements.iter().map(|e| e.symbol()).collect(),
            formula,
            probability: a.probability,
            charge_balanced: a.charge_balanced,
            energy_per_atom: energy,
            above_hull,
            pressure: a.probe.map(|p| p.pressure),
        }
    };
    let assignments = done.joint.iter().map(&mut line).collect();
    Answer {
        file: file.to_owned(),
        block: reading.name.clone(),
        model: format!("{} {}", by.model, by.version),
        device: by.device,
        n_atoms: question.structure.len(),
        sites: groups.iter().enumerate().map(site).collect(),
        assignments,
        notes,
    }
}

/// For people.
fn table(answer: &Answer) -> String {
    let mut out = format!("{} {} ({})\n", answer.file, answer.block, answer.model);
    for site in &answer.sites {
        let atoms = if site.atoms == 1 { "1 atom".into() } else { format!("{} atoms", site.atoms) };
        let shown = site.elements.iter().take(6);
        let chances: Vec<_> =
            shown.map(|c| format!("{} {}", c.element, percent(c.probability))).collect();
        out.push_str(&format!("  {} ({atoms}): {}\n", site.site, chances.join(", ")));
    }
    out.push_str("  together:\n");
    for line in &answer.assignments {
        let charge = match line.charge_balanced {
            Some(true) => "charges balance",
            Some(false) => "charges do not balance",
            None => "no charges",
        };
        let mut words = vec![
            format!("{:>6}", percent(line.probability)),
            line.elements.join(" "),
            line.formula.clone(),
            charge.to_owned(),
        ];
        words.extend(line.energy_per_atom.map(|e| format!("{e:.4} eV/atom")));
        words.extend(line.pressure.map(|p| format!("{p:+.1} GPa")));
        words.extend(line.above_hull.map(|e| format!("{:+.0} meV from the hull", 1e3 * e)));
        out.push_str(&format!("  {}\n", words.join("  ")));
    }
    for note in &answer.notes {
        out.push_str(&format!("  note: {note}\n"));
    }
    out
}
