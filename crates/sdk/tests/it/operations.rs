//! Every typed operation once against the sandbox, in the order of a brand's life.

use std::collections::BTreeSet;

use wxmember::*;
use wxmember_sandbox::Sandbox;

use crate::harness::{builder, certified, public_key};

fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Templates: made, listed, looked up, changed, ended. Returns the one that stays.
async fn cards(client: &Client) -> CardId {
    let request = |number: &str| {
        CreateCardRequest::builder()
            .out_request_no(parse(number))
            .brand_id(parse("1004"))
            .appid(parse("wxd678efh567hg6787"))
            .card_title(parse("金卡"))
            .card_type(CardType::Normal)
            .card_color(parse("#FFFF00"))
            .card_picture_url(parse("https://wxpaylogo.qpic.cn/wxpaylogo/xxxxx/0"))
            .code_mode(CodeMode::MerchantAllocate)
            .code_type(CodeType::BarCode)
            .benefits(parse("会员折扣"))
            .notify_url(parse("https://example.com/notify"))
            .valid_date_information(Validity::permanent())
            .build()
    };
    let cards = client.cards();
    let made = cards.create_card(&request("T-1")).await.unwrap();
    let again = cards.create_card(&request("T-1")).await.unwrap();
    assert_eq!(made.card_id, again.card_id);
    let brand = FindCardQuery::builder().brand_id(parse("1004")).build();
    let found = cards.find_card(&made.card_id, &brand).await.unwrap();
    assert_eq!(found.card_title.as_str(), "金卡");
    let change = UpdateCardRequest::builder()
        .brand_id(parse("1004"))
        .card_title(parse("银卡"))
        .build();
    cards.update_card(&made.card_id, &change).await.unwrap();
    let query = ListCardsQuery::builder()
        .brand_id(parse("1004"))
        .offset(0)
        .limit(20)
        .build();
    assert_eq!(cards.list_cards(&query).await.unwrap().total_count, 2);

    let end = InvalidateCardRequest::builder().brand_id(parse("1004")).build();
    cards.invalidate_card(&made.card_id, &end).await.unwrap();
    let other = cards.create_card(&request("T-2")).await.unwrap();
    let query = DeleteCardQuery::builder().brand_id(parse("1004")).build();
    #[expect(
        deprecated,
        reason = "it is in the document as long as the platform answers it"
    )]
    cards.delete_card(&other.card_id, &query).await.unwrap();
    cards
        .create_card(&request("T-3"))
        .await
        .unwrap()
        .into_inner()
        .card_id
}

fn form() -> UserInformation {
    UserInformation::builder()
        .common_field_list(vec![
            CommonField::builder()
                .name(CommonFieldName::City)
                .value(FormValue::new("广州"))
                .build(),
        ])
        .build()
}

