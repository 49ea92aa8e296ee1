//! Completing masked sites and putting atoms back.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use cellwright_crystal::{Element, Structure};
use cellwright_models::Provenance;
use cellwright_models::data::Crystal;
use cellwright_models::eval::selfsup::{
    Answer as Said, Mask, Prototypes, Question, Report, Statistics, Validity, judge, questions,
    validity,
};
use cellwright_models::selfsup::{Mended, Model};
use cellwright_models::tasks::complete::{self, complete};
use cellwright_models::tasks::predict::Predictor;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

use super::set::Set;
use crate::files;
use crate::model::ModelArgs;
use crate::output::{self, Format, Outcome};

mod table;

/// Assignments of all masked sites that are looked at.
const LISTED: usize = 3;

/// Questions in one call of the model, so that progress is seen.
const BATCH: usize = 64;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Masks: alpha takes all atoms of one species away, each species of a crystal in turn; beta 15 % of the atoms; gamma 30 %. All atoms
are displaced too. The statistics are those of the crystals that the model was trained on; they see no structure. Prototypes are those
of the library of known structures that comes with this program; they are asked where all atoms of a species are masked.")]
pub(super) struct Args {
    /// Weights: model.safetensors of a training run.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,

    #[command(flatten)]
    set: Set,

    /// What is masked.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "alpha,beta,gamma")]
    masks: Vec<MaskName>,

    /// Standard deviations of the displacements, in units of the shortest distance of a crystal.
    #[arg(long, value_delimiter = ',', default_value = "0.1,0.2")]
    noise: Vec<f64>,

    /// Seed of masks, displacements and bootstrap.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    device: ModelArgs,

    /// A table in Markdown.
    #[arg(long, conflicts_with = "format")]
    markdown: bool,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum MaskName {
    /// All atoms of a species.
    Alpha,
    /// 15 % of the atoms.
    Beta,
    /// 30 % of the atoms.
    Gamma,
}

impl From<MaskName> for Mask {
    fn from(name: MaskName) -> Self {
        match name {
            MaskName::Alpha => Self::Alpha,
            MaskName::Beta => Self::Beta,
            MaskName::Gamma => Self::Gamma,
        }
    }
}

/// One measurement.
#[derive(Debug, Serialize)]
struct Row {
    /// `model`, `prototypes` (known structures; statistics where there is none), `statistics` (partners and proportions) or
    /// `frequency`.
    method: &'static str,
    mask: Mask,
    noise: f64,
    #[serde(flatten)]
    report: Report,
    seconds_per_question: f64,
}

/// What was measured, schema `eval-ssl` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    model: Provenance,
    dataset: &'a str,
    split: &'a str,
    crystals: usize,
    /// Crystals that the model refuses, left out.
    refused: usize,
    seed: u64,
    /// Whether the library of known structures is known to share no crystal with the set.
    clean: bool,
    /// Of the crystals of the set themselves.
    validity: Validity,
    rows: Vec<Row>,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    if let Some(noise) = args.noise.iter().find(|n| !(0.0..=1.0).contains(*n)) {
        bail!("--noise {noise}: it is between 0 and 1");
    }
    let model = Model::open(&args.model, &args.device.device()?)?;
    let data = files::data_sets(args.set.data.as_deref());
    let statistics = Statistics::of(&model.data().open(&data)?.train)?;
    let predictor = Predictor::shipped()?;
    let prototypes = Prototypes::new(&predictor.prototypes().library);
    let clean = predictor.prototypes().library.provenance().clean_of.contains_key(&args.set.name());
    if !clean {
        let set = args.set.name();
        output::complain(&format!("the library is not known to be free of the crystals of {set}"));
    }
    let all = args.set.read()?;
    let count = all.len();
    let crystals = answered(&model, all)?;
    if crystals.is_empty() {
        bail!("the model answers for none of the {count} crystals");
    }
    let mut rows = Vec::new();
    for mask in &args.masks {
        for noise in &args.noise {
            let questions = questions(&crystals, (*mask).into(), *noise, args.seed)?;
            rows.extend(measure(
                &model,
                (&statistics, &prototypes),
                &questions,
                *noise,
                (*mask).into(),
                args.seed,
            )?);
        }
    }
    let whole: Vec<(usize, Structure)> =
        crystals.iter().enumerate().map(|(i, c)| Ok((i, c.structure()?))).collect::<Result<_>>()?;
    let answer = Answer {
        model: model.provenance(),
        dataset: &args.set.dataset,
        split: &args.set.split,
        crystals: crystals.len(),
        refused: count - crystals.len(),
        seed: args.seed,
        clean,
        validity: validity(&whole, args.seed),
        rows,
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&table::render(&answer, args.markdown))?,
    }
    Ok(Outcome::Clean)
}

