//! What is read from texts of every kind.

mod common;

use cellwright_crystal::structure::wrap_half;
use cellwright_crystal::symmetry::Setting;
use cellwright_crystal::{LatticeError, Structure};
use cellwright_syntax::reading::{Cell, ObstacleKind, OperationSource, Reading};
use cellwright_syntax::{Language, Parsed};
use proptest::prelude::*;

const CELL: &str = "_cell_length_a 5\n_cell_length_b 6\n_cell_length_c 7\n_cell_angle_alpha 90\n\
                    _cell_angle_beta 90\n_cell_angle_gamma 90\n";
const CUBE: &str = "_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 5\n_cell_angle_alpha 90\n\
                    _cell_angle_beta 90\n_cell_angle_gamma 90\n";
const HEXAGONAL: &str = "_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 15\n_cell_angle_alpha 90\n\
                         _cell_angle_beta 90\n_cell_angle_gamma 120\n";
const SITES: &str = "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n\
                     _atom_site_fract_z\n_atom_site_occupancy\n";

/// The one reading of a block made of these parts.
fn read(parts: &[&str]) -> Reading {
    let text = format!("data_x\n{}", parts.concat());
    let mut parsed = common::cif(&text);
    assert_eq!(parsed.readings.len(), 1, "{text}");
    let reading = parsed.readings.remove(0);
    consistent(&reading);
    reading
}

fn poscar(text: &str) -> Reading {
    let mut parsed = common::poscar(text);
    assert_eq!(parsed.readings.len(), 1, "{text}");
    let reading = parsed.readings.remove(0);
    consistent(&reading);
    reading
}

/// What holds for every reading: the source map leads from every atom to the row and operation that make it.
fn consistent(reading: &Reading) {
    let symmetry = &reading.symmetry;
    assert_eq!(symmetry.operations[0].to_string(), "x,y,z");
    if symmetry.source == OperationSource::Xyz {
        assert_eq!(symmetry.operation_spans.len(), symmetry.operations.len());
    }
    let Some(structure) = &reading.structure else {
        assert!(reading.origins.is_empty());
        return;
    };
    assert_eq!(structure.len(), reading.origins.len());
    let mut multiplicity = vec![0; reading.sites.len()];
    for (atom, origin) in structure.sites.iter().zip(&reading.origins) {
        let row = &reading.sites[origin.site];
        multiplicity[origin.site] += 1;
        let image = symmetry.operations[origin.operation].apply(&row.frac.unwrap());
        assert!((image - atom.frac).map(wrap_half).norm() < 1e-12);
        assert_eq!((atom.element, atom.occupancy), (row.element, row.occupancy));
    }
    for (row, count) in reading.sites.iter().zip(multiplicity) {
        assert_eq!(row.multiplicity, count, "{}", row.label);
    }
}

fn formula(reading: &Reading) -> String {
    reading.structure.as_ref().map_or("nothing".to_owned(), |s| s.composition().to_string())
}

fn kinds(reading: &Reading) -> Vec<ObstacleKind> {
    reading.obstacles.iter().map(|o| o.kind).collect()
}

#[test]
fn names_are_spelled_in_many_ways() {
    let dotted = |s: &str| {
        s.replace("_cell_", "_cell.")
            .replace("_atom_site_", "_atom_site.")
            .replace("symop_operation", "symop.operation")
    };
    for list in ["_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz"] {
        let operations = format!("loop_\n{list}\nx,y,z\n'-x, -y, -z'\n");
        let parts = [CELL, &operations, SITES, "Fe1 Fe .1 .2 .3 1\n"];
        assert_eq!(formula(&read(&parts)), "Fe2");
        let shouted = parts.concat().replace("_cell", "_CELL").replace("_atom_site", "_Atom_Site");
        assert_eq!(formula(&read(&[&shouted])), "Fe2");
        let text = format!("data_x\n{}", dotted(&parts.concat()));
        assert_eq!(formula(&common::cif(&text).readings[0]), "Fe2", "{text}");
    }
}

