//! The blocking client: on plain threads, on several at once, and where it should not be called.

use wxmember::blocking;
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
