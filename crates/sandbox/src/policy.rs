//! Choices where the documents are silent or disagree, each with a default. By name, so that flags, files and the control
//! address can make them.

use std::str::FromStr;

use serde_json::{Value, json};
use thiserror::Error;
use wxmember_crypto::{PhoneNumber, Plaintext};

use crate::{refusal::Refusal, rule};

/// What the sandbox does where the protocol leaves it open (sections 4.5 and 7.4 of our notes).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Policies {
    /// `GET /v3/certificates` without any certificate.
    pub no_certificates: NoCertificates,
    /// The same code with the same phone number.
    pub repeated_member: RepeatedMember,
    /// The same phone number with another code.
    pub second_card: SecondCard,
    /// The same code with another phone number.
    pub taken_code: TakenCode,
    /// A member without a payment within a year.
    pub unpaid_member: UnpaidMember,
    /// The type of a card's validity beside its template's.
    pub validity_type: ValidityType,
}

/// One policy as a table shows it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// Its name, such as `second-card`.
    pub name: &'static str,
    /// When it is asked, in English.
    pub en: &'static str,
    /// When it is asked, in Chinese.
    pub zh: &'static str,
    /// What can be chosen, the default first.
    pub choices: &'static [Choice],
}

/// One reading of what the documents leave open.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Choice {
    /// Its name, such as `refuse`.
    pub name: &'static str,
    /// What happens then, in English.
    pub en: &'static str,
    /// What happens then, in Chinese.
    pub zh: &'static str,
    /// The id of the [`Rule`](crate::Rule) that it makes the sandbox refuse by; empty when it takes the request.
    pub rule: &'static str,
}

/// One choice of one policy. As a text it is `NAME=CHOICE`, such as `second-card=allow`; `_` and `-` are the same.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PolicyChoice {
    policy: &'static Policy,
    choice: &'static Choice,
}

impl PolicyChoice {
    /// Finds a choice by its names.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] lists what there is.
    pub fn named(policy: &str, choice: &str) -> Result<Self, PolicyError> {
        let (name, wanted) = (policy.replace('_', "-"), choice.replace('_', "-"));
        let policy = POLICIES.iter().find(|policy| policy.name == name);
        let policy = policy.ok_or(PolicyError::Name)?;
        let choice = policy.choices.iter().find(|choice| choice.name == wanted);
        let choice = choice.ok_or(PolicyError::Choice { policy })?;
        Ok(Self { policy, choice })
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &'static Policy {
        self.policy
    }

    /// What was chosen.
    #[must_use]
    pub const fn choice(&self) -> &'static Choice {
        self.choice
    }
}

impl FromStr for PolicyChoice {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (name, choice) = text.split_once('=').ok_or(PolicyError::Shape)?;
        Self::named(name.trim(), choice.trim())
    }
}

/// Why a policy cannot be chosen. It never repeats what was given.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy has no such choice.
    #[error("`{}` can be {}", .policy.name, listed(.policy.choices.iter().map(|choice| choice.name)))]
    Choice {
        /// The policy.
        policy: &'static Policy,
    },
    /// There is no such policy.
    #[error("no such policy; there are {}", listed(POLICIES.iter().map(|policy| policy.name)))]
    Name,
    /// The text is not `NAME=CHOICE`.
    #[error("a policy is `NAME=CHOICE`, such as `second-card=allow`")]
    Shape,
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Policies {
    /// Makes one choice.
    ///
    /// # Examples
    ///
    /// ```
    /// use wxmember_sandbox::{Policies, SecondCard};
    ///
    /// let mut policies = Policies::default();
    /// policies.choose("second-card=allow".parse()?);
    /// assert_eq!(policies.second_card, SecondCard::Allow);
    /// # Ok::<(), wxmember_sandbox::PolicyError>(())
    /// ```
    pub fn choose(&mut self, chosen: PolicyChoice) {
        let pick = chosen.choice.name;
        match chosen.policy.name {
            NO_CERTIFICATES => {
                self.no_certificates = match pick {
                    "not-found" => NoCertificates::NotFound,
                    _ => NoCertificates::ResourceNotExists,
                };
            }
            REPEATED_MEMBER => {
                self.repeated_member = match pick {
                    "already-exists" => RepeatedMember::AlreadyExists,
                    _ => RepeatedMember::ReturnExisting,
                };
            }
            SECOND_CARD => {
                self.second_card = match pick {
                    "allow" => SecondCard::Allow,
                    _ => SecondCard::Refuse,
                };
            }
            TAKEN_CODE => {
                self.taken_code = match pick {
                    "invalid-request" => TakenCode::InvalidRequest,
                    _ => TakenCode::AlreadyExists,
                };
            }
            UNPAID_MEMBER => {
                self.unpaid_member = match pick {
                    "refuse" => UnpaidMember::Refuse,
                    _ => UnpaidMember::Allow,
                };
            }
            _ => {
                self.validity_type = match pick {
                    "same-as-template" => ValidityType::SameAsTemplate,
                    _ => ValidityType::Any,
                };
            }
        }
    }

    /// What every policy is, in the order of [`policies`].
    pub fn chosen(&self) -> impl Iterator<Item = PolicyChoice> {
        let others = [
            self.no_certificates != NoCertificates::default(),
            self.repeated_member != RepeatedMember::default(),
            self.second_card != SecondCard::default(),
            self.taken_code != TakenCode::default(),
            self.unpaid_member != UnpaidMember::default(),
            self.validity_type != ValidityType::default(),
        ];
        // The default stands first, and there is one other.
        POLICIES.iter().zip(others).filter_map(|(policy, is_other)| {
            let choice = policy.choices.get(usize::from(is_other))?;
            Some(PolicyChoice { policy, choice })
        })
    }

    /// By name, for JSON: `{"second-card": "refuse", …}`.
    pub(crate) fn as_json(&self) -> Value {
        let chosen = self
            .chosen()
            .map(|chosen| (chosen.policy.name.to_owned(), chosen.choice.name.into()));
        Value::Object(chosen.collect())
    }
}