#[test]
fn symmetry_comes_from_the_list_then_hall_then_hermann_mauguin_then_number() {
    use OperationSource as From;
    let atom = [SITES, "Fe1 Fe .11 .27 .34 1\n"].concat();
    let cases = [
        ("", CELL, From::Nothing, 1),
        ("_space_group_IT_number 47\n", CELL, From::Number, 8),
        ("_symmetry_Int_Tables_number 47\n", CELL, From::Number, 8),
        ("_space_group.IT_number 47\n", CELL, From::Number, 8),
        ("_symmetry_space_group_name_H-M 'P 2 2 2'\n", CELL, From::HermannMauguin, 4),
        ("_space_group_name_H-M_alt 'P 21 21 21'\n", CELL, From::HermannMauguin, 4),
        ("_space_group_name_H-M_full 'P 2/m 2/m 2/m'\n", CELL, From::HermannMauguin, 8),
        ("_symmetry.space_group_name_H-M 'P 21 21 21'\n", CELL, From::HermannMauguin, 4),
        ("_space_group_name_Hall '-P 2 2'\n_space_group_IT_number 1\n", CELL, From::Hall, 8),
        ("_symmetry_space_group_name_H-M ?\n_space_group_IT_number 2\n", CELL, From::Number, 2),
        ("_space_group_IT_number 2\n_symmetry_equiv_pos_as_xyz x,y,z\n", CELL, From::Xyz, 1),
        ("_symmetry_space_group_name_H-M 'F m -3 m'\n", CUBE, From::HermannMauguin, 192),
        ("_symmetry_space_group_name_H-M Fm-3m\n", CUBE, From::HermannMauguin, 192),
        ("_symmetry_space_group_name_H-M 'R -3 m'\n", HEXAGONAL, From::HermannMauguin, 36),
        ("_symmetry_space_group_name_H-M 'R -3 m'\n", CUBE, From::HermannMauguin, 12),
        ("_space_group_IT_number 166\n", HEXAGONAL, From::Number, 36),
        ("_space_group_IT_number 166\n", CUBE, From::Number, 12),
    ];
    for (declared, cell, source, multiplicity) in cases {
        let reading = read(&[cell, declared, &atom]);
        assert_eq!(reading.symmetry.source, source, "{declared}");
        assert_eq!(reading.sites[0].multiplicity, multiplicity, "{declared}");
        assert_eq!(kinds(&reading), [], "{declared}");
    }
}

#[test]
fn the_cell_says_which_axis_is_unique() {
    let atom = [SITES, "Fe1 Fe .11 .27 .34 1\n"].concat();
    let symbol = "_symmetry_space_group_name_H-M 'P 2/m'\n";
    let oblique = CELL.replace("gamma 90", "gamma 101");
    let b = read(&[&CELL.replace("beta 90", "beta 101"), symbol, &atom]);
    let c = read(&[&oblique, symbol, &atom]);
    let second =
        |r: &Reading| r.symmetry.operations.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(second(&b).contains(&"-x,y,-z".to_owned()), "{:?}", second(&b));
    assert!(second(&c).contains(&"-x,-y,z".to_owned()), "{:?}", second(&c));
}

#[test]
fn the_atoms_say_which_origin_is_meant() {
    let atoms = |declared: &str, rows: &str| formula(&read(&[CUBE, declared, SITES, rows]));
    for declared in ["_symmetry_space_group_name_H-M 'F d -3 m'\n", "_space_group_IT_number 227\n"]
    {
        assert_eq!(atoms(declared, "Si1 Si 0 0 0 1\n"), "Si8");
        assert_eq!(atoms(declared, "Si1 Si 0.125 0.125 0.125 1\n"), "Si8");
        // Either origin of spinel has 56 atoms, one of them the right ones.
        let spinel = "Mg1 Mg .125 .125 .125 1\nAl1 Al .5 .5 .5 1\nO1 O .2624 .2624 .2624 1\n";
        assert_eq!(atoms(declared, spinel), "Mg8 Al16 O32");
        let other = "Mg1 Mg 0 0 0 1\nAl1 Al .625 .625 .625 1\nO1 O .3874 .3874 .3874 1\n";
        let sum = ["_chemical_formula_sum 'Al2 Mg O4'\n", declared].concat();
        assert_eq!(atoms(&sum, other), "Mg8 Al16 O32");
    }
}

