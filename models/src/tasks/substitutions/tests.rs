//! Substitutions by a model that knows periods and groups only.

use cellwright_crystal::{Lattice, Site};
use nalgebra::Vector3;

use super::*;
use crate::Provenance;
use crate::tasks::mender::Mended;
use crate::tasks::predict::LIBRARY;

/// Says sodium or potassium where chlorine or oxygen is in the cell, else magnesium; refuses sulfur.
struct Salts;

fn element(symbol: &str) -> Element {
    symbol.parse().unwrap()
}

impl Mender for Salts {
    fn provenance(&self) -> Provenance {
        Provenance { model: "salts".into(), version: "1".into(), device: "cpu".into() }
    }

    fn mend(&self, cells: &[Structure], _: &dyn Fn() -> bool) -> Result<Vec<Mended>, ModelError> {
        let cell = |cell: &Structure| {
            let holds = |symbol| cell.sites.iter().any(|s| s.element == Some(element(symbol)));
            if holds("S") {
                return Err(ModelError::Unsupported("sulfur was never seen".to_owned()));
            }
            let chances = if holds("Cl") || holds("O") { [0.6, 0.3, 0.1] } else { [0.0, 0.1, 0.9] };
            let mut all = vec![0.0; Element::COUNT];
            for (e, p) in ["Na", "K", "Mg"].map(element).into_iter().zip(chances) {
                all[usize::from(e.z()) - 1] = p;
            }
            let displacement = vec![Vector3::zeros(); cell.len()];
            Ok(Mended { probabilities: vec![all; cell.len()], displacement })
        };
        cells.iter().map(cell).collect()
    }
}

#[test]
fn a_site_is_hidden_and_named() {
    let salt = Structure {
        lattice: Lattice::from_parameters([3.988; 3], [60.0; 3]).unwrap(),
        sites: vec![
            Site::new(element("K"), Vector3::zeros()),
            Site::new(element("Cl"), Vector3::repeat(0.5)),
        ],
    };
    let found = on_sites(&Salts, &salt, &[0], &|| false).unwrap();
    let symbols: Vec<&str> = found.iter().map(|(e, _)| e.symbol()).collect();
    assert_eq!(symbols, ["Na", "K", "Mg"]);
    let error = on_sites(&Salts, &salt, &[2], &|| false).unwrap_err().to_string();
    assert_eq!(error, "there is no site 3");
    let around = environment::of_element(&salt, element("K")).unwrap();
    let (environment, sites) = around.first_key_value().unwrap();
    assert_eq!(
        (environment.to_string().as_str(), sites.as_slice()),
        ("6 neighbours, Cl", &[0][..])
    );
}

#[test]
fn the_library_is_asked_by_surroundings() {
    let library = Library::from_bytes(LIBRARY).unwrap();
    let mut told = 0;
    let mut count = |fraction: f64| {
        told += 1;
        (0.0..1.0).contains(&fraction)
    };
    let found = in_library(&Salts, &library, element("K"), 60, &mut count).unwrap();
    assert_eq!(told, 60);
    assert!(found.len() > 3 && found.windows(2).all(|w| w[0].crystals >= w[1].crystals));
    for one in &found {
        let sum = one.itself + one.others.iter().map(|(_, p)| p).sum::<f64>();
        assert!((sum - 1.0).abs() < 1e-9, "{one:?}");
        assert!(one.others.iter().all(|(e, _)| *e != element("K")));
    }
    let among_oxygen = found.iter().find(|r| r.environment.ligand == Some(element("O"))).unwrap();
    assert_eq!(among_oxygen.others[0].0, element("Na"));
    let stopped = in_library(&Salts, &library, element("K"), 60, &mut |_| false).unwrap_err();
    assert!(matches!(stopped, ModelError::Cancelled));
    let nobody = in_library(&Salts, &library, element("Lr"), 60, &mut |_| true).unwrap_err();
    assert_eq!(nobody.to_string(), "no known crystal holds Lr");
    let refused = in_library(&Salts, &Library::default(), element("K"), 60, &mut |_| true);
    assert!(refused.is_err());
}
