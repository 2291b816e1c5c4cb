//! The built book in a real browser, opened from disk. Nothing is missing, nothing sticks out on a
//! phone, all text can be read in the dark, and the interactive page obeys keys and fingers.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::complaints::{Complaints, Outcome, outcome};
use crate::repo::Repo;
use crate::webdriver::{Browser, END, HOME, LEFT, RIGHT, SPACE, TAB};

const PHONE: (u32, u32) = (390, 844);

pub(super) fn check(repo: &Repo) -> Outcome {
    let built = repo.built_book();
    let mut pages = repo.entries(&built);
    // The search's frame and the page for broken links aren't opened by themselves.
    pages.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        path.extension().is_some_and(|it| it == "html") && name != "404.html" && name != "toc.html"
    });
    let step = built.join("step/index.html");
    if pages.is_empty() || !step.exists() {
        return Err(vec![format!("there is no book in {}: `cargo xtask book` builds it", repo.name(&built))]);
    }
    let worker = built.join("worker/index.html");
    let mut complaints = Vec::new();
    let wide = Browser::open(1280, 900, false)?;
    complaints.extend(keys(&wide, &step)?);
    complaints.extend(game(&wide, &worker)?);
    complaints.extend(search(&wide, &pages[0])?);
    let phone = Browser::open(PHONE.0, PHONE.1, true)?;
    complaints.extend(fingers(&phone, &step)?);
    complaints.extend(game_by_fingers(&phone, &worker)?);
    pages.extend([step, worker]);
    for page in &pages {
        for (browser, scheme) in [(&wide, "light"), (&phone, "dark")] {
            let wrong = look(browser, page, scheme)?;
            complaints
                .extend(wrong.into_iter().map(|wrong| format!("{}, {scheme}: {wrong}", repo.name(page))));
        }
    }
    outcome(complaints, || {
        format!("{} pages, wide and light, narrow and dark; keys and fingers", pages.len())
    })
}

fn url(page: &Path) -> String {
    format!("file://{}", page.display())
}

/// The defects of a page that is merely looked at.
fn look(browser: &Browser, page: &Path, scheme: &str) -> Result<Complaints, Complaints> {
    browser.prefer(scheme)?;
    browser.go_to(&url(page))?;
    let mut complaints = browser.complaints()?;
    let wrong = browser.text(
        "const wrong = [];
         for (const image of document.images) {
             if (!image.complete || image.naturalWidth === 0) wrong.push('a picture is missing: ' + image.src);
         }
         const page = document.documentElement;
         if (page.scrollWidth > window.innerWidth) {
             wrong.push(`it is ${page.scrollWidth} wide, and the window ${window.innerWidth}`);
         }
         const light = (color) => {
             const [red, green, blue] = color.match(/[0-9.]+/g).slice(0, 3).map((value) => {
                 value /= 255;
                 return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
             });
             return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
         };
         const ground = (element) => {
             for (; element; element = element.parentElement) {
                 const color = getComputedStyle(element).backgroundColor;
                 if (color !== 'rgba(0, 0, 0, 0)') return light(color);
             }
             return 1;
         };
         for (const element of document.querySelectorAll('main h1, main h2, main p, main li, main td, main a')) {
             const [a, b] = [light(getComputedStyle(element).color), ground(element)];
             const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
             const text = element.textContent.trim();
             // Elements that fade on purpose are marked so.
             if (text && contrast < 4 && !element.closest('.free, .address, .pointer')) {
                 wrong.push(`too little contrast (${contrast.toFixed(1)}): ${text.slice(0, 40)}`);
                 break;
             }
         }
         return wrong.join('\\n')",
    )?;
    complaints.extend(wrong.lines().map(str::to_owned));
    Ok(complaints)
}

