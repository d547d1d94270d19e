//! One request explained for people: every check with its result, the message to sign line by line, the rule.
//!
//! It is made from what the journal kept, when somebody asks, and decides nothing. Values are shown only where the API
//! document says that they are not personal, unless the caller asks to reveal them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use wxmember_crypto::{Certificate, FormValue, KeyId, Plaintext, PlatformCiphertext, party::Merchant};

use crate::{
    authorization::Authorization,
    check::Check,
    explanation::signed::{Message, Signed},
    fault::Fault,
    gateway::Gateway,
    journal::{JournalEntry, Kept},
    nonce::WINDOW_SECONDS,
    refusal::{Issue, Language},
    spec::{Operation, Route},
};

mod signed;

/// Whether personal fields are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Personal {
    Masked,
    Revealed,
}

impl Personal {
    pub(crate) fn shown(self, text: &str) -> Value {
        match self {
            Self::Masked => MASK.into(),
            Self::Revealed => text.into(),
        }
    }
}

/// Explains one request.
pub(crate) fn explain(gateway: &Gateway, entry: &JournalEntry, kept: &Kept, personal: Personal) -> Value {
    let explained = Explained {
        gateway,
        entry,
        kept,
        personal,
        operation: operation_of(gateway, entry),
    };
    let (failed, checks) = explained.checks();
    let mut answer = written(gateway, entry, personal);
    answer["checks"] = checks;
    answer["failed"] = failed.map(Check::id).into();
    answer["answer"] = kept
        .refusal
        .as_ref()
        .and_then(|refusal| refusal.body(Language::Chinese))
        .into();
    answer["answer_in_english"] = kept
        .refusal
        .as_ref()
        .and_then(|refusal| refusal.body(Language::English))
        .into();
    answer["rule_explained"] = kept
        .refusal
        .as_ref()
        .map_or(Value::Null, |refusal| refusal.rule.as_json());
    answer["facts"] = explained.facts(failed);
    answer["message_to_sign"] = explained.message();
    answer["sealed_fields"] = explained.sealed_fields();
    answer
}

/// A journal entry as JSON.
pub(crate) fn written(gateway: &Gateway, entry: &JournalEntry, personal: Personal) -> Value {
    json!({
        "number": entry.number,
        "at": entry.at,
        "operation": entry.operation,
        "method": entry.method,
        "target": target(operation_of(gateway, entry), &entry.target, personal),
        "status": entry.status,
        "request_id": entry.request_id,
        "nonce": entry.nonce,
        "timestamp": entry.timestamp,
        "platform_serial": entry.platform_serial,
        "rule": entry.rule,
        "fault": entry.fault.map(Fault::name),
    })
}

fn operation_of<'a>(gateway: &'a Gateway, entry: &JournalEntry) -> Option<&'a Operation> {
    let path = entry.target.split('?').next().unwrap_or_default();
    let method = entry.method.parse().ok()?;
    match gateway.spec.route(&method, path) {
        Route::Operation(operation) => Some(operation),
        Route::UnknownPath | Route::WrongMethod => None,
    }
}

