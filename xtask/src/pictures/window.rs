//! For whom a picture is drawn.

/// The reader's window. Pictures that are wide have a form of their own for phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    Wide,
    Narrow,
}
