//! Holding two ways to compute the same thing together, values and gradients.

use candle_core::{Device, Tensor, Var};

use super::random::Random;

/// Normal numbers, the same on every run.
pub(crate) fn random(shape: &[usize], scale: f64) -> Tensor {
    let mut random = Random::new(17, shape.iter().sum::<usize>() as u64);
    let numbers: Vec<f32> =
        (0..shape.iter().product()).map(|_| (scale * random.normal()) as f32).collect();
    Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
}

/// Variables with respect to which functions are compared.
pub(crate) struct Probe(Vec<Var>);

impl Probe {
    pub(crate) fn new(values: &[Tensor]) -> Self {
        Self(values.iter().map(|v| Var::from_tensor(v).unwrap()).collect())
    }

    /// Value, then the gradient of every variable, of a random projection of `f`.
    fn run(&self, f: impl Fn(&[Tensor]) -> Tensor) -> Vec<Vec<f32>> {
        let inputs: Vec<Tensor> = self.0.iter().map(|v| v.as_tensor().clone()).collect();
        let y = f(&inputs);
        let projected = (&y * random(y.dims(), 1.0)).unwrap().sum_all().unwrap();
        let grads = projected.backward().unwrap();
        let numbers = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let mut results = vec![numbers(&y)];
        for var in &self.0 {
            results.push(numbers(grads.get(var).expect("a gradient for every input")));
        }
        results
    }

    /// Fails unless both functions have the same value and gradients, to 2e-5 of the largest number.
    pub(crate) fn agree(
        &self,
        ours: impl Fn(&[Tensor]) -> Tensor,
        theirs: impl Fn(&[Tensor]) -> Tensor,
    ) {
        for (which, (a, b)) in self.run(ours).iter().zip(self.run(theirs)).enumerate() {
            assert_eq!(a.len(), b.len());
            let scale = b.iter().fold(1e-3_f32, |m, v| m.max(v.abs()));
            for (i, (x, y)) in a.iter().zip(b).enumerate() {
                assert!((x - y).abs() < 2e-5 * scale, "result {which} at {i}: {x} {y}");
            }
        }
    }
}
