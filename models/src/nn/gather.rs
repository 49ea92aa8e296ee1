//! Sums of rows looked up in tables: the first linear layer of a message, taken apart.
//!
//! A message network begins with `W [a_i, b_ij, a_j] + bias`. Multiplying first and looking up afterwards,
//! `(W₁ a)[i] + (W₂ b)[ij] + (W₃ a)[j]`, gives the same numbers with a product per atom and per bond instead of one per edge.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::index::Index;
use super::kernels::dispatch;
use super::storage::{is_fused, slice, with_slice};

/// Rows that one task works on.
const CHUNK: usize = 64;

/// One look-up: message row `r` takes the columns `column..column + width` of row `index[r]` of table `table` (its own row
/// without an index).
#[derive(Debug, Clone)]
pub struct Term {
    /// Which of the three tables.
    pub table: usize,
    /// First column.
    pub column: usize,
    /// Row of the table for every message.
    pub index: Option<Arc<Index>>,
}

impl Term {
    /// A look-up at `column` through `index`.
    #[must_use]
    pub fn new(table: usize, column: usize, index: &Arc<Index>) -> Self {
        Self { table, column, index: Some(Arc::clone(index)) }
    }

    /// A table whose rows are the messages themselves.
    #[must_use]
    pub fn own_rows(table: usize) -> Self {
        Self { table, column: 0, index: None }
    }
}

/// `out[r] = Σ_terms table[index[r]][column..column + width]`, shape (rows, width).
///
/// # Errors
/// When the shapes do not fit.
pub fn gather_sum(
    tables: [&Tensor; 3],
    terms: Vec<Term>,
    rows: usize,
    width: usize,
) -> Result<Tensor> {
    let op = GatherSum { terms, rows, width };
    if is_fused(tables[0]) {
        tables[0].apply_op3(tables[1], tables[2], op)
    } else {
        op.composed(tables)
    }
}

#[derive(Debug)]
struct GatherSum {
    terms: Vec<Term>,
    rows: usize,
    width: usize,
}

impl GatherSum {
    fn composed(&self, tables: [&Tensor; 3]) -> Result<Tensor> {
        let mut sum: Option<Tensor> = None;
        for term in &self.terms {
            let table = tables[term.table].narrow(1, term.column, self.width)?.contiguous()?;
            let rows = match &term.index {
                Some(index) => table.index_select(&index.tensor(table.device())?, 0)?,
                None => table,
            };
            sum = Some(match sum {
                Some(sum) => (sum + rows)?,
                None => rows,
            });
        }
        sum.map_or_else(|| bail!("a sum of no terms"), Ok)
    }

    fn check(&self, tables: [&Layout; 3]) -> Result<()> {
        for term in &self.terms {
            let (rows, columns) = tables[term.table].shape().dims2()?;
            let (messages, table_rows) =
                term.index.as_ref().map_or((rows, rows), |i| (i.len(), i.table_rows()));
            if messages != self.rows || table_rows != rows || term.column + self.width > columns {
                bail!("a table of {rows} × {columns} does not fit its look-up");
            }
        }
        Ok(())
    }
}

impl CustomOp3 for GatherSum {
    fn name(&self) -> &'static str {
        "gather-sum"
    }

    fn cpu_fwd(
        &self,
        s0: &CpuStorage,
        l0: &Layout,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.check([l0, l1, l2])?;
        let tables = [slice(s0, l0)?, slice(s1, l1)?, slice(s2, l2)?];
        let strides = [l0.shape().dims()[1], l1.shape().dims()[1], l2.shape().dims()[1]];
        let width = self.width;
        let mut out = vec![0.0_f32; self.rows * width];
        out.par_chunks_mut(CHUNK * width).enumerate().for_each(|(chunk, out)| {
            dispatch(
                #[inline(always)]
                || {
                    for (i, out) in out.chunks_exact_mut(width).enumerate() {
                        let message = chunk * CHUNK + i;
                        for term in &self.terms {
                            let row = term
                                .index
                                .as_ref()
                                .map_or(message, |x| x.targets()[message] as usize);
                            let from = row * strides[term.table] + term.column;
                            for (o, v) in
                                out.iter_mut().zip(&tables[term.table][from..from + width])
                            {
                                *o += v;
                            }
                        }
                    }
                },
            );
        });
        Ok((CpuStorage::F32(out), Shape::from((self.rows, width))))
    }

    fn bwd(
        &self,
        t0: &Tensor,
        t1: &Tensor,
        t2: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad_of = |which: usize, table: &Tensor| -> Result<Option<Tensor>> {
            let terms: Vec<&Term> = self.terms.iter().filter(|t| t.table == which).collect();
            if let [Term { index: None, .. }] = terms[..] {
                return Ok(Some(grad.clone()));
            }
            let (rows, stride) = table.dims2()?;
            let mut sums = vec![0.0; rows * stride];
            with_slice(grad, |grad| {
                for term in terms {
                    match &term.index {
                        Some(index) => {
                            index.segment_sum_into(
                                grad,
                                self.width,
                                term.column,
                                stride,
                                &mut sums,
                            );
                        }
                        None => bail!("own rows beside a look-up in one table"),
                    }
                }
                Ok(())
            })?;
            Tensor::from_vec(sums, (rows, stride), table.device()).map(Some)
        };
        Ok((grad_of(0, t0)?, grad_of(1, t1)?, grad_of(2, t2)?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn fused_and_composed_agree() -> Result<()> {
        let cpu = Device::Cpu;
        let a = Var::randn(0_f32, 1.0, (200, 4), &cpu)?;
        let b = Var::randn(0_f32, 1.0, (5, 8), &cpu)?;
        let c = Var::randn(0_f32, 1.0, (3, 4), &cpu)?;
        let index = |n: usize, step: usize| {
            Arc::new(Index::new((0..200).map(|i| ((i * step) % n) as u32).collect(), n))
        };
        let terms = vec![
            Term::own_rows(0),
            Term::new(1, 0, &index(5, 3)),
            Term::new(1, 4, &index(5, 7)),
            Term::new(2, 0, &index(3, 2)),
        ];
        let probe = Tensor::randn(0_f32, 1.0, (200, 4), &cpu)?;
        let tables = [a.as_tensor(), b.as_tensor(), c.as_tensor()];
        let op = GatherSum { terms: terms.clone(), rows: 200, width: 4 };
        let both = [gather_sum(tables, terms, 200, 4)?, op.composed(tables)?];
        let mut results = Vec::new();
        for y in both {
            let grads = (&y * &probe)?.sum_all()?.backward()?;
            let mut all = y.flatten_all()?.to_vec1::<f32>()?;
            for v in [&a, &b, &c] {
                all.extend(grads.get(v).unwrap().flatten_all()?.to_vec1::<f32>()?);
            }
            results.push(all);
        }
        assert_eq!(results[0].len(), 800 + 800 + 40 + 12);
        for (x, y) in results[0].iter().zip(&results[1]) {
            assert!((x - y).abs() < 1e-4, "{x} {y}");
        }
        Ok(())
    }

    #[test]
    fn a_table_that_does_not_fit_is_refused() -> Result<()> {
        let t = Tensor::zeros((3, 4), candle_core::DType::F32, &Device::Cpu)?;
        let index = Arc::new(Index::new(vec![0, 1], 2));
        assert!(gather_sum([&t, &t, &t], vec![Term::new(0, 0, &index)], 2, 4).is_err());
        Ok(())
    }
}
