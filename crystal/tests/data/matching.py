"""Makes matching.json: pairs of structures of our own with what pymatgen says of them.

    pip install pymatgen==2025.10.7
    python matching.py > matching.json

Structures are a, b, c (Å), α, β, γ (degrees) and sites: species with occupancies, fractional coordinates.
Numbers are those of StructureMatcher with its default tolerances: get_rms_dist (rms and largest distance),
fit, get_rms_anonymous, fit_anonymous and get_best_electronegativity_anonymous_mapping.
"""

import json
import random
import sys

from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

random.seed(20251107)


def cell(lattice, sites):
    """A structure from `{"Fe": 0.5, "Ni": 0.5}` or `"Fe"` and coordinates."""
    species = [s if isinstance(s, dict) else {s: 1.0} for s, _ in sites]
    return {"lattice": lattice, "species": species, "frac": [list(f) for _, f in sites]}


def rock_salt(a, m, x):
    corners = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
    other = [((u + 0.5) % 1, v, w) for u, v, w in corners]
    return cell([a, a, a, 90, 90, 90], [(m, c) for c in corners] + [(x, c) for c in other])


def caesium_chloride(a, m, x):
    return cell([a, a, a, 90, 90, 90], [(m, (0, 0, 0)), (x, (0.5, 0.5, 0.5))])


