//! Curves as SVG.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

/// One curve of a plot.
pub(crate) struct Curve<'a> {
    pub(crate) name: &'a str,
    /// x and y; what is not finite or not positive is left out.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Blue, orange, green, pink: told apart by the colour-blind too (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(230, 159, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

/// So many points at most are marked one by one.
const FEW: usize = 30;

/// A plot with a logarithmic y axis, for what falls: the names are above the curves.
pub(crate) fn logarithmic(title: &str, axes: [&str; 2], curves: &[Curve]) -> Result<String> {
    let (x, y) = ranges(curves)?;
    let y = (y.start / 1.1..y.end * 1.1).log_scale();
    drawn(|svg| draw(svg, title, axes, curves, (x, y), SeriesLabelPosition::UpperRight))
}

/// A plot with a y axis that starts at zero, for what rises: the names are below the curves.
pub(crate) fn linear(title: &str, axes: [&str; 2], curves: &[Curve]) -> Result<String> {
    let (x, y) = ranges(curves)?;
    let y = 0.0..y.end * 1.1;
    drawn(|svg| draw(svg, title, axes, curves, (x, y), SeriesLabelPosition::LowerRight))
}

/// What the points span.
fn ranges(curves: &[Curve]) -> Result<(Range<f64>, Range<f64>)> {
    let good = |(x, y): &&(f64, f64)| x.is_finite() && y.is_finite() && *y > 0.0;
    let all = || curves.iter().flat_map(|curve| curve.points.iter().filter(good));
    let x = range(all().map(|(x, _)| *x)).ok_or_else(|| anyhow!("there is nothing to plot"))?;
    let y = range(all().map(|(_, y)| *y)).ok_or_else(|| anyhow!("there is nothing to plot"))?;
    Ok((x, y))
}

fn drawn(
    draw: impl FnOnce(&mut String) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg).map_err(|error| anyhow!("the plot cannot be drawn: {error}"))?;
    Ok(svg)
}

fn draw<Y>(
    svg: &mut String,
    title: &str,
    [x_name, y_name]: [&str; 2],
    curves: &[Curve],
    (x, y): (Range<f64>, Y),
    names: SeriesLabelPosition,
) -> Result<(), Box<dyn std::error::Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let root = SVGBackend::with_string(svg, (960, 540)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(20)
        .caption(title, ("sans-serif", 20))
        .x_label_area_size(45)
        .y_label_area_size(65)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(x_name)
        .y_desc(y_name)
        .label_style(("sans-serif", 14))
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| match *y {
            y if y == 0.0 || y >= 10.0 => format!("{y:.0}"),
            y => format!("{y:.3}"),
        })
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let points = curve.points.iter().copied().filter(|(x, y)| x.is_finite() && *y > 0.0);
        // A line of one point is none.
        let dot = if curve.points.len() <= FEW { 4 } else { 0 };
        chart
            .draw_series(LineSeries::new(points, colour.filled().stroke_width(2)).point_size(dot))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(names)
        .label_font(("sans-serif", 14))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.2))
        .draw()?;
    root.present()?;
    Ok(())
}

/// From the smallest to the largest, a little apart where they are one.
fn range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let [low, high] =
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)]);
    match low <= high {
        true if low < high => Some(low..high),
        true => Some(low - low.abs().max(1.0) * 0.01..low + low.abs().max(1.0) * 0.01),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_point_is_seen() {
        let curve = Curve { name: "found", points: vec![(1.0, 72.0)] };
        let svg = linear("a measurement", ["answers", "found (%)"], &[curve]).unwrap();
        assert!(svg.contains("<circle"), "{svg}");
    }

    #[test]
    fn every_curve_is_drawn_and_named() {
        let curve = |name, shift: f64| Curve {
            name,
            points: (1..20).map(|i| (f64::from(i), shift / f64::from(i))).collect(),
        };
        let svg = logarithmic(
            "a run",
            ["epoch", "loss"],
            &[curve("training", 2.0), curve("validation", 3.0)],
        );
        let svg = svg.expect("drawn");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in ["a run", "epoch", "loss", "training", "validation"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(svg.matches("<polyline").count() >= 4, "two curves and their legend");
    }

    #[test]
    fn one_point_is_a_plot_and_none_is_not() {
        let single = Curve { name: "a", points: vec![(1.0, 0.5), (2.0, f64::NAN)] };
        let single = [single];
        assert!(logarithmic("", ["", ""], &single).is_ok());
        assert!(linear("", ["", ""], &single).is_ok());
        let none = Curve { name: "a", points: vec![(1.0, -0.5)] };
        assert!(logarithmic("", ["", ""], &[none]).is_err());
    }
}
