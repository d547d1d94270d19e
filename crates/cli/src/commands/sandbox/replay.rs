//! `wxmember sandbox replay`: fixtures against the sandbox. It decides nothing; the verdicts are the sandbox's own.

use std::path::Path;

use serde_json::{Value, json};
use wxmember_sandbox::{
    fixture::Fixture,
    replay::{Difference, Replayed, Verdict, Weight, replay},
};

use crate::{
    args::{self, Format},
    exit,
    failure::{Failure, chain},
    input,
    language::{known, list, t},
    print::{say, tell},
};

/// Replays every fixture; fails when one of them says that the sandbox is wrong, or was not scrubbed.
pub(crate) async fn run(arguments: &args::sandbox::Replay) -> Result<exit::Code, Failure> {
    let mut holds = true;
    let mut fixtures = Vec::new();
    for path in &arguments.files {
        let failed = |error: &dyn std::error::Error| {
            Failure::new(t!(
                "replay-failed",
                file = path.display(),
                why = known(&chain(error))
            ))
        };
        let text = input::text(input::file(path, "a fixture")?, "a fixture")?;
        let fixture = Fixture::from_json(&text).map_err(|error| failed(&error))?;
        let findings = fixture.findings();
        for place in &findings {
            tell!(
                "{}",
                t!("replay-not-scrubbed", file = path.display(), place = place)
            );
        }
        let replayed = replay(&fixture).await.map_err(|error| failed(&error))?;
        holds &= replayed.holds() && findings.is_empty();
        match arguments.format {
            Format::Text => listed(path, &fixture, &replayed)?,
            Format::Json => fixtures.push(shown(path, &fixture, &replayed, &findings)),
        }
    }
    if arguments.format == Format::Json {
        say!("{}", json!({"holds": holds, "fixtures": fixtures}))?;
    }
    Ok(if holds { exit::DONE } else { exit::FAILED })
}

fn listed(path: &Path, fixture: &Fixture, replayed: &Replayed) -> Result<(), Failure> {
    say!("{}  {}", path.display(), fixture.origin().word())?;
    for (index, exchange) in replayed.exchanges.iter().enumerate() {
        let rule = exchange.rule.map_or("", |rule| rule.id);
        let verdict = match exchange.verdict {
            Verdict::Accepted => t!("replay-accepted"),
            Verdict::Confirms => t!("replay-confirms", rule = rule),
            Verdict::Contradicts => t!("replay-contradicts", rule = rule),
            Verdict::OtherReason => t!("replay-other-reason", rule = rule),
            Verdict::NotRefused if exchange.candidates.is_empty() => t!("replay-no-rule"),
            Verdict::NotRefused => {
                let rules: Vec<_> = exchange.candidates.iter().map(|rule| rule.id).collect();
                t!("replay-not-refused", rules = list(&rules))
            }
            _ => t!("replay-not-judged"),
        };
        say!(
            "  {}  {} {}  {verdict}",
            index + 1,
            exchange.operation,
            exchange.status
        )?;
        for difference in &exchange.differences {
            let Difference {
                at,
                recorded,
                sandbox,
                ..
            } = difference;
            let line = t!(
                "replay-difference",
                at = at,
                recorded = recorded,
                sandbox = sandbox
            );
            let mark = if difference.weight == Weight::Note {
                "·"
            } else {
                "≠"
            };
            say!("     {mark} {line}")?;
        }
    }
    Ok(())
}

fn shown(path: &Path, fixture: &Fixture, replayed: &Replayed, findings: &[String]) -> Value {
    let exchanges = replayed.exchanges.iter().map(|exchange| {
        let differences = exchange.differences.iter().map(|difference| {
            json!({
                "at": difference.at,
                "recorded": difference.recorded,
                "sandbox": difference.sandbox,
                "is_note": difference.weight == Weight::Note,
            })
        });
        json!({
            "operation": exchange.operation,
            "status": exchange.status,
            "verdict": exchange.verdict.word(),
            "rule": exchange.rule.map(|rule| rule.id),
            "candidates": exchange.candidates.iter().map(|rule| rule.id).collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
        })
    });
    json!({
        "file": path.display().to_string(),
        "origin": fixture.origin().word(),
        "holds": replayed.holds(),
        "not_scrubbed": findings,
        "exchanges": exchanges.collect::<Vec<_>>(),
    })
}
