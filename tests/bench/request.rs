//! The request that each measurement of calls sends.

use wxmember::{
    CommonField, CommonFieldName, FormValue, ImportByPhone, PhoneNumber, UserInformation,
    Validity as WireValidity,
};
use wxmember_tests::members::MemberRow;

use crate::platform::Account;

/// The request that imports a row: phone number, code, level, name.
pub(crate) fn of_row(account: &Account, row: MemberRow) -> Result<ImportByPhone, String> {
    let wrong = |what: &str| format!("row {}: no {what}", row.row);
    let name = CommonField::builder()
        .name(CommonFieldName::Name)
        .value(FormValue::new(row.name.clone()))
        .build();
    let mut request = ImportByPhone::builder()
        .brand_id(account.brand_id.parse().map_err(|_| wrong("brand"))?)
        .card_id(account.card_id.parse().map_err(|_| wrong("card"))?)
        .phone_number(PhoneNumber::new(row.phone_number.clone()))
        .user_card_code(row.user_card_code.parse().map_err(|_| wrong("code"))?)
        .date_information(WireValidity::permanent())
        .pickup_time(PICKUP_TIME.parse().map_err(|_| wrong("time"))?)
        .build();
    request.level = Some(row.level.parse().map_err(|_| wrong("level"))?);
    request.user_information = Some(UserInformation::builder().common_field_list(vec![name]).build());
    Ok(request)
}

/// One for all: the rows of a list have times that people write.
pub(crate) const PICKUP_TIME: &str = "2020-05-20T13:29:35+08:00";
