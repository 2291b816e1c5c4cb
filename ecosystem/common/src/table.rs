//! A table that is printed row by row, and may then be put into a page of Markdown.
//!
//! In the page it stands between two lines, `<!-- NAME -->` and `<!-- end of NAME -->`. All that is
//! between them is replaced.

use std::{fs, io};

/// A column's title and its width. A negative width aligns to the left, as in C.
pub type Column = (&'static str, i8);

pub struct Table {
    title: String,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// Prints the title, a sentence, and the columns.
    pub fn new(title: String, columns: Vec<Column>) -> Self {
        println!("{title}");
        let table = Self { title, columns, rows: Vec::new(), notes: Vec::new() };
        table.print(table.columns.iter().map(|(title, _)| *title));
        table
    }

    fn print<'a>(&self, cells: impl Iterator<Item = &'a str>) {
        let mut line = String::new();
        for (cell, (_, width)) in cells.zip(&self.columns) {
            let chars = usize::from(width.unsigned_abs());
            line += &if *width < 0 { format!("{cell:<chars$} ") } else { format!("{cell:>chars$} ") };
        }
        println!("{}", line.trim_end());
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.print(cells.iter().map(String::as_str));
        self.rows.push(cells);
    }

    /// Prints a sentence. In the page it stands below the table.
    pub fn note(&mut self, note: String) {
        println!("    {note}");
        self.notes.push(note);
    }

    /// Puts the table into a page.
    pub fn write(&self, page: &str, name: &str) -> io::Result<()> {
        let old = fs::read_to_string(page)?;
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let parts =
            old.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        let (before, after) = parts.ok_or_else(|| io::Error::other(format!("{page} has no {begin}")))?;
        fs::write(page, format!("{before}{begin}\n{}\n{end}{after}", self.markdown()))
    }

    fn markdown(&self) -> String {
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let mut text = format!("{}\n\n", self.title);
        text += &line(self.columns.iter().map(|(title, _)| *title).collect());
        text += &line(self.columns.iter().map(|(_, width)| if *width < 0 { "---" } else { "--:" }).collect());
        self.rows.iter().for_each(|row| text += &line(row.iter().map(String::as_str).collect()));
        if !self.notes.is_empty() {
            text += "\n";
            self.notes.iter().for_each(|note| text += &format!("- {note}\n"));
        }
        text
    }
}
