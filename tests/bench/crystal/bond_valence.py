#!/usr/bin/env python3
"""Compares bond-valence sums with pymatgen's and with the oxidation states that its BVAnalyzer finds.

    tests/bench/crystal/bond_valence.py --structures FILE [--count 300] [--python PYTHON]

FILE holds one structure a line, {"Z", "frac", "lattice"} with a, b, c (Å), α, β, γ (degrees), packed with zstd or not; the
first oxides and halides for which BVAnalyzer has an answer are taken. The sums over its states are compared with
pymatgen's own formula (b = 0.31 Å) to the last digits; then it is counted how often sums lie within 20 and 25 % of the
state, and how large the global instability index of a structure is (the root mean square of sum less state, Salinas-Sanchez
et al., J. Solid State Chem. 100, 201 (1992)). Elements whose sums miss their states most are listed, and how often the
states that this project holds for certain are those of BVAnalyzer.
"""

import argparse
import io
import json
import math
import statistics
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import reference
from example import Example

PACKAGES = ["pymatgen", "zstandard"]
ANIONS = {8, 9, 17, 35, 53}
CUTOFF = 4.0
# pymatgen's b, and that of Brown & Altermatt which this project takes unless told otherwise (Å).
THEIRS, OURS = 0.31, 0.37


def lines(path):
    if path.suffix != ".zst":
        return path.open()
    import zstandard
    return io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(path.open("rb")))


def analysed(path, count):
    """Structures with the states of BVAnalyzer, and how many were looked at."""
    from pymatgen.analysis.bond_valence import BVAnalyzer
    from pymatgen.core import Lattice, Structure

    found, looked = [], 0
    for line in lines(path):
        case = json.loads(line)
        if len(found) == count:
            break
        if not ANIONS & set(case["Z"]) or len(set(case["Z"])) < 2 or 1 in case["Z"]:
            continue
        looked += 1
        structure = Structure(Lattice.from_parameters(*case["lattice"]), case["Z"], case["frac"])
        try:
            found.append((case.get("id"), structure, BVAnalyzer(max_permutations=2000).get_valences(structure)))
        except ValueError:
            pass
    return found, looked


def pymatgen_sums(structure, scale):
    from pymatgen.analysis.bond_valence import calculate_bv_sum

    return [calculate_bv_sum(site, structure.get_neighbors(site, CUTOFF), scale_factor=scale) for site in structure]


def shares(pairs):
    """How many of (sum, state) lie within 20 and 25 %, in percent."""
    off = [abs(total - state) / abs(state) for total, state in pairs]
    return [100 * sum(x <= limit for x in off) / len(off) for limit in (0.2, 0.25)]


def index(sums, states):
    return math.sqrt(statistics.fmean((a - b) ** 2 for a, b in zip(sums, states)))


def main(args, ours):
    found, looked = analysed(args.structures, args.count)
    same = sites = equal = known = 0
    pairs, indices, ratios = defaultdict(list), defaultdict(list), defaultdict(list)
    for _, structure, states in found:
        question = {"task": "bond_valence", "lattice": structure.lattice.matrix.tolist(),
                    "species": list(structure.atomic_numbers), "frac": structure.frac_coords.tolist(), "states": states}
        plain = pymatgen_sums(structure, 1.0)
        variants = {
            "ours, b 0.37 Å": ours.ask({**question, "parameter": OURS})["answer"]["sums"],
            "ours, b 0.31 Å": ours.ask({**question, "parameter": THEIRS})["answer"]["sums"],
            "pymatgen": plain,
            "pymatgen, distances × 1.015": pymatgen_sums(structure, 1.015),
        }
        # pymatgen adds bonds of unlike elements, this project those of ions of unlike sign: alike in simple salts.
        simple = all((q < 0) == (z in ANIONS) for q, z in zip(states, structure.atomic_numbers))
        simple = simple and len({z for z in structure.atomic_numbers if z in ANIONS}) == 1
        simple = simple and sum(z not in ANIONS for z in set(structure.atomic_numbers)) == 1
        for total, mine in zip(plain, variants["ours, b 0.31 Å"]):
            if simple and mine is not None:
                sites += 1
                same += abs(total - mine) < 1e-5
        if any(x is None for sums in variants.values() for x in sums) or 0 in states:
            continue
        for name, sums in variants.items():
            pairs[name] += zip(sums, states)
            indices[name].append(index(sums, states))
        for z, total, state in zip(structure.atomic_numbers, variants["ours, b 0.37 Å"], states):
            ratios[z, state].append(total / state)
        certain = ours.ask({**question, "states": None, "parameter": OURS})["answer"]["states"]
        if certain is not None:
            known += 1
            equal += all(abs(a - b) < 1e-6 for a, b in zip(certain, states))
    print(f"{len(found)} of {looked} oxides and halides have states by BVAnalyzer; {len(indices['pymatgen'])} have all sums")
    print(f"sums with b = {THEIRS} Å equal pymatgen's to 1e-5 on {same} of {sites} sites of binary salts")
    print(f"states held for certain are BVAnalyzer's in {equal} of {known} structures")
    print(f"{'':30}{'within 20 %':>12}{'within 25 %':>12}{'median GII':>12}")
    for name, list_ in pairs.items():
        near, nearer = shares(list_)
        print(f"{name:30}{near:11.1f}%{nearer:11.1f}%{statistics.median(indices[name]):12.3f}")
    from pymatgen.core import Element
    worst = sorted(((statistics.median(r), z, q, len(r)) for (z, q), r in ratios.items() if len(r) >= 5),
                   key=lambda row: -abs(math.log(max(row[0], 1e-3))))
    print("sum / state by element, farthest from 1 (median, sites): " + ", ".join(
        f"{Element.from_Z(z).symbol}{q:+} {ratio:.2f} ({n})" for ratio, z, q, n in worst[:15]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--structures", type=Path, required=True, help="structures, one a line")
    parser.add_argument("--count", type=int, default=300, help="how many to compare")
    reference.add_argument(parser, ", ".join(PACKAGES))
    args_ = parser.parse_args()
    reference.under(args_.python, PACKAGES)
    with Example("measure") as ours_:
        main(args_, ours_)
