//! `cellwright valid`: whether the charges of a formula can add up.

use std::io::BufRead;

use anyhow::{Context, Result};
use cellwright_crystal::Composition;
use cellwright_crystal::charge::cdvae::{Verdict, verdict};
use cellwright_crystal::charge::{Assigned, Balance, Beyond, balance};
use serde::Serialize;

use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Formulas such as `LiFePO4`, `Ca(OH)2` or 'Fe0.95 O'. Without any, or with `-`, they are read from
    /// standard input, one a line.
    #[arg(value_name = "FORMULA")]
    formulas: Vec<String>,

    /// What counts as valid.
    #[arg(long, value_enum, default_value_t = Rule::Oxidation)]
    rule: Rule,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Rule {
    /// Known oxidation states with mixed valence, peroxides, metals and molecules: as `check` judges.
    Oxidation,
    /// As published tables of generated crystals count: SMACT's rule, one state for each element.
    Cdvae,
}

/// One formula, schema `valid` version 1.
#[derive(Debug, Serialize)]
struct Judged {
    formula: String,
    /// None where nothing can be said.
    valid: Option<bool>,
    assignment: Option<Vec<States>>,
    reason: String,
}

#[derive(Debug, Serialize)]
struct States {
    element: &'static str,
    states: Vec<Share>,
}

#[derive(Debug, Serialize)]
struct Share {
    state: f64,
    atoms: f64,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let mut outcome = Outcome::Clean;
    let mut results = Vec::new();
    for formula in formulas(&args.formulas)? {
        let judged = match formula.parse::<Composition>() {
            Ok(composition) => judge(formula, &composition, args.rule),
            Err(error) => undecided(formula, error.to_string()),
        };
        outcome = outcome.max(match judged.valid {
            Some(true) => Outcome::Clean,
            Some(false) => Outcome::Findings,
            None => Outcome::Failed,
        });
        if judged.valid.is_none() {
            output::complain(&format!("'{}': {}", judged.formula, judged.reason));
        }
        results.push(judged);
    }
    match args.format {
        Format::Json => output::print_json(&results)?,
        Format::Text => output::print(&results.iter().filter_map(render).collect::<String>())?,
    }
    Ok(outcome)
}

/// The formulas of the arguments, those of standard input where `-` stands.
fn formulas(arguments: &[String]) -> Result<Vec<String>> {
    let mut formulas = Vec::new();
    let stdin = ["-".to_owned()];
    for argument in if arguments.is_empty() { &stdin } else { arguments } {
        if argument != "-" {
            formulas.push(argument.clone());
            continue;
        }
        for line in std::io::stdin().lock().lines() {
            let line = line.context("standard input cannot be read")?;
            if !line.trim().is_empty() {
                formulas.push(line.trim().to_owned());
            }
        }
    }
    Ok(formulas)
}

fn judge(formula: String, composition: &Composition, rule: Rule) -> Judged {
    match rule {
        Rule::Oxidation => by_oxidation(formula, composition),
        Rule::Cdvae => by_cdvae(formula, composition),
    }
}

/// Whole formulas must be exactly neutral; of others each amount may be off by half of its last digit.
fn by_oxidation(formula: String, composition: &Composition) -> Judged {
    let whole = composition.iter().all(|(_, n)| n.fract() == 0.0);
    let tolerance = if whole { 1e-3 } else { 0.025 * composition.total().max(2.0) };
    let beyond = |reason: &str| (Some(true), None, reason.to_owned());
    let (valid, assignment, reason) = match balance(composition, tolerance) {
        Balance::Neutral { assignment } => {
            let mixed = assignment.iter().find(|a| a.states.len() > 1);
            let reason = mixed.map_or("neutral".to_owned(), |a| {
                format!("neutral with two states of {}", a.element)
            });
            (Some(true), Some(states(&assignment)), reason)
        }
        Balance::Beyond(Beyond::Element) => beyond("one element"),
        Balance::Beyond(Beyond::Alloy) => beyond("metals only"),
        Balance::Beyond(Beyond::Metallic) => {
            beyond("formal charges say nothing: spare electrons stay with the metal")
        }
        Balance::Beyond(Beyond::Covalent) => {
            beyond("formal charges say nothing: held together by bonds between nonmetals")
        }
        Balance::Charged { nearest, charge } => {
            let nearest: Vec<String> = nearest.iter().map(ToString::to_string).collect();
            let sign = if charge < 0.0 { '−' } else { '+' };
            let left = (charge.abs() * 100.0).round() / 100.0;
            let reason = format!(
                "not neutral: nearest is {}, which leaves {sign}{left}",
                nearest.join(", ")
            );
            (Some(false), None, reason)
        }
        Balance::Unknown(element) => {
            (None, None, format!("{element} has no known oxidation state"))
        }
    };
    Judged { formula, valid, assignment, reason }
}

fn by_cdvae(formula: String, composition: &Composition) -> Judged {
    let verdict = match verdict(composition) {
        Ok(verdict) => verdict,
        Err(unsuited) => return undecided(formula, unsuited.to_string()),
    };
    let valid = Some(verdict.is_valid());
    let reason = match verdict {
        Verdict::Element => "one element",
        Verdict::Alloy => "metals only",
        Verdict::Balanced(_) => "neutral, cations less electronegative than anions",
        Verdict::Unordered => "neutral only with a cation more electronegative than an anion",
        Verdict::Charged => "no states, one for each element, are neutral",
    };
    let assignment = match verdict {
        Verdict::Balanced(list) => Some(
            list.into_iter()
                .map(|(element, state)| States {
                    element: element.symbol(),
                    states: vec![Share {
                        state: f64::from(state),
                        atoms: composition.amount(element),
                    }],
                })
                .collect(),
        ),
        _ => None,
    };
    Judged { formula, valid, assignment, reason: reason.to_owned() }
}

fn undecided(formula: String, reason: String) -> Judged {
    Judged { formula, valid: None, assignment: None, reason }
}

fn states(assignment: &[Assigned]) -> Vec<States> {
    let share = |(state, atoms): &(f64, f64)| Share { state: *state, atoms: *atoms };
    let one = |a: &Assigned| States {
        element: a.element.symbol(),
        states: a.states.iter().map(share).collect(),
    };
    assignment.iter().map(one).collect()
}

/// One line; what could not be judged was told on stderr.
fn render(judged: &Judged) -> Option<String> {
    let verdict = if judged.valid? { "valid  " } else { "invalid" };
    let states = judged.assignment.iter().flatten().map(|one| {
        let mixed = one.states.len() > 1;
        let states = one.states.iter().map(|share| {
            let rounded = (share.state * 100.0).round() / 100.0;
            let sign = if rounded < 0.0 { "−" } else { "+" };
            let count = if mixed { format!(" ({})", share.atoms) } else { String::new() };
            format!(" {sign}{}{count}", rounded.abs())
        });
        format!("{}{}", one.element, states.collect::<String>())
    });
    let states: Vec<String> = states.collect();
    let states = if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) };
    Some(format!("{verdict}  {}  {}{states}\n", judged.formula, judged.reason))
}
