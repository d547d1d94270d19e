//! Every stored input through its target, without libFuzzer and on any compiler: what was found once stays mended.

use std::{fs, path::Path};

/// Each target by the name of its folder.
const TARGETS: [(&str, fn(&[u8])); 8] = [
    ("answer", wxmember_fuzz::answer::run),
    ("authorization", wxmember_fuzz::authorization::run),
    ("keys", wxmember_fuzz::keys::run),
    ("ledger", wxmember_fuzz::ledger::run),
    ("list", wxmember_fuzz::list::run),
    ("notification", wxmember_fuzz::notification::run),
    ("recording", wxmember_fuzz::recording::run),
    ("spreadsheet", wxmember_fuzz::spreadsheet::run),
];

#[test]
fn every_stored_input_keeps_every_claim() {
    for (target, run) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .expect("a folder of inputs")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{target} has no input");
        for file in files {
            eprintln!("{}", file.display());
            run(&fs::read(&file).expect("an input"));
        }
    }
}