/// A target whose query shows only what the document knows and does not call personal.
fn target(operation: Option<&Operation>, target: &str, personal: Personal) -> String {
    let Some((path, query)) = target.split_once('?').filter(|_| personal == Personal::Masked) else {
        return target.to_owned();
    };
    let plain: BTreeSet<_> = operation
        .into_iter()
        .flat_map(|operation| operation.parameters.plain())
        .collect();
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if !plain.contains(name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

struct Explained<'a> {
    gateway: &'a Gateway,
    entry: &'a JournalEntry,
    kept: &'a Kept,
    personal: Personal,
    operation: Option<&'a Operation>,
}

impl Explained<'_> {
    /// The ladder, and the rung that failed.
    fn checks(&self) -> (Option<Check>, Value) {
        let failed = self.kept.refusal.as_ref().map(|refusal| refusal.rule.check);
        // Such a fault comes before the gateway looks at anything but the path.
        let fault_first = self.entry.fault.is_some_and(|fault| !fault.commits());
        let ladder = Check::ALL.iter().map(|check| {
            let result = match failed {
                _ if fault_first && *check > Check::Route => "not_reached",
                Some(failed) if *check == failed => "failed",
                Some(failed) if *check > failed => "not_reached",
                _ if !self.is_needed(*check) => "not_needed",
                _ => "passed",
            };
            json!({"check": check.id(), "zh": check.zh(), "en": check.en(), "result": result})
        });
        (failed, ladder.collect())
    }

    fn is_needed(&self, check: Check) -> bool {
        let has_body = self
            .operation
            .is_some_and(|operation| operation.request.is_some());
        match check {
            Check::Quota => self.gateway.buckets.is_some(),
            Check::ContentType | Check::Schema => has_body,
            Check::SealedFields => self.operation.is_some_and(Operation::has_sealed),
            _ => true,
        }
    }

    /// What was given beside what the gateway knows, for the check that failed.
    fn facts(&self, failed: Option<Check>) -> Value {
        let authorization = self.authorization();
        let header = |name: &str| self.kept.header(name);
        let registry = &self.gateway.registry;
        let facts = match failed {
            Some(Check::Route) if self.entry.target.starts_with(TWIN) => json!({
                "given": "/brand/card-member/…",
                "hint": hint(
                    "品牌直连接口（/brand/card-member，WECHATPAY-BRAND-SHA256-RSA2048）不在接口文档中，沙箱不提供；服务商请用/v3/brand/partner/card-member",
                    "the operations of the brand itself (/brand/card-member, WECHATPAY-BRAND-SHA256-RSA2048) are not in the API document, so the sandbox does not play them; a service provider calls /v3/brand/partner/card-member",
                ),
            }),
            Some(Check::ClientHeaders) => {
                json!({"given": {"user_agent": header("user-agent"), "accept": header("accept")}})
            }
            Some(Check::Authorization) => {
                let given = header("authorization").map(|value| value.split(' ').next().unwrap_or_default());
                let mut facts = json!({
                    "given": given,
                    "expected": "WECHATPAY2-SHA256-RSA2048 mchid=\"…\",nonce_str=\"…\",timestamp=\"…\",serial_no=\"…\",signature=\"…\"",
                });
                if given == Some(BRAND_SCHEME) {
                    facts["hint"] = hint(
                        "这是品牌直连接口的认证类型，这些接口（/brand/card-member）不在接口文档中，沙箱不提供；服务商接口用WECHATPAY2-SHA256-RSA2048",
                        "this is the scheme of the brand's own operations (/brand/card-member), which are not in the API document, so the sandbox does not play them; a service provider signs with WECHATPAY2-SHA256-RSA2048",
                    );
                }
                facts
            }
            Some(Check::Merchant) => json!({
                "given": authorization.map(|given| given.mchid),
                "known": registry.merchants().map(|caller| &caller.mchid).collect::<Vec<_>>(),
            }),
            Some(Check::MerchantSerial) => {
                let given = authorization.map(|given| given.serial);
                let caller = authorization.and_then(|given| registry.caller(given.mchid));
                let mut facts = json!({
                    "given": given,
                    "known": caller.into_iter().flat_map(|caller| caller.serials()).collect::<Vec<_>>(),
                });
                let is_platforms =
                    given.is_some_and(|given| registry.platform.find(&KeyId::new(given)).is_some());
                if is_platforms {
                    facts["hint"] = hint(
                        "这是微信支付的密钥ID；serial_no应为商户API证书的序列号",
                        "this is a key of the platform; serial_no is the serial number of the merchant's certificate",
                    );
                }
                facts
            }
            Some(Check::Clock) => {
                let given = authorization.map(|given| given.unix_seconds);
                let ahead = given.map(|given| given.saturating_sub(self.kept.at));
                let mut facts = json!({"given": given, "gateway": self.kept.at, "seconds_ahead": ahead,
                    "allowed": WINDOW_SECONDS});
                let is_millis = given.is_some_and(|given| {
                    (given / 1000).saturating_sub(self.kept.at).saturating_abs() <= WINDOW_SECONDS
                });
                facts["hint"] = if is_millis {
                    hint(
                        "时间戳以毫秒为单位，应为秒",
                        "the timestamp is in milliseconds; it must be in seconds",
                    )
                } else {
                    hint(
                        "校准本机时钟；每次请求都要重新签名",
                        "set this machine's clock, and sign every attempt anew",
                    )
                };
                facts
            }
            Some(Check::PlatformSerial) => {
                let now = self.gateway.clock.unix_seconds();
                let mut facts = json!({
                    "given": header("wechatpay-serial"),
                    "known": registry.platform.usable(now),
                });
                let merchants = header("wechatpay-serial").is_some_and(|given| {
                    let mut callers = registry.merchants();
                    callers.any(|caller| caller.certificate(&KeyId::new(given)).is_some())
                });
                if merchants {
                    facts["hint"] = hint(
                        "这是商户自己的证书序列号；应填写微信支付公钥ID或平台证书序列号",
                        "this is the merchant's own certificate; name the platform's public key or certificate",
                    );
                }
                facts
            }
            Some(Check::ContentType) => {
                json!({"given": header("content-type"), "expected": "application/json"})
            }
            _ => Value::Null,
        };
        match (facts, self.personal) {
            (Value::Object(facts), Personal::Masked) => Value::Object(without_surplus(facts)),
            (facts, _) => facts,
        }
    }

    fn authorization(&self) -> Option<Authorization<'_>> {
        Authorization::parse(self.kept.header("authorization")?).ok()
    }

    /// The certificate that `Authorization` names.
    fn certificate(&self, authorization: &Authorization<'_>) -> Option<&Certificate<Merchant>> {
        let caller = self.gateway.registry.caller(authorization.mchid)?;
        caller.certificate(&KeyId::new(authorization.serial))
    }

    /// The message as the gateway built it, beside the client's where that can be found out.
    fn message(&self) -> Value {
        let (Some(authorization), Some(body)) = (self.authorization(), self.kept.whole_body()) else {
            return Value::Null;
        };
        let message = Message {
            method: &self.entry.method,
            target: &self.entry.target,
            timestamp: authorization.timestamp,
            nonce: authorization.nonce,
            body,
            host: self.kept.header("host").unwrap_or_default(),
        };
        let signed = match self.certificate(&authorization) {
            Some(certificate) => signed::find(message, authorization.signature, certificate),
            None => Signed::Unknown,
        };
        let target = target(self.operation, message.target, self.personal);
        let own = [
            ("method", message.method.into()),
            ("url", target.into()),
            ("timestamp", message.timestamp.into()),
            ("nonce", message.nonce.into()),
            ("body", self.body(body)),
        ];
        let issues = match &signed {
            Signed::Differs { lines, .. } => &lines[..],
            _ => &[],
        };
        let is_known = matches!(signed, Signed::Same | Signed::Differs { .. });
        let lines = own.into_iter().enumerate().map(|(index, (name, gateway))| {
            let issue = issues.get(index).and_then(Option::as_ref);
            let result = match issue {
                Some(_) => "differs",
                None if is_known => "same",
                None => "unknown",
            };
            json!({"line": index + 1, "name": name, "gateway": gateway, "result": result,
                "client_signed": issue.map(both)})
        });
        let ending = match &signed {
            Signed::Differs { ending, .. } => ending.as_ref().map(both),
            _ => None,
        };
        let client = match &signed {
            Signed::Same => "same",
            Signed::Differs { .. } => "differs",
            Signed::Malformed => "malformed",
            Signed::Unknown => "unknown",
        };
        json!({
            "lines": lines.collect::<Vec<_>>(),
            "every_line_ends_with": "\\n",
            "client_ended_lines_with": ending,
            "client": client,
            "hint": message_hint(&signed, self.certificate(&authorization).is_some()),
        })
    }

    /// The body as the last line shows it.
    fn body(&self, body: &[u8]) -> Value {
        let expected = self.operation.and_then(|operation| operation.request.as_ref());
        let content = match (self.personal, expected) {
            (Personal::Revealed, _) => String::from_utf8_lossy(body).into_owned().into(),
            (Personal::Masked, Some(expected)) => match serde_json::from_slice(body) {
                Ok(document) => masked(document, "", &expected.plain),
                Err(_) => Value::Null,
            },
            (Personal::Masked, None) => Value::Null,
        };
        json!({"bytes": body.len(), "content": content})
    }

    /// Every sealed field that the request has, and whether it opens.
    fn sealed_fields(&self) -> Value {
        let expected = self.operation.and_then(|operation| operation.request.as_ref());
        let document = self
            .kept
            .whole_body()
            .and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let (Some(expected), Some(document)) = (expected, document) else {
            return json!([]);
        };
        let key = self.kept.header("wechatpay-serial").map(KeyId::new);
        let key = key.and_then(|id| self.gateway.registry.platform.find(&id));
        let places = expected.sealed.iter().flat_map(|path| path.places(&document));
        let fields = places.map(|pointer| {
            let sealed = document.pointer(&pointer).cloned().unwrap_or_default();
            let characters = sealed.as_str().map(|text| text.chars().count());
            let sealed = serde_json::from_value::<PlatformCiphertext>(sealed).ok();
            let opened: Option<FormValue> = key
                .as_ref()
                .zip(sealed)
                .and_then(|(pair, sealed)| pair.key.open(&sealed).ok());
            let plaintext = opened.as_ref().map(|opened| self.personal.shown(opened.expose()));
            json!({"field": pointer, "characters": characters, "opens": opened.is_some(), "plaintext": plaintext})
        });
        fields.collect()
    }
}

