//! Several processes on one ledger: they share the rows and the quota.

use std::{process::Child, time::Duration};

use tokio::time::sleep;
use wxmember_sandbox::{Quota, Sandbox};
use wxmember_tests::{
    Postgres,
    members::MemberList,
    stage::{Stage, check_members, check_report},
};

/// A stage whose sandbox enforces the documented quota.
async fn stage(list: MemberList) -> Stage {
    let quota = Quota::per_second(5.try_into().unwrap());
    Stage::set_up(Sandbox::builder().with_quota(quota), list).await
}

/// Waits for the end of processes, without keeping the sandbox of this process from its work.
async fn ended(stage: &Stage, processes: [(&str, Child); 2]) {
    for (name, mut process) in processes {
        let mut status = None;
        for _ in 0..MOST_LOOKS {
            status = process.try_wait().unwrap();
            if status.is_some() {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        if status.is_none() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        let code = status.and_then(|status| status.code());
        assert_eq!(code, Some(0), "{name}: {}", stage.said(name));
    }
}

/// How many requests were too many, but for those of the first second.
fn too_many(sandbox: &Sandbox) -> usize {
    let journal = sandbox.journal();
    let first = journal.iter().filter_map(|entry| entry.timestamp).min().unwrap();
    let later = journal
        .iter()
        .filter(|entry| entry.timestamp.is_some_and(|time| time > first));
    later.filter(|entry| entry.status == Some(429)).count()
}

fn sent(stage: &Stage, name: &str) -> u64 {
    stage.report(name).unwrap()["sent"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_of_one_list_share_its_rows_and_the_quota() {
    check_one_list(stage(MemberList::new(30, 41)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_share_a_ledger_in_postgresql() {
    let server = Postgres::start();
    let url = server.create_database("ledger");
    let stage = stage(MemberList::new(30, 44)).await;
    let key = stage.path("ledger.key").display().to_string();
    check_one_list(stage.with_ledger(&["--ledger", &url, "--ledger-key", &key])).await;
}

/// Imports the list with two processes at once.
async fn check_one_list(stage: Stage) {
    let start = |name| {
        let mut command = stage.import();
        command.args(["--quota", "5/s"]);
        (name, stage.start(name, command))
    };
    ended(&stage, [start("one"), start("other")]).await;
    check_members(&stage.sandbox, &[stage.list]).unwrap();
    let (one, other) = (sent(&stage, "one"), sent(&stage, "other"));
    assert!(one > 0 && other > 0, "{one} and {other} requests");
    assert_eq!(one + other, stage.sandbox.requests());
    for name in ["one", "other"] {
        check_report(&stage.report(name).unwrap(), stage.list).unwrap();
    }
    assert_eq!(too_many(&stage.sandbox), 0);
    stage.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_of_two_lists_share_the_quota() {
    let lists = [MemberList::new(15, 42), MemberList::new(15, 43)];
    let stage = stage(lists[0]).await;
    stage.write_list("other.csv", lists[1]);
    let start = |name, path| {
        let mut command = stage.command("import");
        command.arg(path).args(["--quota", "5/s"]);
        (name, stage.start(name, command))
    };
    let processes = [
        start("one", stage.list_path()),
        start("other", stage.path("other.csv")),
    ];
    ended(&stage, processes).await;
    check_members(&stage.sandbox, &lists).unwrap();
    for (name, list) in ["one", "other"].into_iter().zip(lists) {
        check_report(&stage.report(name).unwrap(), list).unwrap();
        assert_eq!(sent(&stage, name), 15, "{name}");
    }
    assert_eq!(too_many(&stage.sandbox), 0);
    stage.sandbox.shutdown().await;
}

/// More than a minute.
const MOST_LOOKS: u32 = 6_000;
