//! The plots: CPU time and memory of a camera over the number of cameras, a line for each recorder and stream;
//! memory over time for a soak.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::soak::Look;
use crate::verdict::Row;

const SIZE: (u32, u32) = (1000, 460);
/// Told apart by people who do not see all colours, too (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];

/// One line: its name, and cameras with CPU-seconds and megabytes.
struct Series {
    name: String,
    points: Vec<(f64, f64, f64)>,
}

/// Writes the plot.
pub(crate) fn draw(rows: &[Row], file: &Path) -> Result<()> {
    let all = series(rows);
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    let drawn = (|| {
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(SIZE.0 / 2);
        chart(&left, "CPU-seconds per camera-hour", &all, |point| point.1)?;
        chart(&right, "PSS per camera, MB", &all, |point| point.2)?;
        root.present()
    })();
    drawn.map_err(|error| anyhow!("drawing {}: {error}", file.display()))
}

/// Draws a node's memory over the time of a soak.
pub(crate) fn soak(looks: &[Look], file: &Path) -> Result<()> {
    let points = || {
        looks
            .iter()
            .map(|look| (look.at_s / 60.0, look.pss_bytes as f64 / 1e6))
    };
    let (end, top) = points().fold((1.0, 1.0), |(end, top): (f64, f64), point| {
        (end.max(point.0), top.max(point.1))
    });
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    let drawn = (|| {
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption("PSS of the node, MB", ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..end, 0.0..top * 1.2)?;
        chart
            .configure_mesh()
            .x_desc("minutes")
            .light_line_style(TRANSPARENT)
            .draw()?;
        chart.draw_series(LineSeries::new(points(), COLOURS[0].stroke_width(2)))?;
        root.present()
    })();
    drawn.map_err(|error| anyhow!("drawing {}: {error}", file.display()))
}

fn series(rows: &[Row]) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for row in rows {
        let name = format!("{}, {}", row.recorder, row.case);
        let point = (
            row.cameras as f64,
            row.cpu_s_per_camera_hour,
            row.pss_mb_per_camera,
        );
        match all.iter_mut().find(|one| one.name == name) {
            Some(one) => one.points.push(point),
            None => all.push(Series {
                name,
                points: vec![point],
            }),
        }
    }
    all
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn chart<'a>(
    area: &Area<'a>,
    title: &str,
    all: &[Series],
    figure: fn(&(f64, f64, f64)) -> f64,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let points = || all.iter().flat_map(|one| &one.points);
    let (most, top) = points().fold((1.0, 0.0), |(most, top): (f64, f64), point| {
        (most.max(point.0), top.max(figure(point)))
    });
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..most * 1.1, 0.0..(top * 1.15).max(f64::MIN_POSITIVE))?;
    chart
        .configure_mesh()
        .x_desc("cameras")
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (one, colour) in all.iter().zip(COLOURS.iter().cycle()) {
        let line = one.points.iter().map(|point| (point.0, figure(point)));
        let drawn = chart.draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?;
        let legend = *colour;
        drawn
            .label(&one.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], legend.stroke_width(2)));
        chart.draw_series(line.map(|point| Circle::new(point, 4, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(TRANSPARENT)
        .draw()
}
