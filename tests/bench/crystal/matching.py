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
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import reference
from example import ROOT, Example

RUNS = 5
SETTINGS = {
    "default": {"ltol": 0.2, "stol": 0.3, "angle_tol": 5},
    "loose": {"ltol": 0.3, "stol": 0.5, "angle_tol": 10},
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reference.add_argument(parser, "pymatgen")
    parser.add_argument("--pairs", type=Path, help="pairs of structures in JSON")
    return parser.parse_args()


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


def main(listed, ours):
    print(f"{len(listed)} pairs; medians over the pairs, in ms; pymatgen: median of {RUNS} runs")
    print(f"{'setting':9}{'pymatgen':>10}{'cellwright':>12}{'ratio':>8}{'prepared':>10}{'different':>11}")
    for name, setting in SETTINGS.items():
        slow, fast, prepared, ratios, different = [], [], [], [], 0
        for pair in listed:
            rms, seconds = theirs(pair, setting)
            answer = ours.ask({"a": pair[0], "b": pair[1], **setting})
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
    args_ = arguments()
    reference.under(args_.python, ["pymatgen"])
    with Example("match_pairs") as ours_:
        main(pairs(args_), ours_)
