//! Who is the same member, what policies make of it, and listings.

use serde_json::json;
use wxmember_crypto::{FormValue, Plaintext};

use super::*;
use crate::member::Card;

fn member(code: &str, phone: &str) -> Member {
    Member {
        card_id: "card".to_owned(),
        user_card_code: code.to_owned(),
        openid: format!("o{}", phone.get(7..).unwrap_or_default()),
        phone_number: Some(PhoneNumber::new(phone)),
        card: Card {
            document: json!({"phone_number": ""}),
            personal: [("/phone_number".to_owned(), FormValue::new(phone))].into(),
        },
        stage: Stage::Effective,
        ends_at: None,
        repeats: 0,
    }
}

fn members() -> Members {
    let mut members = Members::new([7; 32]);
    members
        .import(member("a", "13800138000"), Policies::default())
        .unwrap();
    members
}

#[track_caller]
fn check(policies: Policies, code: &str, phone: &str, expected: Result<u64, &'static Rule>) {
    let mut members = members();
    let result = members.import(member(code, phone), policies);
    assert_eq!(result.map(|member| member.repeats), expected);
}

#[test]
fn duplicates_follow_the_policies() {
    let default = Policies::default();
    check(default, "a", "13800138000", Ok(1));
    check(default, "a", "13800138001", Err(&rule::CODE_TAKEN));
    check(default, "b", "13800138000", Err(&rule::SECOND_CARD));
    check(default, "b", "13800138001", Ok(0));
    let other = Policies {
        repeated_member: RepeatedMember::AlreadyExists,
        second_card: SecondCard::Allow,
        taken_code: TakenCode::InvalidRequest,
        ..Policies::default()
    };
    check(other, "a", "13800138000", Err(&rule::REPEATED_MEMBER));
    check(other, "a", "13800138001", Err(&rule::CODE_TAKEN_AS_INVALID));
    check(other, "b", "13800138000", Ok(0));
}

#[test]
fn a_repeat_is_counted_on_the_member_that_is_kept() {
    let mut members = members();
    members
        .import(member("a", "13800138000"), Policies::default())
        .unwrap();
    assert_eq!(members.find("card", "a").unwrap().repeats(), 1);
    assert_eq!(members.len(), 1);
    assert!(members.find("card", "b").is_none());
}

#[test]
fn an_openid_without_a_phone_number_is_the_same_person() {
    let mut members = members();
    let unknown = |code: &str, openid: &str| Member {
        openid: openid.to_owned(),
        phone_number: None,
        ..member(code, "")
    };
    let mut import = |code, openid| members.import(unknown(code, openid), Policies::default());
    assert_eq!(import("a", "o8000").unwrap().repeats(), 1);
    assert_eq!(import("b", "o8000").unwrap_err(), &rule::SECOND_CARD);
    assert_eq!(import("b", "other").unwrap().repeats(), 0);
    assert_eq!(import("c", "other").unwrap_err(), &rule::SECOND_CARD);
}

#[test]
fn a_changed_phone_number_is_found_and_the_old_one_is_free() {
    let mut members = members();
    let new = PhoneNumber::new("13800138001");
    let changed = members.change("card", "a", |member| member.phone_number = Some(new));
    let changed = changed.unwrap();
    assert_eq!(changed.phone_number().map(Plaintext::expose), Some("13800138001"));
    let mut import = |code, phone: &str| {
        let result = members.import(
            Member {
                openid: code_openid(code),
                ..member(code, phone)
            },
            Policies::default(),
        );
        result.map(|_| ())
    };
    assert_eq!(import("b", "13800138001"), Err(&rule::SECOND_CARD));
    assert_eq!(import("c", "13800138000"), Ok(()));
}

fn code_openid(code: &str) -> String {
    format!("openid-{code}")
}

#[test]
fn an_invalid_card_does_not_keep_its_member_from_a_new_one() {
    let mut members = members();
    members.change("card", "a", |member| member.set_stage(Stage::Invalid));
    let again = members.import(member("b", "13800138000"), Policies::default());
    assert_eq!(again.map(|member| member.repeats), Ok(0));
    let of_openid: Vec<_> = members.of_openid("o8000").collect();
    assert_eq!(of_openid.len(), 2);
}

#[test]
fn a_listing_comes_in_batches_and_goes_on_whatever_happens_in_between() {
    let mut members = Members::new([7; 32]);
    let import = |members: &mut Members, card_id: &str, number: usize| {
        let member = Member {
            card_id: card_id.to_owned(),
            openid: format!("{card_id}-{number}"),
            phone_number: None,
            ..member(&format!("{number:05}"), "")
        };
        members.import(member, Policies::default()).unwrap();
    };
    for number in (0..3 * BATCH).map(|number| 2 * number) {
        import(&mut members, "card", number);
    }
    for card_id in ["car", "card ", "other"] {
        import(&mut members, card_id, 0);
    }
    let mut listing = Listing::new(Some("card"), 5);
    assert_eq!(members.count(&listing), 3 * BATCH);
    assert_eq!(members.count(&Listing::new(None, 0)), 3 * BATCH + 3);
    let mut codes = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let batch = members.batch(&mut listing, 2 * BATCH);
        if batch.is_empty() {
            break;
        }
        sizes.push(batch.len());
        codes.extend(batch.into_iter().map(|member| member.user_card_code));
        // One that the listing has passed already, and one that it has not.
        import(&mut members, "card", 1);
        import(&mut members, "card", 4 * BATCH + 1);
    }
    assert_eq!(sizes, [BATCH, BATCH, BATCH - 5 + 1]);
    assert!(codes.is_sorted() && codes[0] == "00010", "{codes:?}");
    let all = members.batch(&mut Listing::new(None, 1), 3);
    assert_eq!(all[0].card_id, "card");
    assert_eq!(all.len(), 3);
    assert!(members.batch(&mut Listing::new(Some("nobody"), 0), 9).is_empty());
}

#[test]
fn debug_shows_no_person() {
    let members = members();
    let member = &members.batch(&mut Listing::new(None, 0), 1)[0];
    let shown = format!("{members:?} {member:?} {:?}", member.card);
    assert!(!shown.contains("13800138000"), "{shown}");
}
