#!/usr/bin/env python3
"""Puts the times of EquiformerV2 here beside those of the PyTorch implementation in fairchem-core 1.10.0.

    cargo bench -p cellwright-models --bench selfsup
    tests/bench/selfsup.py --python PYTHON [--criterion target/criterion/selfsup] [--threads 2] [--repeats 5]

The times of this side are those the benchmark left behind. The reference gets the same network (L = M = 2, 3 blocks of 32
channels, both heads), cells of the same size and the same number of neighbours; only the network is timed on either side,
not the search for neighbours. PYTHON has fairchem-core 1.10.0 (installed without its dependencies is enough), torch, e3nn
and torch_geometric. The compiled extension torch_scatter is replaced by torch's own operations.
"""

import argparse
import contextlib
import importlib.abc
import importlib.machinery
import json
import os
import statistics
import sys
import time
import types
import unittest.mock
from pathlib import Path

ATOMS, NEIGHBOURS = 20, 20

# What the reference imports besides its network.
UNUSED = {"pydantic", "huggingface_hub", "lmdb", "submitit", "hydra", "omegaconf", "wandb", "numba", "orjson", "torchtnt", "clusterscope"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="an interpreter that has the reference")
    parser.add_argument("--criterion", default="target/criterion/selfsup", help="what the benchmark left behind")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def stand_ins():
    """Modules that the reference imports and this comparison does not need compiled."""
    import torch

    def scatter(src, index, dim=0, out=None, dim_size=None, reduce="sum"):
        size = list(src.shape)
        size[dim] = int(dim_size if dim_size is not None else index.max() + 1)
        return torch.zeros(size, dtype=src.dtype).index_add(dim, index, src)

    module = types.ModuleType("torch_scatter")
    module.scatter = module.scatter_add = scatter
    module.segment_coo = module.segment_csr = None
    sys.modules["torch_scatter"] = module

    class Nothing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        """Stands for packages that are not there: the network needs none of those the reference loads besides."""

        def find_spec(self, name, path=None, target=None):
            known = name.partition(".")[0] in UNUSED
            return importlib.machinery.ModuleSpec(name, self, is_package=True) if known else None

        def create_module(self, spec):
            module = unittest.mock.MagicMock(name=spec.name)
            module.__spec__, module.__path__ = spec, []
            return module

        def exec_module(self, module):
            pass

    sys.meta_path.append(Nothing())


def reference():
    """The network and a function that runs both heads on some cells."""
    import torch

    stand_ins()
    import e3nn  # noqa: F401  (the reference wants it loaded)
    from fairchem.core.models.base import GraphData
    from fairchem.core.models.equiformer_v2.equiformer_v2 import EquiformerV2Backbone
    from fairchem.core.models.equiformer_v2.heads import EqV2ScalarHead, EqV2VectorHead

    network = EquiformerV2Backbone(
        use_pbc=True, regress_forces=True, max_neighbors=NEIGHBOURS, max_radius=12.0, max_num_elements=104, num_layers=3,
        sphere_channels=32, attn_hidden_channels=32, num_heads=4, attn_alpha_channels=8, attn_value_channels=8,
        ffn_hidden_channels=64, lmax_list=[2], mmax_list=[2], edge_channels=32, alpha_drop=0.0, drop_path_rate=0.0)
    heads = [EqV2ScalarHead(network), EqV2VectorHead(network)]

    def graph(count):
        atoms = count * ATOMS
        generator = torch.Generator().manual_seed(1)
        target = torch.arange(atoms).repeat_interleave(NEIGHBOURS)
        source = target // ATOMS * ATOMS + torch.randint(0, ATOMS, (len(target),), generator=generator)
        vectors = torch.randn((len(target), 3), generator=generator)
        vectors = vectors / vectors.norm(dim=1, keepdim=True) * 2.5
        numbers = torch.tensor([57, 25, 8, 8, 8]).repeat(atoms // 5)
        batch = torch.arange(count).repeat_interleave(ATOMS)
        data = types.SimpleNamespace(pos=torch.zeros(atoms, 3), natoms=torch.full((count,), ATOMS),
                                     atomic_numbers=numbers, batch=batch)

        def make(*_, **__):
            return GraphData(edge_index=torch.stack([source, target]), edge_distance=vectors.norm(dim=1),
                             edge_distance_vec=vectors, cell_offsets=None, offset_distances=None, neighbors=None,
                             node_offset=0, batch_full=batch, atomic_numbers_full=numbers)
        return data, make

    def run(data, make):
        network.generate_graph = make
        features = network(data)
        return [value for head in heads for value in head(data, features).values()]

    return network, heads, graph, run


def timed(repeats, call):
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    args = arguments()
    if args.python and not os.environ.get("CELLWRIGHT_BENCH_INNER"):
        # Threads that spin while another program works would make the reference look slow.
        env = dict(os.environ, CELLWRIGHT_BENCH_INNER="1", OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0",
                   CUDA_VISIBLE_DEVICES="")
        os.execve(args.python, [args.python, *sys.argv], env)
    import torch

    torch.set_num_threads(args.threads)
    network, heads, graph, run = reference()
    parameters = [p for part in (network, *heads) for p in part.parameters()]
    rows = []
    for count in (1, 32):
        data, make = graph(count)
        with torch.no_grad():
            rows.append((f"forward {count}", count, timed(args.repeats, lambda: run(data, make))))

    def step():
        for parameter in parameters:
            parameter.grad = None
        sum(value.square().sum() for value in run(data, make)).backward()

    rows.append(("step 32", 32, timed(args.repeats, step)))
    print(f"{'':12} {'here':>12} {'reference':>12} {'atoms/s here':>14} {'reference':>12}")
    for name, count, theirs in rows:
        ours = None
        with contextlib.suppress(FileNotFoundError):
            path = Path(args.criterion, name.replace(" ", "_"), "new", "estimates.json")
            if not path.exists():
                path = Path(args.criterion, name, "new", "estimates.json")
            ours = json.loads(path.read_text())["median"]["point_estimate"] * 1e-9
        rate = count * ATOMS
        left = f"{ours * 1e3:9.1f} ms" if ours else f"{'not run':>12}"
        here = f"{rate / ours:14.0f}" if ours else f"{'':>14}"
        print(f"{name:12} {left} {theirs * 1e3:9.1f} ms {here} {rate / theirs:12.0f}")


main()