#[test]
fn only_the_first_model_counts() {
    let sites = SITES.replace("_occupancy\n", "_occupancy\n_atom_site_pdbx_PDB_model_num\n");
    let reading = read(&[CELL, &sites, "C1 C .1 0 0 1 1\nC2 C .2 0 0 1 1\nC1 C .1 0 0 1 2\n"]);
    let rows: Vec<_> = reading.sites.iter().map(|s| s.multiplicity).collect();
    assert_eq!(rows, [1, 1, 0]);
}

#[test]
fn the_identity_goes_to_the_front_with_its_place() {
    let list = "loop_\n_symmetry_equiv_pos_as_xyz\n'-x,-y,-z'\n'x+1,y,z'\n";
    let text = format!("data_x\n{CELL}{list}{SITES}Fe1 Fe 1.1 -.2 .3 1\n");
    let parsed = common::cif(&text);
    let symmetry = &parsed.readings[0].symmetry;
    let spans: Vec<_> = symmetry.operation_spans.iter().map(|s| s.text(&text)).collect();
    assert_eq!(spans, ["'x+1,y,z'", "'-x,-y,-z'"]);
    let structure = parsed.readings[0].structure.as_ref().unwrap();
    // The row itself stays as given, its images are wrapped.
    assert_eq!(structure.sites[0].frac.as_slice(), [1.1, -0.2, 0.3]);
    assert!(structure.sites[1].frac.iter().all(|x| (0.0..1.0).contains(x)));
    let without = "loop_\n_symmetry_equiv_pos_as_xyz\n'-x,-y,-z'\n";
    let reading = read(&[CELL, without, SITES, "Fe1 Fe .1 .2 .3 1\n"]);
    assert_eq!(formula(&reading), "Fe2");
}

#[test]
fn operations_name_their_setting() {
    let setting = |list: &str| {
        let list = format!("loop_\n_symmetry_equiv_pos_as_xyz\n{list}\n");
        read(&[CELL, &list, SITES, "Fe1 Fe .1 .2 .3 1\n"]).symmetry.setting.map(Setting::number)
    };
    assert_eq!(setting("x,y,z"), Some(1));
    assert_eq!(setting("-x,-y,-z x,y,z"), Some(2));
    assert_eq!(setting("x,y,z -x,y+.5,-z"), Some(4));
    assert_eq!(setting("x,y,z 1/7+x,y,z"), None);
}

#[test]
fn magnetic_operations_move_atoms_too() {
    let list = "loop_\n_space_group_symop_magn_operation.id\n_space_group_symop_magn_operation.xyz\n\
                1 x,y,z,+1\n2 -x,-y,-z,-1\nloop_\n_space_group_symop_magn_centering.id\n\
                _space_group_symop_magn_centering.xyz\n1 x,y,z,+1\n2 x+1/2,y,z,-1\n";
    assert_eq!(formula(&read(&[CELL, list, SITES, "Fe1 Fe .1 .2 .3 1\n"])), "Fe4");
}

#[test]
fn special_positions_are_one_atom() {
    // P 63/m m c, as far as it acts on 1/3 2/3 1/4.
    let list = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z -y,x-y,z -x+y,-x,z -x,-y,z+1/2 y,-x+y,z+1/2 x-y,x,z+1/2\n";
    for third in [
        "0.3333 0.6667 0.25",
        "0.33 0.67 .25",
        "0.333330 0.666670 .250",
        "0.33333333 0.66666667 0.25",
    ] {
        let reading = read(&[HEXAGONAL, list, SITES, &format!("Co1 Co {third} 1\n")]);
        assert_eq!(formula(&reading), "Co2", "{third}");
    }
    // An atom that no rounding puts on the axis is split, be it written with few digits or near the axis.
    for beside in ["0.35 0.67 0.25", "0.31667 0.66667 0.25", "0.35000 0.66667 0.25"] {
        let reading = read(&[HEXAGONAL, list, SITES, &format!("Co1 Co {beside} .3333\n")]);
        assert_eq!(reading.sites[0].multiplicity, 6, "{beside}");
    }
}

