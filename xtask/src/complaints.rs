//! What is wrong, and what a check says.

/// What is wrong, each with its place.
pub(crate) type Complaints = Vec<String>;

/// What a check says: that all is well and how much there was, in one line; or what is wrong.
pub(crate) type Outcome = Result<String, Complaints>;

/// All is well if nothing is wrong.
pub(crate) fn outcome(complaints: Complaints, found: impl FnOnce() -> String) -> Outcome {
    if complaints.is_empty() { Ok(found()) } else { Err(complaints) }
}
