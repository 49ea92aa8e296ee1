//! Fixtures of the rule.

use crate::testing::{check, check_fix, codes};

#[test]
fn atoms_meet_across_the_edge_of_the_cell() {
    check(
        r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
Cl1 0 0 0.992
^^^ error short-distance: Cl1 and Na1 are 0.045 Å apart: no two atoms come closer than 0.5 Å
| line 13 "Na1": Na1 at 0.045 Å (cell (0 0 -1) of Cl1)
"#,
    );
}

#[test]
fn a_bond_that_is_too_short_is_a_warning() {
    check(
        r#"
too short
1.0
5 0 0
0 5 0
0 0 5
Mg O
1 1
Direct
0 0 0
0.2 0 0
^^^^^^^ warning short-distance: O1 and Mg1 are 1.00 Å apart: less than 1.24 Å (0.6 of the sum of covalent radii)
| line 9 "0 0 0": Mg1 at 1.00 Å
"#,
    );
}

#[test]
fn bonds_as_they_are_say_nothing() {
    check(
        r#"
water, hydrogen, uranyl and acetylene in one large cell
1.0
20 0 0
0 20 0
0 0 20
O H U C
3 5 1 2
Cartesian
0 0 0
5 5 6.76
5 5 3.24
0.82 0 0
-0.2 0.8 0
10 10 10
10 10 10.74
15 14.07 15
5 5 5
15 15 15
15 16.2 15
"#,
    );
}

#[test]
fn one_bad_atom_is_one_finding() {
    check(
        r#"
octahedron
1.0
12 0 0
0 12 0
0 0 12
Mg O
6 6
Cartesian
6 6 6
^^^^^ warning short-distance: Mg1 and O1 are 0.90 Å apart: less than 1.24 Å (0.6 of the sum of covalent radii); 5 short distances more
| line 15 "6.9 6 6": O1 at 0.90 Å
| line 17 "6 6.9 6": O3 at 0.90 Å
| line 19 "6 6 6.9": O5 at 0.90 Å
| line 16 "5.1 6 6": O2 at 0.90 Å
| line 18 "6 5.1 6": O4 at 0.90 Å
| line 20 "6 6 5.1": O6 at 0.90 Å
1 1 1
4 1 1
1 4 1
1 1 4
4 4 1
6.9 6 6
5.1 6 6
6 6.9 6
6 5.1 6
6 6 6.9
6 6 5.1
"#,
    );
}

#[test]
fn a_wrong_scale_is_one_finding() {
    check(
        r#"
half the scale
0.55
5.64 0 0
0 5.64 0
0 0 5.64
Na Cl
4 4
Direct
0 0 0
0 0.5 0.5
0.5 0 0.5
0.5 0.5 0
0.5 0.5 0.5
0.5 0 0
^^^^^^^ warning short-distance: 8 of 8 atoms are too close to another: is the cell too small, or are the coordinates of the other kind? Nearest: Cl2 and Na1 are 1.55 Å apart: less than 1.61 Å (0.6 of the sum of covalent radii)
| line 9 "0 0 0": Na1 at 1.55 Å
0 0.5 0
0 0 0.5
"#,
    );
}

#[test]
fn alternatives_of_a_disorder_do_not_meet() {
    check(
        r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_disorder_assembly
_atom_site_disorder_group
O1 0 0 0 0.5 . .
O2 0 0 0.1 0.5 . .
F1 0.5 0.5 0.5 1 A 1
F2 0.5 0.5 0.6 1 A 2
N1 0.5 0 0.47 1 . -1
"#,
    );
}

#[test]
fn full_atoms_of_the_same_disorder_group_do() {
    check(
        r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_disorder_assembly
_atom_site_disorder_group
F1 0.5 0.5 0.5 A 1
F2 0.5 0.5 0.57 A 1
^^ error short-distance: F2 and F1 are 0.39 Å apart: no two atoms come closer than 0.5 Å
| line 15 "F1": F1 at 0.39 Å
"#,
    );
}

#[test]
fn symmetry_images_are_named() {
    check(
        r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P -1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 0.1 0.2 0.3
O2 0.92 0.81 0.7
^^ error short-distance: O2 and O1 are 0.13 Å apart: no two atoms come closer than 0.5 Å
| line 14 "O1": O1 at 0.13 Å (symmetry -x,-y,-z, cell (1 1 1) of O2)
"#,
    );
}

