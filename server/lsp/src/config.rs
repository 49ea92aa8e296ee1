//! Configuration: every key declared once, in [`table`], with its type, default and documentation. The struct, the
//! extension's manifest and the manual follow from it.

use std::collections::BTreeMap;
use std::time::Duration;

use cellwright_checks::{Severity, Tolerances, rules};
use cellwright_features::force_check;
use serde_json::{Map, Value, json};

/// Section of the client's configuration that holds our keys.
pub(crate) const SECTION: &str = "cellwright";

/// Everything the user may change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) energy: EnergyConfig,
    pub(crate) tolerances: Tolerances,
    /// What the user wants instead of a finding's own severity, by code; `None` is off.
    pub(crate) checks: BTreeMap<&'static str, Option<Severity>>,
    pub(crate) relax: RelaxConfig,
    pub(crate) worker: WorkerSettings,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnergyConfig {
    pub(crate) enabled: bool,
    /// Cells with more atoms are left alone until somebody asks.
    pub(crate) max_atoms: usize,
    /// A hint is shown above this force (eV/Å).
    pub(crate) force_hint: f64,
    /// A diagnostic is shown above this force (eV/Å).
    pub(crate) force_warning: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RelaxConfig {
    /// eV/Å.
    pub(crate) force_tolerance: f64,
    pub(crate) max_steps: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WorkerSettings {
    /// Program and arguments; empty: this binary.
    pub(crate) command: Vec<String>,
    pub(crate) idle: Duration,
    /// MiB, 0 is no limit.
    pub(crate) memory_limit: u64,
    /// Empty: the worker chooses.
    pub(crate) device: String,
}

/// The type of a key.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Bool,
    /// A number not below the minimum.
    Number(f64),
    /// A whole number not below the minimum.
    Integer(u64),
    Text,
    /// A list of texts.
    Texts,
    OneOf(&'static [&'static str]),
}

type Setter = Box<dyn Fn(&mut Config, &Value)>;

/// One key.
struct Setting {
    /// Without the section: `energy.enabled`.
    key: String,
    kind: Kind,
    default: Value,
    /// Markdown.
    docs: String,
    /// Whether only the user, not a workspace, may set it: it names a program to run.
    machine: bool,
    /// Puts a value of the right kind into its place.
    set: Setter,
}

const LEVELS: &[&str] = &["default", "error", "warning", "information", "hint", "off"];

/// Every key, in the order of the manual.
fn table() -> Vec<Setting> {
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
            json!(4096),
            "The worker refuses work beyond this much memory (MiB); 0 is no limit.",
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

/// A number as JSON tools write it: `1`, not `1.0`.
fn plain(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 1e15 { json!(x as i64) } else { json!(x) }
}

/// A whole number; editors that know only floating-point numbers write `5.0`.
fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| number(value) as u64)
}

impl Kind {
    fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Bool => value.is_boolean(),
            Self::Number(least) => value.as_f64().is_some_and(|x| x >= least),
            Self::Integer(least) => {
                value.as_f64().is_some_and(|x| x >= least as f64 && x.fract() == 0.0 && x < 1e15)
            }
            Self::Text => value.is_string(),
            Self::Texts => value.as_array().is_some_and(|a| a.iter().all(Value::is_string)),
            Self::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        }
    }

    /// What it accepts, in words.
    fn words(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Number(least) => format!("a number not below {least}"),
            Self::Integer(least) => format!("a whole number not below {least}"),
            Self::Text => "a text".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// As JSON Schema.
    fn schema(self) -> Map<String, Value> {
        let schema = match self {
            Self::Bool => json!({ "type": "boolean" }),
            Self::Number(least) => json!({ "type": "number", "minimum": plain(least) }),
            Self::Integer(least) => json!({ "type": "integer", "minimum": least }),
            Self::Text => json!({ "type": "string" }),
            Self::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
        };
        schema.as_object().cloned().unwrap_or_default()
    }
}