#[test]
fn rows_are_never_merged_with_each_other() {
    let rows = "Mg1 Mg 0 0 0 .7\nFe1 Fe 0 0 0 .3\nFe2 Fe 0 0 0 1\n";
    let reading = read(&[CELL, SITES, rows]);
    assert_eq!(reading.structure.unwrap().len(), 3);
}

#[test]
fn species_are_read_from_symbols_first_and_labels_last() {
    let reading =
        read(&[CELL, SITES, "Fe1 Mn .1 0 0 1\nO1 . .2 0 0 1\nCL1 CL .3 0 0 .5\nD1 D .4 0 0 1\n"]);
    assert_eq!(formula(&reading), "Mn1 H1 Cl0.5 O1");
    let labels = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
                  CA1 0 0 0\nC1 .1 .1 .1\nOW1 .2 .2 .2\nSi(1) .3 .3 .3\n";
    assert_eq!(
        formula(&read(&[CELL, "_chemical_formula_sum 'C4 H2 O Si'\n", labels])),
        "Si1 C2 O1"
    );
    assert_eq!(
        formula(&read(&[CELL, "_chemical_formula_sum 'Ca C O3 Si'\n", labels])),
        "Ca1 Si1 C1 O1"
    );
}

#[test]
fn oxidation_numbers_come_from_the_types_or_the_symbol() {
    let types = "loop_\n_atom_type_symbol\n_atom_type_oxidation_number\nFe2+ 2.5\nO -2\nS ?\n";
    let rows = "Fe1 Fe2+ 0 0 0 1\nFe2 Fe3+ .5 0 0 1\nO1 O .5 .5 0 1\nS1 S 0 .5 0 1\n";
    let reading = read(&[CELL, types, SITES, rows]);
    let numbers: Vec<_> = reading.sites.iter().map(|s| s.oxidation).collect();
    assert_eq!(numbers, [Some(2.5), Some(3.0), Some(-2.0), None]);
    assert_eq!(reading.structure.unwrap().sites[1].oxidation, Some(3.0));
}

#[test]
fn masked_sites_are_atoms_and_dummies_are_not() {
    let sites = SITES.replace("_occupancy\n", "_occupancy\n_atom_site_calc_flag\n");
    let rows = "Fe1 Fe 0 0 0 1 d\nX1 ? .5 0 0 1 .\nA1 X 0 .5 0 1 .\nCg1 ? .3 .3 .3 . dum\nV1 Vac 0 0 .5 1 .\n";
    let reading = read(&[CELL, &sites, rows]);
    let masked: Vec<_> = reading.sites.iter().map(|s| (s.masked, s.multiplicity)).collect();
    assert_eq!(masked, [(false, 1), (true, 1), (true, 1), (false, 0), (false, 0)]);
    assert_eq!(reading.structure.as_ref().unwrap().len(), 3);
    assert_eq!(kinds(&reading), []);
    let label = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nX1 0 0 0\n";
    assert!(read(&[CELL, label]).sites[0].masked);
}

#[test]
fn disorder_and_occupancy() {
    let sites = SITES.replace(
        "_occupancy\n",
        "_occupancy\n_atom_site_disorder_assembly\n_atom_site_disorder_group\n",
    );
    let reading =
        read(&[CELL, &sites, "C1 C 0 0 0 . . .\nF1 F .1 0 0 0.60(2) A 1\nF2 F .2 0 0 ? . -1\n"]);
    let rows: Vec<_> = reading.sites.iter().map(|s| (s.occupancy, s.disorder.clone())).collect();
    let group = |a: &str, g: &str| Some((a.to_owned(), g.to_owned()));
    assert_eq!(rows, [(1.0, None), (0.6, group("A", "1")), (1.0, group("", "-1"))]);
}

