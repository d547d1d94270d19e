//! From a member to the request of each route. Seals nothing, sends nothing.

use wxmember::{
    BrandId, CardColor, CardId, CardPictureUrl, CommonField, CommonFieldName, CustomField, CustomFieldName,
    ImportByOpenid, ImportByPhone, ImportPhoneMembercard, MemberLevel, MembercardRequestNo, Openid,
    TextError, Time, UserCardCode, UserInformation, Validity as WireValidity,
};

use crate::{
    gateway::SealRefusal,
    member::{Member, Validity},
};

pub(super) fn by_phone(member: &Member) -> Result<ImportByPhone, SealRefusal> {
    let Card {
        brand_id,
        card_id,
        user_card_code,
        level,
        color,
        picture,
        information,
        validity,
        pickup_time,
    } = card(member, "/date_information")?;
    Ok(ImportByPhone::builder()
        .brand_id(brand_id)
        .card_id(card_id)
        .phone_number(needed(&member.phone_number, "/phone_number")?.clone())
        .user_card_code(user_card_code)
        .maybe_level(level)
        .maybe_card_color(color)
        .maybe_card_picture_url(picture)
        .maybe_user_information(information)
        .date_information(validity)
        .pickup_time(pickup_time)
        .build())
}

pub(super) fn by_openid(member: &Member) -> Result<ImportByOpenid, SealRefusal> {
    let Card {
        brand_id,
        card_id,
        user_card_code,
        level,
        color,
        picture,
        information,
        validity,
        pickup_time,
    } = card(member, "/valid_date_information")?;
    let openid = Openid::new(needed(&member.openid, "/openid")?).map_err(text("/openid"))?;
    Ok(ImportByOpenid::builder()
        .brand_id(brand_id)
        .card_id(card_id)
        .openid(openid)
        .user_card_code(user_card_code)
        .maybe_phone_number(member.phone_number.clone())
        .maybe_level(level)
        .maybe_card_color(color)
        .maybe_card_picture_url(picture)
        .maybe_user_information(information)
        .valid_date_information(validity)
        .pickup_time(pickup_time)
        .build())
}

/// The older card's request, and the template that its path names.
pub(super) fn membercard(member: &Member) -> Result<(CardId, ImportPhoneMembercard), SealRefusal> {
    let code = member
        .user_card_code
        .as_deref()
        .map(UserCardCode::new)
        .transpose();
    let number = MembercardRequestNo::new(needed(&member.request_no, "/out_request_no")?);
    let request = ImportPhoneMembercard::builder()
        .encrypted_phone_number(needed(&member.phone_number, "/encrypted_phone_number")?.clone())
        .maybe_code(code.map_err(text("/code"))?)
        .out_request_no(number.map_err(text("/out_request_no"))?)
        .build();
    Ok((CardId::new(&member.card_id).map_err(text("/card_id"))?, request))
}

/// What both requests of a user card have.
struct Card {
    brand_id: BrandId,
    card_id: CardId,
    user_card_code: UserCardCode,
    level: Option<MemberLevel>,
    color: Option<CardColor>,
    picture: Option<CardPictureUrl>,
    information: Option<UserInformation>,
    validity: WireValidity,
    pickup_time: Time,
}

fn card(member: &Member, validity_field: &str) -> Result<Card, SealRefusal> {
    let level = member.level.as_deref().map(MemberLevel::new).transpose();
    let color = member.card_color.as_deref().map(CardColor::new).transpose();
    let picture = member
        .card_picture_url
        .as_deref()
        .map(CardPictureUrl::new)
        .transpose();
    let code = needed(&member.user_card_code, "/user_card_code")?;
    Ok(Card {
        brand_id: BrandId::new(&member.brand_id).map_err(text("/brand_id"))?,
        card_id: CardId::new(&member.card_id).map_err(text("/card_id"))?,
        user_card_code: UserCardCode::new(code).map_err(text("/user_card_code"))?,
        level: level.map_err(text("/level"))?,
        color: color.map_err(text("/card_color"))?,
        picture: picture.map_err(text("/card_picture_url"))?,
        information: information(member)?,
        validity: validity(needed(&member.validity, validity_field)?, validity_field)?,
        pickup_time: time("/pickup_time", needed(&member.pickup_time, "/pickup_time")?)?,
    })
}

/// What the member filled in; nothing when that is nothing.
fn information(member: &Member) -> Result<Option<UserInformation>, SealRefusal> {
    if member.common_fields.is_empty() && member.custom_fields.is_empty() {
        return Ok(None);
    }
    let common = member.common_fields.iter().map(|(name, value)| {
        CommonField::builder()
            .name(CommonFieldName::from(name.wire_name()))
            .value(value.clone())
            .build()
    });
    let custom = member.custom_fields.iter().map(|(name, values)| {
        let name = CustomFieldName::new(name).map_err(text("/user_information/custom_field_list"))?;
        Ok(CustomField::builder()
            .name(name)
            .user_chosen_values(values.clone())
            .build())
    });
    let information = UserInformation::builder()
        .common_field_list(common.collect())
        .custom_field_list(custom.collect::<Result<_, SealRefusal>>()?)
        .build();
    Ok(Some(information))
}

fn validity(validity: &Validity, field: &str) -> Result<WireValidity, SealRefusal> {
    let within = |name: &str| format!("{field}/{name}");
    let made = match validity {
        Validity::Permanent => Ok(WireValidity::permanent()),
        Validity::FixTerm { days } => WireValidity::days(*days),
        Validity::FixTimeRange { begin, end } => WireValidity::between(
            time(&within("available_begin_time"), begin)?,
            time(&within("available_end_time"), end)?,
        ),
    };
    made.map_err(|error| refusal(field, error.to_string()))
}

fn time(field: &str, value: &str) -> Result<Time, SealRefusal> {
    Time::new(value).map_err(|error| refusal(field, error.to_string()))
}

fn needed<'a, T>(value: &'a Option<T>, field: &str) -> Result<&'a T, SealRefusal> {
    let missing = || refusal(field, "missing, but this route needs it".to_owned());
    value.as_ref().ok_or_else(missing)
}

fn text(field: &str) -> impl FnOnce(TextError) -> SealRefusal {
    move |error| refusal(field, error.kind().to_string())
}

fn refusal(field: &str, reason: String) -> SealRefusal {
    SealRefusal {
        field: field.to_owned(),
        reason,
        is_row: true,
    }
}
