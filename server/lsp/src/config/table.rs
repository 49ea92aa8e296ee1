//! Every key, declared once.

use std::time::Duration;

use cellwright_checks::{Severity, Tolerances, rules};
use cellwright_features::force_check;
use serde_json::{Value, json};

use super::Config;
use super::kind::Kind;

type Setter = Box<dyn Fn(&mut Config, &Value)>;

/// One key.
pub(super) struct Setting {
    /// Without the section: `energy.enabled`.
    pub(super) key: String,
    pub(super) kind: Kind,
    pub(super) default: Value,
    /// Markdown.
    pub(super) docs: String,
    /// Whether only the user, not a workspace, may set it: it names a program to run.
    pub(super) machine: bool,
    /// Puts a value of the right kind into its place.
    pub(super) set: Setter,
}

const LEVELS: &[&str] = &["default", "error", "warning", "information", "hint", "off"];

/// Every key, in the order of the manual.
pub(super) fn table() -> Vec<Setting> {
    let key = |key: &str, kind, default: Value, docs: &str, set: fn(&mut Config, &Value)| Setting {
        key: key.to_owned(),
        kind,
        default,
        docs: docs.to_owned(),
        machine: false,
        set: Box::new(set),
    };
    let mut table = vec![
        key(
            "energy.enabled",
            Kind::Bool,
            json!(true),
            "Show the learned energy and forces of ordered structures while you type. Needs the model's weights (`cellwright models pull`).",
            |c, v| c.energy.enabled = v.as_bool().unwrap_or_default(),
        ),
        key(
            "energy.maxAtoms",
            Kind::Integer(0),
            json!(120),
            "Cells with more atoms get no energy while you type; relaxing them is still possible.",
            |c, v| c.energy.max_atoms = whole(v) as usize,
        ),
        key(
            "energy.forceHint",
            Kind::Number(0.0),
            json!(1),
            "Show the force behind every site where it exceeds this (eV/Å).",
            |c, v| c.energy.force_hint = number(v),
        ),
        key(
            "energy.forceWarning",
            Kind::Number(0.0),
            json!(25),
            "Report `large-force` at every site where the force exceeds this (eV/Å).",
            |c, v| c.energy.force_warning = number(v),
        ),
        key(
            "distance.error",
            Kind::Number(0.0),
            json!(Tolerances::default().distance_error),
            "Two atoms closer than this (Å) are an error.",
            |c, v| c.tolerances.distance_error = number(v),
        ),
        key(
            "distance.warning",
            Kind::Number(0.0),
            json!(Tolerances::default().distance_warning),
            "Two atoms closer than this share of the sum of their covalent radii are a warning.",
            |c, v| c.tolerances.distance_warning = number(v),
        ),
        key(
            "relax.forceTolerance",
            Kind::Number(1e-4),
            json!(0.05),
            "A relaxation has converged when every force (and the stress, if the cell may change) is below this (eV/Å).",
            |c, v| c.relax.force_tolerance = number(v),
        ),
        key(
            "relax.maxSteps",
            Kind::Integer(1),
            json!(500),
            "A relaxation stops after so many steps, converged or not.",
            |c, v| c.relax.max_steps = whole(v) as usize,
        ),
        key(
            "predict.relaxSteps",
            Kind::Integer(0),
            json!(40),
            "Steps that the best candidates of a prediction are relaxed, with their cell free and their symmetry kept; the others get fewer. 0: none, the candidates stay as they were found. The first list comes at once either way.",
            |c, v| c.predict.relax_steps = whole(v) as usize,
        ),
        key(
            "predict.samples",
            Kind::Integer(0),
            json!(0),
            "Samples of a diffusion model that a prediction adds to the known structures, where a model has learned from such cells.",
            |c, v| c.predict.samples = whole(v) as usize,
        ),
        key(
            "complete.enabled",
            Kind::Bool,
            json!(true),
            "Show while you type which elements a model would put on masked sites (`?`, `X`), and offer them as quick fixes.",
            |c, v| c.complete.enabled = v.as_bool().unwrap_or_default(),
        ),
        key(
            "denoise.rounds",
            Kind::Integer(1),
            json!(5),
            "Denoising asks the model so often at most where each atom belongs.",
            |c, v| c.denoise.rounds = whole(v) as usize,
        ),
        Setting {
            machine: true,
            ..key(
                "worker.command",
                Kind::Texts,
                json!([]),
                "Program and arguments of the inference worker, for example `[\"ssh\", \"gpu-node\", \"cellwright\", \"worker\"]`. Empty: the worker of this server.",
                |c, v| {
                    let texts = v.as_array().into_iter().flatten().filter_map(Value::as_str);
                    c.worker.command = texts.map(str::to_owned).collect();
                },
            )
        },
        key(
            "worker.device",
            Kind::Text,
            json!(""),
            "Device the models run on, handed to the worker as `--device`: `cpu`, or `cuda` in a build that has it. Empty: the worker chooses.",
            |c, v| c.worker.device = v.as_str().unwrap_or_default().trim().to_owned(),
        ),
        key(
            "worker.idleSeconds",
            Kind::Integer(1),
            json!(300),
            "The worker and its model leave memory after so many seconds without work.",
            |c, v| c.worker.idle = Duration::from_secs(whole(v)),
        ),
        key(
            "worker.memoryLimitMB",
            Kind::Integer(0),
            json!(0),
            "The worker refuses work beyond this much memory (MiB). 0: half of the memory of the machine it runs on.",
            |c, v| c.worker.memory_limit = whole(v),
        ),
    ];
    let force = (force_check::CODE, force_check::SUMMARY);
    let checks = rules().iter().map(|rule| (rule.code, rule.summary)).chain([force]);
    table.extend(checks.map(|(code, summary)| Setting {
        key: format!("checks.{code}"),
        kind: Kind::OneOf(LEVELS),
        default: json!("default"),
        docs: format!("Severity of `{code}`: {}.", summary.trim_end_matches('.')),
        machine: false,
        set: Box::new(move |c, v| set_level(c, code, v.as_str().unwrap_or("default"))),
    }));
    table
}

fn set_level(config: &mut Config, code: &'static str, level: &str) {
    let severity = match level {
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        "information" => Some(Severity::Information),
        "hint" => Some(Severity::Hint),
        "off" => None,
        _ => {
            config.checks.remove(code);
            return;
        }
    };
    config.checks.insert(code, severity);
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

/// A whole number; editors that know only floating-point numbers write `5.0`.
fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| number(value) as u64)
}
