//! Other clients of WeChat Pay from public registries, at pinned versions, in the loop of `bench sdk`.
//!
//! What is not there on this machine is left out and said; nothing is measured that is not the pinned version.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};

use super::{Bench, print};
use crate::{
    outcome::{Failure, Outcome},
    process,
    test::{clients, node, python},
    workspace::Workspace,
};

/// A program that runs the loop over another client.
pub(super) struct Rival {
    /// Registry, name and version.
    pub(super) name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
}

impl Rival {
    /// Every one that can be set up.
    pub(super) fn all(bench: &Bench, workspace: &Workspace) -> Outcome<Vec<Self>> {
        let script = |name: &str| workspace.root().join(RIVALS).join(name).display().to_string();
        let axios = node::prepare(workspace).map(|folder| Self {
            name: "npm wechatpay-axios-plugin 0.9.6",
            program: "node".into(),
            arguments: vec![script("axios.js"), folder.display().to_string()],
        });
        let wechatpayv3 = python::prepare(workspace).and_then(|python| {
            let mut has_it = Command::new(&python);
            has_it.args([
                "-c",
                "import wechatpayv3; assert wechatpayv3.__version__ == '2.0.4'",
            ]);
            if !process::succeeds(&mut has_it) {
                let what = "`wechatpayv3` 2.0.4 is not among the pinned packages";
                return Err(Failure::failed(what, "add it to tests/python/requirements.txt"));
            }
            Ok(Self {
                name: "PyPI wechatpayv3 2.0.4",
                program: python,
                arguments: vec![script("wechatpayv3_calls.py")],
            })
        });
        let rivals = [axios, wechatpayv3, wxpay_rs(workspace)];
        let mut there = Vec::new();
        for rival in rivals {
            match rival {
                Ok(rival) => there.push(rival),
                // A quick run finds out whether it works, which it then does not.
                Err(failure) if bench.is_quick => return Err(failure),
                Err(failure) => eprintln!("left out: {failure}"),
            }
        }
        Ok(there)
    }

    /// Imports the members 32 at once, opening the phone number of each answer.
    pub(super) fn measure(&self, _: &Bench, members: &str, folder: &str) -> Outcome<Value> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .args([members, "32", "opened", folder]);
        // Proxies of the machine have no business on the loopback address.
        command
            .env("NO_PROXY", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let output = process::output(&mut command, &[])?;
        let text = String::from_utf8_lossy(&output.stdout);
        match serde_json::from_str::<Value>(&text) {
            Ok(measured) if output.status.success() => {
                print(&format!(
                    "{}\n",
                    json!({"measurement": self.name, "measured": measured})
                ));
                Ok(measured)
            }
            _ => {
                let said = String::from_utf8_lossy(&output.stderr);
                let shown = process::show(&command);
                Err(Failure::failed(
                    format!("`{shown}` failed: {}", said.trim_end()),
                    format!("run `{shown}` by itself, against a running `wxmember sandbox`"),
                ))
            }
        }
    }
}

/// Outside the workspace, so that what it depends on stays out of ours.
fn wxpay_rs(workspace: &Workspace) -> Outcome<Rival> {
    let target = clients::target(workspace);
    let mut build = process::cargo(workspace.root());
    build.args([
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--bin",
        "wxpay-rs-calls",
    ]);
    build
        .args(["--manifest-path", clients::MANIFEST, "--target-dir"])
        .arg(&target);
    eprintln!("running `{}`", process::show(&build));
    process::run(&mut build, "check the network, or mend what the compiler names")?;
    let name = format!("wxpay-rs-calls{}", std::env::consts::EXE_SUFFIX);
    Ok(Rival {
        name: "crate wxpay-rs 2.1.0",
        program: target.join("release").join(name),
        arguments: Vec::new(),
    })
}

const RIVALS: &str = "tests/bench/rivals";
