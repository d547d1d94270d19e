//! The questions of `init`. Plain lines in and out, so that a test can answer them.

use std::{
    io::{self, BufRead, Write},
    path::Path,
};

use super::draft::{Draft, Missing};
use crate::language::t;

/// Somebody who can be asked.
pub(crate) struct Dialogue<R, W> {
    pub(crate) answers: R,
    pub(crate) questions: W,
}

/// Asks for everything that is missing.
///
/// # Errors
///
/// Of kind `UnexpectedEof` when nobody answers any more.
pub(crate) fn complete<R: BufRead, W: Write>(
    draft: &mut Draft,
    dialogue: &mut Dialogue<R, W>,
) -> io::Result<()> {
    for missing in draft.missing() {
        match missing {
            Missing::Mchid => {
                draft.mchid = Some(dialogue.ask(&t!("ask-mchid"), None, digits)?);
            }
            Missing::MerchantKey => {
                let default = there("apiclient_key.pem");
                draft.merchant_key = Some(dialogue.ask(&t!("ask-merchant-key"), default, file)?.into());
            }
            Missing::MerchantCertificate => {
                let default = there("apiclient_cert.pem");
                let answer = dialogue.ask(&t!("ask-merchant-certificate"), default, file)?;
                draft.merchant_certificate = Some(answer.into());
            }
            Missing::Platform => {
                let default = there("pub_key.pem");
                let question = t!("ask-platform-key");
                let answer = dialogue.ask(&question, default, file_or_dash)?;
                if answer == "-" {
                    let question = t!("ask-platform-certificate");
                    let answer = dialogue.ask(&question, None, file_or_dash)?;
                    if answer == "-" {
                        let answer = dialogue.ask(&t!("ask-apiv3-key"), None, file)?;
                        draft.apiv3_key_file = Some(answer.into());
                    } else {
                        draft.platform_certificate = Some(answer.into());
                    }
                } else {
                    draft.platform_key = Some(answer.into());
                    let id = dialogue.ask(&t!("ask-platform-key-id"), None, key_id)?;
                    draft.platform_key_id = Some(id);
                }
            }
            Missing::BrandId => draft.brand_id = Some(dialogue.ask(&t!("ask-brand-id"), None, word)?),
            Missing::CardId => {
                draft.card_id = Some(dialogue.ask(&t!("ask-card-id"), None, word)?);
            }
        }
    }
    Ok(())
}

impl<R: BufRead, W: Write> Dialogue<R, W> {
    /// Asks until the answer fits; an empty answer takes the default.
    fn ask(
        &mut self,
        question: &str,
        default: Option<&str>,
        fits: impl Fn(&str) -> Result<(), String>,
    ) -> io::Result<String> {
        loop {
            match default {
                Some(default) => write!(self.questions, "{question} [{default}]: ")?,
                None => write!(self.questions, "{question}: ")?,
            }
            self.questions.flush()?;
            let mut line = String::new();
            if self.answers.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let answer = match (line.trim(), default) {
                ("", Some(default)) => default,
                (answer, _) => answer,
            };
            match fits(answer) {
                Ok(()) => return Ok(answer.to_owned()),
                Err(why) => writeln!(self.questions, "{why}")?,
            }
        }
    }
}

/// A file name as default, when the file is there.
fn there(name: &'static str) -> Option<&'static str> {
    Path::new(name).exists().then_some(name)
}

fn file(answer: &str) -> Result<(), String> {
    match Path::new(answer).is_file() {
        true => Ok(()),
        false => Err(t!("ask-no-file")),
    }
}

fn file_or_dash(answer: &str) -> Result<(), String> {
    match answer {
        "-" => Ok(()),
        _ => file(answer),
    }
}

fn digits(answer: &str) -> Result<(), String> {
    let fits = matches!(answer.len(), 1..=32) && answer.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(()).ok_or_else(|| t!("ask-digits"))
}

fn key_id(answer: &str) -> Result<(), String> {
    let fits = answer.starts_with("PUB_KEY_ID_");
    fits.then_some(()).ok_or_else(|| t!("ask-key-id"))
}

fn word(answer: &str) -> Result<(), String> {
    let fits = !answer.is_empty() && answer.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(()).ok_or_else(|| t!("ask-word"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers line by line and returns the draft and everything that was said.
    #[track_caller]
    fn check(answers: &str) -> (io::Result<Draft>, String) {
        let mut questions = Vec::new();
        let mut draft = Draft::default();
        let done = complete(
            &mut draft,
            &mut Dialogue {
                answers: answers.as_bytes(),
                questions: &mut questions,
            },
        );
        (done.map(|()| draft), String::from_utf8(questions).unwrap())
    }

    #[test]
    fn everything_that_is_missing_is_asked_for_until_it_fits() {
        // Tests run in the crate's folder.
        let (draft, said) = check(
            "19000x\n1900000109\nnowhere.pem\nCargo.toml\nsrc/main.rs\nsrc/exit.rs\nPUB\nPUB_KEY_ID_01\n\n1004\np\n",
        );
        let draft = draft.unwrap();
        assert_eq!(draft.mchid.as_deref(), Some("1900000109"));
        assert_eq!(draft.merchant_key.as_deref(), Some(Path::new("Cargo.toml")));
        assert_eq!(draft.platform_key_id.as_deref(), Some("PUB_KEY_ID_01"));
        assert_eq!(draft.brand_id.as_deref(), Some("1004"));
        assert!(draft.missing().is_empty());
        for complaint in [
            "1 to 32 digits are needed",
            "there is no such file",
            "it begins with PUB_KEY_ID_",
            "letters and digits without blanks are needed",
        ] {
            assert_eq!(said.matches(complaint).count(), 1, "{said}");
        }
    }

    #[test]
    fn a_certificate_is_asked_for_when_there_is_no_public_key() {
        let (draft, said) = check("1\nCargo.toml\nCargo.toml\n-\nCargo.toml\nb\nc\n");
        let draft = draft.unwrap();
        assert_eq!(draft.platform_key, None);
        assert_eq!(
            draft.platform_certificate.as_deref(),
            Some(Path::new("Cargo.toml"))
        );
        assert!(said.contains("平台证书"));
        let (draft, said) = check("1\nCargo.toml\nCargo.toml\n-\n-\nCargo.toml\nb\nc\n");
        let draft = draft.unwrap();
        assert_eq!(draft.platform_certificate, None);
        assert_eq!(draft.apiv3_key_file.as_deref(), Some(Path::new("Cargo.toml")));
        assert!(draft.missing().is_empty() && said.contains("APIv3密钥"));
    }

    #[test]
    fn an_end_of_the_answers_is_an_error() {
        let (draft, _) = check("1900000109\n");
        assert_eq!(draft.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
