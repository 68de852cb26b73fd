//! `grade`: one grading, and its reports. They say so, too, where it breaks off.

use crate::grade::Grading;
use crate::grader::Grader;
use crate::request::GradeRequest;
use crate::surroundings::Surroundings;
use crate::{exit, interruption, remembered, report, repository, rubric, visible};

pub(crate) fn run(request: &GradeRequest) -> anyhow::Result<u8> {
    let surroundings = Surroundings::read();
    let places = report::places(request)?;
    let graded = grade(request, &surroundings);
    interruption::no_longer();
    match graded {
        Ok(grading) => {
            let grading = remembered::compared(grading);
            report::write_all(&grading, &places)?;
            Ok(grading.exit_status())
        }
        Err(error) => {
            let error = exit::with_machines_fault(error);
            let broken_off = Grading::broken_off(request, surroundings, &error);
            if let Err(unwritten) = report::write_errors(&broken_off, &places) {
                report::warn(&visible::error(&unwritten), &broken_off.surroundings);
            }
            Err(error)
        }
    }
}

fn grade(request: &GradeRequest, surroundings: &Surroundings) -> anyhow::Result<Grading> {
    let repository = repository::find()?;
    let rubric = rubric::read(&repository, &request.practical)?;
    rubric.plan(&request.only)?; // a typing mistake is told before anything is tried
    let surroundings = surroundings.complete(request)?;

    let grading = Grader::new(repository, request.confine)?.grade(&rubric, request)?;
    Ok(Grading { surroundings, ..grading })
}
