//! Completing masked sites and putting atoms back.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use cellwright_crystal::{Element, Structure};
use cellwright_models::data::Crystal;
use cellwright_models::eval::selfsup::{
    Answer as Said, Case, Mask, Question, Report, Statistics, fit, judge, questions,
};
use cellwright_models::eval::{Validity, validity};
use cellwright_models::prototypes::Library;
use cellwright_models::selfsup::{Mended, Model};
use cellwright_models::tasks::complete::{
    self, Clue, Evidence, Potentials, Weighing, clues, known_chances, weigh,
};
use cellwright_models::tasks::predict::Predictor;
use cellwright_models::{Potential, Provenance};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

use super::set::Set;
use crate::files;
use crate::model::ModelArgs;
use crate::output::{self, Format, Outcome};

mod table;

/// Assignments of all masked sites that count.
const LISTED: usize = 3;

/// Questions in one call of the model, so that progress is seen.
const BATCH: usize = 64;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Rows: model is the network alone; complete weighs it with known structures and charges; stress asks a potential for stresses too (both of
them have seen structures of the Materials Project); unsaid is the best of these without being told whether all atoms of a species
are masked. Masks: alpha takes all atoms of one species away, each species of a crystal in turn; beta 15 % of the atoms; gamma 30 %. All atoms
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

    /// Library of known structures, clean of that part; without it the one that comes with this program.
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,

    /// Ask a potential for the stresses of the likeliest elements too: a row of its own, which takes longer.
    #[arg(long, value_enum)]
    stress: Option<By>,

    /// Weights of the evidence instead of those that come with this program.
    #[arg(long, value_name = "FILE")]
    weighing: Option<PathBuf>,

    /// File for weights of the evidence, fitted to these questions; best with a library that is clean of them. Weights of a
    /// potential that was not asked stay as they were.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

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

/// Who says stresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// CHGNet.
    Chgnet,
    /// SevenNet-0, whose stresses are finer.
    Sevennet,
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
    /// `model`, `complete` (with known structures and charges), `stress` (and a potential), `unsaid` (the best of these, not told
    /// what the mask is), `prototypes` (known structures; statistics where there is none), `statistics` (partners and
    /// proportions) or `frequency`.
    method: &'static str,
    mask: Mask,
    noise: f64,
    #[serde(flatten)]
    report: Report,
    /// Of all rows with the model the same: they are read off one look.
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
    let own = args.library.as_deref().map(Library::open).transpose()?;
    let predictor = Predictor::shipped()?;
    let library = own.as_ref().unwrap_or(&predictor.prototypes().library);
    let clean = library.provenance().clean_of.contains_key(&args.set.name());
    if !clean {
        let set = args.set.name();
        output::complain(&format!("the library is not known to be free of the crystals of {set}"));
    }
    let potential: Option<Box<dyn Potential>> = match args.stress {
        None => None,
        Some(By::Chgnet) => Some(Box::new(args.device.load()?)),
        Some(By::Sevennet) => match args.device.load_fine()? {
            (Some(potential), _) => Some(Box::new(potential)),
            (None, missing) => bail!("{}", missing.unwrap_or_default()),
        },
    };
    let all = args.set.read()?;
    let count = all.len();
    let crystals = answered(&model, all)?;
    if crystals.is_empty() {
        bail!("the model answers for none of the {count} crystals");
    }
    let weighing = match &args.weighing {
        Some(path) => {
            let context = || format!("{} cannot be read", path.display());
            Weighing::from_json(&std::fs::read_to_string(path).with_context(context)?)?
        }
        None => Weighing::shipped()?,
    };
    let asked = Asked {
        model: &model,
        library,
        potential: potential.as_deref(),
        fine: args.stress == Some(By::Sevennet),
        weighing,
    };
    let (mut rows, mut cases) = (Vec::new(), Vec::new());
    for mask in &args.masks {
        for noise in &args.noise {
            let questions = questions(&crystals, (*mask).into(), *noise, args.seed)?;
            let looked = asked.look(&questions)?;
            let row = |method, (report, seconds)| Row {
                method,
                mask: (*mask).into(),
                noise: *noise,
                report,
                seconds_per_question: seconds,
            };
            for (method, measured) in asked.rows(&questions, &looked, args.seed)? {
                rows.push(row(method, measured));
            }
            for (method, measured) in simple(&questions, library, &statistics, args.seed) {
                rows.push(row(method, measured));
            }
            let case = |(question, looked): (&Question, Looked)| Case {
                truth: question.there(),
                clues: looked.clues,
                whole: question.together,
            };
            cases.extend(questions.iter().zip(looked).map(case));
        }
    }
    if let Some(out) = &args.out {
        let text = format!("{}\n", serde_json::to_string_pretty(&fit(&cases, &weighing))?);
        std::fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))?;
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

/// What the model says of a question, and all that is known of the assignments, with the time that it took.
struct Looked {
    mended: Mended,
    clues: Vec<(Vec<Element>, Clue)>,
    seconds: f64,
}

/// A report with the seconds that a question took.
type Measured = (Report, f64);

