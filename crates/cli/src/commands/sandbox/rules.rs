//! `wxmember sandbox rules`: every rule as a table. It decides nothing; the rules are the sandbox's own.

use wxmember_sandbox::{Rule, Sureness, pages, rules};

use crate::{
    args::{self, Format},
    exit,
    failure::Failure,
    print::{say, tell},
};

/// Prints one rule a line, or all of them as one JSON object.
pub(crate) fn run(arguments: &args::sandbox::Rules) -> Result<exit::Code, Failure> {
    match arguments.format {
        Format::Text => table()?,
        Format::Json => say!("{}", wxmember_sandbox::rules_as_json())?,
    }
    Ok(exit::DONE)
}

fn table() -> Result<(), Failure> {
    let width = |text: fn(&Rule) -> usize| rules().iter().map(|rule| text(rule)).max().unwrap_or(0);
    let id = width(|rule| rule.id.len());
    let check = width(|rule| rule.check.id().len());
    let code = width(|rule| answer(rule).len());
    let refused = width(|rule| rule.en.chars().count());
    for rule in rules() {
        say!(
            "{:id$}  {}  {:code$}  {:check$}  {:refused$}  {}",
            rule.id,
            rule.sureness,
            answer(rule),
            rule.check.id(),
            rule.en,
            rule.source,
        )?;
    }
    for sureness in Sureness::ALL {
        let count = rules().iter().filter(|rule| rule.sureness == *sureness).count();
        tell!(
            "{sureness}  {count:2} of {}  {}",
            rules().len(),
            sureness.meaning()
        );
    }
    for page in pages() {
        tell!("{:3}  {}: {}", page.section, page.about, page.url);
    }
    Ok(())
}

/// Status and code as one text; some refusals have no body.
fn answer(rule: &Rule) -> String {
    let code = if rule.code.is_empty() { "-" } else { rule.code };
    format!("{} {code}", rule.status)
}