impl Policy {
    /// For JSON: what can be chosen, and which rules follow from it.
    pub(crate) fn as_json(&self) -> Value {
        let choices = self.choices.iter().map(
            |choice| json!({"name": choice.name, "en": choice.en, "zh": choice.zh, "rule": choice.rule}),
        );
        json!({"name": self.name, "en": self.en, "zh": self.zh, "choices": choices.collect::<Vec<_>>()})
    }
}

/// Every policy, by name.
#[must_use]
pub const fn policies() -> &'static [Policy] {
    &POLICIES
}

const fn choice(name: &'static str, en: &'static str, zh: &'static str, rule: &'static str) -> Choice {
    Choice { name, en, zh, rule }
}

static POLICIES: [Policy; 6] = [
    Policy {
        name: NO_CERTIFICATES,
        en: "certificates are asked for and there are none",
        zh: "没有平台证书时下载平台证书",
        choices: &[
            choice(
                "resource-not-exists",
                "404 RESOURCE_NOT_EXISTS",
                "404 RESOURCE_NOT_EXISTS",
                "NO_CERTIFICATES",
            ),
            choice(
                "not-found",
                "404 NOT_FOUND",
                "404 NOT_FOUND",
                "NO_CERTIFICATES_AS_NOT_FOUND",
            ),
        ],
    },
    Policy {
        name: REPEATED_MEMBER,
        en: "the same code comes again with the same phone number",
        zh: "相同的code与相同的手机号再次导入",
        choices: &[
            choice(
                "return-existing",
                "200 with the card that is there",
                "200，返回已有的会员卡",
                "",
            ),
            choice(
                "already-exists",
                "400 ALREADY_EXISTS",
                "400 ALREADY_EXISTS",
                "REPEATED_MEMBER",
            ),
        ],
    },
    Policy {
        name: SECOND_CARD,
        en: "a member who has a card comes with another code",
        zh: "已有会员卡的手机号以另一个code导入",
        choices: &[
            choice(
                "refuse",
                "400 INVALID_REQUEST",
                "400 INVALID_REQUEST",
                "SECOND_CARD",
            ),
            choice("allow", "200 with a second card", "200，发放第二张会员卡", ""),
        ],
    },
    Policy {
        name: TAKEN_CODE,
        en: "another member's code comes with a new phone number",
        zh: "已被其他会员使用的code与新的手机号一起导入",
        choices: &[
            choice(
                "already-exists",
                "400 ALREADY_EXISTS",
                "400 ALREADY_EXISTS",
                "CODE_TAKEN",
            ),
            choice(
                "invalid-request",
                "400 INVALID_REQUEST",
                "400 INVALID_REQUEST",
                "CODE_TAKEN_AS_INVALID",
            ),
        ],
    },
    Policy {
        name: UNPAID_MEMBER,
        en: "a member comes by a phone number that ends in 0000, which stands for no payment within a year",
        zh: "以0000结尾的手机号导入，代表会员1年内未在本商家有微信支付交易",
        choices: &[
            choice("allow", "taken", "接受", ""),
            choice(
                "refuse",
                "400 INVALID_REQUEST",
                "400 INVALID_REQUEST",
                "NO_PAYMENT",
            ),
        ],
    },
    Policy {
        name: VALIDITY_TYPE,
        en: "the type of a card's validity is not its template's",
        zh: "会员卡有效期类型与模板不一致",
        choices: &[
            choice("any", "taken", "接受", ""),
            choice(
                "same-as-template",
                "400 PARAM_ERROR",
                "400 PARAM_ERROR",
                "VALIDITY_TYPE",
            ),
        ],
    },
];

