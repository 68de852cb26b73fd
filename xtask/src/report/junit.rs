//! JUnit XML as nextest writes it: a suite for each program, a case for each check, its points as
//! properties.

use std::io;
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::BytesText;
use suite::Status;

use super::plain::{self, Spot};
use crate::grade::{GradedRow, Grading, NoGrade};

type Xml = Writer<Vec<u8>>;

pub(super) fn render(grading: &Grading) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 4);
    let written = document(&mut xml, grading);
    debug_assert!(written.is_ok(), "memory takes whatever is written: {written:?}");
    let body = String::from_utf8_lossy(&xml.into_inner()).into_owned();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}\n")
}

fn document(xml: &mut Xml, grading: &Grading) -> io::Result<()> {
    let rows: Vec<&GradedRow> = grading.rows.iter().collect();
    let fault = grading.outcome.as_ref().err().filter(|_| rows.is_empty());
    let mut programs: Vec<&str> = rows.iter().map(|row| row.program).collect();
    programs.dedup();
    let counts = Counts::of(&rows, fault.is_some());
    let element = xml.create_element("testsuites").with_attribute(("name", grading.practical));
    let element = element
        .with_attributes(counts.attributes().iter().map(|(key, value)| (*key, value.as_str())));
    element.with_attribute(("time", seconds(grading.duration).as_str())).write_inner_content(
        |xml| {
            if let Some(NoGrade(fault)) = fault {
                return nothing_graded(xml, fault);
            }
            programs.iter().try_for_each(|program| testsuite(xml, grading, program))
        },
    )?;
    Ok(())
}

struct Counts([(&'static str, usize); 4]);

impl Counts {
    fn of(rows: &[&GradedRow], nothing: bool) -> Self {
        let count = |wanted: fn(&Status) -> bool| {
            rows.iter().filter(|row| wanted(&row.verdict.status)).count()
        };
        Self([
            ("tests", rows.len() + usize::from(nothing)),
            ("failures", count(|status| matches!(status, Status::Failed(_) | Status::Unbuilt))),
            ("errors", count(|status| matches!(status, Status::Fault(_))) + usize::from(nothing)),
            ("skipped", count(|status| matches!(status, Status::Skipped(_) | Status::Unseen(_)))),
        ])
    }

    fn attributes(&self) -> [(&'static str, String); 4] {
        self.0.map(|(key, count)| (key, count.to_string()))
    }
}

fn nothing_graded(xml: &mut Xml, fault: &str) -> io::Result<()> {
    let counts = Counts::of(&[], true).attributes();
    let element = xml.create_element("testsuite").with_attribute(("name", "grading"));
    let element = element.with_attributes(counts.iter().map(|(key, value)| (*key, value.as_str())));
    element.write_inner_content(|xml| {
        let case = xml
            .create_element("testcase")
            .with_attributes([("name", "grading"), ("classname", "grading")]);
        case.write_inner_content(|xml| outcome(xml, "error", "fault", &plain::line(fault), ""))?;
        Ok(())
    })?;
    Ok(())
}

fn testsuite(xml: &mut Xml, grading: &Grading, program: &str) -> io::Result<()> {
    let rows: Vec<&GradedRow> = grading.rows.iter().filter(|row| row.program == program).collect();
    let counts = Counts::of(&rows, false).attributes();
    let element = xml.create_element("testsuite").with_attribute(("name", program));
    let element = element.with_attributes(counts.iter().map(|(key, value)| (*key, value.as_str())));
    let time = seconds(rows.iter().map(|row| row.verdict.took).sum());
    element.with_attribute(("time", time.as_str())).write_inner_content(|xml| {
        properties(xml, &[("premises", plain::premises(grading).join(" "))])?;
        rows.iter().try_for_each(|row| testcase(xml, grading, row))
    })?;
    Ok(())
}

fn testcase(xml: &mut Xml, grading: &Grading, row: &GradedRow) -> io::Result<()> {
    let verdict = &row.verdict;
    let spot = spot(grading, row);
    let mut element = xml
        .create_element("testcase")
        .with_attributes([("name", verdict.check), ("classname", row.program)])
        .with_attribute(("time", seconds(verdict.took).as_str()));
    if let Some(Spot { file, line }) = &spot {
        element = element
            .with_attribute(("file", file.as_str()))
            .with_attribute(("line", line.to_string().as_str()));
    }
    element.write_inner_content(|xml| {
        if grading.outcome.is_ok() && row.counts() {
            properties(
                xml,
                &[("score", row.points().to_string()), ("max_score", row.max_points.to_string())],
            )?;
        }
        let message = plain::message_for_students(grading, row).unwrap_or_default();
        let full = plain::full_for_students(grading, row);
        match &verdict.status {
            Status::Passed => Ok(()),
            Status::Failed(_) => outcome(xml, "failure", "failed", &message, &full),
            Status::Unbuilt => outcome(xml, "failure", "unbuilt", &message, &full),
            Status::Fault(_) => outcome(xml, "error", "fault", &message, ""),
            Status::Skipped(_) | Status::Unseen(_) => xml
                .create_element("skipped")
                .with_attribute(("message", message.as_str()))
                .write_empty()
                .map(drop),
        }
    })?;
    Ok(())
}

/// Returns where the failure is in the submission, if that is known.
fn spot(grading: &Grading, row: &GradedRow) -> Option<Spot> {
    if row.verdict.status != Status::Unbuilt {
        return plain::spot_of_panic(grading, row);
    }
    let unbuilt = grading.unbuilt.iter().find(|unbuilt| unbuilt.program == row.program)?;
    plain::spot_of_error(grading, row.program, unbuilt.details().first()?)
}

fn properties(xml: &mut Xml, properties: &[(&str, String)]) -> io::Result<()> {
    xml.create_element("properties").write_inner_content(|xml| {
        properties.iter().try_for_each(|(name, value)| {
            let element = xml.create_element("property").with_attribute(("name", *name));
            element.with_attribute(("value", value.as_str())).write_empty().map(drop)
        })
    })?;
    Ok(())
}

fn outcome(xml: &mut Xml, element: &str, kind: &str, message: &str, full: &str) -> io::Result<()> {
    let element =
        xml.create_element(element).with_attributes([("type", kind), ("message", message)]);
    if full.is_empty() {
        element.write_empty()
    } else {
        element.write_text_content(BytesText::new(full))
    }
    .map(drop)
}

fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}
