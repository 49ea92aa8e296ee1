//! The Adam optimiser (Kingma and Ba 2015) and the clipping of gradients.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::parameters::{Parameters, Tensors};
use crate::ModelError;

/// Decay rates and the small number in the denominator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Decay of the first moment \[0.9\].
    pub first: f64,
    /// Decay of the second moment \[0.999\].
    pub second: f64,
    /// Added to the root of the second moment \[1e-8\].
    pub epsilon: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { first: 0.9, second: 0.999, epsilon: 1e-8 }
    }
}

/// Moments of the gradients, by name of parameter.
#[derive(Debug, Clone)]
pub struct Adam {
    settings: Settings,
    steps: i32,
    first: Tensors,
    second: Tensors,
}

impl Adam {
    /// No gradient seen yet.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn new(settings: &Settings, parameters: &Parameters) -> Result<Self> {
        let zeros = || {
            let zero =
                |(name, v): (&String, &candle_core::Var)| Ok((name.clone(), v.zeros_like()?));
            parameters.iter().map(zero).collect::<Result<Tensors>>()
        };
        Ok(Self { settings: settings.clone(), steps: 0, first: zeros()?, second: zeros()? })
    }

    /// Takes one step of the given learning rate along `gradients`.
    ///
    /// # Errors
    /// When a parameter has no gradient: it would silently not be trained.
    pub fn step(
        &mut self,
        parameters: &Parameters,
        gradients: &Tensors,
        rate: f64,
    ) -> std::result::Result<(), ModelError> {
        self.steps += 1;
        let Settings { first, second, epsilon } = self.settings;
        let bias = (1.0 - first.powi(self.steps), 1.0 - second.powi(self.steps));
        for (name, variable) in parameters.iter() {
            let gradient = gradients.get(name).ok_or_else(|| {
                ModelError::Data(format!("the parameter '{name}' has no gradient"))
            })?;
            let moments = (self.first.get_mut(name), self.second.get_mut(name));
            let (Some(m), Some(v)) = moments else {
                return Err(ModelError::Data(format!("the optimiser does not know '{name}'")));
            };
            *m = ((&*m * first)? + (gradient * (1.0 - first))?)?;
            *v = ((&*v * second)? + (gradient.sqr()? * (1.0 - second))?)?;
            let root = ((&*v / bias.1)?.sqrt()? + epsilon)?;
            let step = ((&*m / bias.0)? / root)?;
            variable.set(&(variable.as_detached_tensor() - (step * rate)?)?)?;
        }
        Ok(())
    }

    /// Number of steps taken, and the moments under the names `adam.first.…` and `adam.second.…`.
    #[must_use]
    pub fn state(&self) -> (i32, Tensors) {
        let named = |prefix: &str, moments: &Tensors| {
            let rename = |(name, t): (&String, &Tensor)| (format!("{prefix}{name}"), t.clone());
            moments.iter().map(rename).collect::<Vec<_>>()
        };
        let all = named(FIRST, &self.first).into_iter().chain(named(SECOND, &self.second));
        (self.steps, all.collect())
    }

    /// Takes up where [`Self::state`] was.
    ///
    /// # Errors
    /// When a moment is missing.
    pub fn restore(&mut self, steps: i32, state: &Tensors) -> std::result::Result<(), ModelError> {
        for (prefix, moments) in [(FIRST, &mut self.first), (SECOND, &mut self.second)] {
            for (name, moment) in moments {
                let saved = state.get(&format!("{prefix}{name}"));
                *moment =
                    saved.filter(|s| s.dims() == moment.dims()).cloned().ok_or_else(|| {
                        ModelError::BadWeights(format!("the checkpoint has no moment of '{name}'"))
                    })?;
            }
        }
        self.steps = steps;
        Ok(())
    }
}

const FIRST: &str = "adam.first.";
const SECOND: &str = "adam.second.";

/// Euclidean norm of all gradients together.
///
/// # Errors
/// When the device fails.
pub fn norm(gradients: &Tensors) -> Result<f64> {
    let mut total: Option<Tensor> = None;
    for gradient in gradients.values() {
        let square = gradient.sqr()?.sum_all()?;
        total = Some(match total {
            None => square,
            Some(total) => (total + square)?,
        });
    }
    match total {
        None => Ok(0.0),
        Some(total) => Ok(total.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?.sqrt()),
    }
}

