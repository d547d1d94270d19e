//! What must have been there for recorded exchanges to make sense: templates by their brand, and cards that were not made
//! before our eyes. A guess, which a contributor who knows better changes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    fixture::{
        Exchange, Given, GivenMember, GivenTemplate,
        mark::{Alphabet, Kind, Mark},
    },
    rule,
};

/// Guesses it from what was taken, and from what was refused for another reason than brand or template.
pub(super) fn by(exchanges: &[Exchange]) -> Given {
    let mut given = Given::default();
    let mut made = Vec::new();
    let mut without_brand = BTreeSet::new();
    for exchange in exchanges.iter().filter(|exchange| !is_about_template(exchange)) {
        let of = |name: &str| text_of(exchange, name).map(str::to_owned);
        let Some(card_id) = of("card_id") else { continue };
        let Some(brand_id) = of("brand_id") else {
            without_brand.insert(card_id);
            continue;
        };
        given.templates.push(GivenTemplate {
            brand_id: brand_id.clone(),
            card_id: card_id.clone(),
        });
        let code = of("user_card_code");
        let imports = exchange.operation.starts_with("import_");
        if imports {
            made.push(code.unwrap_or_default());
        } else if let (Some(user_card_code), Some(openid), true) =
            (code, of("openid"), exchange.response.was_taken())
            && !made.contains(&user_card_code)
        {
            given.members.push(GivenMember {
                brand_id,
                card_id,
                user_card_code,
                openid,
                phone_number: None,
            });
        }
    }
    without_brand.retain(|card_id| {
        !given
            .templates
            .iter()
            .any(|template| template.card_id == *card_id)
    });
    let invented = without_brand.into_iter().map(|card_id| GivenTemplate {
        brand_id: INVENTED_BRAND.to_string(),
        card_id,
    });
    given.templates.extend(invented);
    given.templates.sort();
    given.templates.dedup();
    given.members.sort();
    given.members.dedup();
    given
}

/// What a request says under a name: in its body, its query or its path, or where an older route has its card.
fn text_of<'a>(exchange: &'a Exchange, name: &str) -> Option<&'a str> {
    let request = &exchange.request;
    let body = request.body.as_ref();
    let in_body = body.and_then(|body| body.get(name));
    let below = body.and_then(|body| body.get("member_information")?.get(name));
    let value = in_body.or(below).or_else(|| request.query.get(name));
    let text = value.and_then(Value::as_str);
    text.or_else(|| request.path.get(name).map(String::as_str))
}

/// Whether a refusal speaks against the brand or the template, so that it may have been another's or never been there.
fn is_about_template(exchange: &Exchange) -> bool {
    let response = &exchange.response;
    let says = |rule: &rule::Rule| {
        let message = response.message();
        message.is_some_and(|message| rule.is_said_in(message))
    };
    let names_brand = text_of(exchange, "brand_id").is_some();
    let is_its_own = names_brand && exchange.request.path.contains_key("card_id");
    match response.status {
        // The older routes ask for no brand.
        403 => names_brand,
        404 => is_its_own || says(&rule::CARD_NOT_FOUND),
        400..=499 => says(&rule::CARD),
        _ => false,
    }
}

/// The older routes name no brand. No value has the number 0, so that no real brand is this one.
const INVENTED_BRAND: Mark = Mark {
    kind: Kind::Text {
        alphabet: Alphabet::Digits,
        length: 4,
    },
    number: 0,
};