/// Every key with type, default and documentation, in the shape of an extension manifest's
/// `contributes.configuration.properties`.
#[must_use]
pub fn settings() -> Value {
    let properties = table().into_iter().map(|setting| {
        let mut schema = setting.kind.schema();
        schema.insert("default".to_owned(), setting.default);
        schema.insert("markdownDescription".to_owned(), setting.docs.into());
        let scope = if setting.machine { "machine" } else { "window" };
        schema.insert("scope".to_owned(), scope.into());
        (format!("{SECTION}.{}", setting.key), Value::Object(schema))
    });
    Value::Object(properties.collect())
}

impl Default for Config {
    /// The defaults of the table.
    fn default() -> Self {
        let mut config = Self {
            energy: EnergyConfig {
                enabled: false,
                max_atoms: 0,
                force_hint: 0.0,
                force_warning: 0.0,
            },
            tolerances: Tolerances::default(),
            checks: BTreeMap::new(),
            relax: RelaxConfig { force_tolerance: 0.0, max_steps: 0 },
            worker: WorkerSettings {
                command: Vec::new(),
                idle: Duration::ZERO,
                memory_limit: 0,
                device: String::new(),
            },
        };
        for setting in table() {
            (setting.set)(&mut config, &setting.default);
        }
        config
    }
}

impl Config {
    /// Reads the client's section. Values of the wrong type keep their default; the second part says which.
    pub(crate) fn read(section: &Value) -> (Self, Vec<String>) {
        let mut config = Self::default();
        let mut complaints = Vec::new();
        for setting in table() {
            let Some(value) = look_up(section, &setting.key).filter(|v| !v.is_null()) else {
                continue;
            };
            if setting.kind.accepts(value) {
                (setting.set)(&mut config, value);
            } else {
                let (key, words) = (&setting.key, setting.kind.words());
                complaints.push(format!(
                    "{SECTION}.{key} is {value}, but should be {words}: using {}",
                    setting.default
                ));
            }
        }
        (config, complaints)
    }

    /// The severity a finding is shown with; `None` if it is not shown.
    pub(crate) fn severity(&self, code: &str, own: Severity) -> Option<Severity> {
        self.checks.get(code).copied().unwrap_or(Some(own))
    }
}

/// Finds `a.b` in `{"a": {"b": …}}`, also where a client kept the dots: `{"a.b": …}`.
fn look_up<'a>(section: &'a Value, key: &str) -> Option<&'a Value> {
    if let Some(value) = section.get(key) {
        return Some(value);
    }
    let (first, rest) = key.split_once('.')?;
    look_up(section.get(first)?, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_the_default_of_the_table() {
        let (config, complaints) = Config::read(&json!({}));
        assert_eq!((config.energy.max_atoms, complaints.len()), (120, 0));
        assert!(config.energy.enabled);
        assert_eq!(config.tolerances, Tolerances::default());
        assert_eq!(Config::read(&Value::Null).0, Config::default());
    }

    #[test]
    fn nested_and_dotted_keys_are_read() {
        let section = json!({
            "energy": { "enabled": false, "maxAtoms": 40.0 },
            "checks": { "large-force": "off" },
            "worker.command": ["ssh", "node", "cellwright", "worker"],
        });
        let (config, complaints) = Config::read(&section);
        assert!(complaints.is_empty(), "{complaints:?}");
        assert_eq!((config.energy.enabled, config.energy.max_atoms), (false, 40));
        assert_eq!(config.severity("large-force", Severity::Warning), None);
        assert_eq!(config.severity("other", Severity::Warning), Some(Severity::Warning));
        assert_eq!(config.worker.command[1], "node");
    }

    #[test]
    fn a_wrong_value_is_told_and_keeps_the_default() {
        let section = json!({ "energy": { "forceHint": "much" }, "worker": { "idleSeconds": -3 } });
        let (config, complaints) = Config::read(&section);
        assert_eq!(config, Config::default());
        assert_eq!(complaints.len(), 2);
        assert_eq!(
            complaints[0],
            "cellwright.energy.forceHint is \"much\", but should be a number not below 0: using 1"
        );
    }

    #[test]
    fn every_default_is_of_its_own_kind() {
        for setting in table() {
            assert!(setting.kind.accepts(&setting.default), "{}", setting.key);
        }
    }
}
