//! A running average of the weights, which is better than the last weights at no cost.

use candle_core::Result;

use super::parameters::{Parameters, Tensors};

/// Exponential moving average.
#[derive(Debug, Clone)]
pub struct Average {
    decay: f64,
    steps: u64,
    values: Tensors,
}

impl Average {
    /// Starts at the present values.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn new(decay: f64, parameters: &Parameters) -> Result<Self> {
        Ok(Self { decay, steps: 0, values: parameters.values()? })
    }

    /// Moves towards the present values; in the first steps faster, so that the start is soon forgotten.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn update(&mut self, parameters: &Parameters) -> Result<()> {
        self.steps += 1;
        let decay = self.decay.min((1.0 + self.steps as f64) / (10.0 + self.steps as f64));
        for (name, variable) in parameters.iter() {
            if let Some(value) = self.values.get_mut(name) {
                let now = variable.as_detached_tensor();
                *value = ((&*value * decay)? + (now * (1.0 - decay))?)?;
            }
        }
        Ok(())
    }

    /// The averaged weights.
    #[must_use]
    pub fn values(&self) -> &Tensors {
        &self.values
    }

    /// Number of updates.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes up where another was.
    pub fn restore(&mut self, steps: u64, values: Tensors) {
        self.steps = steps;
        self.values = values;
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn it_follows_slowly() {
        let mut parameters = Parameters::new(&Device::Cpu);
        parameters.norm("n", 1).unwrap();
        let mut average = Average::new(0.9, &parameters).unwrap();
        let to = |x: f32| Tensor::new(&[x], &Device::Cpu).unwrap();
        let set = Tensors::from([("n.weight".into(), to(2.0)), ("n.bias".into(), to(0.0))]);
        parameters.set(&set).unwrap();
        let value = |a: &Average| a.values()["n.weight"].to_vec1::<f32>().unwrap()[0];
        assert_eq!(value(&average), 1.0);
        average.update(&parameters).unwrap();
        assert!((value(&average) - (1.0 * 2.0 / 11.0 + 2.0 * 9.0 / 11.0)).abs() < 1e-6);
        for _ in 0..300 {
            average.update(&parameters).unwrap();
        }
        assert!((value(&average) - 2.0).abs() < 1e-5);
    }
}
