//! A real browser, driven by the WebDriver protocol, as far as it is needed here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use crate::complaints::Complaints;
use crate::tools;

/// Keys that have no character, in WebDriver's private code points.
pub(crate) const TAB: char = '\u{e004}';
pub(crate) const SPACE: char = '\u{e00d}';
pub(crate) const END: char = '\u{e010}';
pub(crate) const HOME: char = '\u{e011}';
pub(crate) const LEFT: char = '\u{e012}';
pub(crate) const RIGHT: char = '\u{e014}';

/// A window of a headless Chromium. It is closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: PathBuf,
}

impl Browser {
    /// Opens a window of this size. With `is_phone` the page takes it for a phone.
    pub(crate) fn open(width: u32, height: u32, is_phone: bool) -> Result<Self, Complaints> {
        let packages = ["chromium", "chromium-driver"];
        let chromium = tools::program("chromium", &packages)?;
        let mut driver = Command::new(tools::program("chromedriver", &packages)?)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| vec![format!("chromedriver can't be started: {error}")])?;
        let output = BufReader::new(driver.stdout.take().expect("it has a pipe"));
        let started = "started successfully on port ";
        let port = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once(started)?.1.trim_end_matches('.').parse().ok());
        let profile =
            env::temp_dir().join(format!("greenthread-xtask-browser-{}-{width}", std::process::id()));
        let mut this = Self { driver, port: port.unwrap_or(0), session: String::new(), profile };
        if port.is_none() {
            return Err(vec!["chromedriver doesn't say on which port it listens".to_owned()]);
        }
        let mut arguments = vec![
            format!("--user-data-dir={}", this.profile.display()),
            format!("--window-size={width},{height}"),
        ];
        // The pages need no network, no graphics card, and no sandbox to protect the user.
        let flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
                     --disable-background-networking --disable-component-update --disable-sync \
                     --disable-dev-shm-usage --hide-scrollbars";
        arguments.extend(flags.split_whitespace().map(str::to_owned));
        let arguments: Vec<String> = arguments.iter().map(|it| quoted(it)).collect();
        let emulation = if is_phone {
            format!(
                r#","mobileEmulation":{{"deviceMetrics":{{"width":{width},"height":{height},"pixelRatio":2,"touch":true}}}}"#
            )
        } else {
            String::new()
        };
        let answer = this.post(
            "/session",
            &format!(
                r#"{{"capabilities":{{"alwaysMatch":{{"goog:loggingPrefs":{{"browser":"ALL"}},
                "goog:chromeOptions":{{"binary":{},"args":[{}]{emulation}}}}}}}}}"#,
                quoted(&chromium.display().to_string()),
                arguments.join(",")
            ),
        )?;
        let id = answer.split_once(r#""sessionId":""#).and_then(|(_, rest)| rest.split('"').next());
        this.session = id.ok_or_else(|| vec![format!("no window: {answer}")])?.to_owned();
        Ok(this)
    }

    pub(crate) fn go_to(&self, url: &str) -> Result<(), Complaints> {
        self.command("/url", &format!(r#"{{"url":{}}}"#, quoted(url))).map(drop)
    }

    /// Presses keys, one after the other.
    pub(crate) fn press(&self, keys: &[char]) -> Result<(), Complaints> {
        let mut actions = Vec::new();
        for key in keys {
            let key = quoted(&key.to_string());
            actions.push(format!(r#"{{"type":"keyDown","value":{key}}}"#));
            actions.push(format!(r#"{{"type":"keyUp","value":{key}}}"#));
        }
        let actions =
            format!(r#"{{"actions":[{{"type":"key","id":"keys","actions":[{}]}}]}}"#, actions.join(","));
        self.command("/actions", &actions).map(drop)
    }

    /// Taps the middle of an element, with a finger.
    pub(crate) fn tap(&self, selector: &str) -> Result<(), Complaints> {
        let place = self.text(&format!(
            "const box = document.querySelector({}).getBoundingClientRect();
             return Math.round(box.x + box.width / 2) + ' ' + Math.round(box.y + box.height / 2)",
            quoted(selector)
        ))?;
        let (x, y) = place.split_once(' ').expect("we have asked for two numbers");
        let actions = format!(
            r#"{{"actions":[{{"type":"pointer","id":"finger","parameters":{{"pointerType":"touch"}},"actions":[
            {{"type":"pointerMove","duration":0,"x":{x},"y":{y}}},
            {{"type":"pointerDown","button":0}},{{"type":"pointerUp","button":0}}]}}]}}"#
        );
        self.command("/actions", &actions).map(drop)
    }

    /// Runs a function's body in JavaScript, and returns its result as text.
    pub(crate) fn text(&self, body: &str) -> Result<String, Complaints> {
        let script = format!("return String((() => {{ {body} }})())");
        let answer =
            self.command("/execute/sync", &format!(r#"{{"script":{},"args":[]}}"#, quoted(&script)))?;
        let value = answer.split_once(r#""value":""#).map(|(_, rest)| unquoted(rest));
        value.ok_or_else(|| vec![format!("no text: {answer}")])
    }

    /// Makes pages dark or light, as if the system had been set so.
    pub(crate) fn prefer(&self, scheme: &str) -> Result<(), Complaints> {
        let command = format!(
            r#"{{"cmd":"Emulation.setEmulatedMedia","params":{{"features":[
            {{"name":"prefers-color-scheme","value":"{scheme}"}}]}}}}"#
        );
        self.command("/goog/cdp/execute", &command).map(drop)
    }

    /// The browser's complaints since this was last asked.
    pub(crate) fn complaints(&self) -> Result<Complaints, Complaints> {
        let log = self.command("/se/log", r#"{"type":"browser"}"#)?;
        let messages = log.split(r#""message":""#).skip(1).map(unquoted);
        Ok(messages.collect())
    }

    fn command(&self, path: &str, body: &str) -> Result<String, Complaints> {
        self.post(&format!("/session/{}{path}", self.session), body)
    }

    fn post(&self, path: &str, body: &str) -> Result<String, Complaints> {
        let answer = self.request("POST", path, body);
        let answer = answer.map_err(|error| vec![format!("chromedriver can't be asked: {error}")])?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
            _ => Err(vec![format!("chromedriver refuses {path}: {answer}")]),
        }
    }

    fn request(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        // The connection stays open: the head says how long the body is.
        let mut stream = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let from = head.len();
            if stream.read_line(&mut head)? == 0 {
                break;
            }
            let line = head[from..].to_ascii_lowercase();
            length =
                line.strip_prefix("content-length:").map_or(Ok(length), |it| it.trim().parse()).unwrap_or(0);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok(head + &String::from_utf8_lossy(&body))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closing the window ends the browser. A failure is ignored: without a driver there is no
        // browser either.
        if !self.session.is_empty() {
            _ = self.request("DELETE", &format!("/session/{}", self.session), "");
        }
        _ = self.driver.kill();
        _ = self.driver.wait();
        // The browser may still be writing its last files.
        for _ in 0..40 {
            if fs::remove_dir_all(&self.profile).is_ok() || !self.profile.exists() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A text as JSON has it.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if (character as u32) < 0x20 => quoted += &format!("\\u{:04x}", character as u32),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// The text of a JSON string, up to its closing quote.
fn unquoted(json: &str) -> String {
    let mut text = String::new();
    let mut characters = json.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    text.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                Some(other) => text.push(other),
                None => break,
            },
            character => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_json() {
        let text = "a \"b\"\n\\ \u{e012} é";
        let json = quoted(text);
        assert_eq!(json, "\"a \\\"b\\\"\\u000a\\\\ \u{e012} é\"");
        assert_eq!(unquoted(&json[1..]), text);
        assert_eq!(unquoted(r#"\u003ca>", more"#), "<a>");
    }
}
