//! Trainable numbers by name.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Tensor, Var};

use super::random::Random;
use crate::ModelError;

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// The variables of a model, in the order of their names.
#[derive(Debug, Clone)]
pub struct Parameters {
    device: Device,
    variables: BTreeMap<String, Var>,
}

impl Parameters {
    /// None yet.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self { device: device.clone(), variables: BTreeMap::new() }
    }

    fn add(&mut self, name: String, shape: &[usize], numbers: Vec<f32>) -> Result<()> {
        let value = Tensor::from_vec(numbers, shape, &self.device)?;
        self.variables.insert(name, Var::from_tensor(&value)?);
        Ok(())
    }

    /// `name.weight` (out, inner) and, if wanted, `name.bias` (out), uniform in ±1/√inner as PyTorch has it.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn linear(
        &mut self,
        name: &str,
        [out, inner]: [usize; 2],
        bias: bool,
        random: &mut Random,
    ) -> Result<()> {
        let bound = 1.0 / (inner as f64).sqrt();
        let mut draw = |count| (0..count).map(|_| uniform(bound, random)).collect::<Vec<_>>();
        let weight = draw(out * inner);
        let offset = bias.then(|| draw(out));
        self.add(format!("{name}.weight"), &[out, inner], weight)?;
        offset.map_or(Ok(()), |offset| self.add(format!("{name}.bias"), &[out], offset))
    }

    /// `name.weight` (rows, width), standard normal.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn embedding(
        &mut self,
        name: &str,
        [rows, width]: [usize; 2],
        random: &mut Random,
    ) -> Result<()> {
        let numbers = (0..rows * width).map(|_| random.normal() as f32).collect();
        self.add(format!("{name}.weight"), &[rows, width], numbers)
    }

    /// `name.weight` of ones and `name.bias` of zeros.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn norm(&mut self, name: &str, width: usize) -> Result<()> {
        self.add(format!("{name}.weight"), &[width], vec![1.0; width])?;
        self.add(format!("{name}.bias"), &[width], vec![0.0; width])
    }

    /// `name` of any shape, uniform in ±`bound`.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn uniform(
        &mut self,
        name: &str,
        shape: &[usize],
        bound: f64,
        random: &mut Random,
    ) -> Result<()> {
        let numbers = (0..shape.iter().product()).map(|_| uniform(bound, random)).collect();
        self.add(name.to_owned(), shape, numbers)
    }

    /// `name` of any shape, every number the same.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn constant(&mut self, name: &str, shape: &[usize], value: f32) -> Result<()> {
        self.add(name.to_owned(), shape, vec![value; shape.iter().product()])
    }

    /// Names and variables.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Var)> {
        self.variables.iter()
    }

    /// Where they live.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How many numbers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.variables.values().map(|v| v.elem_count()).sum()
    }

    /// The tensors of the variables: what is computed from these has gradients.
    #[must_use]
    pub fn tensors(&self) -> Tensors {
        self.variables.iter().map(|(name, v)| (name.clone(), v.as_tensor().clone())).collect()
    }

    /// Gradients of a loss by name; a variable that it does not depend on has none.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn gradients(&self, loss: &Tensor) -> Result<Tensors> {
        let store = loss.backward()?;
        let gradient =
            |(name, variable): (&String, &Var)| Some((name.clone(), store.get(variable)?.clone()));
        Ok(self.variables.iter().filter_map(gradient).collect())
    }

    /// Copies of the values, which do not follow the variables.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn values(&self) -> Result<Tensors> {
        self.variables
            .iter()
            .map(|(name, v)| Ok((name.clone(), v.as_detached_tensor().copy()?)))
            .collect()
    }

    /// Sets every variable.
    ///
    /// # Errors
    /// When one is missing, has another shape, or there are more.
    pub fn set(&self, values: &Tensors) -> std::result::Result<(), ModelError> {
        let mut values = Named::new(values.clone());
        for (name, variable) in &self.variables {
            let value = values.take(name, variable.dims())?.to_dtype(DType::F32)?;
            variable.set(&value.to_device(&self.device)?.contiguous()?)?;
        }
        values.finish()
    }
}

fn uniform(bound: f64, random: &mut Random) -> f32 {
    ((2.0 * random.uniform() - 1.0) * bound) as f32
}

/// Named tensors, every one to be taken once and with the shape it must have.
#[derive(Debug)]
pub struct Named(Tensors);

impl Named {
    /// All of `tensors`.
    #[must_use]
    pub fn new(tensors: Tensors) -> Self {
        Self(tensors)
    }

    /// The tensor of this name, removed.
    ///
    /// # Errors
    /// When there is none or it has another shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> std::result::Result<Tensor, ModelError> {
        let tensor = self
            .0
            .remove(name)
            .ok_or_else(|| ModelError::BadWeights(format!("the weights have no '{name}'")))?;
        if tensor.dims() != shape {
            return Err(ModelError::BadWeights(format!(
                "'{name}' has shape {:?}, not {shape:?}",
                tensor.dims()
            )));
        }
        Ok(tensor)
    }

    /// Fails when a tensor was not taken: then the weights are of another architecture.
    ///
    /// # Errors
    /// Names the first one left.
    pub fn finish(self) -> std::result::Result<(), ModelError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(ModelError::BadWeights(format!(
                "the weights hold {} tensors more than this model, '{name}' the first",
                self.0.len()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(seed: u64) -> Parameters {
        let mut parameters = Parameters::new(&Device::Cpu);
        let mut random = Random::new(seed, 0);
        parameters.linear("a", [3, 4], true, &mut random).unwrap();
        parameters.linear("b", [2, 3], false, &mut random).unwrap();
        parameters.norm("c", 5).unwrap();
        parameters.embedding("d", [6, 2], &mut random).unwrap();
        parameters
    }

    #[test]
    fn the_seed_decides_the_numbers() {
        let weight = |p: &Parameters| p.values().unwrap()["a.weight"].to_vec2::<f32>().unwrap();
        assert_eq!(weight(&parameters(1)), weight(&parameters(1)));
        assert_ne!(weight(&parameters(1)), weight(&parameters(2)));
        assert!(weight(&parameters(1)).concat().iter().all(|x| x.abs() <= 0.5));
        assert_eq!(parameters(1).count(), 12 + 3 + 6 + 10 + 12);
    }

    #[test]
    fn values_are_copies_and_can_be_set() {
        let (one, two) = (parameters(1), parameters(2));
        let before = one.values().unwrap();
        one.set(&two.values().unwrap()).unwrap();
        let numbers = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(numbers(&one.tensors()["d.weight"]), numbers(&two.tensors()["d.weight"]));
        assert_ne!(numbers(&before["d.weight"]), numbers(&two.tensors()["d.weight"]));
    }

    #[test]
    fn values_of_another_model_are_refused() {
        let parameters = parameters(1);
        let mut values = parameters.values().unwrap();
        let taken = values.remove("c.bias").unwrap();
        assert!(parameters.set(&values).unwrap_err().to_string().contains("no 'c.bias'"));
        values.insert("c.bias".into(), taken.unsqueeze(0).unwrap());
        assert!(parameters.set(&values).unwrap_err().to_string().contains("shape"));
        values.insert("c.bias".into(), taken.clone());
        values.insert("e".into(), taken);
        assert!(parameters.set(&values).unwrap_err().to_string().contains("'e' the first"));
    }
}
