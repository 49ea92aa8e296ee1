use super::*;
use crate::data::Crystal;

fn salt(z: u8) -> Crystal {
    Crystal {
        id: z.to_string(),
        numbers: vec![z, 17, 17],
        frac: vec![[0.0; 3], [0.5, 0.5, 0.4], [0.5, 0.5, 0.6]],
        lengths: [4.0, 4.0, 6.0],
        angles: [90.0; 3],
    }
}

fn element(symbol: &str) -> Element {
    Element::from_symbol(symbol).unwrap()
}

/// The right answer with a chance, or a wrong one.
fn answer(question: &Question, right: bool, chance: f64, share: f64) -> Answer {
    let wrong = element("Xe");
    let named = |site: &usize| {
        let truth = question.truth[*site];
        let order = if right { [truth, wrong] } else { [wrong, truth] };
        vec![(order[0], chance), (order[1], 1.0 - chance)]
    };
    let sites: Vec<Vec<(Element, f64)>> = question.masked.iter().map(named).collect();
    let joint = (0..2).map(|k| (sites.iter().map(|s| s[k].0).collect(), sites[0][k].1)).collect();
    let displacement = question.displacement.iter().map(|d| d * share).collect();
    Answer { sites, joint, displacement: Some(displacement) }
}

#[test]
fn every_species_is_a_question_of_its_own() {
    let questions = questions(&[salt(12), salt(20)], Mask::Alpha, 0.1, 1).unwrap();
    assert_eq!(questions.len(), 4);
    let masked: Vec<&[usize]> = questions.iter().map(|q| q.masked.as_slice()).collect();
    assert_eq!(masked, [&[0][..], &[1, 2], &[1, 2], &[0]]);
    for question in &questions {
        assert!(question.together);
        for (i, site) in question.spoiled.sites.iter().enumerate() {
            let masked = question.masked.contains(&i);
            assert_eq!(site.element, (!masked).then_some(question.truth[i]));
        }
    }
    let shares = super::questions(&[salt(12)], Mask::Gamma, 0.1, 1).unwrap();
    assert_eq!((shares.len(), shares[0].masked.len(), shares[0].together), (1, 1, false));
}

#[test]
fn what_comes_back_is_counted() {
    let questions = questions(&[salt(12), salt(20)], Mask::Alpha, 0.1, 1).unwrap();
    let answers: Vec<Answer> =
        questions.iter().enumerate().map(|(i, q)| answer(q, i != 1, 0.75, 0.5)).collect();
    let report = judge(&questions, &answers, 0);
    let value = |rate: &Option<Rate>| rate.as_ref().unwrap().value;
    // Two of six masked sites are wrong at first.
    assert_eq!((report.questions, report.sites), (4, 6));
    assert!((value(&report.top[0]) - 4.0 / 6.0).abs() < 1e-12);
    assert_eq!(value(&report.top[1]), 1.0);
    assert_eq!((value(&report.restored), value(&report.joint[0])), (0.75, 0.75));
    assert_eq!(value(&report.joint[1]), 1.0);
    assert!((report.calibration_error.unwrap() - (0.75 - 4.0 / 6.0)).abs() < 1e-12);
    assert!(report.joint_calibration_error.unwrap() < 1e-12);
    let positions = report.positions.unwrap();
    assert!((value(&positions.similarity) - 0.5).abs() < 1e-9);
    assert!((value(&positions.removed) - 0.75).abs() < 1e-9);
    assert!((value(&positions.removed_around_mean) - 0.75).abs() < 1e-9);
    // MgXe₂ has no charges that add up.
    let validity = report.validity.unwrap();
    assert_eq!((value(&validity.structural), value(&validity.compositional)), (1.0, 0.75));
}

#[test]
fn who_says_nothing_of_positions_is_not_judged_by_them() {
    let questions = questions(&[salt(12)], Mask::Beta, 0.1, 1).unwrap();
    let silent =
        Answer { displacement: None, joint: Vec::new(), ..answer(&questions[0], true, 0.9, 0.0) };
    let report = judge(&questions, &[silent], 0);
    assert_eq!((report.positions, report.validity), (None, None));
    assert_eq!((report.joint, report.joint_calibration_error), ([None, None], None));
}

#[test]
fn statistics_know_partners_and_proportions() {
    let mut crystals: Vec<Crystal> = vec![salt(12); 4];
    let alkali = Crystal { numbers: vec![11, 17], frac: vec![[0.0; 3], [0.5; 3]], ..salt(11) };
    crystals.extend(vec![alkali; 5]);
    crystals.extend(vec![
        Crystal {
            numbers: vec![11, 9],
            frac: vec![[0.0; 3], [0.5; 3]],
            ..salt(1)
        };
        3
    ]);
    let statistics = Statistics::of(&crystals).unwrap();
    let frequency = statistics.frequency();
    assert!((frequency.iter().map(|(_, p)| p).sum::<f64>() - 1.0).abs() < 1e-12);
    let best = |chances: &[(Element, f64)]| {
        chances.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(e, _)| *e).unwrap()
    };
    assert_eq!(best(&frequency), element("Cl"));
    let questions = questions(&[salt(12)], Mask::Alpha, 0.0, 1).unwrap();
    // One metal to two chlorines: magnesium, although sodium is found with chlorine more often.
    assert_eq!(best(&statistics.chances(&questions[0])), element("Mg"));
    assert_eq!(best(&statistics.chances(&questions[1])), element("Cl"));
}
