#!/usr/bin/env python3
"""Times structure matching against pymatgen's StructureMatcher on the same pairs in one run, and compares the answers.

    tests/bench/crystal/matching.py [--python PYTHON] [--pairs FILE]

Both programs match one pair after the other, turn about, on one thread: reduction of both cells and get_rms_dist, with
nothing remembered from pair to pair (pymatgen's cache of reduced structures is emptied); making the objects is not
timed. Each time is the median of several runs. FILE holds {"pairs": [{"a", "b"}…]}; without it the ordered pairs of
crystal/tests/data/matching.json are taken. pymatgen comes from the package index, in a virtual environment made here
unless --python names an interpreter that has it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RUNS = 5
SETTINGS = {
    "default": {"ltol": 0.2, "stol": 0.3, "angle_tol": 5},
    "loose": {"ltol": 0.3, "stol": 0.5, "angle_tol": 10},
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="an interpreter that has pymatgen; otherwise a virtual environment is made")
    parser.add_argument("--pairs", type=Path, help="pairs of structures in JSON")
    return parser.parse_args()


def with_pymatgen(args):
    """Runs this script again under an interpreter that has pymatgen."""
    if os.environ.get("CELLWRIGHT_BENCH_INNER"):
        return
    env = dict(os.environ, CELLWRIGHT_BENCH_INNER="1", OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1")
    if args.python:
        os.execve(args.python, [args.python, *sys.argv], env)
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "bin", "python")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "pymatgen"], check=True)
        sys.exit(subprocess.run([python, *sys.argv], env=env, check=False).returncode)


def pairs(args):
    """The pairs, with a species by name for each site."""

    def plain(side):
        species = [s if isinstance(s, str) else next(iter(s)) for s in side["species"]]
        return {"lattice": side["lattice"], "species": species, "frac": side["frac"]}

    def ordered(side):
        return all(isinstance(s, str) or list(s.values()) == [1.0] for s in side["species"])

    path = args.pairs or ROOT / "crystal/tests/data/matching.json"
    listed = json.loads(path.read_text())["pairs"]
    return [[plain(p["a"]), plain(p["b"])] for p in listed if ordered(p["a"]) and ordered(p["b"])]


class Ours:
    """The example program `match_pairs`, spoken to in JSON lines."""

    def __init__(self):
        command = ["cargo", "build", "--release", "--quiet", "-p", "cellwright-crystal", "--example", "match_pairs"]
        subprocess.run(command, cwd=ROOT, check=True)
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        program = target / "release/examples/match_pairs"
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def match(self, pair, setting):
        self.process.stdin.write(json.dumps({"a": pair[0], "b": pair[1], **setting}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def theirs(pair, setting):
    """pymatgen's answer and the median time in seconds."""
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core import Lattice, Structure

    a, b = (Structure(Lattice.from_parameters(*s["lattice"]), s["species"], s["frac"]) for s in pair)
    matcher = StructureMatcher(**setting)
    times = []
    for _ in range(RUNS):
        StructureMatcher._get_reduced_istructure.cache_clear()
        # Lattices remember their reduced bases.
        a, b = a.copy(), b.copy()
        start = time.perf_counter()
        rms = matcher.get_rms_dist(a, b)
        times.append(time.perf_counter() - start)
    return rms, statistics.median(times)


def main():
    args = arguments()
    with_pymatgen(args)
    ours = Ours()
    listed = pairs(args)
    print(f"{len(listed)} pairs; medians over the pairs, in ms; pymatgen: median of {RUNS} runs")
    print(f"{'setting':9}{'pymatgen':>10}{'cellwright':>12}{'ratio':>8}{'prepared':>10}{'different':>11}")
    for name, setting in SETTINGS.items():
        slow, fast, prepared, ratios, different = [], [], [], [], 0
        for pair in listed:
            rms, seconds = theirs(pair, setting)
            answer = ours.match(pair, setting)
            agree = answer["rms"] is None if rms is None else answer["rms"] is not None and abs(answer["rms"] - rms[0]) < 1e-4
            different += not agree
            slow.append(seconds)
            fast.append(answer["seconds"])
            prepared.append(answer["prepared"])
            ratios.append(seconds / answer["seconds"])
        times = [1e3 * statistics.median(times) for times in (slow, fast, prepared)]
        ratio = statistics.median(ratios)
        print(f"{name:9}{times[0]:10.3f}{times[1]:12.4f}{ratio:8.0f}{times[2]:10.4f}{different:11}")


if __name__ == "__main__":
    main()