/// Shrinks the gradients so that their norm is at most `largest`; returns the norm they had.
///
/// # Errors
/// When the device fails.
pub fn clip(gradients: &mut Tensors, largest: f64) -> Result<f64> {
    let norm = norm(gradients)?;
    if norm > largest {
        for gradient in gradients.values_mut() {
            *gradient = (&*gradient * (largest / norm))?;
        }
    }
    Ok(norm)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::super::random::Random;
    use super::*;

    fn setup() -> (Parameters, Tensors) {
        let mut parameters = Parameters::new(&Device::Cpu);
        parameters.linear("x", [1, 2], false, &mut Random::new(0, 0)).unwrap();
        let start = Tensor::new(&[[1.0_f32, -2.0]], &Device::Cpu).unwrap();
        parameters.set(&Tensors::from([("x.weight".into(), start)])).unwrap();
        let gradient = Tensor::new(&[[3.0_f32, -4.0]], &Device::Cpu).unwrap();
        (parameters, Tensors::from([("x.weight".into(), gradient)]))
    }

    fn weight(parameters: &Parameters) -> [f32; 2] {
        parameters.tensors()["x.weight"].to_vec2::<f32>().unwrap()[0].clone().try_into().unwrap()
    }

    #[test]
    fn steps_follow_the_formula() {
        let (parameters, gradients) = setup();
        let mut adam = Adam::new(&Settings::default(), &parameters).unwrap();
        adam.step(&parameters, &gradients, 0.1).unwrap();
        // The first step is the learning rate against the sign of the gradient.
        let [a, b] = weight(&parameters);
        assert!((a - 0.9).abs() < 1e-6 && (b + 1.9).abs() < 1e-6, "{a} {b}");
        let half = Tensors::from([("x.weight".into(), (&gradients["x.weight"] * 0.5).unwrap())]);
        adam.step(&parameters, &half, 0.1).unwrap();
        let m = (0.9 * 0.1 * 3.0 + 0.1 * 1.5) / (1.0 - 0.81);
        let v: f64 = (0.999 * 0.001 * 9.0 + 0.001 * 2.25) / (1.0 - 0.998_001);
        let expected = 0.9 - 0.1 * m / v.sqrt();
        assert!((f64::from(weight(&parameters)[0]) - expected).abs() < 1e-6);
    }

    #[test]
    fn taken_up_again_it_goes_on_the_same_way() {
        let (one, gradients) = setup();
        let mut adam = Adam::new(&Settings::default(), &one).unwrap();
        adam.step(&one, &gradients, 0.1).unwrap();
        let (two, _) = setup();
        two.set(&one.values().unwrap()).unwrap();
        let mut again = Adam::new(&Settings::default(), &two).unwrap();
        let (steps, state) = adam.state();
        again.restore(steps, &state).unwrap();
        adam.step(&one, &gradients, 0.1).unwrap();
        again.step(&two, &gradients, 0.1).unwrap();
        assert_eq!(weight(&one), weight(&two));
        assert!(again.restore(1, &Tensors::new()).is_err());
    }

    #[test]
    fn a_parameter_without_gradient_is_an_error() {
        let (parameters, _) = setup();
        let mut adam = Adam::new(&Settings::default(), &parameters).unwrap();
        let error = adam.step(&parameters, &Tensors::new(), 0.1).unwrap_err().to_string();
        assert!(error.contains("'x.weight' has no gradient"), "{error}");
    }

    #[test]
    fn clipping_keeps_the_direction() {
        let (_, mut gradients) = setup();
        assert!((clip(&mut gradients, 10.0).unwrap() - 5.0).abs() < 1e-6);
        assert_eq!(gradients["x.weight"].to_vec2::<f32>().unwrap(), [[3.0, -4.0]]);
        clip(&mut gradients, 1.0).unwrap();
        let clipped = gradients["x.weight"].to_vec2::<f32>().unwrap();
        assert!((clipped[0][0] - 0.6).abs() < 1e-6 && (clipped[0][1] + 0.8).abs() < 1e-6);
    }
}
