//! Measurements as tables, to be read or to be put into a document.

use std::fmt::Write;

use super::Answer;
use crate::commands::eval::table::{dash, percent, write_table};

/// All measurements, one after the other.
pub(super) fn render(answers: &[Answer], markdown: bool) -> String {
    let mut text = String::new();
    for answer in answers {
        if !text.is_empty() {
            text.push('\n');
        }
        one(&mut text, answer, markdown);
    }
    text
}

fn one(text: &mut String, answer: &Answer, markdown: bool) {
    let measured = &answer.measured;
    let sets: Vec<&str> = answer.library.data.keys().map(String::as_str).collect();
    let mut table = |rows: Vec<Vec<String>>| {
        write_table(text, &rows, markdown);
        text.push('\n');
    };
    let head = [
        "set",
        "crystals",
        "trained on",
        "clean of the set",
        "ranking",
        "same formula",
        "potential",
    ];
    table(vec![
        head.map(str::to_owned).to_vec(),
        vec![
            format!("{}/{}", answer.dataset, answer.split),
            answer.crystals.to_string(),
            if sets.is_empty() { "not told".to_owned() } else { sets.join(" + ") },
            if answer.clean { "yes" } else { "not known" }.to_owned(),
            if answer.ranked { "learned" } else { "Mendeleev" }.to_owned(),
            if answer.with_same_formula { "kept" } else { "removed" }.to_owned(),
            answer.potential.unwrap_or("none").to_owned(),
        ],
    ]);
    let head = ["answers", "match %", "95 % interval", "RMSE", "95 % interval", "METRe %", "cRMSE"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for row in &measured.rows {
        let [low, high] = row.report.match_rate_interval;
        let range = |[low, high]: [f64; 2]| format!("{low:.4} to {high:.4}");
        rows.push(vec![
            row.answers.to_string(),
            percent(row.report.match_rate),
            format!("{} to {}", percent(low), percent(high)),
            row.report.rmse.map_or_else(dash, |x| format!("{x:.4}")),
            row.report.rmse_interval.map_or_else(dash, range),
            percent(row.metre),
            format!("{:.4}", row.crmse),
        ]);
    }
    table(rows);
    let mut head = vec!["part".to_owned(), "crystals".to_owned()];
    head.extend(measured.rows.iter().map(|row| format!("match % of {}", row.answers)));
    let mut rows = vec![head];
    for part in &measured.parts {
        let mut row = vec![part.name.clone(), part.crystals.to_string()];
        row.extend(part.match_rates.iter().map(|rate| percent(*rate)));
        rows.push(row);
    }
    table(rows);
    if !measured.calibration.is_empty() {
        let head = ["first answers", "said %", "right %"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for bin in &measured.calibration {
            rows.push(vec![bin.answers.to_string(), percent(bin.said), percent(bin.right)]);
        }
        table(rows);
    }
    let _ = writeln!(
        text,
        "{} without any answer; {} share their formula with another; {:.1} ms per crystal",
        measured.unanswered,
        measured.polymorphs,
        1e3 * answer.seconds_per_crystal
    );
    if let Some([mean, median]) = measured.volume_error {
        let _ = writeln!(
            text,
            "volume of the closest answer wrong by {} % on average, median {} %",
            percent(mean),
            percent(median)
        );
    }
    if let Some((error, mean)) = measured.calibration_error.zip(measured.mean_probability) {
        let _ = writeln!(
            text,
            "expected calibration error of the first answer {error:.3}, its mean probability {mean:.3}"
        );
    }
}