#[test]
fn an_atom_too_near_its_own_copy_says_so() {
    check(
        r#"
thin
1.0
0.7 0 0
0 8 0
0 0 8
Fe
1
Direct
0.25 0 0
^^^^^^^^ warning short-distance: Fe1 is 0.70 Å from its own copy in the next cell: less than 1.58 Å (0.6 of the sum of covalent radii)
| line 9 "0.25 0 0": 0.70 Å to cell (-1 0 0)
"#,
    );
}

#[test]
fn an_atom_beside_a_mirror_moves_onto_it() {
    check_fix(
        "short-distance",
        r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 m 1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0.10000 0.51700(3) 0.20000
"#,
        r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 m 1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0.10000 0.50000 0.20000
"#,
    );
}

#[test]
fn an_atom_beside_a_threefold_axis_gets_the_digits_it_needs() {
    check_fix(
        "short-distance",
        r#"
data_x
_cell_length_a 5
_cell_length_b 5
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_space_group_name_H-M_alt 'P 3'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0.3433 0.6767 0.2
"#,
        r#"
data_x
_cell_length_a 5
_cell_length_b 5
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_space_group_name_H-M_alt 'P 3'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0.333333 0.666667 0.2
"#,
    );
}

#[test]
fn rows_at_one_place_are_one_finding() {
    check(
        r#"
ammonium without its hydrogen
1.0
5 0 0
0 5 0
0 0 5
N H Cl
1 4 1
Direct
0 0 0
0 0 0
0 0 0
0 0 0
0 0 0
^^^^^ error short-distance: N1, H1, H2, H3 and H4 are at the same place: no two atoms can be
| line 9 "0 0 0": N1 at 0.000 Å
| line 10 "0 0 0": H1 at 0.000 Å
| line 11 "0 0 0": H2 at 0.000 Å
| line 12 "0 0 0": H3 at 0.000 Å
0.5 0.5 0.5
"#,
    );
}

#[test]
fn a_heap_of_atoms_is_one_finding() {
    let rows = "0.25 0.25 0.25\n".repeat(5000);
    let text = format!("heap\n1\n90 0 0\n0 90 0\n0 0 90\nFe\n5000\nDirect\n{rows}");
    assert_eq!(codes(&text), ["short-distance"]);
}

const CELL: &str = "data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
";

const ATOMS: &str = "loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
";

#[test]
fn the_whole_cell_beside_its_symmetry_is_one_finding() {
    check(&format!(
        "{CELL}_space_group_name_H-M_alt 'P -1'
{ATOMS}Na1 0.1 0.2 0.3 1
Na2 -0.1 -0.2 -0.3 1
Cl1 0.6 0.7 0.8 1
Cl2 0.4 0.3 0.2 1
^^^ error short-distance: 'P -1' makes 2 of the 4 rows from others: the table lists the whole cell, so delete those rows or declare P 1
| line 17 \"Cl1\": Cl1 at 0.000 Å (symmetry -x,-y,-z, cell (1 1 1) of Cl2)
"
    ));
}

#[test]
fn one_row_that_symmetry_makes_is_too_many() {
    check(&format!(
        "{CELL}_space_group_name_H-M_alt 'P -1'
_chemical_formula_sum 'Cl2 Na'
{ATOMS}Na1 0 0 0 1
Cl1 0.6 0.7 0.8 1
Cl2 0.4 0.3 0.2 1
^^^ error short-distance: Cl1 and Cl2 are at the same place: symmetry makes one from the other, so one row is too many
| line 17 \"Cl1\": Cl1 at 0.000 Å (symmetry -x,-y,-z, cell (1 1 1) of Cl2)
"
    ));
}

#[test]
fn alternatives_that_are_too_many_say_so() {
    check(&format!(
        "{CELL}{ATOMS}F1A 0.25 0.1 0.1 0.6
F1B 0.24 0.16 0.1 0.5
^^^ error short-distance: F1B and F1A are 0.34 Å apart: no two atoms come closer than 0.5 Å, and with occupancies that add up to 1.1 they meet in some cells
| line 14 \"F1A\": F1A at 0.34 Å
"
    ));
}

#[test]
fn coordinates_that_are_no_fractions_are_guessed() {
    check(&format!(
        "{CELL}{ATOMS}Cs1 0 0 0 1
Cl1 2.82 2.82 2.82 1
^^^ warning short-distance: Cl1 and Cs1 are 1.76 Å apart: less than 2.08 Å (0.6 of the sum of covalent radii); are the coordinates in Å?
| line 14 \"Cs1\": Cs1 at 1.76 Å (cell (-3 -3 -3) of Cl1)
"
    ));
}
