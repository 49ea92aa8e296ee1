#!/usr/bin/env python3
"""Times energy + forces + stress of SevenNet-0 by the reference program, on the cells of `benches/potentials.rs`.

    tests/bench/stress.py [--python PYTHON] [--threads 2] [--repeats 9]
    cargo bench -p cellwright-models --bench potentials -- sevennet

The first gives the figures of the reference, median and minimum of the repeats, each with the atoms moved a little so that nothing is
remembered from the one before; the second ours. The reference comes from the package index: `sevenn==0.10.4` and what it
needs, in a virtual environment made here unless --python names one that has it.
"""

import argparse
import os
import statistics
import time

import energy
import reference


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reference.add_argument(parser, "sevenn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    return parser.parse_args()


def measure(args):
    import torch
    from ase import Atoms
    from sevenn.calculator import SevenNetCalculator

    torch.set_num_threads(args.threads)
    calculator = SevenNetCalculator("7net-0", device="cpu")
    print(f"sevenn on torch {torch.__version__}; {args.threads} threads, median (minimum) of {args.repeats}, ms")
    for cell in energy.structures():
        atoms = Atoms(numbers=cell["species"], scaled_positions=cell["frac"], cell=cell["lattice"], pbc=True)
        times = []
        for turn in range(args.repeats + 2):
            moved = atoms.copy()
            moved.rattle(1e-3, seed=turn)
            moved.calc = calculator
            start = time.perf_counter()
            moved.get_stress()
            if turn >= 2:
                times.append(1e3 * (time.perf_counter() - start))
        print(f"{len(atoms):5} atoms: {statistics.median(times):7.1f} ({min(times):.1f})")


if __name__ == "__main__":
    arguments_ = arguments()
    quiet = {
        "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "CUDA_VISIBLE_DEVICES": "",
        # The checkpoint holds settings beside its tensors.
        "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1",
    }
    threads = {name: str(arguments_.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    reference.under(arguments_.python, ["sevenn==0.10.4"], {**quiet, **threads})
    measure(arguments_)
