//! Reports of a job: the page is opened in a browser without a network, and looked at.

use std::{
    fs::{self, File},
    io::BufReader,
    path::Path,
    process::Command,
};

use serde_json::Value;
use wxmember_tests::{root, wxmember};

/// A home in which the list with mistakes was imported.
fn imported() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("list.csv");
    fs::copy(root().join("examples/members-with-mistakes.csv"), &list).unwrap();
    let output = wxmember(home.path())
        .args(["import", "--sandbox"])
        .arg(&list)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    home
}

#[track_caller]
fn report(home: &Path, format: &str, language: &str) -> String {
    let output = wxmember(home)
        .args([
            "report",
            "last",
            "--sandbox",
            "--format",
            format,
            "--lang",
            language,
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    // Nothing of a member is in a report.
    assert!(!text.contains("19900010") && !text.contains("李雷"), "{text}");
    text
}

/// Starts a browser that cannot resolve any name.
fn browser(home: &Path, arguments: &[&str], page: &Path) -> Vec<u8> {
    let there = |name: &&&str| Command::new(name).arg("--version").output().is_ok();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let name = names
        .iter()
        .find(there)
        .expect("a browser; `cargo xtask test` installs one");
    let output = Command::new(name)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .args([
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--window-size=900,1600",
        ])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", home.join("browser").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .env("HOME", home)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// How many pixels of a picture are close to a colour.
fn pixels_of(picture: &[u8], channels: usize, colour: [u8; 3]) -> usize {
    let is_close = |pixel: &&[u8]| {
        pixel
            .iter()
            .zip(colour)
            .all(|(found, wanted)| found.abs_diff(wanted) < 12)
    };
    picture.chunks(channels).filter(is_close).count()
}

#[test]
fn a_page_shows_outcome_rate_and_refusals_in_a_browser_without_a_network() {
    let home = imported();
    let page = home.path().join("report.html");
    let output = wxmember(home.path())
        .args(["report", "last", "--sandbox", "--format", "html", "--output"])
        .arg(&page)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let dom = browser(home.path(), &["--dump-dom"], &page);
    let dom = String::from_utf8(dom).unwrap();
    for part in [
        "<section id=\"outcome\">",
        "Done, with refused rows",
        "<svg id=\"stack\"",
        "<svg id=\"chart\"",
        "<rect class=\"imported\"",
        "<section id=\"codes\">",
        "ROW_BAD_PHONE_NUMBER",
    ] {
        assert!(dom.contains(part), "{part}: {dom}");
    }
    let picture = home.path().join("report.png");
    browser(
        home.path(),
        &[&format!("--screenshot={}", picture.display())],
        &page,
    );
    let decoder = png::Decoder::new(BufReader::new(File::open(&picture).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (900, 1600));
    let channels = info.color_type.samples();
    let count = |colour| pixels_of(&pixels, channels, colour);
    // The bars of imported and refused rows, the text, and the paper.
    let (imported, refused) = (count([0x1a, 0x7f, 0x4b]), count([0xc9, 0x37, 0x2c]));
    let (text, paper) = (count([0x1a, 0x1d, 0x21]), count([0xff, 0xff, 0xff]));
    assert!(
        imported > 500 && refused > 500 && text > 1000,
        "{imported} {refused} {text} {paper}"
    );
    assert!(paper < 900 * 1600 - 20_000, "{paper}");
}

#[test]
fn every_format_says_the_same_and_adds_up() {
    let home = imported();
    let json: Value = serde_json::from_str(&report(home.path(), "json", "en")).unwrap();
    assert_eq!(json["format_version"], 1);
    let counts = json["job"]["counts"].as_object().unwrap();
    let rows: u64 = counts.values().map(|rows| rows.as_u64().unwrap()).sum();
    assert_eq!(json["job"]["rows"], rows);
    let csv = report(home.path(), "csv", "en");
    let in_csv: u64 = csv
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(2).unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(in_csv, rows, "{csv}");
    // A machine format has no language.
    assert_eq!(csv, report(home.path(), "csv", "zh"));
    assert_eq!(json.to_string(), {
        let again: Value = serde_json::from_str(&report(home.path(), "json", "zh")).unwrap();
        again.to_string()
    });
    let text = report(home.path(), "text", "en");
    assert!(
        text.contains("ROW_BAD_PHONE_NUMBER") && text.contains("refused"),
        "{text}"
    );
    let html = report(home.path(), "html", "zh");
    assert!(
        html.contains("不是中国大陆的手机号") && html.contains("导入报告"),
        "{html}"
    );
}
