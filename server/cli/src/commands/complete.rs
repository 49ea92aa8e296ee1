//! `cellwright complete`: which elements sit on masked sites.

use anyhow::{Result, bail};
use cellwright_crystal::Element;
use cellwright_features::complete::open_groups;
use cellwright_features::energy::refusal_unless_masked;
use cellwright_features::predict::percent;
use cellwright_models::hull::Hull;
use cellwright_models::tasks::complete::{Assignment, Completion, Question, complete};
use cellwright_models::tasks::mender::Mender;
use cellwright_models::tasks::predict::Predictor;
use cellwright_models::{ModelError, Potential};
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
Rows of a CIF are named each for itself, all atoms below one name of a POSCAR together.")]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    /// Assignments of all masked sites to list.
    #[arg(short = 'n', long, default_value_t = 5)]
    answers: usize,

    /// Only these elements, such as O,S,F.
    #[arg(long, value_delimiter = ',', value_name = "SYMBOLS")]
    elements: Vec<Element>,

    /// Compute the energy of every assignment and its distance from the hull of known phases.
    #[arg(long)]
    energy: bool,

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
    /// eV/atom.
    energy_per_atom: Option<f64>,
    /// eV/atom.
    above_hull: Option<f64>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    args.write.check(args.inputs.sources().len(), false)?;
    let mender = args.mender.load(&args.model)?;
    let potential = args.energy.then(|| args.model.load()).transpose()?;
    let potential = potential.as_ref().map(|p| p as &dyn Potential);
    let mut answers = Vec::new();
    let outcome = args.write.each(&args.inputs, false, |input| {
        let (own, edits) = of_file(args, input, mender.as_ref(), potential)?;
        answers.extend(own);
        Ok((apply_edits(&input.parsed.text, &edits), Outcome::Clean))
    })?;
    match args.format {
        Format::Json => output::print_json(&answers)?,
        Format::Text => output::print(&answers.iter().map(table).collect::<String>())?,
    }
    Ok(outcome)
}

/// The masked sites of every structure of a file, and what writes the best assignment.
fn of_file(
    args: &Args,
    input: &Input,
    mender: &dyn Mender,
    potential: Option<&dyn Potential>,
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
        let question = question(args, reading, &groups)?;
        let done = complete(mender, &question, &|| false)?;
        if let Some(best) = done.joint.first() {
            let pairs: Vec<_> = groups.iter().zip(best.elements.iter().copied()).collect();
            edits.extend(name_sites(parsed, reading, &pairs)?);
        }
        let mut answer = answer(&input.name, reading, &groups, &question, &done, mender);
        if let Some(potential) = potential {
            energies(&mut answer, &question, &done, potential)?;
        }
        answers.push(answer);
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

fn question(args: &Args, reading: &Reading, groups: &[SiteGroup]) -> Result<Question> {
    let structure = reading.structure.clone();
    Ok(Question {
        structure: structure.ok_or_else(|| anyhow::anyhow!("no atoms are given"))?,
        groups: groups.iter().map(|group| group.atoms(reading)).collect(),
        allowed: args.elements.clone(),
        answers: args.answers,
    })
}

fn answer(
    file: &str,
    reading: &Reading,
    groups: &[SiteGroup],
    question: &Question,
    done: &Completion,
    mender: &dyn Mender,
) -> Answer {
    let by = mender.provenance();
    let chance = |(e, p): &(Element, f64)| Chance { element: e.symbol(), probability: *p };
    let site = |(i, group): (usize, &SiteGroup)| SiteLine {
        site: group.name.clone(),
        atoms: question.groups[i].len(),
        elements: done.groups[i].iter().take(10).map(chance).collect(),
    };
    let line = |a: &Assignment| AssignmentLine {
        elements: a.elements.iter().map(|e| e.symbol()).collect(),
        formula: Completion::completed(question, a).composition().formula(),
        probability: a.probability,
        charge_balanced: a.charge_balanced,
        energy_per_atom: None,
        above_hull: None,
    };
    Answer {
        file: file.to_owned(),
        block: reading.name.clone(),
        model: format!("{} {}", by.model, by.version),
        device: by.device,
        n_atoms: question.structure.len(),
        sites: groups.iter().enumerate().map(site).collect(),
        assignments: done.joint.iter().map(line).collect(),
        notes: Vec::new(),
    }
}

/// Energies of the assignments as they stand, nothing relaxed.
fn energies(
    answer: &mut Answer,
    question: &Question,
    done: &Completion,
    potential: &dyn Potential,
) -> Result<()> {
    let predictor = Predictor::shipped()?;
    for (line, assignment) in answer.assignments.iter_mut().zip(&done.joint) {
        let structure = Completion::completed(question, assignment);
        match potential.evaluate(&[&structure]).pop() {
            Some(Ok(evaluation)) => {
                let energy = evaluation.energy_per_atom;
                line.energy_per_atom = Some(energy);
                match predictor.hull(&structure.composition()) {
                    Ok(Hull { energy: hull, .. }) => line.above_hull = Some(energy - hull),
                    Err(reason) => answer.notes.push(format!("{}: {reason}", line.formula)),
                }
            }
            Some(Err(error @ ModelError::Unsupported(_))) => {
                answer.notes.push(format!("{}: {error}", line.formula));
            }
            Some(Err(error)) => return Err(error.into()),
            None => bail!("the potential gave no answer"),
        }
    }
    let by = potential.provenance();
    answer
        .notes
        .push(format!("energies of the crystals as they stand by {} {}", by.model, by.version));
    Ok(())
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
        words.extend(line.above_hull.map(|e| format!("{:+.0} meV from the hull", 1e3 * e)));
        out.push_str(&format!("  {}\n", words.join("  ")));
    }
    for note in &answer.notes {
        out.push_str(&format!("  note: {note}\n"));
    }
    out
}