#[test]
fn obstacles_stand_where_the_trouble_is() {
    use ObstacleKind::{Coordinate, Occupancy, Operation, SpaceGroup, Species};
    let cases: [(&str, &str, &str, ObstacleKind, &str); 9] = [
        ("", "Fe1 Fe 0 zero 0 1\n", "zero", Coordinate, "nothing"),
        ("", "Fe1 Fe 0 1/3 0 1\nO O 0 0 0 1\n", "1/3", Coordinate, "O1"),
        ("", "Fe1 Fe 0 ? 0 1\n", "?", Coordinate, "nothing"),
        ("", "Fe1 Fe 0 1e300 0 1\n", "1e300", Coordinate, "nothing"),
        ("", "Q1 Qq 0 0 0 1\n", "Qq", Species, ""),
        ("", "Fe1 Fe 0 0 0 much\n", "much", Occupancy, "Fe1"),
        ("_symmetry_equiv_pos_as_xyz 'x,y'\n", "Fe1 Fe 0 0 0 1\n", "'x,y'", Operation, "Fe1"),
        ("_space_group_name_H-M_alt 'P 7'\n", "Fe1 Fe 0 0 0 1\n", "'P 7'", SpaceGroup, "Fe1"),
        ("_space_group_IT_number 231\n", "Fe1 Fe 0 0 0 1\n", "231", SpaceGroup, "Fe1"),
    ];
    for (declared, rows, place, kind, want) in cases {
        let text = format!("data_x\n{CELL}{declared}{SITES}{rows}");
        let parsed = common::cif(&text);
        let reading = &parsed.readings[0];
        assert_eq!(kinds(reading), [kind], "{place}: {:?}", reading.obstacles);
        assert_eq!(reading.obstacles[0].span.text(&text), place);
        assert_eq!(formula(reading), want, "{place}");
    }
    // A short last row; a species without an element is a site all the same.
    let reading = read(&[CELL, SITES, "Fe1 Fe 0 0 0 1\nFe2 Fe 0 .5"]);
    assert_eq!(
        (kinds(&reading), formula(&reading)),
        (vec![Coordinate, ObstacleKind::Rows], "Fe1".to_owned())
    );
    assert_eq!(read(&[CELL, SITES, "Q1 Qq 0 0 0 1\n"]).structure.unwrap().len(), 1);
}

#[test]
fn a_cell_that_is_none_says_why() {
    let atom = [SITES, "Fe1 Fe 0 0 0 1\n"].concat();
    let lattice = |cell: &str| read(&[cell, &atom]).lattice;
    assert!(lattice("").is_none());
    assert!(matches!(
        lattice(&CELL.replace("b 6", "b 0")),
        Some(Err(LatticeError::Length('b', _)))
    ));
    assert!(matches!(
        lattice(&CELL.replace("b 6", "b x")),
        Some(Err(LatticeError::Length('b', _)))
    ));
    assert!(matches!(
        lattice(&CELL.replace("beta 90", "beta ?")),
        Some(Err(LatticeError::Angle("beta", _)))
    ));
    assert!(matches!(lattice("_cell_length_a 5\n"), Some(Err(LatticeError::Length('b', _)))));
    // The dictionary's default for an angle that is not mentioned.
    let reading = read(&["_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 5\n", &atom]);
    assert_eq!(reading.lattice.unwrap().unwrap().angles(), [90.0; 3]);
    assert!(matches!(reading.cell, Some(Cell::Parameters { angles: [None, None, None], .. })));
}

