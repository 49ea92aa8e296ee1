use super::*;

fn formula(text: &str) -> Composition {
    text.parse().unwrap()
}

fn states(text: &str) -> String {
    match balance(&formula(text), 0.05) {
        Balance::Neutral { assignment } => {
            let one = |a: &Assigned| {
                let list: Vec<_> = a.states.iter().map(|(q, n)| format!("{q:+}×{n}")).collect();
                format!("{} {}", a.element, list.join(" "))
            };
            assignment.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn ordinary_compounds_get_their_ordinary_states() {
    for (text, expected) in [
        ("NaCl", "Na +1×1, Cl -1×1"),
        ("LiFePO4", "Li +1×1, Fe +2×1, P +5×1, O -2×4"),
        ("LaMnO3", "La +3×1, Mn +3×1, O -2×3"),
        ("BaTiO3", "Ba +2×1, Ti +4×1, O -2×3"),
        ("Fe3O4", "Fe +2×1 +3×2, O -2×4"),
        ("Na2O2", "Na +1×2, O -1×2"),
        ("KO2", "K +1×1, O -0.5×2"),
        ("FeS2", "Fe +2×1, S -1×2"),
        ("CaCO3", "Ca +2×1, C +4×1, O -2×3"),
        ("SiO2", "Si +4×1, O -2×2"),
        ("Ca3SnO", "Ca +2×3, Sn -4×1, O -2×1"),
    ] {
        assert_eq!(states(text), expected, "{text}");
    }
}

#[test]
fn real_compounds_raise_no_alarm() {
    for text in [
        "YBa2Cu3O7",
        "Mn3O4",
        "Co3O4",
        "LiMn2O4",
        "Pb3O4",
        "Sb2O4",
        "NH4NO3",
        "N2H8SO4",
        "CsI3",
        "NaN3",
        "Fe7S8",
        "Co9S8",
        "Ni3S2",
        "Cu2S",
        "CuFeS2",
        "Fe4S4",
        "MoS2",
        "NbSe2",
        "Bi2Te3",
        "La1.85Sr0.15CuO4",
        "Li0.95CoO2",
        "Na0.7CoO2",
        "Fe0.95O",
        "Ti4O7",
        "V6O13",
        "W18O49",
        "C6H6",
        "C2H5NO2",
        "C6H12O6",
        "CO2",
        "CaC2",
        "Ca5P3O12F",
        "KAl2Si3AlO12H2",
        "NaAlSi3O8",
        "Cs2AgBiBr6",
        "CH3NH3PbI3",
        "K4FeC6N6",
        "KCN",
        "AgCl",
        "Hg2Cl2",
        "TlI",
        "PrO2",
        "Pr6O11",
        "Eu3O4",
        "U3O8",
        "SmS",
        "YbCl2",
        "GaN",
        "AlN",
        "BN",
        "Li3N",
        "Si3N4",
        "Mg3N2",
        "P4S3",
        "As4S4",
        "Pu2O3",
        "NpO2",
        "AmO2",
        "LiNpO4",
        "ClO2",
        "OF2",
        "XeF2",
        "NaBH8O2",
        "NH3BH3",
        "Na8Al6Si6O24S3",
        "CsAuCl3",
        "BaBiO3",
        "LaFeAsO0.9F0.1",
        "Mo6PbS8",
        "Cs5Te3",
        "RuO4",
        "Rb2CuF6",
        "BaN3Cl",
        "K2S2O8",
        "K2C2O6",
        "K2B6H6",
        "Cs2B12H12",
        "Rb2S5",
        "Na2S8",
        "Ba2P7I",
    ] {
        let verdict = balance(&formula(text), 0.05);
        assert!(matches!(verdict, Balance::Neutral { .. }), "{text}: {verdict:?}");
    }
    for text in [
        "NaTl", "TiAl3", "MgB2", "FeSi", "WC", "LaNi5H6", "Nb3Sn", "GaAs2", "Fe", "S8", "Ca",
        "Fe3C", "LaB6", "Li21Si5", "Mg2NiH4", "GdS", "US", "Ti2S", "Fe8N", "Ti2AlN", "Ti3SiC2",
        "Gd2Cl3", "ScCl", "TmI2", "Ti6O", "Zr3O", "Ca2N", "Cs11O3", "K3C60", "Ag2F", "Ag3O", "B6O",
        "B12S", "CeO", "Bi4I", "NaBa3N", "IBr2", "SF6", "Si3H",
    ] {
        let verdict = balance(&formula(text), 0.05);
        assert!(!matches!(verdict, Balance::Charged { .. }), "{text}: {verdict:?}");
    }
}

#[test]
fn wrong_formulas_are_told_with_the_nearest_assignment() {
    for (text, charge) in [
        ("NaCl2", -1.0),
        ("Na2Cl", 1.0),
        ("Al2O", 4.0),
        ("CaF3", -1.0),
        ("BaTiO4", -2.0),
        ("MgCl", 1.0),
        ("Na4Cl8", -4.0),
        // Of minerals: an oxygen, a cation or the hydrogen of water is missing.
        ("KAlSi3O7", 2.0),
        ("AlSi3O8", -1.0),
        ("NaCO3", -1.0),
        ("RbPO4", -2.0),
        ("MgB2O5", -2.0),
        ("CsH3", -2.0),
        ("ZnGeO6F6", -12.0),
        ("Al2S", 4.0),
        ("Cu3S", 1.0),
        ("K3Cl", 2.0),
    ] {
        match balance(&formula(text), 0.05) {
            Balance::Charged { charge: got, nearest } => {
                assert!((got - charge).abs() < 1e-9, "{text}: {got} {nearest:?}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn odd_input_is_answered_at_once() {
    let nothing = Balance::Beyond(Beyond::Element);
    assert_eq!(balance(&Composition::default(), 0.05), nothing);
    let argon = Element::from_symbol("Ar").unwrap();
    assert_eq!(balance(&formula("ArO2"), 0.05), Balance::Unknown(argon));
    // Ten elements, fractional and huge amounts.
    let many = "Li0.37Na0.63Mg11.2Al35.55Si1234.5Fe77.77Mn3.3O9999.9F0.01Cl5000.5";
    let _ = balance(&formula(many), 0.05);
    let infinite: Composition = [(Element::H, f64::INFINITY), (argon, 1.0)].into_iter().collect();
    assert_eq!(balance(&infinite, 0.05), nothing);
}

fn with_states(text: &str, declared: &[(&str, f64, f64)]) -> Balance {
    let one = |(symbol, state, amount): &(&str, f64, f64)| Declared {
        element: symbol.parse().unwrap(),
        state: *state,
        amount: *amount,
    };
    balance_with(&formula(text), &declared.iter().map(one).collect::<Vec<_>>(), 0.05)
}

#[test]
fn declared_states_are_kept() {
    let text = |balance: Balance| match balance {
        Balance::Neutral { assignment } => {
            assignment.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        other => format!("{other:?}"),
    };
    // Without a word, manganese is 3 and iron 3.
    assert_eq!(text(with_states("LiFeMnO4", &[])), "Li +1, Mn +4, Fe +3, O −2");
    assert_eq!(text(with_states("LiFeMnO4", &[("Mn", 5.0, 1.0)])), "Li +1, Mn +5, Fe +2, O −2");
    let some = with_states("Fe6O8", &[("Fe", 2.0, 2.0)]);
    assert_eq!(text(some), "Fe +2 (2) +3 (4), O −2");
    assert!(
        matches!(with_states("NaCl", &[("Na", 2.0, 1.0)]), Balance::Charged { charge, .. } if charge == 1.0)
    );
    // Declared alloys are taken at their word, and more atoms than there are count as all.
    assert!(matches!(
        with_states("CsAu", &[("Cs", 1.0, 9.0), ("Au", -1.0, 9.0)]),
        Balance::Neutral { .. }
    ));
    let odd = with_states("NaCl", &[("Na", f64::NAN, 1.0)]);
    assert_eq!(odd, Balance::Beyond(Beyond::Element));
}
