//! The built book holds together. Each link leads to a file that is there, and to a place in it
//! that is there. The book opens from disk: nothing is fetched, and no link begins at the root of a
//! server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::complaints::{Outcome, outcome};
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let built = repo.built_book();
    let mut pages = repo.all_files(&built);
    pages.retain(|path| path.extension().is_some_and(|it| it == "html"));
    if pages.is_empty() {
        return Err(vec![format!("there is no book in {}: `cargo xtask book` builds it", repo.name(&built))]);
    }
    // The page for broken links is for servers only.
    pages.retain(|path| *path != built.join("404.html"));
    let mut texts = BTreeMap::new();
    for page in pages {
        let text = repo.read(&page)?;
        texts.insert(page, text);
    }
    let places = texts.iter().map(|(path, text)| (path.clone(), values(text, "id").into_iter().collect()));
    let places: BTreeMap<PathBuf, BTreeSet<String>> = places.collect();
    let (mut complaints, mut links, mut outside) = (Vec::new(), 0, 0);
    for (page, text) in &texts {
        for link in ["href", "src", "srcset"].iter().flat_map(|it| values(text, it)) {
            match target(page, &link) {
                Target::Outside => outside += 1,
                Target::Wrong(why) => complaints.push(format!("{}: `{link}`: {why}", repo.name(page))),
                Target::Inside(path, place) => {
                    links += 1;
                    let why = is_there(&path, place.as_deref(), &places);
                    complaints.extend(why.map(|why| format!("{}: `{link}`: {why}", repo.name(page))));
                }
            }
        }
    }
    complaints.dedup();
    outcome(complaints, || format!("{links} links within {} pages, {outside} to elsewhere", texts.len()))
}

#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A file, and a place in it.
    Inside(PathBuf, Option<String>),
    Outside,
    Wrong(&'static str),
}

fn target(page: &Path, link: &str) -> Target {
    if link.starts_with("https://") || link.starts_with("mailto:") || link.starts_with("data:") {
        return Target::Outside;
    }
    if link.starts_with("http:") {
        return Target::Wrong("should be https");
    }
    if link.starts_with('/') || link.contains("://") || link.starts_with("javascript:") {
        return Target::Wrong("doesn't work from disk");
    }
    let (file, place) = link.split_once('#').map_or((link, None), |(file, place)| (file, Some(place)));
    let file = file.split('?').next().unwrap_or_default();
    let mut path = page.to_owned();
    if !file.is_empty() {
        path.pop();
        for part in file.split('/') {
            match part {
                ".." => _ = path.pop(),
                "." => {}
                part => path.push(decoded(part)),
            }
        }
    }
    Target::Inside(path, place.filter(|place| !place.is_empty()).map(decoded))
}

fn is_there(
    path: &Path,
    place: Option<&str>,
    places: &BTreeMap<PathBuf, BTreeSet<String>>,
) -> Option<String> {
    if path.is_dir() {
        return Some("is a folder, which shows its files when it is opened from disk".to_owned());
    }
    if !path.is_file() {
        return Some("there is no such file".to_owned());
    }
    match (place, places.get(path)) {
        (Some(place), Some(places)) if !places.contains(place) => {
            Some(format!("the page has no place `{place}`"))
        }
        _ => None,
    }
}

/// The values of an attribute in all tags of a page. Scripts and comments hold no tags.
fn values(page: &str, attribute: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = page;
    while let Some((_, tag)) = rest.split_once('<') {
        if let Some(comment) = tag.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let Some((inside, after)) = tag.split_once('>') else {
            break;
        };
        rest = after;
        if inside.starts_with("script") && !inside.ends_with('/') {
            rest = after.split_once("</script").map_or("", |(_, after)| after);
        }
        let opening = format!("{attribute}=\"");
        for (at, _) in inside.match_indices(&opening) {
            if inside[..at].ends_with(char::is_whitespace) {
                let value = inside[at + opening.len()..].split('"').next().unwrap_or_default();
                values.push(value.replace("&amp;", "&"));
            }
        }
    }
    values
}

/// The text of a link with its `%20` and the like.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|it| std::str::from_utf8(it).ok()).filter(|_| *first == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complaints::Complaints;

    fn complaints_of(page: &str) -> Complaints {
        let files = [("target/book/a.html", page), ("target/book/b.html", "<h1 class=x id=\"top\">B</h1>")];
        let repo = Repo::of_files(&files);
        check(&repo).err().unwrap_or_default()
    }

    #[test]
    fn links_that_are_there() {
        let page = "<a href=\"b.html\"><a href=\"./b.html#top\"><a href=\"#x%20y\"><p id=\"x y\">\
                    <a href=\"https://example.org\"><img src=\"b.html\"><script src=\"b.html\">href=\"no\"</script>\
                    <!-- <a href=\"no\"> -->";
        assert_eq!(complaints_of(page), Complaints::new());
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        assert_eq!(
            complaints_of("<a href=\"c.html\">"),
            ["target/book/a.html: `c.html`: there is no such file"]
        );
        let no_place = "target/book/a.html: `b.html#end`: the page has no place `end`";
        assert_eq!(complaints_of("<a href=\"b.html#end\">"), [no_place]);
        assert_eq!(complaints_of("<a href=\"#end\">").len(), 1);
        assert_eq!(complaints_of("<img src=\"x.svg\">").len(), 1);
        assert_eq!(complaints_of("<script src=\"x.js\"></script>").len(), 1);
    }

    #[test]
    fn what_does_not_work_from_disk_is_found() {
        assert_eq!(complaints_of("<a href=\"/b.html\">").len(), 1);
        assert_eq!(complaints_of("<a href=\"../book/\">").len(), 1);
        assert_eq!(complaints_of("<a href=\"http://example.org\">").len(), 1);
    }
}
