//! `cellwright energy`: what a learned potential says.

use std::fmt::Write;

use anyhow::Result;
use cellwright_models::{Evaluation, Potential, Provenance};
use serde::Serialize;

use crate::files::Inputs;
use crate::model::{ModelArgs, ordered};
use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    #[command(flatten)]
    model: ModelArgs,

    /// Show force and magnetic moment of every atom. (JSON always lists them.)
    #[arg(long)]
    sites: bool,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One structure, schema `energy` version 1.
#[derive(Debug, Serialize)]
struct Energy {
    file: String,
    block: String,
    model: String,
    device: String,
    n_atoms: usize,
    /// eV/atom.
    energy_per_atom: f64,
    /// eV/Å.
    forces: Vec<[f64; 3]>,
    /// GPa, tension positive.
    stress: [[f64; 3]; 3],
    /// µB.
    magmoms: Vec<f64>,
    cautions: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let potential = args.model.load()?;
    let provenance = potential.provenance();
    let mut outcome = Outcome::Clean;
    let mut energies = Vec::new();
    let mut complain = |place: &str, reason: &str| {
        output::complain(&format!("{place}: {reason}"));
        outcome = Outcome::Failed;
    };
    for input in args.inputs.read_all() {
        let input = match input {
            Ok(input) => input,
            Err(unreadable) => {
                complain(&unreadable.name, &unreadable.reason);
                continue;
            }
        };
        if input.parsed.readings.is_empty() {
            complain(&input.name, "no structure in this file");
        }
        for reading in &input.parsed.readings {
            let place = format!("{} · {}", input.name, reading.name);
            let structure = match ordered(reading) {
                Ok(structure) => structure,
                Err(reason) => {
                    complain(&place, &reason);
                    continue;
                }
            };
            // One structure at a time: the answer appears while the next is computed, and one
            // that is too large for the memory takes no other with it.
            match potential.evaluate(&[structure]).pop() {
                Some(Ok(evaluation)) => {
                    let energy = energy(&input.name, &reading.name, &provenance, &evaluation);
                    if args.format == Format::Text {
                        output::print(&render(&energy, reading, args.sites))?;
                    }
                    energies.push(energy);
                }
                Some(Err(error)) => complain(&place, &error.to_string()),
                None => complain(&place, "the model gave no answer"),
            }
        }
    }
    if args.format == Format::Json {
        output::print_json(&energies)?;
    }
    Ok(outcome)
}

fn energy(file: &str, block: &str, provenance: &Provenance, evaluation: &Evaluation) -> Energy {
    Energy {
        file: file.to_owned(),
        block: block.to_owned(),
        model: format!("{} {}", provenance.model, provenance.version),
        device: provenance.device.clone(),
        n_atoms: evaluation.forces.len(),
        energy_per_atom: evaluation.energy_per_atom,
        forces: evaluation.forces.iter().map(|f| [f.x, f.y, f.z]).collect(),
        // nalgebra nests by columns, and the schema by rows.
        stress: evaluation.stress.transpose().into(),
        magmoms: evaluation.magmoms.clone(),
        cautions: evaluation.cautions.clone(),
    }
}

fn render(energy: &Energy, reading: &cellwright_syntax::Reading, with_sites: bool) -> String {
    let norm = |f: &[f64; 3]| f.iter().map(|x| x * x).sum::<f64>().sqrt();
    let max = energy.forces.iter().map(norm).fold(0.0, f64::max);
    let pressure = -(0..3).map(|i| energy.stress[i][i]).sum::<f64>() / 3.0;
    let mut out = format!(
        "{} · {}\n  energy       {:.4} eV/atom ({} atoms)\n  max |force|  {max:.3} eV/Å\n  pressure     {pressure:.2} GPa\n  model        {} on {}\n",
        energy.file,
        energy.block,
        energy.energy_per_atom,
        energy.n_atoms,
        energy.model,
        energy.device,
    );
    for caution in &energy.cautions {
        let _ = writeln!(out, "  caution      {caution}");
    }
    if with_sites {
        let _ = writeln!(out, "  site          Fx        Fy        Fz       |F| eV/Å   magmom µB");
        for (i, (force, magmom)) in energy.forces.iter().zip(&energy.magmoms).enumerate() {
            let label = &reading.sites[reading.origins[i].site].label;
            let [x, y, z] = force;
            let _ = writeln!(
                out,
                "  {label:<8} {x:>9.4} {y:>9.4} {z:>9.4} {:>9.4} {magmom:>11.3}",
                norm(force)
            );
        }
    }
    out.push('\n');
    out
}
