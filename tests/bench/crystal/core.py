#!/usr/bin/env python3
"""Times lattice reduction, neighbour lists and symmetry against pymatgen, spglib and gemmi, and compares the answers.

    tests/bench/crystal/core.py [--python PYTHON]

All programs answer the same structures in one run, turn about, on one thread; a figure is the median over its cases of
the median of nine runs. Times of Python programs hold the call alone, not the making of their objects. The references
come from the package index (`pymatgen spglib gemmi`), in a virtual environment made here unless --python names one that
has them.
"""

import argparse
import math
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import reference
from example import Example

PACKAGES = ["pymatgen", "spglib", "gemmi"]
RUNS = 9


def timed(run):
    """Median seconds of a call, and what it gave."""
    result, times = run(), []
    for _ in range(RUNS):
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def repeated(lattice, sites, times, push=0.0):
    """A cell repeated, every atom pushed by up to so many Å in a fixed way."""
    rows = [[x * n for x in row] for row, n in zip(lattice, times)]
    species, frac = [], []
    for number, position in sites:
        for i in range(times[0]):
            for j in range(times[1]):
                for k in range(times[2]):
                    moved = [push * math.sin(1.7 * n * len(species)) / math.hypot(*rows[n - 1]) for n in (1, 2, 3)]
                    frac.append([(p + c) / n + m for p, c, n, m in zip(position, (i, j, k), times, moved)])
                    species.append(number)
    return {"lattice": rows, "species": species, "frac": frac}


def prototypes():
    u, h = 0.305, 4.76 / 2
    cube = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    corners = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
    salt = [(z, tuple(c + s for c in corner)) for z, s in ((11, 0), (17, 0.5)) for corner in corners]
    rutile = [(22, (0, 0, 0)), (22, (0.5, 0.5, 0.5)), (8, (u, u, 0)), (8, (-u, -u, 0)),
              (8, (0.5 + u, 0.5 - u, 0.5)), (8, (0.5 - u, 0.5 + u, 0.5))]
    perovskite = [(20, (0.5, 0.5, 0.5)), (22, (0, 0, 0)), (8, (0.5, 0, 0)), (8, (0, 0.5, 0)), (8, (0, 0, 0.5))]
    wurtzite = [(30, (1 / 3, 2 / 3, 0)), (30, (2 / 3, 1 / 3, 0.5)), (8, (1 / 3, 2 / 3, 0.382)), (8, (2 / 3, 1 / 3, 0.882))]
    return [
        ([[5.64 * x for x in row] for row in cube], salt),
        ([[4.59, 0, 0], [0, 4.59, 0], [0, 0, 2.96]], rutile),
        ([[3.9 * x for x in row] for row in cube], perovskite),
        ([[3.25, 0, 0], [-1.625, 1.625 * math.sqrt(3), 0], [0, 0, 5.2]], wurtzite),
        ([[-h, h, h], [h, -h, h], [h, h, -h]], [(26, (0, 0, 0))]),
    ]


def lattices(count):
    """Lattices at random, each sheared a few times."""
    shuffle = random.Random(1)
    for _ in range(count):
        rows = [[shuffle.uniform(-4, 4) + 6 * (i == j) for j in range(3)] for i in range(3)]
        for _ in range(shuffle.randrange(5)):
            i, j = shuffle.sample(range(3), 2)
            factor = shuffle.choice([-3, -2, -1, 1, 2, 3])
            rows[i] = [a + factor * b for a, b in zip(rows[i], rows[j])]
        yield {"lattice": rows, "species": [], "frac": []}


def report(name, rows, agree):
    """One line for each reference: how often its answer is ours, and both times."""
    for program, (ours, theirs, same) in rows.items():
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"{name:32} | {program:9} | {1e6 * a:10.1f} | {1e6 * b:11.1f} | {b / a:7.1f} | {sum(same)} of {len(same)} {agree}")


