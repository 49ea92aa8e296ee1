#!/usr/bin/env python3
"""Times energy + forces + stress + magnetic moments of CHGNet 0.3.0, this project's worker against the reference program.

    tests/bench/energy.py [--cellwright target/release/cellwright] [--python PYTHON] [--threads 2] [--repeats 9]

Both sides answer the same structures in one run, turn about, on the same number of threads; a figure is the median of the
repeats, and the largest differences of the answers are printed beside it. The worker's time is the whole round trip over
its pipes, the reference's the call `predict_structure` (graph and network). The reference comes from the package index:
`chgnet==0.4.2` and what it needs, in a virtual environment made here unless --python names one that has it.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import time

import reference


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cellwright", default="target/release/cellwright", help="the binary")
    reference.add_argument(parser, "chgnet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    return parser.parse_args()


def supercell(lengths, sites, times):
    """An orthogonal cell repeated, every atom pushed some 0.05 Å in a fixed way so that no symmetry helps."""
    lattice = [[lengths[i] * times[i] if i == j else 0.0 for j in range(3)] for i in range(3)]
    species, frac = [], []
    for i in range(times[0]):
        for j in range(times[1]):
            for k in range(times[2]):
                for number, position in sites:
                    phase = 1.7 * len(species)
                    push = [0.05 * math.sin(n * phase) for n in (1, 2, 3)]
                    cell = (i, j, k)
                    frac.append([(position[a] + cell[a]) / times[a] + push[a] / lattice[a][a] for a in range(3)])
                    species.append(number)
    return {"lattice": lattice, "species": species, "frac": frac}


def structures():
    caesium_chloride = ([4.12] * 3, [(55, (0, 0, 0)), (17, (0.5, 0.5, 0.5))])
    perovskite = ([3.9] * 3, [(57, (0, 0, 0)), (25, (0.5, 0.5, 0.5)),
                              (8, (0.5, 0.5, 0)), (8, (0.5, 0, 0.5)), (8, (0, 0.5, 0.5))])
    u = 0.305
    rutile = ([4.6, 4.6, 2.96], [(22, (0, 0, 0)), (22, (0.5, 0.5, 0.5)), (8, (u, u, 0)), (8, (-u, -u, 0)),
                                 (8, (0.5 + u, 0.5 - u, 0.5)), (8, (0.5 - u, 0.5 + u, 0.5))])
    return [
        supercell(*caesium_chloride, (1, 1, 1)),
        supercell(*caesium_chloride, (2, 2, 1)),
        supercell(*perovskite, (2, 2, 1)),
        supercell(*caesium_chloride, (2, 1, 13)),
        supercell(*rutile, (3, 3, 2)),
        supercell(*rutile, (4, 5, 2)),
    ]


class Worker:
    """The worker process, spoken to in JSON lines."""

    def __init__(self, binary, threads):
        env = dict(os.environ, RAYON_NUM_THREADS=str(threads))
        self.process = subprocess.Popen([binary, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=env)
        self.hello = json.loads(self.process.stdout.readline())
        self.id = 0

    def energy(self, structure):
        self.id += 1
        task = {"name": "energy", "structures": [structure]}
        self.process.stdin.write(json.dumps({"type": "run", "id": self.id, "task": task}) + "\n")
        self.process.stdin.flush()
        while True:
            reply = json.loads(self.process.stdout.readline())
            if reply["type"] == "result":
                answer, = reply["output"]["results"]
                return answer
            if reply["type"] == "error":
                raise SystemExit(f"the worker refused: {reply['message']}")


def compare(args):
    import numpy
    import torch
    from chgnet.model import CHGNet
    from pymatgen.core import Lattice, Structure

    torch.set_num_threads(args.threads)
    chgnet = CHGNet.load(model_name="0.3.0", use_device="cpu", verbose=False)
    worker = Worker(args.cellwright, args.threads)
    print(f"worker {worker.hello['version']} on {worker.hello['device']}; reference chgnet on torch {torch.__version__}; "
          f"{args.threads} threads, median (minimum) of {args.repeats}, ms")
    print("atoms | worker | reference | ratio | |ΔE| eV/atom | max |ΔF| eV/Å")
    for cell in structures():
        lattice = Lattice(cell["lattice"])
        crystal = Structure(lattice, cell["species"], cell["frac"])
        ours, theirs = [], []
        for turn in range(args.repeats + 2):
            start = time.perf_counter()
            answer = worker.energy(cell)
            middle = time.perf_counter()
            truth = chgnet.predict_structure(crystal)
            end = time.perf_counter()
            if turn >= 2:
                ours.append(1e3 * (middle - start))
                theirs.append(1e3 * (end - middle))
        energy = abs(answer["energy_per_atom"] - float(truth["e"]))
        force = float(numpy.abs(numpy.array(answer["forces"]) - truth["f"]).max())
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"{len(cell['species']):5} | {a:7.1f} ({min(ours):.1f}) | {b:7.1f} ({min(theirs):.1f}) | "
              f"{b / a:5.1f} | {energy:.1e} | {force:.1e}")
    worker.process.stdin.close()
    worker.process.wait()


if __name__ == "__main__":
    arguments_ = arguments()
    # Threads that spin while the other program works would make each of them look slow.
    quiet = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "CUDA_VISIBLE_DEVICES": ""}
    threads = {name: str(arguments_.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    reference.under(arguments_.python, ["chgnet==0.4.2"], {**quiet, **threads})
    compare(arguments_)
