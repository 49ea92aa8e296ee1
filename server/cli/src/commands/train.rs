//! `cellwright train`: learning from a set of crystals; can be stopped at any time and taken up again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use cellwright_models::device::device;
use cellwright_models::nn::checkpoint;
use cellwright_models::nn::train::{Control, End, Event, Loss, Point, Settings, Task, train};
use cellwright_models::prototypes::ranker;
use cellwright_models::{equicsp, selfsup, weights};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files;
use crate::output::{self, Format, Outcome};
use crate::plot::{self, Curve};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ctrl-C, or a file called `stop` in the run's folder, saves a checkpoint and ends the run; --resume
goes on with exactly the numbers it would have had. The folder holds checkpoint.safetensors,
model.safetensors (averaged weights at the best validation), curve.jsonl (a line an epoch) and
curve.svg (training and validation loss).")]
pub(crate) struct Args {
    /// What to train.
    #[arg(value_enum)]
    model: Model,

    /// Settings of the run (JSON).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Folder of the data sets; without it $CELLWRIGHT_DATA, else ../shared/data.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Folder of the run; without it one named after the settings in the data directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Begin with the weights of an earlier run (its model.safetensors) instead of fresh ones.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    start_from: Option<PathBuf>,

    /// Weights of the classifier of stability (`selfsup-finetune`) that the discriminator of `selfsup-gan` begins with.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    discriminator: Option<PathBuf>,

    /// Go on with the run in the folder.
    #[arg(long)]
    resume: bool,

