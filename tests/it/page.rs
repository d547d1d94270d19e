//! The sandbox's page in a real browser, which has no network: requests appear, are explained, and suffer faults.

use std::{
    env, fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::Command,
};

use tokio::task::spawn_blocking;
use wxmember_sandbox::{Quota, Sandbox};
use wxmember_tests::{identity, root};

/// The browser that `cargo xtask test` finds or installs, as a path.
fn browser() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = names.iter().find_map(|name| {
        let mut paths = env::split_paths(&folders).map(|folder| folder.join(name));
        paths.find(|path| path.is_file())
    });
    found.expect("a browser; `cargo xtask test` installs one")
}

/// Where pictures are kept for whoever wants to look; never part of the repository.
fn screenshots() -> PathBuf {
    let program = env::current_exe().unwrap();
    let target = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target
        .map_or_else(|| root().join("target"), Path::to_path_buf)
        .join("screenshots")
}

#[tokio::test]
async fn a_person_sees_a_refusal_explained_and_a_fault_happen() {
    let node = env::var_os("WXMEMBER_TEST_NODE")
        .expect("a folder with `puppeteer-core`; run the tests with `cargo xtask test`");
    let home = tempfile::tempdir().unwrap();
    let screenshots = screenshots();
    // What an earlier run left is no proof of this one.
    drop(fs::remove_dir_all(&screenshots));
    let sandbox = Sandbox::builder()
        .with_identity(identity().unwrap())
        .with_quota(Quota::per_second(NonZeroU32::new(5).unwrap()))
        .start()
        .await
        .unwrap();
    let mut driver = Command::new("node");
    driver
        .arg(root().join("tests/node/page.mjs"))
        .args([sandbox.base_url(), sandbox.control_url()])
        .arg(browser())
        .arg(home.path().join("browser"))
        .arg(&screenshots)
        .env("WXMEMBER_TEST_NODE", node)
        .env("HOME", home.path());
    let output = spawn_blocking(move || driver.output()).await.unwrap().unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}{wrong}");
    println!("{said}");

    // The page did what it showed: the fault spoilt one answer, and the members are those whose requests were right.
    let spoilt = sandbox
        .journal()
        .into_iter()
        .filter(|entry| entry.fault.is_some());
    assert_eq!(spoilt.count(), 1);
    assert_eq!(sandbox.members().len(), 3);
    let pictures = fs::read_dir(&screenshots).unwrap().count();
    assert!(pictures >= 30, "{pictures} pictures in {}", screenshots.display());
    sandbox.shutdown().await;
}
