//! Tests the page in Chromium: on a phone and a desktop, light and dark, with an accessibility
//! checker.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::{html, real, sample, tests};

/// Collects what axe finds with everything unfolded, and what a reader sees at once.
const LOOK: &str = "
addEventListener('load', async () => {
  const seen = {
    score: document.querySelector('.score')?.textContent,
    dark: matchMedia('(prefers-color-scheme: dark)').matches,
    width: innerWidth,
    widest: document.documentElement.scrollWidth,
    ids: document.querySelectorAll('[id]').length - new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size,
    lost: [...document.querySelectorAll('a[href]')].filter(a => !document.querySelector(a.getAttribute('href'))).length,
    outside: document.querySelectorAll('[src], link, iframe, object, form').length,
  };
  document.querySelectorAll('details').forEach(details => details.open = true);
  const { violations, passes } = await axe.run(document);
  seen.passes = passes.length;
  seen.violations = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`);
  parent.postMessage(btoa(unescape(encodeURIComponent(JSON.stringify(seen)))), '*');
});";

/// A frame, because Chromium's window is never as narrow as a phone.
const FRAME: &str = "<!doctype html><title>The page in a frame</title><script>
addEventListener('message', ({ data }) => { document.body.textContent = data; });
</script><body>";

struct Browser {
    axe: String,
    folder: tempfile::TempDir,
}

impl Browser {
    fn find() -> Option<Self> {
        if !real::has("chromium") {
            return None;
        }
        let axe = tests::readers::readers()?.with_file_name("node_modules/axe-core/axe.min.js");
        Some(Self {
            axe: std::fs::read_to_string(axe).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        })
    }

    fn sees(&self, page: &str, width: u32, dark: bool) -> Value {
        let (head, body) = page.split_once("<style>").unwrap();
        let head: String =
            head.lines().filter(|line| !line.contains("Content-Security-Policy")).collect();
        let file = self.folder.path().join("page.html");
        std::fs::write(
            &file,
            format!("{head}<script>{}</script><script>{LOOK}</script><style>{body}", self.axe),
        )
        .unwrap();
        let frame = self.folder.path().join("frame.html");
        let iframe = format!(
            "<iframe src=\"page.html\" style=\"width:{width}px;height:1000px;border:0\"></iframe>"
        );
        std::fs::write(&frame, format!("{FRAME}{iframe}")).unwrap();
        let dom = self.dump(&frame, dark);
        let found = dom
            .rsplit_once("<body>")
            .and_then(|(_, rest)| Some(rest.split_once("</body>")?.0.trim()));
        let found = found.and_then(|found| BASE64_STANDARD.decode(found).ok());
        serde_json::from_slice(&found.unwrap_or_else(|| panic!("axe came to no end:\n{dom}")))
            .unwrap()
    }

    fn dump(&self, file: &Path, dark: bool) -> String {
        let output = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
            ])
            .args([
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--virtual-time-budget=20000",
                "--dump-dom",
            ])
            .arg(format!("--user-data-dir={}", self.folder.path().join("profile").display()))
            .arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }))
            .arg("--window-size=1400,1000")
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[test]
fn the_page_has_no_barrier_and_fits_every_screen() {
    let Some(browser) = Browser::find() else { return };
    let barrier = html::render(&sample::grade()).replace("--soft: #57606a", "--soft: #d7e0ea");
    assert_ne!(
        browser.sees(&barrier, 1280, false)["violations"],
        Value::Array(Vec::new()),
        "axe is blind"
    );

    let (plain, hostile, fault) = (sample::grade(), sample::hostile(), sample::with_a_fault());
    for (grading, width, dark) in [
        (&plain, 390, false),
        (&plain, 390, true),
        (&plain, 1280, false),
        (&plain, 1280, true),
        (&hostile, 390, false),
        (&fault, 390, true),
    ] {
        let seen = browser.sees(&html::render(grading), width, dark);
        println!("{seen}");
        assert_eq!(seen["violations"], Value::Array(Vec::new()), "{width} {dark}");
        assert!(seen["passes"].as_u64().unwrap() > 10, "axe looked at little: {seen}");
        assert_eq!((&seen["width"], &seen["dark"]), (&width.into(), &dark.into()), "{seen}");
        assert!(seen["widest"].as_u64() <= Some(width.into()), "the page scrolls sideways: {seen}");
        for none in ["ids", "lost", "outside"] {
            assert_eq!(seen[none], 0, "{none}: {seen}");
        }
        if grading.outcome.is_ok() {
            assert_eq!(seen["score"], "7/25 points: not passed yet");
        }
    }
}
