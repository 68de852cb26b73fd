//! `verify`: checks the grader against known programs.
//!
//! The reference solution and odd but right programs get full marks. The skeletons fail every check
//! except those that they are given. Every known mistake fails exactly the checks of its row and
//! gets the right name; removing evidence may lose the name but must never change it. Every check
//! has a mistake that fails it. The handout's table agrees with the rubric. The slowest gradings are
//! listed.

mod catalogue;
mod golden;
pub(super) mod ground;
mod matrix;
mod mistakes;
mod naming;
mod other_languages;
mod slowest;
mod texts;
pub(super) mod words;

use suite::{Practical, Status};

use crate::exit::{NOT_PASSED, PASSED};
use crate::grade::Points;
use crate::parallel;
use crate::plural::count;
use crate::repository::{self, Repository};
use crate::request::{Origin, VerifyRequest};
use crate::terminal::{self, BOLD, GREEN, RED};
use ground::Ground;
use words::{lost_points, say, told};

pub(crate) fn run(request: &VerifyRequest) -> anyhow::Result<u8> {
    let repository = repository::find()?;
    if let Some(name) = &request.practical {
        repository.practical(name)?;
    }
    let chosen = suite::PRACTICALS
        .iter()
        .filter(|practical| request.practical.as_deref().is_none_or(|name| name == practical.name));
    let mut holds = true;
    for practical in chosen {
        let complaints = complaints(&repository, practical, request)?;
        conclude(practical, &complaints);
        holds &= complaints.is_empty();
    }
    Ok(if holds { PASSED } else { NOT_PASSED })
}

fn complaints(
    repository: &Repository,
    practical: &Practical,
    request: &VerifyRequest,
) -> anyhow::Result<Vec<String>> {
    if request.attacks {
        return attacks(repository, practical, request);
    }
    let ground = Ground::prepare(repository, practical, request)?;
    match request.soak {
        Some(times) => super::soak::run(&ground, times),
        None => verify(&ground),
    }
}

#[cfg(target_os = "linux")]
fn attacks(
    repository: &Repository,
    practical: &Practical,
    request: &VerifyRequest,
) -> anyhow::Result<Vec<String>> {
    super::attacks::run(repository, practical, request)
}

#[cfg(not(target_os = "linux"))]
fn attacks(_: &Repository, _: &Practical, _: &VerifyRequest) -> anyhow::Result<Vec<String>> {
    anyhow::bail!("--attacks: only Linux has tiers of confinement to try")
}

fn conclude(practical: &Practical, complaints: &[String]) {
    for complaint in complaints {
        terminal::say_line(format_args!("{RED}wrong{RED:#}  {complaint}"));
    }
    match complaints.len() {
        0 => {
            terminal::say_line(format_args!("{GREEN}{}: the grader holds{GREEN:#}", practical.name))
        }
        n => terminal::say_line(format_args!(
            "{RED}{}: {} about the grader{RED:#}",
            practical.name,
            count(n, "complaint")
        )),
    }
}

fn verify(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    terminal::say_line(format_args!(
        "{BOLD}verify {}{BOLD:#}, seed {}",
        ground.rubric.practical.name, ground.request.seed
    ));
    if let Some(absent) = ground.absent() {
        terminal::say_line(format_args!("not here: {absent}; what needs them was not checked"));
    }
    let mut complaints = Vec::new();
    if ground.request.only.is_empty() {
        complaints.extend(texts::handout(ground)?);
        complaints.extend(texts::explanations(ground));
        complaints.extend(skeletons(ground)?);
    }
    complaints.extend(rights(ground)?);
    complaints.extend(mistakes::check(ground)?);
    complaints.extend(ground.slowest.conclude(ground.jobs()));
    Ok(complaints)
}

/// Checks that right programs get full marks.
fn rights(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    let mut complaints = Vec::new();
    let grade = |(name, program): &(String, Option<String>)| {
        ground.grade(program.as_deref().map(|program| (program, name.as_str())))
    };
    let rights = ground.right_programs();
    parallel::in_order(&rights, ground.jobs(), grade, |(name, _), grading| {
        complaints.extend(lost_points(name, &ground.oddity(name), &grading));
        Ok(())
    })?;
    Ok(complaints)
}

/// Checks that unfinished programs fail every check except those that they are given.
fn skeletons(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    let grading = ground.grader.grade(&ground.rubric, &ground.request_for(Origin::Practical))?;

    let given = |id: &str| ground.rubric.row(id).is_some_and(|row| row.given.is_some());
    let wrong =
        grading.rows.iter().map(|row| &row.verdict).filter(|verdict| match verdict.status {
            Status::Passed => !given(verdict.check),
            Status::Failed(_) | Status::Skipped(_) => given(verdict.check),
            Status::Unseen(_) => false,
            Status::Unbuilt | Status::Fault(_) => true,
        });
    let complaints: Vec<String> =
        wrong.map(|verdict| format!("the skeleton: {}", told(verdict))).collect();
    say(
        "skeleton",
        complaints.is_empty(),
        &format!("{}, for what it is given", Points::of(&grading.rows)),
    );
    Ok(complaints)
}
