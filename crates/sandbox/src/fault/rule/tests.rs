//! Rules as they are typed, and which answers a share hits.

use super::*;

#[track_caller]
fn check(text: &str, expected: Result<FaultRule, FaultRuleError>) {
    assert_eq!(text.parse::<FaultRule>(), expected, "{text}");
}

#[test]
fn a_rule_is_read_as_it_is_typed() {
    check(
        "lost-answer=1%,seed=7",
        Ok(FaultRule::share(Fault::LostAnswer, 10_000, 7)),
    );
    check(
        " wrong-date = 0.0001 % , seconds = -600 ",
        Ok(FaultRule::share(Fault::WrongDate { seconds: -600 }, 1, 0)),
    );
    let of_one = FaultRule::share(Fault::RateLimitedFor { seconds: 3 }, 1_000_000, 0);
    check(
        "rate-limited-for=100%,seconds=3,operation=import_by_phone",
        of_one.with_operation("import_by_phone"),
    );
    check(
        "rate-limited=1%,burst=10",
        Ok(FaultRule::share(Fault::RateLimited, 10_000, 0).with_burst(10)),
    );
    check("lost-answer=3", Ok(FaultRule::next(Fault::LostAnswer, 3)));
    check(
        "rate-limited=10s",
        Ok(FaultRule::during(Fault::RateLimited, Duration::from_secs(10))),
    );
    let slow = Fault::SlowBody { bytes_per_second: 20 };
    check("slow-body=1,bytes_per_second=20", Ok(FaultRule::next(slow, 1)));
}

#[test]
fn what_is_no_rule_is_refused_with_the_reason() {
    use FaultRuleError::*;
    for text in ["", "lost-answer", "lost-answer=1%,", "lost-answer=1%,7"] {
        check(text, Err(Shape));
    }
    for when in ["", "x", "-1", "1.5", "s", "-1s", "1.5s"] {
        check(&format!("lost-answer={when}"), Err(When));
    }
    for share in ["0%", "-1%", "100.1%", "NaN%", "inf%", "x%", "0.00001%"] {
        check(&format!("lost-answer={share}"), Err(Share));
    }
    for (when, option) in [("0", "answers"), ("0s", "for_seconds"), ("1%,burst=0", "burst")] {
        check(&format!("lost-answer={when}"), Err(Number { option }));
    }
    check("lost=1%", Err(UnknownFault));
    check("lost-answer=1%,sede=1", Err(UnknownOption));
    check("lost-answer=1%,operation=import", Err(UnknownOperation));
    let operation = "import_phonenumber_member";
    for (fault, parameter) in [
        ("cut-body", ""),
        ("huge-answer", ""),
        ("slow-body", ",bytes_per_second=20"),
        ("truncated-json", ""),
        ("wrong-document", ""),
    ] {
        let error = NoBody {
            fault,
            operation: operation.to_owned(),
        };
        for when in ["1", "1%", "10s"] {
            let text = format!("{fault}={when}{parameter},operation={operation}");
            check(&text, Err(error.clone()));
        }
    }
    let fault = "replayed-answer";
    for operation in [
        operation,
        "list_cards",
        "list_user_cards",
        "find_activity",
        "create_pre_auth_token",
    ] {
        let error = NoCard {
            fault,
            operation: operation.to_owned(),
        };
        check(&format!("{fault}=1,operation={operation}"), Err(error));
    }
    let elsewhere = FaultRule::next(Fault::Unsigned, 1);
    check(
        &format!("unsigned=1,operation={operation}"),
        elsewhere.with_operation(operation),
    );
    check("lost-answer=1%,seed=-1", Err(Number { option: "seed" }));
    check("lost-answer=1,seed=1", Err(ShareMissing { option: "seed" }));
    check("lost-answer=1s,burst=2", Err(ShareMissing { option: "burst" }));
    check(
        "rate-limited-for=1%,seconds=-1",
        Err(Number { option: "seconds" }),
    );
    let (fault, parameter) = ("shifted-clock", "seconds");
    check("shifted-clock=1%", Err(ParameterMissing { fault, parameter }));
    let fault = "unsigned";
    check(
        "unsigned=1%,seconds=1",
        Err(ParameterNotTaken { fault, parameter }),
    );
    assert!(UnknownFault.to_string().contains("`lost-answer`, `lost-request`"));
}

#[test]
fn a_fault_is_named_for_one_request() {
    assert_eq!(Written::fault_of("lost-answer"), Ok(Fault::LostAnswer));
    assert_eq!(
        Written::fault_of("shifted-clock, seconds=-600"),
        Ok(Fault::ShiftedClock { seconds: -600 })
    );
    assert_eq!(Written::fault_of(""), Err(FaultRuleError::UnknownFault));
    assert_eq!(
        Written::fault_of("lost-answer=1%"),
        Err(FaultRuleError::UnknownFault)
    );
    assert_eq!(
        Written::fault_of("lost-answer,seed=1"),
        Err(FaultRuleError::UnknownOption)
    );
}

#[test]
fn a_share_is_kept_and_the_seed_chooses() {
    let hits = |rule: &FaultRule| {
        (0..100_000)
            .filter(|number| rule.hits(*number))
            .collect::<Vec<_>>()
    };
    let one = hits(&FaultRule::share(Fault::LostAnswer, 10_000, 7));
    assert!((900..1_100).contains(&one.len()), "{}", one.len());
    assert_eq!(one, hits(&FaultRule::share(Fault::LostAnswer, 10_000, 7)));
    assert_ne!(one, hits(&FaultRule::share(Fault::LostAnswer, 10_000, 8)));
    assert_ne!(one, hits(&FaultRule::share(Fault::LostRequest, 10_000, 7)));
    assert_eq!(
        hits(&FaultRule::share(Fault::LostAnswer, 2_000_000, 7)).len(),
        100_000
    );
}
