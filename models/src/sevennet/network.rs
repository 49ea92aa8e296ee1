//! The network: embedding, interaction blocks, readout (Batzner et al. 2022, fig. 1; Park et al. 2024, fig. 1).

use std::sync::{Arc, LazyLock};

use candle_core::{Result, Tensor};
use cellwright_crystal::Element;

use super::convolution::{Pairs, convolution};
use super::edges::RADIAL;
use super::layers::{Linears, SILU_GAIN, flat, gate, parted, scaled};
use super::paths::{CHANNELS, DEGREE, Paths, orders};
use crate::ModelError;
use crate::nn::linear::Linear;
use crate::weights::Installed;

/// Elements that the network knows.
const ELEMENTS: usize = 89;

/// Interaction blocks.
const BLOCKS: usize = 5;

/// Hidden width of what makes weights of radial functions.
const HIDDEN: usize = 64;

/// Every layer with its weights.
#[derive(Debug)]
pub(super) struct Network {
    /// Wave numbers of the radial functions (1/Å).
    pub(super) wave_numbers: [f64; RADIAL],
    /// Energy from which that of an atom of each species counts (eV).
    shift: Vec<f64>,
    /// The unit of the network's energies (eV): the same for all species, so that one backward pass serves all atoms.
    pub(super) unit: f64,
    /// (elements, channels).
    embedding: Tensor,
    blocks: Vec<Block>,
    readout: [Linears; 2],
}

/// One round of messages.
#[derive(Debug)]
struct Block {
    connection: Linears,
    before: Linears,
    radial: [Linear; 3],
    paths: Arc<Paths>,
    after: Linears,
    /// Channels of each degree that it hands on.
    channels: &'static [usize],
}

/// The symbols of the elements that the network knows, in the order in which it numbers them: that of the alphabet.
static SYMBOLS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut symbols: Vec<_> =
        Element::all().filter(|e| is_known(*e)).map(Element::symbol).collect();
    symbols.sort_unstable();
    symbols
});

/// The number of an element in the network.
pub(super) fn species(element: Element) -> Option<u32> {
    SYMBOLS.binary_search(&element.symbol()).ok().map(|i| i as u32)
}

/// Up to Pu without Po, At, Rn, Fr and Ra.
pub(super) fn is_known(element: Element) -> bool {
    element.z() <= 94 && !(84..=88).contains(&element.z())
}

impl Network {
    pub(super) fn load(p: &mut Installed) -> std::result::Result<Self, ModelError> {
        let first = CHANNELS[0];
        let wave_numbers = p.numbers("edge_embedding.basis_function.coeffs", &[RADIAL])?;
        let embedding = p.take("onehot_to_feature_x.linear.weight", &[ELEMENTS * first])?;
        let embedding = embedding.reshape((ELEMENTS, first))?;
        let blocks =
            (0..BLOCKS).map(|i| Block::load(p, i)).collect::<std::result::Result<_, _>>()?;
        let half = first / 2;
        let readout = [
            Linears::load(p, "reduce_input_to_hidden", [&[first], &[half]], 1.0)?,
            Linears::load(p, "reduce_hidden_to_energy", [&[half], &[1]], 1.0)?,
        ];
        let network = Self {
            wave_numbers: std::array::from_fn(|n| wave_numbers[n]),
            shift: p.numbers("rescale_atomic_energy.shift", &[ELEMENTS])?,
            unit: only(&p.numbers("rescale_atomic_energy.scale", &[ELEMENTS])?)?,
            embedding: (embedding / (ELEMENTS as f64).sqrt())?,
            blocks,
            readout,
        };
        // Masks, biases that do not exist, and the invariant tensors, which every block has again.
        p.ignore(|name| {
            [".output_mask", ".linear.bias", ".convolution.weight", ".mul.weight"]
                .iter()
                .any(|end| name.ends_with(end))
                || name.contains("._w3j_")
        });
        Ok(network)
    }

    /// What the network says of every atom, shape (atoms): its energy without unit and zero, see [`Self::energy`].
    pub(super) fn forward(
        &self,
        species: &[u32],
        pairs: &Pairs,
        [radial, harmonics]: [&Tensor; 2],
    ) -> Result<Tensor> {
        let device = self.embedding.device();
        let index = Tensor::from_slice(species, species.len(), device)?;
        let mut x = vec![self.embedding.index_select(&index, 0)?.unsqueeze(1)?];
        for block in &self.blocks {
            x = block.forward(&x, pairs, [radial, harmonics])?;
        }
        for layer in &self.readout {
            x = layer.forward(&x)?;
        }
        flat(&x)?.squeeze(1)
    }