/// Who is asked.
struct Asked<'a> {
    model: &'a Model,
    library: &'a Library,
    potential: Option<&'a dyn Potential>,
    fine: bool,
    weighing: Weighing,
}

impl Asked<'_> {
    fn look(&self, questions: &[Question]) -> Result<Vec<Looked>> {
        let bar = ProgressBar::new(questions.len() as u64).with_style(
            ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed}, {eta} left")?,
        );
        let mut looked = Vec::with_capacity(questions.len());
        for part in questions.chunks(BATCH) {
            let cells: Vec<Structure> = part.iter().map(|q| q.spoiled.clone()).collect();
            for (question, mended) in part.iter().zip(self.model.mend(&cells, &|| false)?) {
                let start = Instant::now();
                let mut evaluate =
                    |cells: &[&_]| self.potential.map_or_else(Vec::new, |p| p.evaluate(cells));
                let evidence = Evidence {
                    library: Some(self.library),
                    potentials: self.potential.map(|_| Potentials {
                        evaluate: &mut evaluate,
                        fine: self.fine,
                        energies: None,
                    }),
                    weighing: self.weighing,
                };
                let clues = clues(self.model, &question.asked(LISTED), evidence, &|| false)?;
                looked.push(Looked { mended, clues, seconds: start.elapsed().as_secs_f64() });
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(looked)
    }

    /// The model alone, with what costs nothing, and with the potential.
    fn rows(
        &self,
        questions: &[Question],
        looked: &[Looked],
        seed: u64,
    ) -> Result<Vec<(&'static str, Measured)>> {
        let row = |weighing: &Weighing, seen: fn(&Clue) -> Clue, told| {
            self.row(questions, looked, weighing, (seen, told), seed)
        };
        let mut rows = vec![
            ("model", row(&Weighing::NEUTRAL, Clue::blind, true)?),
            ("complete", row(&self.weighing, Clue::blind, true)?),
        ];
        if self.potential.is_some() {
            rows.push(("stress", row(&self.weighing, Clue::clone, true)?));
        }
        rows.push(("unsaid", row(&self.weighing, Clue::clone, false)?));
        Ok(rows)
    }

    fn row(
        &self,
        questions: &[Question],
        looked: &[Looked],
        weighing: &Weighing,
        (seen, told): (fn(&Clue) -> Clue, bool),
        seed: u64,
    ) -> Result<Measured> {
        let said = |(question, looked): (&Question, &Looked)| -> Result<Said> {
            let asked = question.asked(LISTED);
            let asked = complete::Question { whole: asked.whole.filter(|_| told), ..asked };
            let clues: Vec<_> = looked.clues.iter().map(|(e, c)| (e.clone(), seen(c))).collect();
            let done = weigh(&asked, &clues, weighing)?;
            let group = |site: &usize| asked.groups.iter().position(|g| g.contains(site));
            let named = |site| group(site).map_or_else(Vec::new, |g| done.groups[g].clone());
            let spread = |elements: &[Element]| {
                let on = |site| group(site).map(|g| elements[g]);
                question.masked.iter().filter_map(on).collect::<Vec<_>>()
            };
            Ok(Said {
                sites: question.masked.iter().map(named).collect(),
                joint: done.joint.iter().map(|a| (spread(&a.elements), a.probability)).collect(),
                displacement: Some(looked.mended.displacement.clone()),
            })
        };
        let answers = questions.iter().zip(looked).map(said).collect::<Result<Vec<_>>>()?;
        let seconds = looked.iter().map(|l| l.seconds).sum::<f64>() / looked.len().max(1) as f64;
        Ok((judge(questions, &answers, seed), seconds))
    }
}

/// What the model has to beat. They see no displacements.
fn simple(
    questions: &[Question],
    library: &Library,
    statistics: &Statistics,
    seed: u64,
) -> Vec<(&'static str, Measured)> {
    let measured = |answer: &(dyn Fn(&Question) -> Said + Sync)| {
        let start = Instant::now();
        let answers: Vec<Said> = questions.par_iter().map(answer).collect();
        let seconds = start.elapsed().as_secs_f64() / questions.len().max(1) as f64;
        (judge(questions, &answers, seed), seconds)
    };
    let known = |q: &Question| {
        let chances = known_chances(library, &q.asked(1));
        blind(q, chances.unwrap_or_else(|| statistics.chances(q)))
    };
    let mut rows = vec![("statistics", measured(&|q| blind(q, statistics.chances(q))))];
    if questions.iter().all(|q| q.together) {
        rows.push(("prototypes", measured(&known)));
    }
    rows.push(("frequency", measured(&|q| blind(q, statistics.frequency()))));
    rows
}

/// The same for every masked site; where they are one species, for all together too.
fn blind(question: &Question, mut chances: Vec<(Element, f64)>) -> Said {
    chances.sort_by(|a, b| b.1.total_cmp(&a.1));
    let count = question.masked.len();
    let together = chances.iter().map(|(e, p)| (vec![*e; count], *p));
    let joint = if question.together { together.collect() } else { Vec::new() };
    Said { sites: vec![chances; count], joint, displacement: None }
}
