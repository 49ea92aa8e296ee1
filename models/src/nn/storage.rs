//! Access to the numbers of CPU tensors inside custom operations.

use candle_core::{CpuStorage, Layout, Result, Tensor, bail};

/// The elements of a contiguous f32 storage, in row-major order.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let CpuStorage::F32(data) = storage else { bail!("an f32 tensor is expected") };
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&data[from..to]),
        None => bail!("a contiguous tensor is expected"),
    }
}

/// Calls `f` with the elements of a contiguous f32 tensor that lives on the CPU.
pub(crate) fn with_slice<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(storage) => f(slice(storage, layout)?),
        _ => bail!("a tensor on the CPU is expected"),
    }
}

/// Whether our own operations can run on this tensor.
pub(crate) fn is_fused(tensor: &Tensor) -> bool {
    tensor.device().is_cpu() && tensor.dtype() == candle_core::DType::F32
}
