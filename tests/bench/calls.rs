//! A loop over the SDK as a user would write it: seal, sign, send, verify, and open the answer's phone number or not.

use std::{path::Path, str::FromStr, sync::Arc};

use serde_json::{Value, json};
use tokio::{sync::Mutex, task::JoinSet};
use wxmember::{ImportByPhone, Plaintext};
use wxmember_tests::members::MemberList;

use crate::{
    cost::{cpu, moment, peak_memory},
    platform::Account,
    request,
    rsa::{self, Operation},
};

/// Whether the answer's phone number is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Opening {
    No,
    Yes,
}

impl FromStr for Opening {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "plain" => Ok(Self::No),
            "opened" => Ok(Self::Yes),
            _ => Err(format!("`{text}` is neither `plain` nor `opened`")),
        }
    }
}

/// Does the RSA of so many calls and nothing else, for who counts its instructions.
pub(crate) fn rsa_alone(calls: u64, opening: Opening) -> Result<Value, String> {
    let key = rsa::key()?;
    let once = rsa::operations_of(&key)?;
    for _ in 0..calls {
        for operation in [
            Operation::Seal,
            Operation::Seal,
            Operation::Sign,
            Operation::Verify,
        ] {
            once(operation)?;
        }
        if opening == Opening::Yes {
            once(Operation::Open)?;
        }
    }
    Ok(json!({"calls": calls}))
}

/// Imports the members of a list, so many at once.
pub(crate) async fn measure(
    list: MemberList,
    in_flight: usize,
    opening: Opening,
    folder: &Path,
) -> Result<Value, String> {
    let account = Arc::new(Account::of_folder(folder)?);
    let members: Vec<_> = list
        .rows()
        .map(|row| request::of_row(&account, row))
        .collect::<Result<_, _>>()?;
    let calls = members.len();
    account.warm_up()?;
    let members = Arc::new(Mutex::new(members.into_iter()));
    let (cpu_before, began_at) = (cpu()?, moment());
    let mut loops = JoinSet::new();
    for _ in 0..in_flight {
        let (account, members) = (Arc::clone(&account), Arc::clone(&members));
        loops.spawn(async move {
            loop {
                let member = members.lock().await.next();
                match member {
                    Some(member) => call(&account, &member, opening).await?,
                    None => return Ok(()),
                }
            }
        });
    }
    while let Some(ended) = loops.join_next().await {
        let ended: Result<(), String> = ended.map_err(|error| error.to_string())?;
        ended?;
    }
    let (ended_at, cpu_after) = (moment(), cpu()?);
    Ok(json!({
        "calls": calls,
        "in_flight": in_flight,
        "opened": opening == Opening::Yes,
        "began_at": began_at,
        "ended_at": ended_at,
        "seconds": ended_at - began_at,
        "cpu_seconds": cpu_after.own - cpu_before.own,
        "peak_bytes": peak_memory("self"),
    }))
}

async fn call(account: &Account, member: &ImportByPhone, opening: Opening) -> Result<(), String> {
    let card = account.client.user_cards().import_by_phone(member).await;
    let card = card.map_err(|error| error.to_string())?;
    if opening == Opening::Yes {
        let phone = card
            .phone_number
            .as_ref()
            .ok_or("the answer has no phone number")?;
        let phone = phone.open().map_err(|error| error.to_string())?;
        if phone.expose() != member.phone_number.expose() {
            return Err("the answer has another phone number".to_owned());
        }
    }
    Ok(())
}
