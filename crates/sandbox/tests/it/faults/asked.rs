//! Faults that a request names for its own answer, by the header `Wechatpay-Negative-Test`.

use wxmember_sandbox::{Fault, fault_kinds};

use crate::client::{Received, Request, body, builder, import, sandbox};

const HEADER: &str = "Wechatpay-Negative-Test";

/// A good import of a member of its own, with a fault in its header.
async fn asking(sandbox: &wxmember_sandbox::Sandbox, number: usize, fault: &str) -> Option<Received> {
    let phone = format!("138001380{number:02}");
    let mut request = Request::new(sandbox, body(sandbox, &number.to_string(), &phone));
    request.set(HEADER, Some(fault));
    request.send(sandbox).await
}

/// All but those that take their time; `faults.rs` has them.
#[tokio::test]
async fn a_request_names_the_fault_of_its_own_answer() {
    let sandbox = sandbox().await;
    let mut stored = 0;
    for (number, kind) in fault_kinds().iter().enumerate() {
        if matches!(kind.example, Fault::SlowBody { .. } | Fault::Stalled) {
            continue;
        }
        let parameter = kind.parameters.first();
        let parameter = parameter.map(|parameter| format!(", {}={}", parameter.name, parameter.example));
        let named = format!("{}{}", kind.name, parameter.unwrap_or_default());
        asking(&sandbox, number, &named).await;
        stored += usize::from(kind.commits());
        let entry = sandbox.journal().pop().unwrap();
        assert_eq!(entry.fault, Some(kind.example), "{named}");
        assert_eq!(sandbox.members().len(), stored, "{named}");
    }
    // The next request is answered as ever; only its key has changed meanwhile.
    let next = import(&sandbox, "99", "13900139000").await.unwrap();
    assert_eq!((next.status, next.is_signed()), (200, true));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_fault_that_waits_is_left_alone() {
    let sandbox = sandbox().await;
    sandbox.fault(Fault::BadGateway, 1);
    sandbox.fault(Fault::Unsigned, 1);
    let answer = asking(&sandbox, 1, "wrong-signature").await.unwrap();
    assert_eq!((answer.status, answer.is_signed()), (200, true));
    assert_eq!(sandbox.faults_waiting(), 2);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_name_that_is_none_is_refused_and_nothing_is_stored() {
    let sandbox = sandbox().await;
    for wrong in [
        "",
        "lost",
        "shifted-clock",
        "unsigned,seconds=1",
        "lost-answer=1%",
        "\u{7f}",
    ] {
        let answer = asking(&sandbox, 1, wrong).await.unwrap();
        assert_eq!(answer.status, 400, "{wrong:?}");
    }
    assert!(sandbox.members().is_empty());
    assert_eq!(sandbox.journal()[1].rule, Some("NEGATIVE_TEST"));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn the_header_can_be_switched_off() {
    let sandbox = builder().without_negative_test_header().start().await.unwrap();
    for (number, fault) in ["bad-gateway", "unsigned", "nonsense"].into_iter().enumerate() {
        let answer = asking(&sandbox, number, fault).await.unwrap();
        assert_eq!(answer.status, 200);
        answer.verify(&sandbox).unwrap();
    }
    let kinds = crate::client::control(&sandbox, "/fault-kinds").await.json();
    assert!(kinds["header"].is_null());
    sandbox.shutdown().await;
}
