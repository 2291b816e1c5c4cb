//! Complaints, and the outcome of a check.

/// The errors that were found, each with its place.
pub(crate) type Complaints = Vec<String>;

/// The outcome of a check: a line that says how much was checked, or the complaints.
pub(crate) type Outcome = Result<String, Complaints>;

/// All is well if nothing is wrong.
pub(crate) fn outcome(complaints: Complaints, found: impl FnOnce() -> String) -> Outcome {
    if complaints.is_empty() { Ok(found()) } else { Err(complaints) }
}