/// Cards of members: both imports, looked up, listed, changed, confirmed, ended.
async fn user_cards(client: &Client, sandbox: &Sandbox) -> (CardId, Openid) {
    let card_id: CardId = parse(&sandbox.credentials().card_id);
    let user_cards = client.user_cards();
    let by_phone = ImportByPhone::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .phone_number(PhoneNumber::new("13800138000"))
        .user_card_code(parse("a/b#1"))
        .user_information(form())
        .date_information(Validity::permanent())
        .pickup_time(parse("2020-05-20T13:29:35.120+08:00"))
        .build();
    let card = user_cards.import_by_phone(&by_phone).await.unwrap();
    let openid = card.openid.clone().unwrap();
    let by_openid = ImportByOpenid::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .openid(parse("oB"))
        .user_card_code(parse("2"))
        .valid_date_information(Validity::days(30).unwrap())
        .pickup_time(parse("2026-11-29T00:00:00Z"))
        .build();
    let imported = user_cards.import_by_openid(&by_openid).await.unwrap();
    assert!(imported.phone_number.is_none());

    // The code is percent-encoded in the path and signed so.
    let query = FindUserCardQuery::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .openid(openid.clone())
        .build();
    let found = user_cards
        .find_user_card(&card.user_card_code, &query)
        .await
        .unwrap();
    assert_eq!(found.user_card_code.as_str(), "a/b#1");
    let information = found.user_information.as_ref().unwrap();
    let city = information.common_field_list[0]
        .value
        .as_ref()
        .unwrap()
        .open()
        .unwrap();
    assert_eq!(city.expose(), "广州");

    let change = UpdateUserCard::builder()
        .brand_id(parse("1004"))
        .openid(openid.clone())
        .phone_number(PhoneNumber::new("13800138001"))
        .level(parse("钻石会员"))
        .build();
    let query = UpdateUserCardQuery::builder().card_id(card_id.clone()).build();
    let changed = user_cards
        .update_user_card(&card.user_card_code, &query, &change)
        .await
        .unwrap();
    let phone = changed.phone_number.as_ref().unwrap().open().unwrap();
    assert_eq!(phone.expose(), "13800138001");

    let query = ListUserCardsQuery::builder()
        .brand_id(parse("1004"))
        .openid(openid.clone())
        .user_card_state(UserCardState::Effective)
        .offset(0)
        .limit(1)
        .build();
    let listed = user_cards.list_user_cards(&query).await.unwrap();
    let phone = listed.data[0].phone_number.as_ref().unwrap().open().unwrap();
    assert_eq!(phone.expose(), "13800138001");

    let taken = sandbox.take_card(card_id.as_str(), "13900139000").unwrap();
    let confirm = ConfirmUserCard::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .openid(parse(taken.openid()))
        .user_card_confirm_state(UserCardConfirmState::Success)
        .build();
    let code: UserCardCode = parse(taken.user_card_code());
    let confirmed = user_cards.confirm_user_card(&code, &confirm).await.unwrap();
    assert_eq!(confirmed.user_card_state, UserCardState::Effective);

    let query = InvalidateUserCardQuery::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .build();
    let end = InvalidateUserCardRequest::builder().openid(parse("oB")).build();
    let ended = user_cards
        .invalidate_user_card(&parse("2"), &query, &end)
        .await
        .unwrap();
    assert_eq!(ended.user_card_state, UserCardState::Invalid);
    (card_id, openid)
}

/// What hangs on a card: tokens, feeds, points, exchanges.
async fn beside(client: &Client, sandbox: &Sandbox, card_id: &CardId, openid: &Openid) {
    let token = TokenRequest::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .openid(openid.clone())
        .build();
    client.tokens().create_pre_auth_token(&token).await.unwrap();
    client.tokens().create_pay_view_token(&token).await.unwrap();
    let feed = PushUserFeedRequest::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .openid(openid.clone())
        .user_card_code(parse("a/b#1"))
        .out_request_no(parse("F-1"))
        .cell(parse("生日快乐"))
        .build();
    client.user_feeds().push_user_feed(&feed).await.unwrap();
    let balance = PointBalance::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .openid(openid.clone())
        .user_card_code(parse("a/b#1"))
        .out_request_no(parse("P-1"))
        .point_balance(100)
        .build();
    client.user_points().sync_user_points(&balance).await.unwrap();
    assert_eq!(sandbox.point_balance(card_id.as_str(), "a/b#1"), Some(100));
    let asked = sandbox.ask_for_exchange(card_id.as_str(), "a/b#1", 10).unwrap();
    let text = |name: &str| asked[name].as_str().unwrap();
    let answer = ConfirmCouponExchangeRequest::builder()
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .openid(openid.clone())
        .user_card_code(parse("a/b#1"))
        .record_id(parse(text("record_id")))
        .exchange_coupon_template_id(parse(text("exchange_coupon_template_id")))
        .result(ExchangeResult::Allow)
        .build();
    let exchange = client
        .user_points()
        .confirm_coupon_exchange(&answer)
        .await
        .unwrap();
    assert_eq!(exchange.state, ExchangeState::Success);
}

