//! Configuration: every key declared once, in [`table`], with its type, default and documentation. The struct, the
//! extension's manifest and the manual follow from it.

mod kind;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use cellwright_checks::{Severity, Tolerances};
use serde_json::Value;

use table::table;

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
    pub(crate) predict: PredictConfig,
    pub(crate) complete: CompleteConfig,
    pub(crate) denoise: DenoiseConfig,
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

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PredictConfig {
    /// Steps that the best candidates are relaxed; 0: none.
    pub(crate) relax_steps: usize,
    /// Samples of a diffusion model; 0: none.
    pub(crate) samples: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CompleteConfig {
    /// Whether masked sites are asked about while the user types.
    pub(crate) enabled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DenoiseConfig {
    /// How often the model is asked at most.
    pub(crate) rounds: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WorkerSettings {
    /// Program and arguments; empty: this binary.
    pub(crate) command: Vec<String>,
    pub(crate) idle: Duration,
    /// MiB, 0 is half of the worker's machine.
    pub(crate) memory_limit: u64,
    /// Empty: the worker chooses.
    pub(crate) device: String,
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
            predict: PredictConfig { relax_steps: 0, samples: 0 },
            complete: CompleteConfig { enabled: false },
            denoise: DenoiseConfig { rounds: 0 },
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
    use serde_json::json;

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
