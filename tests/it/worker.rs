//! `wxmember worker` goes on with what an import left, without the file; and a job that is paused stops both.

use std::fs;

use serde_json::Value;
use wxmember_tests::{folder::Folder, root, sandbox, wxmember};

/// Runs the program with the folder's profile and one ledger; exit code and result.
#[track_caller]
fn run(folder: &Folder, arguments: &[&str]) -> (i32, Value) {
    let ledger = folder.path.join("l.db");
    let output = wxmember(folder.home.path())
        .args(arguments)
        .args(["--format", "json", "--ledger"])
        .arg(&ledger)
        .env("WXMEMBER_CONFIG", folder.path.join("wxmember.toml"))
        .output()
        .unwrap();
    let result = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), result)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_finishes_what_an_import_left() {
    let sandbox = sandbox().await;
    let folder = Folder::write(&sandbox.base_url());
    folder.put(
        "wxmember.toml",
        &(fs::read_to_string(folder.path.join("wxmember.toml")).unwrap()
            + "validity = \"permanent\"\nlevel = \"gold\"\ntime_zone = \"+08:00\"\n"),
    );
    let list = folder.path.join("list.csv");
    let members = fs::read_to_string(root().join("examples/members.csv")).unwrap();
    let members: Vec<_> = members.lines().take(41).collect();
    fs::write(&list, members.join("\n")).unwrap();
    let import = [
        "import",
        list.to_str().unwrap(),
        "--quota",
        "10/s",
        "--max-duration",
        "1s",
    ];
    let (code, summary) = tokio::task::block_in_place(|| run(&folder, &import));
    assert_eq!(code, 75, "{summary}");
    assert_eq!(summary["stopped"]["code"], "MAX_DURATION", "{summary}");
    assert_eq!(summary["format_version"], 1);
    let job = summary["job"].as_str().unwrap().to_owned();
    // The worker has no file, and leaves a paused job alone.
    fs::remove_file(&list).unwrap();
    let (code, _) = tokio::task::block_in_place(|| run(&folder, &["pause", &job[..6]]));
    assert_eq!(code, 0);
    let worker = ["worker", "--until-done", "--quota", "1000/s"];
    let (_, paused) = tokio::task::block_in_place(|| run(&folder, &worker));
    assert_eq!(paused["sent"], 0, "{paused}");
    let (code, _) = tokio::task::block_in_place(|| run(&folder, &["resume", "last"]));
    assert_eq!(code, 0);
    let (code, done) = tokio::task::block_in_place(|| run(&folder, &worker));
    assert_eq!(code, 0, "{done}");
    assert_eq!(done["jobs"][0]["imported"], 40, "{done}");
    let (_, status) = tokio::task::block_in_place(|| run(&folder, &["status", "last"]));
    assert_eq!(status["job"]["standing"], "done", "{status}");
    sandbox.shutdown().await;
}