/// The crystals that the model is made for.
fn answered(model: &Model, crystals: Vec<Crystal>) -> Result<Vec<Crystal>> {
    let mut kept = Vec::with_capacity(crystals.len());
    for crystal in crystals {
        if model.check(&crystal.structure()?).is_ok() {
            kept.push(crystal);
        }
    }
    Ok(kept)
}

/// The model, then what it has to beat.
fn measure(
    model: &Model,
    (statistics, prototypes): (&Statistics, &Prototypes),
    questions: &[Question],
    noise: f64,
    mask: Mask,
    seed: u64,
) -> Result<Vec<Row>> {
    let bar = ProgressBar::new(questions.len() as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed}, {eta} left")?);
    let row = |method, answers: &[Said], start: Instant| Row {
        method,
        mask,
        noise,
        report: judge(questions, answers, seed),
        seconds_per_question: start.elapsed().as_secs_f64() / questions.len().max(1) as f64,
    };
    let start = Instant::now();
    let mut answers = Vec::with_capacity(questions.len());
    for part in questions.chunks(BATCH) {
        let cells: Vec<Structure> = part.iter().map(|q| q.spoiled.clone()).collect();
        let mended = model.mend(&cells, &|| false)?;
        for (question, mended) in part.iter().zip(mended) {
            answers.push(said(model, question, mended)?);
        }
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    let mut rows = vec![row("model", &answers, start)];
    // Displacements do not matter to those who see no structure: all strengths of noise give one row.
    let start = Instant::now();
    let answers: Vec<Said> = questions.iter().map(|q| blind(q, statistics.chances(q))).collect();
    rows.push(row("statistics", &answers, start));
    if mask == Mask::Alpha {
        let start = Instant::now();
        let answers: Vec<Said> = questions
            .par_iter()
            .map(|q| blind(q, prototypes.chances(q).unwrap_or_else(|| statistics.chances(q))))
            .collect();
        rows.push(row("prototypes", &answers, start));
    }
    let start = Instant::now();
    let answers: Vec<Said> = questions.iter().map(|q| blind(q, statistics.frequency())).collect();
    rows.push(row("frequency", &answers, start));
    Ok(rows)
}

/// What the model says of each site, and of all together, as completing does, where they held one species.
fn said(model: &Model, question: &Question, mended: Mended) -> Result<Said> {
    let sites = question.masked.iter().map(|site| mended.ranked(*site)).collect();
    let joint = if question.together { together(model, question)? } else { Vec::new() };
    Ok(Said { sites, joint, displacement: Some(mended.displacement) })
}

fn together(model: &Model, question: &Question) -> Result<Vec<(Vec<Element>, f64)>> {
    let asked = complete::Question {
        groups: vec![question.masked.clone()],
        ..complete::Question::separate(question.spoiled.clone(), LISTED)
    };
    let count = question.masked.len();
    let answer = complete(model, &asked, &|| false)?;
    Ok(answer.joint.iter().map(|a| (vec![a.elements[0]; count], a.probability)).collect())
}

/// The same for every masked site; where they are one species, for all together too.
fn blind(question: &Question, mut chances: Vec<(Element, f64)>) -> Said {
    chances.sort_by(|a, b| b.1.total_cmp(&a.1));
    let count = question.masked.len();
    let together = chances.iter().map(|(e, p)| (vec![*e; count], *p));
    let joint = if question.together { together.collect() } else { Vec::new() };
    Said { sites: vec![chances; count], joint, displacement: None }
}
