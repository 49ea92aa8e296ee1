//! How features of one degree and harmonics of another make messages of a third.

use std::ops::Range;

/// Highest degree.
pub(super) const DEGREE: usize = 2;

/// Channels of the features of each degree inside the network.
pub(super) const CHANNELS: [usize; DEGREE + 1] = [128, 64, 32];

/// Orders of a degree.
pub(super) const fn orders(degree: usize) -> usize {
    2 * degree + 1
}

/// Features of the degree `l` inside a flat row: for each order all channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) degree: usize,
    /// First number.
    pub(super) from: usize,
    pub(super) channels: usize,
}

impl Part {
    /// The parts of a row with so many channels of the degrees 0, 1…
    pub(super) fn row(channels: &[usize]) -> Vec<Self> {
        let mut from = 0;
        let part = |(degree, channels): (usize, &usize)| {
            let part = Self { degree, from, channels: *channels };
            from += part.width();
            part
        };
        channels.iter().enumerate().map(part).collect()
    }

    /// How many numbers it has.
    pub(super) fn width(&self) -> usize {
        orders(self.degree) * self.channels
    }
}

/// A number of the invariant tensor of three degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Coupling {
    /// Orders of the feature, the harmonic and the message.
    pub(super) orders: [usize; 3],
    /// √(2 l₃ + 1) times the Wigner 3j symbol in real form.
    pub(super) factor: f32,
}

/// One way from a feature to a message.
#[derive(Debug, Clone)]
pub(super) struct Path {
    /// The part of the features.
    pub(super) input: Part,
    /// First harmonic, and how many.
    pub(super) harmonics: Range<usize>,
    /// Where the message of order 0 begins; its channels are those of the input.
    pub(super) output: usize,
    /// From one order of the message to the next.
    pub(super) stride: usize,
    /// How many orders the message has.
    pub(super) orders: usize,
    /// First weight; there is one for each channel.
    pub(super) weight: usize,
    pub(super) couplings: Vec<Coupling>,
}

/// All ways from features to messages, in the order of their weights.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    pub(super) paths: Vec<Path>,
    /// Numbers in a row of features, weights and messages.
    pub(super) inputs: usize,
    pub(super) weights: usize,
    pub(super) outputs: usize,
    /// The parts of a row of messages.
    pub(super) messages: Vec<Part>,
}

impl Paths {
    /// The ways from features with so many channels of the degrees 0, 1… to messages up to the degree `highest`. `wigner` gives the
    /// Wigner 3j symbols of three degrees, all above zero, order by order.
    pub(super) fn new<E>(
        channels: &[usize],
        highest: usize,
        mut wigner: impl FnMut([usize; 3]) -> Result<Vec<f64>, E>,
    ) -> Result<Self, E> {
        let inputs = Part::row(channels);
        let triples: Vec<(Part, usize, usize)> = inputs
            .iter()
            .flat_map(|input| (0..=DEGREE).map(move |l| (*input, l)))
            .flat_map(|(input, l)| {
                let sums = input.degree.abs_diff(l)..=(input.degree + l).min(highest);
                sums.map(move |out| (input, l, out))
            })
            .collect();
        let mut per_degree = vec![0; highest + 1];
        for (input, _, out) in &triples {
            per_degree[*out] += input.channels;
        }
        let messages = Part::row(&per_degree);

        let mut taken = vec![0; highest + 1];
        let mut weights = 0;
        let mut paths = Vec::with_capacity(triples.len());
        for (input, l, out) in triples {
            let degrees = [input.degree, l, out];
            let symbols = if degrees.contains(&0) { trivial(degrees) } else { wigner(degrees)? };
            paths.push(Path {
                input,
                harmonics: l * l..(l + 1) * (l + 1),
                output: messages[out].from + taken[out],
                stride: messages[out].channels,
                orders: orders(out),
                weight: weights,
                couplings: couplings(degrees, &symbols),
            });
            taken[out] += input.channels;
            weights += input.channels;
        }
        let width = |parts: &[Part]| parts.iter().map(Part::width).sum();
        Ok(Self { paths, inputs: width(&inputs), weights, outputs: width(&messages), messages })
    }
}

/// With one of the degrees zero the other two are the same, and so are their orders.
fn trivial(degrees: [usize; 3]) -> Vec<f64> {
    let [a, b, c] = degrees.map(orders);
    let same = 1.0 / (a.max(b) as f64).sqrt();
    let mut symbols = vec![0.0; a * b * c];
    for m in 0..a.max(b) {
        let at = |of: usize| if of == 1 { 0 } else { m };
        symbols[(at(a) * b + at(b)) * c + at(c)] = same;
    }
    symbols
}

fn couplings(degrees: [usize; 3], symbols: &[f64]) -> Vec<Coupling> {
    let [_, b, c] = degrees.map(orders);
    let norm = (c as f64).sqrt();
    let coupling = |(i, symbol): (usize, &f64)| {
        let orders = [i / (b * c), i / c % b, i % c];
        (symbol.abs() > 1e-6).then_some(Coupling { orders, factor: (norm * symbol) as f32 })
    };
    symbols.iter().enumerate().filter_map(coupling).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_add_as_angular_momenta_do() {
        let no_symbols = |d: [usize; 3]| Ok::<_, ()>(vec![0.0; d.map(orders).iter().product()]);
        let full = Paths::new(&CHANNELS, DEGREE, no_symbols).unwrap();
        // 3 ways from degree 0, 6 from 1 and 6 from 2.
        assert_eq!((full.paths.len(), full.weights), (15, 3 * 128 + 6 * 64 + 6 * 32));
        assert_eq!(full.messages.iter().map(|p| p.channels).collect::<Vec<_>>(), [224, 384, 352]);
        let last = Paths::new(&CHANNELS, 0, no_symbols).unwrap();
        assert_eq!((last.paths.len(), last.weights, last.outputs), (3, 224, 224));
        let first = Paths::new(&CHANNELS[..1], DEGREE, no_symbols).unwrap();
        assert_eq!((first.inputs, first.weights, first.outputs), (128, 384, 128 * 9));
    }

    #[test]
    fn messages_do_not_overlap() {
        let no_symbols = |d: [usize; 3]| Ok::<_, ()>(vec![0.0; d.map(orders).iter().product()]);
        let paths = Paths::new(&CHANNELS, DEGREE, no_symbols).unwrap();
        let mut seen = vec![0; paths.outputs];
        for path in &paths.paths {
            for order in 0..path.orders {
                for channel in 0..path.input.channels {
                    seen[path.output + order * path.stride + channel] += 1;
                }
            }
        }
        assert!(seen.iter().all(|n| *n == 1));
    }

    #[test]
    fn a_scalar_passes_on_what_it_meets() {
        assert_eq!(
            couplings([0, 0, 0], &trivial([0, 0, 0])),
            [Coupling { orders: [0; 3], factor: 1.0 }]
        );
        let vector = couplings([0, 1, 1], &trivial([0, 1, 1]));
        assert_eq!(vector.len(), 3);
        assert!(vector.iter().all(|c| c.orders[1] == c.orders[2] && (c.factor - 1.0).abs() < 1e-6));
    }
}