    /// The energy of an atom (eV) from what the network says of it.
    pub(super) fn energy(&self, species: u32, output: f32) -> f64 {
        self.unit.mul_add(f64::from(output), self.shift[species as usize])
    }
}

/// The number that all of these are.
fn only(numbers: &[f64]) -> std::result::Result<f64, ModelError> {
    match numbers {
        [first, rest @ ..] if rest.iter().all(|s| s == first) => Ok(*first),
        _ => Err(ModelError::BadWeights("the species have different units of energy".to_owned())),
    }
}

impl Block {
    fn load(p: &mut Installed, i: usize) -> std::result::Result<Self, ModelError> {
        let inputs = if i == 0 { &CHANNELS[..1] } else { &CHANNELS[..] };
        let channels = if i + 1 == BLOCKS { &CHANNELS[..1] } else { &CHANNELS[..] };
        // What is gated comes with a scalar for each channel.
        let mut gated = channels.to_vec();
        gated[0] += channels[1..].iter().sum::<usize>();

        let paths = Paths::new(inputs, channels.len() - 1, |degrees| wigner(p, degrees))?;
        let messages: Vec<usize> = paths.messages.iter().map(|m| m.channels).collect();
        let denominator = p.numbers(&format!("{i}_convolution.denominator"), &[1])?[0];
        let mut radial = |layer: usize, [inner, out]: [usize; 2], gain: f64| {
            let name = format!("{i}_convolution.weight_nn.layer{layer}.weight");
            Ok::<_, ModelError>(scaled(&p.take(&name, &[inner, out])?.t()?, gain)?)
        };
        let radial = [
            radial(0, [RADIAL, HIDDEN], 1.0)?,
            radial(1, [HIDDEN, HIDDEN], SILU_GAIN)?,
            radial(2, [HIDDEN, paths.weights], SILU_GAIN)?,
        ];
        let mut linears = |name: &str, sizes: [&[usize]; 2], gain: f64| {
            Linears::load(p, &format!("{i}_{name}"), sizes, gain)
        };
        Ok(Self {
            connection: linears("self_connection_intro", [inputs, &gated], 1.0)?,
            before: linears("self_interaction_1", [inputs, inputs], 1.0)?,
            after: linears("self_interaction_2", [&messages, &gated], 1.0 / denominator)?,
            radial,
            paths: Arc::new(paths),
            channels,
        })
    }

    fn forward(
        &self,
        x: &[Tensor],
        pairs: &Pairs,
        [radial, harmonics]: [&Tensor; 2],
    ) -> Result<Vec<Tensor>> {
        let [first, second, third] = &self.radial;
        let weights = third.forward(&second.forward(&first.forward(radial)?.silu()?)?.silu()?)?;
        let sent = flat(&self.before.forward(x)?)?;
        let received = convolution(&self.paths, pairs, [&sent, &weights, harmonics])?;
        let mut y = self.after.forward(&parted(&received, &self.paths.messages)?)?;
        for (y, kept) in y.iter_mut().zip(self.connection.forward(x)?) {
            *y = (&*y + kept)?;
        }
        gate(&y, self.channels)
    }
}

/// The invariant tensor of three degrees, in the signs that the network was trained with; the second block has all of them.
fn wigner(p: &mut Installed, degrees: [usize; 3]) -> std::result::Result<Vec<f64>, ModelError> {
    debug_assert!(degrees.iter().all(|l| *l <= DEGREE));
    let [a, b, c] = degrees;
    let name = format!("1_convolution.convolution._compiled_main_left_right._w3j_{a}_{b}_{c}");
    p.peek(&name, &degrees.map(orders))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn species_are_in_the_order_of_their_symbols() {
        let of = |symbol| species(Element::from_symbol(symbol).unwrap());
        assert_eq!((of("Ac"), of("Ag"), of("Zr"), of("H")), (Some(0), Some(1), Some(88), Some(28)));
        assert_eq!((of("Po"), of("Am")), (None, None));
        assert_eq!(Element::all().filter(|e| is_known(*e)).count(), ELEMENTS);
    }
}
