//! Other people's clients against the sandbox. What each can do and cannot do stands in `tests/clients/README.md`, and
//! is compared with it cell by cell, so that an ability is as little forgotten as an inability.

use std::{env, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use wxmember::{CommonField, CommonFieldName, FormValue, UserInformation};
use wxmember_sandbox::{Fault, NotificationOptions, NotificationSignature, Sandbox};
use wxmember_tests::{client, member, root};

mod document;
mod driver;
mod table;

use driver::Driver;

/// Which key of the platform a client trusts.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Certificate,
    PublicKey,
}

impl Mode {
    /// As the drivers and the table's columns have it.
    fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::PublicKey => "public key",
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn wechatpay_axios_plugin_does_what_the_table_says() {
    let script = root().join("tests/clients/axios.cjs");
    check("wechatpay-axios-plugin", || {
        // The script finds its packages there; without them it would end before it says anything.
        let packages = variable("WXMEMBER_TEST_NODE");
        let mut command = Command::new("node");
        command.env("WXMEMBER_TEST_NODE", packages).arg(&script);
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn wechatpayv3_does_what_the_table_says() {
    let script = root().join("tests/clients/wechatpayv3_driver.py");
    check("wechatpayv3", || {
        let mut command = Command::new(variable("WXMEMBER_TEST_PYTHON"));
        command.args(["-W", "ignore"]).arg(&script);
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn wxpay_rs_does_what_the_table_says() {
    check("wxpay-rs", || Command::new(variable("WXMEMBER_TEST_WXPAY_RS"))).await;
}

/// What `cargo xtask test` sets up.
fn variable(name: &str) -> std::ffi::OsString {
    env::var_os(name).unwrap_or_else(|| panic!("{name} is not set; run the tests with `cargo xtask test`"))
}

/// Lets a client do everything in both modes, and compares with the table.
async fn check(name: &str, command: impl Fn() -> Command) {
    for mode in [Mode::PublicKey, Mode::Certificate] {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = start(&folder).await;
        let mut command = command();
        command.arg(folder.path().join("d")).arg(mode.name());
        let outcomes = Trial::new(&sandbox, Driver::start(command), mode).await.run();
        table::compare(&format!("{name}, {}", mode.name()), &outcomes);
        sandbox.shutdown().await;
    }
}

async fn start(folder: &TempDir) -> Sandbox {
    Sandbox::builder()
        .with_platform_certificates(1)
        .with_folder(Path::new(folder.path()).join("d"))
        .start()
        .await
        .unwrap()
}

/// One thing that was tried.
struct Tried {
    /// The row of the table.
    what: &'static str,
    is_done: bool,
    /// What the client said, for whoever has to mend the table.
    said: Value,
}

/// One client in one mode.
struct Trial<'a> {
    sandbox: &'a Sandbox,
    driver: Driver,
    mode: Mode,
    /// A card that our own client imported, since not everybody can.
    openid: String,
}

impl<'a> Trial<'a> {
    async fn new(sandbox: &'a Sandbox, driver: Driver, mode: Mode) -> Self {
        let mut known = member(sandbox, KNOWN);
        let name = CommonField::builder()
            .name(CommonFieldName::Name)
            .value(FormValue::new(NAME))
            .build();
        known.user_information = Some(UserInformation::builder().common_field_list(vec![name]).build());
        let card = client(sandbox)
            .user_cards()
            .import_by_phone(&known)
            .await
            .unwrap();
        let openid = card.openid.as_ref().unwrap().to_string();
        Self {
            sandbox,
            driver,
            mode,
            openid,
        }
    }

    fn run(mut self) -> Vec<Tried> {
        vec![
            self.imports(),
            self.reads(),
            self.notices(
                "notices a wrong signature",
                &[Fault::WrongSignature, Fault::Unsigned],
            ),
            self.notices(
                "notices a signature probe",
                &[Fault::SignatureProbe, Fault::SignatureProbeNotBase64],
            ),
            self.notices(
                "notices an answer that is ten minutes old",
                &[Fault::ShiftedClock { seconds: -600 }],
            ),
            self.tells_refusals(),
            self.downloads_certificates(),
            self.opens_a_notification(),
            self.refuses_notification(
                "refuses a notification with a wrong signature",
                &[NotificationSignature::Wrong, NotificationSignature::Probe],
            ),
            self.refuses_notification(
                "refuses a notification that is ten minutes old",
                &[NotificationSignature::ShiftedClock { seconds: -600 }],
            ),
        ]
    }

    fn imports(&mut self) -> Tried {
        let before = self.sandbox.members().len();
        let said = self
            .driver
            .ask(&json!({"do": "import", "code": "T1", "phone": "13800138001", "name": NAME}));
        let card = (&said["code"], &said["phone"], &said["name"]);
        let is_done = card == (&json!("T1"), &json!("13800138001"), &json!(NAME));
        assert_eq!(
            self.sandbox.members().len(),
            before + usize::from(is_done),
            "{said}"
        );
        Tried {
            what: "imports by phone with sealed fields, verifies the answer and opens it",
            is_done,
            said,
        }
    }

    fn read(&mut self, code: &str) -> Value {
        self.driver
            .ask(&json!({"do": "read", "code": code, "openid": self.openid}))
    }

    fn reads(&mut self) -> Tried {
        let said = self.read(KNOWN);
        let card = (&said["code"], &said["phone"], &said["name"]);
        Tried {
            what: "reads a card, verifies the answer and opens its fields",
            is_done: card == (&json!(KNOWN), &json!(wxmember_tests::PHONE), &json!(NAME)),
            said,
        }
    }

    /// The answers are refused, and the next right one is taken.
    fn notices(&mut self, what: &'static str, faults: &[Fault]) -> Tried {
        let said: Vec<_> = (faults.iter())
            .map(|fault| {
                self.sandbox.fault(*fault, 1);
                self.read(KNOWN)
            })
            .collect();
        assert_eq!(self.read(KNOWN)["ok"], true, "{what}");
        Tried {
            what,
            is_done: said.iter().all(|said| said["ok"] == false),
            said: said.into(),
        }
    }

    fn tells_refusals(&mut self) -> Tried {
        let said = self.read("nobody");
        Tried {
            what: "tells the code of a refusal",
            is_done: said["refusal"] == "RESOURCE_NOT_EXISTS",
            said,
        }
    }

    fn downloads_certificates(&mut self) -> Tried {
        let serial = &self.sandbox.platform_certificates()[0].serial;
        let said = self.driver.ask(&json!({"do": "certificates"}));
        Tried {
            what: "downloads the first platform certificate with nothing but the APIv3 key",
            is_done: said["serials"] == json!([serial]),
            said,
        }
    }

    fn notify(&mut self, signature: NotificationSignature) -> Value {
        let key_id = match self.mode {
            Mode::Certificate => self.sandbox.platform_certificates()[0].serial.clone(),
            Mode::PublicKey => self.sandbox.credentials().platform_key_id.clone(),
        };
        let options = NotificationOptions::default()
            .with_signature(signature)
            .signed_by(&key_id);
        let made = self
            .sandbox
            .notification_with(EVENT, &resource(), &options)
            .unwrap();
        let headers: serde_json::Map<_, _> = (made.headers.iter())
            .map(|(name, value)| (name.to_lowercase(), value.as_str().into()))
            .collect();
        let body = String::from_utf8(made.body).unwrap();
        self.driver
            .ask(&json!({"do": "notification", "headers": headers, "body": body}))
    }

    fn opens_a_notification(&mut self) -> Tried {
        let said = self.notify(NotificationSignature::Right);
        Tried {
            what: "verifies a notification and opens it",
            is_done: said["resource"] == resource(),
            said,
        }
    }

    fn refuses_notification(&mut self, what: &'static str, signatures: &[NotificationSignature]) -> Tried {
        let said: Vec<_> = signatures
            .iter()
            .map(|signature| self.notify(*signature))
            .collect();
        Tried {
            what,
            is_done: said.iter().all(|said| said["ok"] == false),
            said: said.into(),
        }
    }
}

fn resource() -> Value {
    json!({"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "openid": "o1", "user_card_code": KNOWN})
}

const KNOWN: &str = "K1";
const NAME: &str = "张三";
const EVENT: &str = "BRAND_MEMBER_CARD_SP.SYNC_USER_POINT";
/// A client that waits longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);
