//! The measurement as a table.

use std::fmt::Write;

use cellwright_models::eval::Rate;
use cellwright_models::eval::selfsup::Mask;

use super::{Answer, Row};
use crate::commands::eval::table::{dash, percent, write_table};

const HEAD: [&str; 14] = [
    "mask",
    "noise",
    "by",
    "questions",
    "top 1 %",
    "top 3 %",
    "top 5 %",
    "restored %",
    "joint top 1 %",
    "joint top 3 %",
    "calibration",
    "similarity %",
    "removed %",
    "valid %",
];

pub(super) fn render(answer: &Answer, markdown: bool) -> String {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(answer.rows.iter().map(row));
    let mut text = String::new();
    write_table(&mut text, &rows, markdown);
    let rate = |rate: Option<Rate>| rate.map_or_else(dash, |r| percent(r.value));
    let _ = writeln!(
        text,
        "\n{}/{}, {} crystals ({} refused), {} {}, seed {}; 95 % intervals by bootstrap over crystals. Library of prototypes: {}.\n\
         Valid: no distance below 0.5 Å / charges as CDVAE's evaluation has it; of the crystals themselves {} / {}.\n\
         Top: of masked sites. Restored, joint: all masked sites of a crystal, each by itself or together. Calibration: of top 1 \
         and of joint.\nSimilarity: of the positions, over restored crystals. Removed: of the squared displacements; in brackets \
         around their mean.",
        answer.dataset,
        answer.split,
        answer.crystals,
        answer.refused,
        answer.model.model,
        answer.model.version,
        answer.seed,
        if answer.clean { "clean of the set" } else { "not known to be clean of the set" },
        rate(answer.validity.structural),
        rate(answer.validity.compositional),
    );
    text
}

fn row(row: &Row) -> Vec<String> {
    let report = &row.report;
    let rate = |rate: Option<Rate>| {
        let interval = |[low, high]: [f64; 2]| format!(" ({}–{})", percent(low), percent(high));
        rate.map_or_else(dash, |r| {
            format!("{}{}", percent(r.value), r.interval.map_or_else(String::new, interval))
        })
    };
    let value = |rate: Option<Rate>| rate.map_or_else(dash, |r| percent(r.value));
    let error = |error: Option<f64>| error.map_or_else(dash, |e| format!("{e:.3}"));
    let positions = report.positions.as_ref();
    let mask = match row.mask {
        Mask::Alpha => "α",
        Mask::Beta => "β",
        Mask::Gamma => "γ",
    };
    let mut cells = vec![
        mask.to_owned(),
        row.noise.to_string(),
        row.method.to_owned(),
        report.questions.to_string(),
    ];
    cells.extend(report.top.map(rate));
    cells.push(rate(report.restored));
    cells.extend(report.joint.map(rate));
    cells.push(format!(
        "{} / {}",
        error(report.calibration_error),
        error(report.joint_calibration_error)
    ));
    cells.push(positions.map_or_else(dash, |p| rate(p.similarity)));
    cells.push(
        positions.map_or_else(dash, |p| {
            format!("{} [{}]", rate(p.removed), value(p.removed_around_mean))
        }),
    );
    cells.push(
        report
            .validity
            .as_ref()
            .map_or_else(dash, |v| format!("{} / {}", value(v.structural), value(v.compositional))),
    );
    cells
}
