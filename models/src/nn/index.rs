//! Which row of a table each row of a message matrix refers to, and back.

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use super::kernels::dispatch;

/// A map from rows of messages to rows of a table, with the inverse as compressed rows.
#[derive(Debug)]
pub struct Index {
    targets: Vec<u32>,
    offsets: Vec<u32>,
    /// Message rows grouped by table row; `None` when the targets ascend, where it would be the identity.
    rows: Option<Vec<u32>>,
}

impl Index {
    /// The map with `targets[r]` the table row of message `r`; every target is below `table_rows`.
    #[must_use]
    pub fn new(targets: Vec<u32>, table_rows: usize) -> Self {
        let mut offsets = vec![0_u32; table_rows + 1];
        for t in &targets {
            offsets[*t as usize + 1] += 1;
        }
        for i in 0..table_rows {
            offsets[i + 1] += offsets[i];
        }
        let rows = (!targets.is_sorted()).then(|| {
            let mut next = offsets.clone();
            let mut rows = vec![0; targets.len()];
            for (row, t) in targets.iter().enumerate() {
                let slot = &mut next[*t as usize];
                rows[*slot as usize] = row as u32;
                *slot += 1;
            }
            rows
        });
        Self { targets, offsets, rows }
    }

    /// Number of message rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are no message rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Number of table rows.
    #[must_use]
    pub fn table_rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Table row of every message row.
    #[must_use]
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// The message rows that refer to a table row, in ascending order.
    pub(crate) fn messages_of(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        range.map(|k| self.rows.as_ref().map_or(k, |rows| rows[k] as usize))
    }

    /// The targets as a tensor for candle's own operations.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn tensor(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.targets, self.len(), device)
    }

    /// For every table row the sum of its message rows, `width` numbers each; the order of the sum is fixed, so results are
    /// the same on every run and any number of threads.
    pub(super) fn segment_sum(&self, messages: &[f32], width: usize) -> Vec<f32> {
        let mut table = vec![0.0; self.table_rows() * width];
        self.segment_sum_into(messages, width, 0, width, &mut table);
        table
    }

    /// [`Self::segment_sum`] added to the columns `column..column + width` of a table with `stride` columns.
    pub(super) fn segment_sum_into(
        &self,
        messages: &[f32],
        width: usize,
        column: usize,
        stride: usize,
        table: &mut [f32],
    ) {
        const ROWS: usize = 16;
        table.par_chunks_mut(ROWS * stride).enumerate().for_each(|(chunk, out)| {
            dispatch(
                #[inline(always)]
                || {
                    for (i, out) in out.chunks_exact_mut(stride).enumerate() {
                        let out = &mut out[column..column + width];
                        let target = chunk * ROWS + i;
                        for row in self.messages_of(target) {
                            let message = &messages[row * width..(row + 1) * width];
                            for (o, m) in out.iter_mut().zip(message) {
                                *o += m;
                            }
                        }
                    }
                },
            );
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_follow_the_targets_sorted_or_not() {
        let messages = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
        let sorted = Index::new(vec![0, 0, 2], 4);
        assert_eq!(sorted.segment_sum(&messages, 2), [5.0, 10.0, 0.0, 0.0, 16.0, 32.0, 0.0, 0.0]);
        let mixed = Index::new(vec![2, 0, 2], 3);
        assert_eq!(mixed.segment_sum(&messages, 2), [4.0, 8.0, 0.0, 0.0, 17.0, 34.0]);
    }

    #[test]
    fn nothing_sums_to_zero() {
        assert_eq!(Index::new(vec![], 2).segment_sum(&[], 1), [0.0, 0.0]);
        assert!(Index::new(vec![], 0).segment_sum(&[], 1).is_empty());
    }
}