def compare(name, ours, cases, task, parameter, references, agree):
    rows = {program: ([], [], []) for program in references}
    for case in cases:
        for program, (prepare, call, read, same) in references.items():
            prepared = prepare(case)
            reply = ours.ask({"task": task, "parameter": parameter, **case})
            seconds, answer = reply["seconds"], reply["answer"]
            their_seconds, result = timed(lambda: call(prepared))
            row = rows[program]
            row[0].append(seconds)
            row[1].append(their_seconds)
            row[2].append(same(answer, read(result)))
    report(name, rows, agree)


def close(tolerance):
    return lambda a, b: all(abs(x - y) <= tolerance * max(1, abs(y)) for x, y in zip(a, b, strict=True))


def main(ours):
    import gemmi
    import spglib
    from pymatgen.core import Lattice, Structure

    print(f"{'':32} | reference | ours, µs   | theirs, µs  | ratio   | answers")

    def cell_of(rows):
        return list(Lattice(rows).parameters)

    reductions = {
        "pymatgen": (lambda c: Lattice(c["lattice"]), lambda p: p.get_niggli_reduced_lattice(tol=1e-5),
                     lambda r: list(r.parameters), close(1e-4)),
        "spglib": (lambda c: c["lattice"], lambda p: spglib.niggli_reduce(p, eps=1e-5), cell_of, close(1e-4)),
        "gemmi": (lambda c: gemmi.UnitCell(*cell_of(c["lattice"])), niggli_of_gemmi, list, close(1e-4)),
    }
    compare("niggli, 200 skewed lattices", ours, list(lattices(200)), "niggli", 1e-5, reductions, "alike")

    def pymatgen(case):
        return Structure(Lattice(case["lattice"]), case["species"], case["frac"])

    def gemmi_cell(case):
        small = gemmi.SmallStructure()
        small.cell = gemmi.UnitCell(*cell_of(case["lattice"]))
        small.spacegroup_hm = "P 1"
        for number, position in zip(case["species"], case["frac"]):
            site = gemmi.SmallStructure.Site()
            site.element, site.fract, site.occ = gemmi.Element(number), gemmi.Fractional(*position), 1.0
            small.add_site(site)
        small.setup_cell_images()
        return small

    def gemmi_pairs(small):
        search = gemmi.NeighborSearch(small, 5.0).populate(include_h=True)
        marks = [m for site in small.sites for m in search.find_site_neighbors(site, min_dist=1e-6, max_dist=5.0)]
        return [len(marks)]

    neighbours = {
        "pymatgen": (pymatgen, lambda p: p.get_neighbor_list(5.0), lambda r: [len(r[0]), float(r[3].sum())], close(1e-9)),
        "gemmi": (gemmi_cell, gemmi_pairs, list, lambda a, b: a[0] == b[0]),
    }
    for times, atoms in (((1, 1, 1), "a cell"), ((3, 3, 3), "27 cells"), ((8, 8, 8), "512 cells")):
        cases = [repeated(*prototype, times, push=0.05) for prototype in prototypes()]
        compare(f"neighbours within 5 Å, {atoms}", ours, cases, "neighbors", 5.0, neighbours, "alike")

    symmetries = {
        "spglib": (lambda c: (c["lattice"], c["frac"], c["species"]), lambda p: spglib.get_symmetry_dataset(p, symprec=0.01),
                   lambda r: [r.number, len(r.rotations)], lambda a, b: a == b),
    }
    for times, atoms in (((1, 1, 1), "a cell"), ((3, 3, 3), "27 cells"), ((5, 5, 5), "125 cells")):
        cases = [repeated(*prototype, times, push=0.001) for prototype in prototypes()]
        compare(f"space group, {atoms}", ours, cases, "symmetry", 0.01, symmetries, "alike")


def niggli_of_gemmi(cell):
    import gemmi
    vector = gemmi.GruberVector(cell, "P")
    vector.normalize()
    vector.niggli_reduce()
    return vector.cell_parameters()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reference.add_argument(parser, ", ".join(PACKAGES))
    reference.under(parser.parse_args().python, PACKAGES)
    with Example("measure") as ours:
        main(ours)
