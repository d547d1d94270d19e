"""Puts into a sandbox what the operations of the API document need to succeed, by the API and by the control address.

Operations that end a thing get things of their own, so that no other operation is left with nothing.
"""
import itertools

import requests

from narrowed import fitted, inlined, operations

FAMILY = "/v3/brand/partner/card-member"
FOREVER = {"type": "PERMANENT"}
BEGIN, END = "2020-01-01T00:00:00+08:00", "2099-01-01T00:00:00+08:00"
MEMBER, CHANGED, INVALIDATED = "seed-member", "seed-changed", "seed-invalidated"


def seed(merchant, document, signature):
    """Ids that exist: by operation, or by None for all of them, by the name of the schema."""
    settings = merchant.settings
    brand, card = settings["brand_id"], settings["card_id"]
    session = requests.Session()
    session.trust_env = False
    numbers = itertools.count(1)

    def post(path, body):
        headers = {"Accept": "application/json", "Wechatpay-Serial": settings["platform_key_id"]}
        answer = session.post(settings["base_url"] + FAMILY + path, json=body, headers=headers, auth=signature)
        answer.raise_for_status()
        return answer.json()

    def people(what, body):
        answer = session.post(f"{settings['control_url']}/people/{what}", json=body)
        answer.raise_for_status()
        return answer.json()

    def template():
        # The document's own example, under a number of its own.
        (create,) = (one for one in operations(document) if one["operationId"] == "create_card")
        media = create["requestBody"]["content"]["application/json"]
        schema = inlined(document, media["schema"], {"BrandId": [brand]})
        body = fitted(media["example"], schema, {}) | {"out_request_no": f"seed-{next(numbers)}"}
        return post("/cards", body)["card_id"]

    def member(code):
        body = {"brand_id": brand, "card_id": card, "user_card_code": code, "openid": f"openid-{code}",
                "phone_number": merchant.seal(f"139{next(numbers):08}"), "valid_date_information": FOREVER,
                "pickup_time": BEGIN}
        return {"UserCardCode": [code], "Openid": [post("/user-cards/import-by-openid", body)["openid"]]}

    def activity():
        body = {"out_request_no": f"seed-{next(numbers)}", "brand_id": brand, "card_id": card,
                "activity_channel": "MECHANT_APP_COMPONENT", "title": "入会享券", "sub_title": "满减券",
                "begin_time": BEGIN, "end_time": END, "apply_total": 10,
                "product_coupon_stock_list": [{"product_coupon_id": "7", "stock_id": "9"}]}
        return {"ActivityId": [post("/membership-activities", body)["activity_id"]]}

    kept = member(MEMBER)
    taken = people("take-card", {"card_id": card, "phone_number": f"139{next(numbers):08}"})
    asked = people("ask-for-exchange", {"card_id": card, "user_card_code": MEMBER, "points": 1})
    everywhere = {"BrandId": [brand], "CardId": [card], "PlatformKeyId": [settings["platform_key_id"]]}
    exchange = {"ExchangeRecordId": [asked["record_id"]],
                "ExchangeCouponTemplateId": [asked["exchange_coupon_template_id"]]}
    return {
        None: everywhere | kept | activity(),
        "confirm_coupon_exchange": kept | exchange,
        "create_pay_view_token": ANYBODY,
        "create_pre_auth_token": ANYBODY,
        "confirm_user_card": {"UserCardCode": [taken["user_card_code"]], "Openid": [taken["openid"]]},
        "delete_card": {"CardId": [template()]},
        "import_by_openid": ANYBODY,
        "import_by_phone": ANYBODY,
        "import_phone_membercard": ANYBODY,
        "import_phonenumber_member": ANYBODY,
        "invalidate_card": {"CardId": [template()]},
        "invalidate_user_card": member(INVALIDATED),
        "terminate_activity": activity(),
        "update_card": {"CardId": [template()]},
        "update_user_card": member(CHANGED),
    }


# Imports name new members, and a token is made for whoever comes.
ANYBODY = {"Openid": None, "UserCardCode": None}