/// Activities that give coupons.
async fn activities(client: &Client, card_id: &CardId) {
    let activities = client.membership_activities();
    let [begin, end]: [Time; 2] = ["2026-11-30T00:00:00+08:00", "2026-12-01T00:00:00+08:00"].map(parse);
    let request = CreateActivityRequest::builder()
        .out_request_no(parse("A-1"))
        .brand_id(parse("1004"))
        .card_id(card_id.clone())
        .activity_channel(ActivityChannel::MerchantAppComponent)
        .title(parse("入会享券"))
        .sub_title(parse("5张满减券"))
        .begin_time(begin.clone())
        .end_time(end.clone())
        .apply_total(1000)
        .product_coupon_stock_list(vec![
            ProductCouponStock::builder()
                .product_coupon_id(parse("7"))
                .stock_id(parse("9"))
                .build(),
        ])
        .build();
    let made = activities.create_activity(&request).await.unwrap();
    let query = ListActivitiesQuery::builder()
        .brand_id(parse("1004"))
        .offset(0)
        .limit(20)
        .build();
    assert_eq!(activities.list_activities(&query).await.unwrap().total_count, 1);
    let query = FindActivityQuery::builder().brand_id(parse("1004")).build();
    let found = activities.find_activity(&made.activity_id, &query).await.unwrap();
    assert_eq!(found.activity_state, ActivityState::Effective);
    let change = UpdateActivityRequest::builder()
        .brand_id(parse("1004"))
        .title(parse("新"))
        .sub_title(parse("新"))
        .begin_time(begin)
        .end_time(end)
        .build();
    activities
        .update_activity(&made.activity_id, &change)
        .await
        .unwrap();
    let end = TerminateActivityRequest::builder()
        .brand_id(parse("1004"))
        .build();
    let ended = activities
        .terminate_activity(&made.activity_id, &end)
        .await
        .unwrap();
    assert_eq!(ended.activity_state, ActivityState::Terminated);
}

/// The older card's routes by phone number.
async fn older(client: &Client, card_id: &CardId) {
    let older = client.membercard_open();
    let import = ImportPhoneMembercard::builder()
        .encrypted_phone_number(PhoneNumber::new("13800138000"))
        .out_request_no(parse("R-1"))
        .code(parse("1"))
        .build();
    let imported = older.import_phone_membercard(card_id, &import).await.unwrap();
    assert_eq!(imported.code.as_str(), "1");
    let remind = ImportPhonenumberMember::builder()
        .member_information(
            RegisteredMember::builder()
                .card_id(card_id.clone())
                .registration_time(parse("2015-05-20T13:29:35+08:00"))
                .build(),
        )
        .encrypted_phone_number(PhoneNumber::new("13800138001"))
        .build();
    // Nothing comes back but a signature, and that is verified.
    let answer: Reply<()> = older.import_phonenumber_member(&remind).await.unwrap();
    assert_eq!(answer.status(), 204);
    // A sealed field in a query is percent-encoded base64.
    let query = SearchPhonenumberMemberQuery::builder()
        .card_id(card_id.clone())
        .encrypted_phone_number(PhoneNumber::new("13800138000"))
        .build();
    let found = older.search_phonenumber_member(&query).await.unwrap();
    assert_eq!(found.receive_status, ReceiveStatus::Received);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_document_is_answered() {
    let sandbox = certified().start().await.unwrap();
    let client = builder(&sandbox, public_key(&sandbox)).0.build().unwrap();
    let card_id = cards(&client).await;
    let (card, openid) = user_cards(&client, &sandbox).await;
    beside(&client, &sandbox, &card, &openid).await;
    activities(&client, &card_id).await;
    older(&client, &card).await;
    let query = ListCertificatesQuery::builder().build();
    let listed = client.certificates().list_certificates(&query).await.unwrap();
    assert_eq!(listed.data.len(), 1);

    let journal = sandbox.journal();
    let answered: BTreeSet<_> = journal
        .iter()
        .filter(|entry| entry.status.is_some_and(|status| matches!(status, 200 | 204)))
        .filter_map(|entry| entry.operation.as_deref())
        .collect();
    let documented: BTreeSet<_> = OPERATIONS.iter().map(Operation::id).collect();
    assert_eq!(answered, documented);
    assert_eq!(documented.len(), 27);
    // GET carries the key it wants the answer signed with, too.
    assert!(journal.iter().all(|entry| entry.platform_serial.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_would_lead_to_another_path_is_not_sent() {
    let sandbox = certified().start().await.unwrap();
    let client = builder(&sandbox, public_key(&sandbox)).0.build().unwrap();
    let query = FindUserCardQuery::builder()
        .brand_id(parse("1004"))
        .card_id(parse("c"))
        .openid(parse("o"))
        .build();
    for code in [".", ".."] {
        let error = client
            .user_cards()
            .find_user_card(&parse(code), &query)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Request, Delivery::NotSent)
        );
    }
    assert_eq!(sandbox.requests(), 0);
}