    /// cpu or cuda; without it $CELLWRIGHT_DEVICE, else cpu.
    #[arg(long)]
    device: Option<String>,

    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Model {
    /// Structure prediction by equivariant diffusion.
    Equicsp,
    /// Masked species and displaced atoms: pre-training for completion and denoising.
    Selfsup,
    /// A property of whole crystals by a pre-trained backbone (--start-from) or from scratch.
    SelfsupFinetune,
    /// Pre-trained weights (--start-from) go on learning to mend crystals so that a discriminator (--discriminator) takes
    /// them for real.
    SelfsupGan,
    /// Which known structure a composition takes.
    Ranker,
}

/// How the run ended, schema `train` version 1.
#[derive(Debug, Serialize)]
struct Answer {
    folder: PathBuf,
    /// `done`, `early` or `stopped`.
    end: &'static str,
    /// Epochs done in all.
    epoch: u64,
    /// Training time in all, seconds.
    seconds: f64,
    parameters: usize,
    /// Loss and terms on the validation set when they were last looked at in this session.
    validation: Option<Loss>,
}

/// The settings of a run.
fn settings<T: DeserializeOwned>(args: &Args) -> Result<T> {
    let text = std::fs::read_to_string(&args.config)
        .with_context(|| format!("{} cannot be read", args.config.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} has settings that are not understood", args.config.display()))
}

/// Refuses weights that a model does not begin with, or that are missing.
fn check_beginnings(args: &Args) -> Result<()> {
    match args.model {
        Model::SelfsupGan => {
            let both = args.start_from.is_some() && args.discriminator.is_some();
            ensure!(
                both || args.resume,
                "selfsup-gan needs pre-trained weights (--start-from) and a classifier of stability \
                 (--discriminator), or --resume"
            );
        }
        _ => ensure!(args.discriminator.is_none(), "--discriminator is for selfsup-gan"),
    }
    Ok(())
}

/// What is to be learned, and how.
fn open(args: &Args) -> Result<(Box<dyn Task>, Settings)> {
    check_beginnings(args)?;
    let device = device(args.device.as_deref())?;
    let data = files::data_sets(args.data.as_deref());
    Ok(match args.model {
        Model::Equicsp => {
            let run: equicsp::task::Run = settings(args)?;
            (Box::new(equicsp::task::Training::open(&run, &data, &device)?), run.train)
        }
        Model::Selfsup => {
            let run: selfsup::task::Run = settings(args)?;
            (Box::new(selfsup::task::Training::open(&run, &data, &device)?), run.train)
        }
        Model::SelfsupFinetune => {
            let run: selfsup::finetune::Run = settings(args)?;
            (Box::new(selfsup::finetune::Training::open(&run, &data, &device)?), run.train)
        }
        Model::SelfsupGan => {
            let run: selfsup::gan::Run = settings(args)?;
            let task = selfsup::gan::Training::open(&run, &data, &device)?;
            if let Some(file) = &args.discriminator {
                task.start_discriminator(&checkpoint::bytes(file)?, &file.display().to_string())?;
            }
            (Box::new(task), run.generator.train)
        }
        Model::Ranker => {
            let run: ranker::Run = settings(args)?;
            (Box::new(ranker::Training::open(&run, &data, &device)?), run.train)
        }
    })
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let folder = args.out.clone().unwrap_or_else(|| {
        let name = args.config.file_stem().unwrap_or_default();
        weights::data_dir().join("runs").join(name)
    });
    let (mut task, settings) = open(args)?;
    if let Some(file) = &args.start_from {
        let (weights, _) = checkpoint::read(file, task.parameters().device())?;
        task.start_from(&weights)
            .with_context(|| format!("{} holds the weights of another model", file.display()))?;
    }
    let mut answer = Answer {
        folder: folder.clone(),
        end: "done",
        epoch: 0,
        seconds: 0.0,
        parameters: task.parameters().count(),
        validation: None,
    };
    let interrupted = interrupts()?;
    let bar = ProgressBar::new(task.steps() as u64).with_style(ProgressStyle::with_template(
        "{prefix}: {wide_bar} {pos}/{len}, {msg}, {elapsed}",
    )?);
    let stop_file = folder.join("stop");
    let wants_stop = || {
        let asked = stop_file.exists();
        if asked {
            // Otherwise the next run would stop at once.
            let _ = std::fs::remove_file(&stop_file);
        }
        asked || interrupted.load(Ordering::Relaxed)
    };
    let mut watch = |event: Event| {
        match event {
            Event::Step(epoch, step, _, loss) => {
                bar.set_prefix(format!("epoch {epoch}"));
                bar.set_position(step as u64);
                bar.set_message(format!("loss {:.4}", loss.total));
            }
            Event::Epoch(point) => {
                answer.epoch = point.epoch;
                answer.seconds = point.seconds;
                let mut line = format!(
                    "epoch {}: loss {:.4}, rate {:.1e}, {:.0} s",
                    point.epoch, point.train.total, point.rate, point.seconds
                );
                if let Some(validation) = &point.validation {
                    line.push_str(&format!(", validation {:.4}", validation.total));
                    answer.validation = Some(validation.clone());
                }
                bar.suspend(|| output::tell(&line));
            }
        }
        if wants_stop() { Control::Stop } else { Control::Continue }
    };
    let end = train(task.as_mut(), &settings, &folder, args.resume, &mut watch)?;
    bar.finish_and_clear();
    plot(&folder, &answer)?;
    answer.end = match end {
        End::Done => "done",
        End::Early => "early",
        End::Stopped => "stopped",
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => {
            let end = match end {
                End::Done => "all epochs done",
                End::Early => "ended early: the validation loss fell no more",
                End::Stopped => "stopped: --resume goes on",
            };
            output::print(&format!("{}: {end}\n", folder.display()))?;
        }
    }
    Ok(Outcome::Clean)
}

/// Draws the curve of the whole run beside its numbers. A run that was stopped in its first epoch has none.
fn plot(folder: &Path, answer: &Answer) -> Result<()> {
    let path = folder.join("curve.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let points: Vec<Point> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is damaged", path.display()))?;
    if points.is_empty() {
        return Ok(());
    }
    let epoch = |point: &Point| point.epoch as f64;
    let training = points.iter().map(|p| (epoch(p), p.train.total)).collect();
    let validation =
        points.iter().filter_map(|p| Some((epoch(p), p.validation.as_ref()?.total))).collect();
    let curves = [
        Curve { name: "training", points: training },
        Curve { name: "validation, averaged weights", points: validation },
    ];
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let title = format!("{name}: {} parameters", answer.parameters);
    let svg = plot::logarithmic(&title, ["epoch", "loss"], &curves)?;
    let path = folder.join("curve.svg");
    std::fs::write(&path, svg).with_context(|| format!("{} cannot be written", path.display()))
}

/// A flag that Ctrl-C raises.
fn interrupts() -> Result<Arc<AtomicBool>> {
    let raised = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let flag = Arc::clone(&raised);
    std::thread::spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Ordering::Relaxed);
            }
        });
    });
    Ok(raised)
}
