//! The fused operations against the same functions in candle's own.

use candle_core::Var;

use super::*;

fn random(shape: impl Into<Shape>, deviation: f32) -> Tensor {
    Tensor::randn(0_f32, deviation, shape, &Device::Cpu).unwrap()
}

fn mlp(hidden: bool) -> GatedMlp {
    let branch = || Branch {
        hidden: hidden.then(|| (random((WIDTH, WIDTH), 0.2), random(WIDTH, 0.2))),
        norm: LayerNorm { gain: random(WIDTH, 1.0), offset: random(WIDTH, 0.5) },
    };
    GatedMlp::new(branch(), branch()).unwrap()
}

/// Values and the gradients of a random projection of them.
fn pass(y: &Tensor, probe: &Tensor, inputs: &[&Var]) -> Vec<f32> {
    let grads = (y * probe).unwrap().sum_all().unwrap().backward().unwrap();
    let mut all = y.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for v in inputs {
        all.extend(grads.get(v).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }
    all
}

fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 2e-4 * (1.0 + a.abs()), "{a} {b}");
    }
}

#[test]
fn fused_and_composed_agree() {
    for hidden in [true, false] {
        let mlp = mlp(hidden);
        let pair = Var::from_tensor(&random((300, PAIR), 1.0)).unwrap();
        let probe = random((300, WIDTH), 1.0);
        let fused = pass(&mlp.forward(&pair).unwrap(), &probe, &[&pair]);
        let composed = pass(&mlp.composed(&pair).unwrap(), &probe, &[&pair]);
        assert_close(&fused, &composed);
    }
}

#[test]
fn fused_and_composed_sums_agree() {
    let mlp = mlp(true);
    let index = |n: usize, step: usize| {
        Arc::new(Index::new((0..300).map(|i| ((i * step) % n) as u32).collect(), n))
    };
    let op = WeightedSum { mlp: mlp.clone(), owner: index(7, 3), weight: index(11, 5) };
    let pair = Var::from_tensor(&random((300, PAIR), 1.0)).unwrap();
    let weights = Var::from_tensor(&random((11, WIDTH), 0.3)).unwrap();
    let probe = random((7, WIDTH), 1.0);
    let fused = mlp.weighted_sum(&pair, &weights, &op.owner, &op.weight).unwrap();
    let fused = pass(&fused, &probe, &[&pair, &weights]);
    let composed = pass(&op.composed(&pair, &weights).unwrap(), &probe, &[&pair, &weights]);
    assert_close(&fused, &composed);
}

#[test]
fn no_messages_sum_to_zero() {
    let empty = || Arc::new(Index::new(vec![], 3));
    let pair = Tensor::from_vec(Vec::<f32>::new(), (0, PAIR), &Device::Cpu).unwrap();
    let sum = mlp(true).weighted_sum(&pair, &random((3, WIDTH), 1.0), &empty(), &empty()).unwrap();
    assert_eq!(sum.sum_all().unwrap().to_scalar::<f32>().unwrap(), 0.0);
    assert_eq!(sum.dims(), [3, WIDTH]);
}
