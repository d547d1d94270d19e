//! The blocking client: on plain threads, on several at once, and where it should not be called.

use wxmember::{ErrorKind, RetryPolicy, blocking};
use wxmember_sandbox::Fault;

use crate::harness::{client, member, still};

#[test]
fn threads_share_one_client() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = runtime.block_on(still().start()).unwrap();
    let client = blocking::Client::new(client(&sandbox)).unwrap();
    sandbox.fault(Fault::SystemError, 1);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (client, sandbox) = (client.clone(), &sandbox);
            scope.spawn(move || {
                for number in 0..5 {
                    let member = member(sandbox, thread * 100 + number);
                    let card = client.user_cards().import_by_phone(&member).unwrap();
                    assert_eq!(card.user_card_code, member.user_card_code);
                }
            });
        }
    });
    assert_eq!(sandbox.members().len(), 20);
}

/// One client, two ways of repeating; the endpoints that `[]` keeps are not shared with the first.
#[test]
fn calls_are_repeated_as_the_last_policy_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = runtime.block_on(still().start()).unwrap();
    let repeating = blocking::Client::new(client(&sandbox)).unwrap();
    let path = "v3/brand/partner/card-member/cards";
    let list = |client: &blocking::Client| {
        let query = client[path].query("brand_id", "1004");
        query.query("offset", 0).query("limit", 20).get()
    };
    sandbox.fault(Fault::SystemError, 1);
    assert_eq!(list(&repeating).unwrap().attempts(), 2);
    let once = repeating.with_retry(RetryPolicy::never());
    sandbox.fault(Fault::SystemError, 1);
    let error = list(&once).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Platform, 1));
    assert_eq!(list(&once).unwrap().attempts(), 1);
    // The first one is as it was.
    sandbox.fault(Fault::SystemError, 1);
    assert_eq!(list(&repeating).unwrap().attempts(), 2);
}

/// It blocks a thread there, which is bad manners; it neither panics nor hangs.
#[tokio::test]
async fn a_call_inside_async_code_still_ends() {
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sandbox = runtime.block_on(still().start()).unwrap();
        (runtime, sandbox)
    });
    let (runtime, sandbox) = other.join().unwrap();
    let client = blocking::Client::new(client(&sandbox)).unwrap();
    let card = client.user_cards().import_by_phone(&member(&sandbox, 1)).unwrap();
    assert_eq!(card.attempts(), 1);
    drop(client);
    drop(sandbox);
    runtime.shutdown_background();
}