fn message_hint(signed: &Signed, has_certificate: bool) -> Value {
    match signed {
        Signed::Same => Value::Null,
        Signed::Differs { .. } => hint(
            "签名与另一条消息相符：见标为differs的行",
            "the signature verifies over another message: see the lines marked `differs`",
        ),
        Signed::Malformed => hint(
            "signature不是签名的标准base64",
            "signature is not the standard base64 of a signature",
        ),
        Signed::Unknown if !has_certificate => hint(
            "不知道验签所用的商户证书",
            "the merchant's certificate is not known, so nothing can be verified",
        ),
        Signed::Unknown => hint(
            "常见错误均不符：检查私钥是否属于serial_no对应的证书，并将签名前的消息与上面各行逐字节比较",
            "no common mistake fits: check that the private key belongs to the certificate of serial_no, and compare \
             what was signed with these lines byte by byte",
        ),
    }
}

fn hint(zh: &str, en: &str) -> Value {
    json!({"zh": zh, "en": en})
}

fn both(issue: &Issue) -> Value {
    hint(&issue.zh, &issue.en)
}

/// Headers may hold anything; a long text is none of the ids that are shown here.
fn without_surplus(mut facts: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::String(given)) = facts.get_mut("given")
        && (given.len() > LONGEST_FACT || !given.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '))
    {
        *given = MASK.to_owned();
    }
    facts
}

/// A document in which nothing is readable but what stands at a plain place.
fn masked(value: Value, place: &str, plain: &BTreeSet<String>) -> Value {
    match value {
        Value::Array(elements) => {
            let place = format!("{place}/*");
            let elements = elements.into_iter().map(|element| masked(element, &place, plain));
            elements.collect()
        }
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let place = format!("{place}/{name}");
                let name = if crate::body::is_name(&name) {
                    name
                } else {
                    MASK.to_owned()
                };
                (name, masked(value, &place, plain))
            });
            Value::Object(members.collect())
        }
        Value::Null => Value::Null,
        value if plain.contains(place) => value,
        _ => MASK.into(),
    }
}

pub(crate) const MASK: &str = "***";
/// The family for brands themselves, which the API document does not hold.
const TWIN: &str = "/brand/card-member";
const BRAND_SCHEME: &str = "WECHATPAY-BRAND-SHA256-RSA2048";
const LONGEST_FACT: usize = 128;