#[test]
fn cartesian_coordinates_go_through_the_cell() {
    let cell = "_cell.length_a 10\n_cell.length_b 12\n_cell.length_c 14\n_cell.angle_alpha 80\n\
                _cell.angle_beta 95\n_cell.angle_gamma 110\n";
    let sites = "loop_\n_atom_site.id\n_atom_site.type_symbol\n_atom_site.label_atom_id\n\
                 _atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n\
                 1 C CA 10 0 0\n2 N N -4.104242 11.276311 0\n";
    let reading = read(&[cell, sites]);
    let frac: Vec<_> = reading.sites.iter().map(|s| s.frac.unwrap()).collect();
    assert!((frac[0] - nalgebra::Vector3::new(1.0, 0.0, 0.0)).norm() < 1e-6);
    assert!((frac[1] - nalgebra::Vector3::new(0.0, 1.0, 0.0)).norm() < 1e-6);
    assert_eq!(reading.sites[0].label, "CA");
    // A stated frame wins: here x and y change places.
    let swapped = "_atom_sites.fract_transf_matrix[1][1] 0\n_atom_sites.fract_transf_matrix[1][2] 0.1\n\
                   _atom_sites.fract_transf_matrix[1][3] 0\n_atom_sites.fract_transf_matrix[2][1] 0.1\n\
                   _atom_sites.fract_transf_matrix[2][2] 0\n_atom_sites.fract_transf_matrix[2][3] 0\n\
                   _atom_sites.fract_transf_matrix[3][1] 0\n_atom_sites.fract_transf_matrix[3][2] 0\n\
                   _atom_sites.fract_transf_matrix[3][3] 0.1\n";
    let reading = read(&[&CUBE.replace(" 5", " 10"), swapped, sites]);
    assert_eq!(reading.sites[0].frac.unwrap().as_slice(), [0.0, 1.0, 0.0]);
}

#[test]
fn blocks_without_a_crystal_give_no_reading() {
    let text = format!(
        "data_global\n_publ_author_name 'A. U. Thor'\ndata_a\n{CELL}data_b\n{SITES}Fe Fe 0 0 0 1\n"
    );
    let readings = common::cif(&text).readings;
    let names: Vec<_> = readings.iter().map(|r| (r.name.as_str(), r.block)).collect();
    assert_eq!(names, [("a", 1), ("b", 2)]);
    assert!(readings.iter().all(|r| r.structure.is_none()));
    assert!(common::cif("").readings.is_empty());
}

#[test]
fn explosions_are_refused() {
    let mut rows = String::new();
    for i in 0..30_000 {
        rows.push_str(&format!("Fe{i} Fe 0.{i:05} 0.1234 0.3456 1\n"));
    }
    let reading = read(&[CUBE, "_space_group_IT_number 225\n", SITES, &rows]);
    assert_eq!(kinds(&reading), [ObstacleKind::TooManyAtoms]);
    assert!(reading.structure.is_none());
    assert_eq!(reading.sites.len(), 30_000);
}

#[test]
fn rows_beyond_any_crystal_are_not_read() {
    let rows = "H 0 0 0\n".repeat(500_001);
    let reading = read(&[
        CUBE,
        "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n",
        &rows,
    ]);
    assert_eq!((kinds(&reading), reading.sites.len()), (vec![ObstacleKind::TooManyAtoms], 0));
    let rows = "0 0 0\n".repeat(500_001);
    let reading = poscar(&format!("x\n1\n4 0 0\n0 4 0\n0 0 4\nH\n500001\nDirect\n{rows}"));
    assert_eq!((kinds(&reading), reading.sites.len()), (vec![ObstacleKind::TooManyAtoms], 0));
}

