//! A loop over the SDK as a user would write it: seal, sign, send, verify, and open the answer's phone number or not.

use std::{path::Path, str::FromStr, sync::Arc};

use serde_json::{Value, json};
use tokio::{sync::Mutex, task::JoinSet, time::Instant};
use wxmember::{ImportByPhone, Plaintext};
use wxmember_tests::members::MemberList;

use crate::{
    cost::{cpu, peak_memory},
    platform::Account,
    rows,
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
        .map(|row| rows::request(&account, row))
        .collect::<Result<_, _>>()?;
    let calls = members.len();
    // The first randomness of a process takes 50 ms of a core in AWS-LC; the floor has it behind it as well.
    if let Some(member) = members.first() {
        account.client.seal(member).map_err(|error| error.to_string())?;
    }
    let members = Arc::new(Mutex::new(members.into_iter()));
    let (cpu_before, start) = (cpu()?, Instant::now());
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
    Ok(json!({
        "calls": calls,
        "in_flight": in_flight,
        "opened": opening == Opening::Yes,
        "seconds": start.elapsed().as_secs_f64(),
        "cpu_seconds": cpu()?.own - cpu_before.own,
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