def perovskite(a, big, small, anion):
    faces = [(0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    return cell(
        [a, a, a, 90, 90, 90],
        [(big, (0, 0, 0)), (small, (0.5, 0.5, 0.5))] + [(anion, f) for f in faces],
    )


def rutile(a, c, m, x, u=0.305):
    xs = [(u, u, 0), (-u, -u, 0), (0.5 + u, 0.5 - u, 0.5), (0.5 - u, 0.5 + u, 0.5)]
    return cell([a, a, c, 90, 90, 90], [(m, (0, 0, 0)), (m, (0.5, 0.5, 0.5))] + [(x, f) for f in xs])


def wurtzite(a, c, m, x, u=0.377):
    t = 1 / 3
    return cell(
        [a, a, c, 90, 90, 120],
        [(m, (t, 2 * t, 0)), (m, (2 * t, t, 0.5)), (x, (t, 2 * t, u)), (x, (2 * t, t, 0.5 + u))],
    )


def zinc_blende(a, m, x):
    corners = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
    other = [(u + 0.25, v + 0.25, w + 0.25) for u, v, w in corners]
    return cell([a, a, a, 90, 90, 90], [(m, c) for c in corners] + [(x, c) for c in other])


def many(elements, shift=0.0):
    """One atom of each element in a low cell, at places that look alike to none of the others."""
    sites = []
    for i, element in enumerate(elements):
        f = ((0.137 * i) % 1, (0.311 * i + shift * (i % 2)) % 1, (0.073 * i * i) % 1)
        sites.append((element, f))
    edge = (14.0 * len(elements)) ** (1 / 3)
    return cell([edge, 1.1 * edge, 0.95 * edge, 85, 97, 101], sites)


def perturbed(structure, size):
    """Every atom moved, as a fraction of the cell edges."""
    moved = [[x + random.gauss(0, size) / l for x, l in zip(f, structure["lattice"])] for f in structure["frac"]]
    return {**structure, "frac": moved}


def strained(structure, by):
    lattice = [l * (1 + random.uniform(-by, by)) for l in structure["lattice"][:3]]
    angles = [a + 40 * random.uniform(-by, by) for a in structure["lattice"][3:]]
    return {**structure, "lattice": lattice + angles}


def repeated(structure, n, axis=2):
    lattice = list(structure["lattice"])
    lattice[axis] *= n
    species, frac = [], []
    for s, f in zip(structure["species"], structure["frac"]):
        for i in range(n):
            g = list(f)
            g[axis] = (g[axis] + i) / n
            species.append(s)
            frac.append(g)
    return {"lattice": lattice, "species": species, "frac": frac}


def moved(structure):
    """The same crystal from another origin, atoms in another order."""
    shift = [random.random() for _ in range(3)]
    order = list(range(len(structure["frac"])))
    random.shuffle(order)
    frac = [[x + s for x, s in zip(structure["frac"][i], shift)] for i in order]
    return {**structure, "species": [structure["species"][i] for i in order], "frac": frac}


def pairs():
    salt = rock_salt(5.64, "Na", "Cl")
    oxide = rutile(4.594, 2.959, "Ti", "O")
    titanate = perovskite(3.905, "Sr", "Ti", "O")
    zinc = wurtzite(3.25, 5.2, "Zn", "O")
    alloy = rock_salt(4.2, {"Mg": 0.75, "Fe": 0.25}, "O")
    five = ["Cr", "Mn", "Fe", "Co", "Ni"]
    eight = ["Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu"]
    yield "the same", salt, moved(salt)
    yield "supercell", titanate, moved(repeated(titanate, 2))
    yield "supercell with noise", titanate, moved(perturbed(repeated(titanate, 3), 0.03))
    yield "noise", oxide, moved(perturbed(oxide, 0.1))
    yield "more noise", zinc, moved(perturbed(zinc, 0.3))
    yield "strain", oxide, moved(strained(oxide, 0.05))
    yield "strain of a supercell", zinc, moved(strained(repeated(zinc, 2, 0), 0.04))
    yield "strain and noise", titanate, moved(strained(perturbed(titanate, 0.15), 0.06))
    yield "another lattice constant", salt, rock_salt(6.2, "Na", "Cl")
    yield "another type", salt, caesium_chloride(3.5, "Na", "Cl")
    yield "wurtzite and zinc blende", zinc, zinc_blende(4.6, "Zn", "O")
    yield "another parameter", oxide, rutile(4.594, 2.959, "Ti", "O", 0.28)
    yield "another composition", salt, rutile(4.6, 3.0, "Na", "Cl")
    yield "other elements", salt, rock_salt(4.21, "Mg", "O")
    yield "prototype", titanate, strained(perovskite(4.0, "Ba", "Zr", "S"), 0.02)
    yield "antiperovskite", titanate, perovskite(4.3, "O", "Br", "Na")
    yield "fluoride", oxide, moved(perturbed(rutile(4.62, 3.05, "Mg", "F"), 0.05))
    yield "mixed site", alloy, moved(perturbed(alloy, 0.05))
    yield "mixed site and pure", alloy, rock_salt(4.2, "Mg", "O")
    yield "another mixture", alloy, rock_salt(4.2, {"Mg": 0.5, "Fe": 0.5}, "O")
    yield "mixture of other elements", alloy, rock_salt(4.4, {"Ca": 0.75, "Mn": 0.25}, "S")
    yield "vacancies", rock_salt(4.3, {"Fe": 0.9}, "O"), moved(rock_salt(4.3, {"Fe": 0.9}, "O"))
    yield "five elements", many(five), moved(perturbed(many(five), 0.08))
    yield "five others", many(five), moved(many(["Zr", "Nb", "Mo", "Ru", "Rh"], 0.01))
    yield "five in another order", many(five), moved(many(five[::-1]))
    yield "eight elements", many(eight), moved(many(eight[3:] + eight[:3], 0.01))


def structure(case):
    return Structure(Lattice.from_parameters(*case["lattice"]), case["species"], case["frac"])


def names(mapping):
    return sorted([str(a), str(b)] for a, b in mapping.items()) if mapping else None


matcher = StructureMatcher()
out = []
for name, a, b in pairs():
    s, t = structure(a), structure(b)
    rms = matcher.get_rms_dist(s, t)
    anonymous, _ = matcher.get_rms_anonymous(s, t)
    out.append(
        {
            "name": name,
            "a": a,
            "b": b,
            "rms": None if rms is None else rms[0],
            "max": None if rms is None else rms[1],
            "fit": bool(matcher.fit(s, t)),
            "rms_anonymous": anonymous,
            "fit_anonymous": matcher.fit_anonymous(s, t),
            "substitution": names(matcher.get_best_electronegativity_anonymous_mapping(s, t)),
        }
    )
lines = ",\n".join(json.dumps(case) for case in out)
sys.stdout.write('{"pairs": [\n' + lines + "\n]}\n")
