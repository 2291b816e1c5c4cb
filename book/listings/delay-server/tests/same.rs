//! The server on green threads is the one on OS threads, but for two lines at its head.

#[test]
fn two_lines_differ() {
    let lines = |text: &'static str| {
        let mut lines: Vec<String> =
            text.lines().skip(1).map(|line| line.replace("greenthread::", "std::")).collect();
        lines.sort();
        lines
    };
    let (os, green) = (include_str!("../src/os_threads.rs"), include_str!("../src/green.rs"));
    assert_eq!(lines(os), lines(green));
    let of_the_library = green.lines().filter(|line| line.contains("greenthread"));
    assert_eq!(of_the_library.count(), 2);
}
