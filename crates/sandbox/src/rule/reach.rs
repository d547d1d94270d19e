//! Which operations a rule can refuse: what the API document says of their requests decides for the gateway's rules, and
//! a list for those of the business.
//!
//! The list repeats what `operations` does, so every refusal in the tests over HTTP is held against it.

use super::Rule;
use crate::{
    check::Check,
    operations::LIST_CERTIFICATES,
    spec::{Operation, Spec},
};

impl Rule {
    /// Whether a request for this operation, by its id in the API document, can be refused by this rule. `false` for an
    /// operation that the document lacks.
    ///
    /// ```
    /// let rules = wxmember_sandbox::rules().iter();
    /// let mut of_activities = rules.filter(|rule| rule.id == "ACTIVITY_ENDED");
    /// let rule = of_activities.next().ok_or("no such rule")?;
    /// assert!(rule.can_refuse("update_activity") && !rule.can_refuse("import_by_phone"));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn can_refuse(&self, operation: &str) -> bool {
        let spec = Spec::shared().ok();
        let operation = spec.and_then(|spec| spec.find(operation));
        operation.is_some_and(|operation| self.reaches(operation))
    }

    fn reaches(&self, operation: &Operation) -> bool {
        match (self.check, self.id) {
            (_, "PLATFORM_SERIAL_MISSING") => operation.needs_platform_serial,
            (_, "PATH_PARAMETER") => operation.has_path_parameters(),
            (_, "BODY_UNEXPECTED") => operation.request.is_none(),
            (Check::ContentType | Check::Body | Check::Schema, _) => operation.request.is_some(),
            (Check::SealedFields, _) => operation.has_sealed(),
            (Check::Business, id) => of_business(id).contains(&operation.id.as_str()),
            _ => true,
        }
    }
}

/// The operations that a rule of the business belongs to.
fn of_business(rule: &str) -> &'static [&'static str] {
    match rule {
        "BRAND" => NAME_A_BRAND,
        "CARD" => &[
            "create_activity",
            "create_pay_view_token",
            "create_pre_auth_token",
            "import_by_openid",
            "import_by_phone",
            "import_phone_membercard",
            "import_phonenumber_member",
            "push_user_feed",
            "search_phonenumber_member",
            "sync_user_points",
        ],
        "CARD_INVALIDATED" => &[
            "create_activity",
            "create_pay_view_token",
            "create_pre_auth_token",
            "import_by_openid",
            "import_by_phone",
            "import_phone_membercard",
            "import_phonenumber_member",
            "search_phonenumber_member",
            "update_card",
        ],
        "PHONE_NUMBER" => &[
            "confirm_user_card",
            "import_by_openid",
            "import_by_phone",
            "import_phone_membercard",
            "import_phonenumber_member",
            "search_phonenumber_member",
            "update_user_card",
        ],
        "VALIDITY" => &[
            "confirm_user_card",
            "create_card",
            "import_by_openid",
            "import_by_phone",
            "update_card",
            "update_user_card",
        ],
        "VALIDITY_TYPE" => &[
            "confirm_user_card",
            "import_by_openid",
            "import_by_phone",
            "update_user_card",
        ],
        "REQUEST_NUMBER_TAKEN" => &[
            "create_activity",
            "create_card",
            "import_phone_membercard",
            "push_user_feed",
            "sync_user_points",
        ],
        "CODE_TAKEN" => &[
            "import_by_openid",
            "import_by_phone",
            "import_phone_membercard",
            "import_phonenumber_member",
        ],
        "CODE_TAKEN_AS_INVALID" | "REPEATED_MEMBER" => &["import_by_openid", "import_by_phone"],
        "SECOND_CARD" => &[
            "confirm_user_card",
            "import_by_openid",
            "import_by_phone",
            "import_phone_membercard",
            "update_user_card",
        ],
        "NO_PAYMENT" => &["import_by_openid", "import_by_phone", "import_phone_membercard"],
        "CARD_NOT_FOUND" => &["delete_card", "find_card", "invalidate_card", "update_card"],
        "CARD_TYPE" => &["create_card"],
        "USER_CARD_NOT_FOUND" => &[
            "confirm_user_card",
            "find_user_card",
            "invalidate_user_card",
            "push_user_feed",
            "sync_user_points",
            "update_user_card",
        ],
        "USER_CARD_INVALIDATED" => &[
            "confirm_user_card",
            "push_user_feed",
            "sync_user_points",
            "update_user_card",
        ],
        "USER_CARD_OPENED" => &["confirm_user_card"],
        "REJECT_REASON" | "EXCHANGE_NOT_FOUND" | "EXCHANGE_SETTLED" => &["confirm_coupon_exchange"],
        "ACTIVITY_NOT_FOUND" => &["find_activity", "terminate_activity", "update_activity"],
        "ACTIVITY_TIME" => &["create_activity", "update_activity"],
        "ACTIVITY_ENDED" => &["terminate_activity", "update_activity"],
        "REMINDED_NOT_FOUND" => &["search_phonenumber_member"],
        "NO_CERTIFICATES" | "NO_CERTIFICATES_AS_NOT_FOUND" => &[LIST_CERTIFICATES],
        _ => &[],
    }
}

/// All but the certificates and the older card, whose template says whose it is.
const NAME_A_BRAND: &[&str] = &[
    "confirm_coupon_exchange",
    "confirm_user_card",
    "create_activity",
    "create_card",
    "create_pay_view_token",
    "create_pre_auth_token",
    "delete_card",
    "find_activity",
    "find_card",
    "find_user_card",
    "import_by_openid",
    "import_by_phone",
    "invalidate_card",
    "invalidate_user_card",
    "list_activities",
    "list_cards",
    "list_user_cards",
    "push_user_feed",
    "sync_user_points",
    "terminate_activity",
    "update_activity",
    "update_card",
    "update_user_card",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::rules;

    #[test]
    fn every_rule_of_the_business_belongs_to_operations_of_the_document() {
        let spec = Spec::shared().unwrap();
        for rule in rules().iter().filter(|rule| rule.check == Check::Business) {
            let operations = of_business(rule.id);
            assert!(!operations.is_empty(), "{}", rule.id);
            assert!(operations.is_sorted_by(|one, next| one < next), "{}", rule.id);
            for operation in operations {
                assert!(spec.find(operation).is_some(), "{}: {operation}", rule.id);
            }
        }
    }

    #[test]
    fn what_a_request_has_decides_for_the_rules_of_the_gateway() {
        let refused_by = |operation: &str| {
            let rules = rules().iter().filter(|rule| rule.can_refuse(operation));
            rules.map(|rule| rule.id).collect::<Vec<_>>()
        };
        let (import, download) = (refused_by("import_by_phone"), refused_by(LIST_CERTIFICATES));
        for (rule, of_import, of_download) in [
            ("SIGNATURE", true, true),
            ("PLATFORM_SERIAL_MISSING", true, false),
            ("CONTENT_TYPE", true, false),
            ("PATH_PARAMETER", false, false),
            ("QUERY_PARAMETER", true, true),
            ("BODY_UNEXPECTED", false, true),
            ("BODY_SCHEMA", true, false),
            ("OPENING", true, false),
            ("NO_CERTIFICATES", false, true),
        ] {
            let found = (import.contains(&rule), download.contains(&rule));
            assert_eq!(found, (of_import, of_download), "{rule}");
        }
        assert!(refused_by("find_card").contains(&"PATH_PARAMETER"));
        assert!(refused_by("no_such_operation").is_empty());
    }
}