#[test]
fn poscar_species_and_scales() {
    let file = |comment: &str, scale: &str, names: &str, mode: &str, rows: &str| {
        poscar(&format!("{comment}\n{scale}\n4 0 0\n0 4 0\n0 0 4\n{names}1 1\n{mode}\n{rows}\n"))
    };
    let rows = "0 0 0\n.5 .5 .5";
    assert_eq!(formula(&file("x", "1", "Cs Cl\n", "Direct", rows)), "Cs1 Cl1");
    assert_eq!(formula(&file("x", "1", "Fe_pv O/1a2b\n", "D", rows)), "Fe1 O1");
    assert_eq!(formula(&file("Cs Cl", "1", "", "Direct", rows)), "Cs1 Cl1");
    assert_eq!(formula(&file("CsCl", "1", "", "Direct", rows)), "Cs1 Cl1");
    assert_eq!(formula(&file("a test", "1", "", "Direct", "0 0 0 Cs\n.5 .5 .5 Cl")), "Cs1 Cl1");
    let unnamed = file("POSCAR of a test", "1", "", "Direct", rows);
    assert_eq!((formula(&unnamed), kinds(&unnamed)), (String::new(), vec![ObstacleKind::Species]));
    assert_eq!(unnamed.structure.unwrap().len(), 2);
    let masked = file("x", "1", "Cs X\n", "Direct", rows);
    assert_eq!((masked.sites[1].masked, kinds(&masked)), (true, vec![]));
    let labels: Vec<_> = masked.sites.iter().map(|s| s.label.as_str()).collect();
    assert_eq!(labels, ["Cs1", "X1"]);

    let volume = |r: Reading| r.lattice.unwrap().unwrap().volume();
    assert!((volume(file("x", "-100", "Cs Cl\n", "Direct", rows)) - 100.0).abs() < 1e-9);
    assert!((volume(file("x", "1 2 3", "Cs Cl\n", "Direct", rows)) - 384.0).abs() < 1e-9);
    assert!(file("x", "-1 2 3", "Cs Cl\n", "Direct", rows).lattice.unwrap().is_err());
    assert!(file("x", "0", "Cs Cl\n", "Direct", rows).lattice.unwrap().is_err());
    let cartesian = file("x", "2", "Cs Cl\n", "cart", "0 0 0\n1 2 3");
    assert_eq!(cartesian.sites[1].frac.unwrap().as_slice(), [0.25, 0.5, 0.75]);
    let stretched = file("x", "1 2 3", "Cs Cl\n", "Kart", "0 0 0\n1 2 3");
    assert_eq!(stretched.sites[1].frac.unwrap().as_slice(), [0.25, 0.5, 0.75]);
    let far = file("x", "1", "Cs Cl\n", "Direct", "0 0 0\n1e300 0 0");
    assert_eq!(kinds(&far), [ObstacleKind::Coordinate]);
    let head = "x\n1\n4 0 0\n0 4 0\n0 0 4\nCs Cl\n1 1\n";
    let no_mode = poscar(&format!("{head}{rows}\n"));
    assert_eq!(no_mode.structure.unwrap().sites[1].frac.as_slice(), [0.5, 0.5, 0.5]);
    let lengths = poscar(&format!("{head}0 0 0\n2.1 2.1 2.1\n"));
    assert!(lengths.structure.is_none() && lengths.sites.len() == 2);
}

const WHOLE: &str = "data_x\n_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 5\n_cell_angle_gamma 120\n\
    _symmetry_space_group_name_H-M 'R -3 m'\nloop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n'-x,-y,-z+1/2'\n\
    loop_\n_atom_type_symbol\n_atom_type_oxidation_number\nFe 3\nloop_\n_atom_site_label\n_atom_site_fract_x\n\
    _atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\nFe1 0.1 0.2(3) 1E-1 .5\nO1 -1 ? . 1\n";
const POSCAR: &str = "Cs Cl\n-60\n4 0 0\n0 4 0\n0 0 4\nCs Cl\n1 2\nSel\nCart\n0 0 0 T T F\n1 2 3 F F F Cl\n1 1D0 1\n";

proptest! {
    /// Cut, doubled and overwritten texts are read without a panic, and the reading is consistent.
    #[test]
    fn broken_texts_are_read(
        from in 0..400usize,
        length in 0..40usize,
        insert in "[-+0-9a-z?.'\"; \n_#é]{0,8}",
    ) {
        for (language, text) in [(Language::Cif, WHOLE), (Language::Poscar, POSCAR)] {
            let from = from.min(text.len());
            let end = (from + length).min(text.len());
            let broken = [&text[..from], &insert, &text[end..]].concat();
            for text in [broken.as_str(), &text[..from]] {
                for reading in &Parsed::new(language, text).readings {
                    consistent(reading);
                }
            }
        }
    }
}

#[test]
fn structures_are_as_large_as_the_cell() {
    let sizes = [("F m -3 m", 4), ("P m -3 m", 1), ("I m -3 m", 2)];
    for (symbol, size) in sizes {
        let symbol = format!("_symmetry_space_group_name_H-M '{symbol}'\n");
        let reading = read(&[CUBE, &symbol, SITES, "Fe1 Fe 0 0 0 1\n"]);
        assert_eq!(reading.structure.as_ref().map(Structure::len), Some(size));
    }
}