/// The book is searched without a server.
fn search(browser: &Browser, page: &Path) -> Result<Complaints, Complaints> {
    browser.go_to(&url(page))?;
    browser.press(&['s'])?;
    browser.press(&"red zone".chars().collect::<Vec<_>>())?;
    let found = "return document.querySelectorAll('#mdbook-searchresults li').length";
    // The search answers when the reader has stopped typing for a moment.
    for _ in 0..300 {
        if browser.text(found)? != "0" {
            return Ok(Vec::new());
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(vec!["the search finds no `red zone`".to_owned()])
}

/// The interactive page and the keyboard.
fn keys(browser: &Browser, page: &Path) -> Result<Complaints, Complaints> {
    let mut seen = Seen { browser, complaints: Vec::new() };
    browser.go_to(&url(page))?;
    seen.is("at the beginning", STEP, "0")?;
    let last = browser.text("return RECORDING.scenes.flatMap((scene) => scene.states).length - 1")?;
    let instruction = "return document.querySelector('#text .instruction').textContent";
    let pushed = "return document.querySelector('[data-stack=\"0\"] .here .label').textContent";
    let active = "return document.querySelector('.stack.active').dataset.stack";

    browser.press(&[RIGHT])?;
    seen.is("after →", STEP, "1")?;
    seen.is("the instruction", instruction, "push r15")?;
    seen.is("what rsp points to", pushed, "r15")?;
    seen.is("the register", "return document.getElementById('register-rsp').title", "0x7fff00008000")?;
    seen.is("the stack in use", active, "0")?;

    browser.press(&[RIGHT; 12])?;
    seen.is("after 13 instructions", instruction, "mov rsp,rax")?;
    seen.is("the stack in use", active, "1")?;
    browser.press(&[RIGHT])?;
    seen.is("where ret goes", "return document.getElementById('register-rip').textContent", "start")?;
    browser.press(&[LEFT, LEFT])?;
    seen.is("after ← ←", STEP, "12")?;
    seen.is("the stack in use", active, "0")?;

    browser.press(&[END])?;
    seen.is("after End", STEP, &last)?;
    seen.is("the button, at the end", "return document.getElementById('next').disabled", "true")?;
    browser.press(&[RIGHT])?;
    seen.is("after → at the end", STEP, &last)?;
    browser.press(&[HOME, LEFT])?;
    seen.is("after Home ←", STEP, "0")?;

    // The link, the three scenes; then the second scene is chosen, and the slider is stepped over
    // once.
    browser.press(&[TAB, TAB, TAB, SPACE])?;
    seen.is("after the second scene was chosen", STEP, "15")?;
    let focus = "return document.activeElement.id || document.activeElement.textContent";
    browser.press(&[TAB; 5])?;
    seen.is("what has the focus", focus, "slider")?;
    browser.press(&[RIGHT])?;
    seen.is("after → on the slider", STEP, "16")?;
    browser.press(&[TAB, SPACE])?;
    seen.is("after the button", STEP, "17")?;

    // The space bar plays, and pauses.
    browser.go_to(&url(page))?;
    browser.press(&['+', '+', '+', '+', SPACE])?;
    seen.is("the speed after +", "return document.getElementById('speed').value", "250")?;
    seen.soon("whether it plays", "return Number(document.body.dataset.step) > 2", "true")?;
    browser.press(&[SPACE])?;
    seen.is("the button, after a pause", "return document.getElementById('play').ariaLabel", "Play")?;
    // By itself it ends at the end.
    browser.press(&[END, LEFT, LEFT, SPACE])?;
    seen.soon("the step after a while", STEP, &last)?;
    seen.is("the button, at the end", "return document.getElementById('play').ariaLabel", "Play")?;
    let line = "return document.querySelector('#instructions .rust.now').textContent";
    seen.is("the line of Rust", line, "96}")?;

    // All of it is in sight, also in a narrower window.
    let bottom = "return document.querySelector('main').getBoundingClientRect().bottom <= 900";
    seen.is("whether it fits", bottom, "true")?;

    // A theme that was chosen for the book holds for this page.
    browser.text("localStorage.setItem('mdbook-theme', 'navy')")?;
    browser.go_to(&url(page))?;
    seen.is("the theme", "return getComputedStyle(document.body).colorScheme", "dark")?;
    browser.text("localStorage.removeItem('mdbook-theme')")?;
    Ok(seen.complaints)
}

/// The interactive page on a phone.
fn fingers(browser: &Browser, page: &Path) -> Result<Complaints, Complaints> {
    let mut seen = Seen { browser, complaints: Vec::new() };
    browser.go_to(&url(page))?;
    browser.tap("#next")?;
    seen.is("after a tap", STEP, "1")?;
    browser.tap("#scenes button:nth-child(3)")?;
    browser.tap("#next")?;
    browser.tap("#back")?;
    seen.is("after taps on the third scene, on, and back", STEP, "38")?;
    for what in ["#text", "#next", ".stack.active .here"] {
        seen.is(&format!("whether {what} is in sight"), &is_in_sight(what), "true")?;
    }
    Ok(seen.complaints)
}

/// The game and the keyboard.
fn game(browser: &Browser, page: &Path) -> Result<Complaints, Complaints> {
    let mut seen = Seen { browser, complaints: Vec::new() };
    let text = "return document.getElementById('text').textContent";
    let last = "return document.querySelector('#log li:last-child').textContent.slice(0, 13)";
    let open = |seed: u32| browser.go_to(&format!("{}?fast&seed={seed}", url(page)));
    // A worker that does what the hints say wins, whatever the sibling does.
    for seed in 0..8 {
        open(seed)?;
        for _ in 0..60 {
            let body = "if (document.body.dataset.end) return 'end';
                        hint();
                        return document.querySelector('.advised')?.ariaKeyShortcuts ?? 'asleep'";
            match browser.text(body)?.as_str() {
                "end" => break,
                "asleep" => thread::sleep(Duration::from_millis(30)),
                key => browser.press(&key.to_lowercase().chars().collect::<Vec<_>>())?,
            }
        }
        seen.is(&format!("the end of careful game {seed}"), GAME_END, "won")?;
    }

    // Some games in which the worker sleeps without its flag are lost, each by a lost wake-up.
    let mut lost = 0;
    for seed in 0..8 {
        open(seed)?;
        for _ in 0..60 {
            let body = "if (document.body.dataset.end) return 'end';
                        if (now.worker === 'asleep') return 'asleep';
                        if (now.looks === 0) return 'l';
                        return now.queue.length > 0 ? NAMES.indexOf(now.queue[0]) + 1 : 's'";
            match browser.text(body)?.as_str() {
                "end" => break,
                "asleep" => thread::sleep(Duration::from_millis(30)),
                key => browser.press(&key.chars().collect::<Vec<_>>())?,
            }
        }
        lost += u32::from(browser.text(GAME_END)? == "lost");
    }
    if lost == 0 {
        seen.complaints.push("the game: no wake-up is lost by a worker without its flag".to_owned());
    }

    // Asleep beside ready threads; then that is taken back.
    open(1)?;
    browser.press(&['s'])?;
    seen.is("the end of a worker that sleeps at once", GAME_END, "slept")?;
    browser.press(&['1'])?;
    seen.is("whether a move is taken at the end", last, "You lie down ")?;
    browser.press(&['u', '1'])?;
    seen.is("the end, taken back", GAME_END, "undefined")?;
    seen.is("the last line", last, "A has compute")?;
    browser.press(&['n', 'l', 'l', 'l'])?;
    seen.is("the end of a worker that only looks", GAME_END, "hot")?;
    browser.press(&['n', 'h'])?;
    seen.is("the hint", &format!("{text}.slice(0, 16)"), "A careful worker")?;
    Ok(seen.complaints)
}

/// The game on a phone.
fn game_by_fingers(browser: &Browser, page: &Path) -> Result<Complaints, Complaints> {
    let mut seen = Seen { browser, complaints: Vec::new() };
    browser.go_to(&format!("{}?fast&seed=1", url(page)))?;
    browser.tap("[data-move=A]")?;
    seen.is("whether B has waited", "return document.querySelector('#queue .of-B .pips').textContent", "●○")?;
    browser.tap("[data-move=sleep]")?;
    seen.is("the end after a tap", GAME_END, "slept")?;
    for what in ["#text", "[data-move=sleep]", "#new", "#queue"] {
        seen.is(&format!("whether {what} is in sight"), &is_in_sight(what), "true")?;
    }
    Ok(seen.complaints)
}

const GAME_END: &str = "return document.body.dataset.end";
const STEP: &str = "return document.body.dataset.step";

fn is_in_sight(what: &str) -> String {
    format!(
        "const box = document.querySelector('{what}').getBoundingClientRect();
         return box.top >= 0 && box.bottom <= window.innerHeight && box.left >= 0 && box.right <= window.innerWidth"
    )
}

/// Complaints about a page seen in a browser.
struct Seen<'a> {
    browser: &'a Browser,
    complaints: Complaints,
}

impl Seen<'_> {
    /// The same, when a moment has passed.
    fn soon(&mut self, what: &str, body: &str, expected: &str) -> Result<(), Complaints> {
        for _ in 0..100 {
            if self.browser.text(body)? == expected {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        self.is(what, body, expected)
    }

    fn is(&mut self, what: &str, body: &str, expected: &str) -> Result<(), Complaints> {
        let found = self.browser.text(body)?;
        if found != expected {
            self.complaints.push(format!("the interactive page: {what}: `{found}`, should be `{expected}`"));
        }
        Ok(())
    }
}
