//! A loop over the SDK as a user would write it: seal, sign, send, verify, and open the answer's phone number or not. The
//! same loop by hand stands beside it.

use std::{path::Path, str::FromStr, sync::Arc};

use serde_json::{Value, json};
use tokio::{sync::Mutex, task::JoinSet};
use wxmember::{ImportByPhone, Plaintext};
use wxmember_tests::members::MemberList;

use crate::{
    bare::Bare,
    cost::{cpu, moment, peak_memory},
    platform::Account,
    request,
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

/// Who calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum By {
    Sdk,
    Hand,
}

enum Caller {
    Sdk(Account),
    Hand(Bare),
}

/// Imports the members of a list, so many at once.
pub(crate) async fn measure(
    by: By,
    list: MemberList,
    in_flight: usize,
    opening: Opening,
    folder: &Path,
) -> Result<Value, String> {
    let account = Account::of_folder(folder)?;
    let members: Vec<_> = list
        .rows()
        .map(|row| request::of_row(&account, row))
        .collect::<Result<_, _>>()?;
    let calls = members.len();
    account.warm_up()?;
    let caller = Arc::new(match by {
        By::Sdk => Caller::Sdk(account),
        By::Hand => Caller::Hand(Bare::new(account)?),
    });
    let members = Arc::new(Mutex::new(members.into_iter()));
    let (cpu_before, began_at) = (cpu()?, moment());
    let mut loops = JoinSet::new();
    for _ in 0..in_flight {
        let (caller, members) = (Arc::clone(&caller), Arc::clone(&members));
        loops.spawn(async move {
            loop {
                let member = members.lock().await.next();
                match member {
                    Some(member) => match &*caller {
                        Caller::Sdk(account) => call(account, &member, opening).await?,
                        Caller::Hand(bare) => bare.call(&member, opening).await?,
                    },
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