/// A merchant who only has the public key asks for certificates.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum NoCertificates {
    /// 404 `NOT_FOUND`.
    NotFound,
    /// 404 `RESOURCE_NOT_EXISTS`. The default.
    #[default]
    ResourceNotExists,
}

/// The same code with the same phone number comes again.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum RepeatedMember {
    /// 400 `ALREADY_EXISTS`.
    AlreadyExists,
    /// 200 with the card as it was first imported, unchanged. The default.
    #[default]
    ReturnExisting,
}

/// A phone number that has a card of the template comes with another code.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SecondCard {
    /// A second card is made.
    Allow,
    /// 400 `INVALID_REQUEST`, 会员已经领取过该卡, as in the older family. The default.
    #[default]
    Refuse,
}

/// A code that is another member's comes with a new phone number.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TakenCode {
    /// 400 `ALREADY_EXISTS`. The default.
    #[default]
    AlreadyExists,
    /// 400 `INVALID_REQUEST`.
    InvalidRequest,
}

/// A member who has not paid the merchant by WeChat Pay within a year. The sandbox knows of no payments: whoever has a phone
/// number that ends in `0000` has made none.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum UnpaidMember {
    /// Imported as everybody. The default.
    #[default]
    Allow,
    /// 400 `INVALID_REQUEST`, 该会员1年内未在本商家有微信支付交易，无法导入, as in the older family. An import by openid that
    /// gives no phone number is taken.
    Refuse,
}

impl UnpaidMember {
    /// Refuses a member who has not paid.
    pub(crate) fn check(self, phone: &PhoneNumber) -> Result<(), Refusal> {
        match self == Self::Refuse && phone.expose().ends_with(UNPAID) {
            true => Err((&rule::NO_PAYMENT).into()),
            false => Ok(()),
        }
    }
}

/// The type of a card's validity is compared with the template's.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ValidityType {
    /// Any type is taken, so that every kind of member fits the one template that is there. The default.
    #[default]
    Any,
    /// 400 `PARAM_ERROR` when the two differ.
    SameAsTemplate,
}

const NO_CERTIFICATES: &str = "no-certificates";
const REPEATED_MEMBER: &str = "repeated-member";
const SECOND_CARD: &str = "second-card";
const TAKEN_CODE: &str = "taken-code";
const UNPAID_MEMBER: &str = "unpaid-member";
const VALIDITY_TYPE: &str = "validity-type";
/// How the phone numbers of members end who have not paid.
const UNPAID: &str = "0000";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::rules;

    #[test]
    fn every_choice_can_be_made_by_its_name_and_leads_to_a_rule_that_there_is() {
        for policy in policies() {
            assert_eq!(policy.choices.len(), 2, "{}", policy.name);
            let mut policies = Policies::default();
            // The default last, so that it has something to undo.
            for choice in policy.choices.iter().rev() {
                let text = format!("{}={}", policy.name, choice.name);
                let chosen: PolicyChoice = text.parse().unwrap();
                policies.choose(chosen);
                assert!(policies.chosen().any(|found| found == chosen), "{text}");
                let underlined =
                    PolicyChoice::named(&policy.name.replace('-', "_"), &choice.name.replace('-', "_"));
                assert_eq!(underlined, Ok(chosen));
                let is_rule = rules().iter().any(|rule| rule.id == choice.rule);
                assert!(choice.rule.is_empty() || is_rule, "{text}");
            }
            assert_eq!(policies, Policies::default());
        }
    }

    #[test]
    fn every_rule_that_is_only_there_by_choice_is_in_the_table() {
        let by_choice = rules()
            .iter()
            .filter(|rule| rule.source.contains("; only with `"));
        let mut count = 0;
        for rule in by_choice {
            let mut choices = policies().iter().flat_map(|policy| &policy.choices[1..]);
            assert!(choices.any(|choice| choice.rule == rule.id), "{}", rule.id);
            count += 1;
        }
        assert_eq!(count, 5);
    }

    #[test]
    fn what_cannot_be_chosen_is_said_with_what_can() {
        let said = |text: &str| text.parse::<PolicyChoice>().unwrap_err().to_string();
        assert_eq!(
            said("second-card=MARKER"),
            "`second-card` can be `refuse`, `allow`"
        );
        assert!(said("MARKER=1").starts_with("no such policy; there are `no-certificates`, "));
        assert!(said("MARKER").contains("`second-card=allow`"));
    }
}
