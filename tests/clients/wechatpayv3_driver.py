"""Drives PyPI's `wechatpayv3` for the tests; see README.md for what comes in and goes out."""
import json
import pathlib
import sys
import tempfile

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.type import RequestType

CARDS = "/v3/brand/partner/card-member/user-cards"


class Refused(Exception):
    """The sandbox refused; the text is its code."""


class Driver:
    def __init__(self, folder, mode):
        self.settings = json.loads((folder / "sandbox.json").read_text(encoding="utf-8"))
        trust = {"public_key": (folder / "pub_key.pem").read_text(), "public_key_id": self.settings["platform_key_id"]}
        if mode == "certificate":
            # Without a certificate it downloads in its constructor, from the one host that it knows.
            (serial,) = self.settings["platform_certificates"]
            self.certificates_folder = tempfile.TemporaryDirectory()
            held = pathlib.Path(self.certificates_folder.name) / f"{serial}.pem"
            held.write_bytes((folder / f"wechatpay_{serial}.pem").read_bytes())
            trust = {"cert_dir": self.certificates_folder.name}
        self.client = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE, mchid=self.settings["mchid"], appid="wxea9c30890f48d5ae",
            private_key=(folder / "apiclient_key.pem").read_text(), cert_serial_no=self.settings["merchant_serial"],
            apiv3_key=self.settings["apiv3_key"], timeout=(5, 20), **trust)
        # It has no name for another host, nor for a call of an operation that it does not know, nor for sealing.
        self.core = self.client._core
        self.core._gate_way = self.settings["base_url"]

    def call(self, path, method=RequestType.GET, data=None):
        status, text = self.core.request(path, method=method, data=data, cipher_data=data is not None)
        if status != 200:
            raise Refused(json.loads(text)["code"])
        return json.loads(text)

    def opened(self, card):
        name = self.client.decrypt(card["user_information"]["common_field_list"][0]["value"])
        phone = self.client.decrypt(card["phone_number"])
        return {"code": card["user_card_code"], "openid": card["openid"], "phone": phone, "name": name}

    def do_import(self, code, phone, name):
        form = [{"name": "USER_FORM_FLAG_NAME", "value": self.core.encrypt(name)}]
        return self.opened(self.call(f"{CARDS}/import-by-phone", RequestType.POST, {
            "brand_id": self.settings["brand_id"], "card_id": self.settings["card_id"],
            "phone_number": self.core.encrypt(phone), "user_card_code": code,
            "user_information": {"common_field_list": form}, "date_information": {"type": "PERMANENT"},
            "pickup_time": "2020-05-20T13:29:35+08:00"}))

    def do_read(self, code, openid):
        query = f"brand_id={self.settings['brand_id']}&card_id={self.settings['card_id']}&openid={openid}"
        return self.opened(self.call(f"{CARDS}/{code}?{query}"))

    def do_certificates(self):
        self.core._update_certificates()
        serials = [format(certificate.serial_number, "040X") for certificate in self.core._certificates]
        return {"serials": serials}

    def do_notification(self, headers, body):
        notification = self.client.callback(headers, body)
        if not notification:
            raise ValueError("the signature does not verify")
        return {"resource": notification["resource"]}


def main():
    driver = Driver(pathlib.Path(sys.argv[1]), sys.argv[2])
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"ok": True} | getattr(driver, "do_" + command.pop("do"))(**command)
        except Refused as refused:
            answer = {"ok": False, "error": "refused", "refusal": str(refused)}
        except Exception as error:  # Whatever its kind: it raises plain ones.
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
