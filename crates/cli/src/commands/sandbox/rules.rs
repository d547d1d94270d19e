//! `wxmember sandbox rules`: every rule as a table. It decides nothing; the rules are the sandbox's own.
//!
//! stdout is one rule a line, so that `grep`, `wc` and `cut` count and find rules and nothing else; what explains the
//! table is talk and goes to stderr, whether stdout is a terminal or not. It stands in three parts under headings of
//! their own behind a blank line. `2>&1` has everything in the order of a page, since each line is written at once, and
//! `--format json` has rules and policies for programs.

use wxmember_sandbox::{Rule, Sureness, pages, policies, rules};

use crate::{
    args::{self, Format},
    exit,
    failure::Failure,
    language::{Language, current, t},
    print::{say, tell},
    table,
};

/// Prints one rule a line, or all of them as one JSON object.
pub(crate) fn run(arguments: &args::sandbox::Rules) -> Result<exit::Code, Failure> {
    match arguments.format {
        Format::Text => printed()?,
        Format::Json => say!("{}", wxmember_sandbox::rules_as_json())?,
    }
    Ok(exit::DONE)
}

/// The rules on stdout, one a line; the head of the table and everything around it are talk.
fn printed() -> Result<(), Failure> {
    let head = [
        t!("rules-rule"),
        t!("rules-sureness"),
        t!("rules-answer"),
        t!("rules-check"),
        t!("rules-message"),
        t!("rules-evidence"),
        t!("rules-source"),
    ];
    let rows = std::iter::once(head.to_vec()).chain(rules().iter().map(|rule| row(rule)));
    let lines = table::lines(&rows.collect::<Vec<_>>(), &[]);
    let mut lines = lines.iter();
    if let Some(head) = lines.next() {
        tell!("{head}");
    }
    for line in lines {
        say!("{line}")?;
    }
    tell!("\n{}", t!("rules-policies"));
    for policy in policies() {
        let choices = policy
            .choices
            .iter()
            .map(|choice| format!("{} ({})", choice.name, text(choice.en, choice.zh)));
        let choices = choices.collect::<Vec<_>>().join(" | ");
        tell!(
            "{}",
            t!(
                "rules-policy",
                name = policy.name,
                when = text(policy.en, policy.zh),
                choices = choices
            )
        );
    }
    tell!("\n{}", t!("rules-sections"));
    for page in pages() {
        tell!(
            "{}",
            t!(
                "rules-section",
                section = format!("{:3}", page.section),
                about = text(page.about, page.about_zh),
                url = page.url
            )
        );
    }
    tell!("\n{}", t!("rules-shares"));
    for sureness in Sureness::ALL {
        let count = rules().iter().filter(|rule| rule.sureness == *sureness).count();
        let letter = sureness.letter().to_string();
        let share = count * 100 / rules().len().max(1);
        let meaning = text(sureness.meaning(), sureness.meaning_zh());
        let total = rules().len();
        tell!(
            "{}",
            t!(
                "rules-share",
                letter = letter,
                count = count,
                total = total,
                share = share,
                meaning = meaning
            )
        );
    }
    Ok(())
}

fn row(rule: &Rule) -> Vec<String> {
    vec![
        rule.id.to_owned(),
        rule.sureness.to_string(),
        answer(rule),
        text(rule.check.id(), rule.check.zh()).to_owned(),
        text(rule.en, rule.zh).to_owned(),
        evidence(rule),
        rule.source.to_owned(),
    ]
}

/// How many fixtures confirm and contradict a rule, recorded ones apart from those that pages gave.
fn evidence(rule: &Rule) -> String {
    let mut parts = Vec::new();
    for (verdict, sign) in [("confirms", '+'), ("contradicts", '-')] {
        for (origin, letter) in [("recorded", 'r'), ("documentation", 'd')] {
            let fitting =
                |one: &&wxmember_sandbox::Evidence| one.verdict == verdict && one.origin.word() == origin;
            let count = rule.evidence().filter(fitting).count();
            if count > 0 {
                parts.push(format!("{sign}{count}{letter}"));
            }
        }
    }
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(" ")
    }
}

fn text<'a>(en: &'a str, zh: &'a str) -> &'a str {
    match current() {
        Language::English => en,
        Language::Chinese => zh,
    }
}

/// Status and code as one text; some refusals have no body.
fn answer(rule: &Rule) -> String {
    let code = if rule.code.is_empty() { "-" } else { rule.code };
    format!("{} {code}", rule.status)
}
