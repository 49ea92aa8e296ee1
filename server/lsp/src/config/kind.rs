//! What a setting may hold.

use serde_json::{Map, Value, json};

/// The type of a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
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

impl Kind {
    pub(super) fn accepts(self, value: &Value) -> bool {
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
    pub(super) fn words(self) -> String {
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
    pub(super) fn schema(self) -> Map<String, Value> {
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

/// A number as JSON tools write it: `1`, not `1.0`.
fn plain(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 1e15 { json!(x as i64) } else { json!(x) }
}
