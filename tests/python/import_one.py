#!/usr/bin/env python3
"""Imports one member into a running sandbox, sharing no code with this repository.

Reads the folder that `wxmember sandbox --dir DIR` writes, seals the personal
fields, signs and posts one import by phone number, then verifies and opens the
answer. With --tamper one byte of the body is changed after signing, and the
sandbox has to refuse with 401 SIGN_ERROR.

Prints one JSON object. Exits with 0 if every check holds, with 1 if not.
Needs Python 3.10 or later with the packages of requirements.txt.
"""
import argparse
import base64
import datetime
import json
import pathlib
import secrets
import sys
import time

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

PATH = "/v3/brand/partner/card-member/user-cards/import-by-phone"
SCHEME = "WECHATPAY2-SHA256-RSA2048"
TIMEOUT_SECONDS = (5, 20)  # to connect, to read
WINDOW_SECONDS = 300  # how far the clock of an answer may be off
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # the protocol's choice
SIGNATURE = padding.PKCS1v15()
CHINA = datetime.timezone(datetime.timedelta(hours=8))


class CheckFailed(Exception):
    """A check does not hold; the text says which."""


def require(condition, what):
    if not condition:
        raise CheckFailed(what)


class Merchant:
    """What a merchant holds: its key and certificate, WeChat Pay's public key, and its certificates if there are any."""

    def __init__(self, folder):
        self.settings = json.loads((folder / "sandbox.json").read_text(encoding="utf-8"))
        self.key = serialization.load_pem_private_key((folder / "apiclient_key.pem").read_bytes(), password=None)
        self.certificate = x509.load_pem_x509_certificate((folder / "apiclient_cert.pem").read_bytes())
        self.platform_key = serialization.load_pem_public_key((folder / "pub_key.pem").read_bytes())
        self.platform_keys = {self.settings["platform_key_id"]: self.platform_key}
        for serial in self.settings.get("platform_certificates", []):
            certificate = x509.load_pem_x509_certificate((folder / f"wechatpay_{serial}.pem").read_bytes())
            self.platform_keys[serial] = certificate.public_key()

    def check(self):
        """Key, certificate and serial number belong together."""
        require(self.certificate.public_key() == self.key.public_key(), "apiclient_cert.pem is not apiclient_key.pem's")
        serial = format(self.certificate.serial_number, "X")
        stated = self.settings["merchant_serial"].lstrip("0").upper()
        require(serial == stated, f"merchant_serial is {stated}, the certificate says {serial}")
        require(len(self.settings["apiv3_key"].encode()) == 32, "apiv3_key does not have 32 bytes")

    def seal(self, plaintext):
        return base64.b64encode(self.platform_key.encrypt(plaintext.encode("utf-8"), OAEP)).decode("ascii")

    def open(self, ciphertext):
        return self.key.decrypt(base64.b64decode(ciphertext, validate=True), OAEP).decode("utf-8")

    def authorization(self, method, path, body):
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        message = f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64encode(self.key.sign(message, SIGNATURE, hashes.SHA256())).decode("ascii")
        parameters = {
            "mchid": self.settings["mchid"],
            "nonce_str": nonce,
            "signature": signature,
            "timestamp": timestamp,
            "serial_no": self.settings["merchant_serial"],
        }
        return SCHEME + " " + ",".join(f'{name}="{value}"' for name, value in parameters.items())

    def verify(self, answer):
        """The answer is WeChat Pay's and fresh: key id, time and signature over the raw body."""
        missing = [name for name in ("Timestamp", "Nonce", "Serial", "Signature") if f"Wechatpay-{name}" not in answer.headers]
        require(not missing, f"the answer has no Wechatpay-{', Wechatpay-'.join(missing)}")
        timestamp, nonce = answer.headers["Wechatpay-Timestamp"], answer.headers["Wechatpay-Nonce"]
        serial = answer.headers["Wechatpay-Serial"]
        require(serial in self.platform_keys, f"the answer is signed by {serial}")
        require(timestamp.isdecimal(), "Wechatpay-Timestamp is not a number of seconds")
        require(abs(time.time() - int(timestamp)) < WINDOW_SECONDS, "the answer is older or newer than 300 seconds")
        message = f"{timestamp}\n{nonce}\n".encode() + answer.content + b"\n"
        try:
            signature = base64.b64decode(answer.headers["Wechatpay-Signature"], validate=True)
            self.platform_keys[serial].verify(signature, message, SIGNATURE, hashes.SHA256())
        except (InvalidSignature, ValueError):
            raise CheckFailed("the signature of the answer does not verify") from None


def import_request(merchant, phone, sex, code):
    """An import by phone number, as spec/card-member.yaml has it."""
    begin = datetime.datetime.now(CHINA).replace(microsecond=0)
    end = begin + datetime.timedelta(days=365)
    return {
        "brand_id": merchant.settings["brand_id"],
        "card_id": merchant.settings["card_id"],
        "phone_number": merchant.seal(phone),
        "user_card_code": code,
        "user_information": {"common_field_list": [{"name": "USER_FORM_FLAG_SEX", "value": merchant.seal(sex)}]},
        "date_information": {
            "type": "FIX_TIME_RANGE",
            "available_begin_time": begin.isoformat(timespec="milliseconds"),
            "available_end_time": end.isoformat(timespec="milliseconds"),
        },
        "pickup_time": begin.isoformat(timespec="milliseconds"),
    }


def post(merchant, body, authorization):
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",  # the signature covers the bytes as they travel
        "Authorization": authorization,
        "Content-Type": "application/json",
        "User-Agent": "wxmember-interop/1 (Python)",
        "Wechatpay-Serial": merchant.settings["platform_key_id"],
    }
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between us and the loopback
        return session.post(
            merchant.settings["base_url"].rstrip("/") + PATH,
            data=body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )


def parsed(answer):
    try:
        value = json.loads(answer.content)
    except ValueError:
        raise CheckFailed(f"status {answer.status_code}, and the body is not JSON") from None
    require(isinstance(value, dict), "the body is not a JSON object")
    return value


def import_one(merchant, phone, sex, code):
    """Everything is as signed: the member is imported and comes back."""
    body = json.dumps(import_request(merchant, phone, sex, code), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    answer = post(merchant, body, merchant.authorization("POST", PATH, body))
    if answer.status_code != 200:
        refusal = parsed(answer)
        raise CheckFailed(f"status {answer.status_code}, {refusal.get('code')}: {refusal.get('message')}")
    merchant.verify(answer)  # before any field is opened
    card = parsed(answer)
    for name, sent in [("user_card_code", code), ("brand_id", merchant.settings["brand_id"]), ("card_id", merchant.settings["card_id"])]:
        require(card.get(name) == sent, f"{name} came back different")
    try:
        require(merchant.open(card["phone_number"]) == phone, "phone_number came back different")
        fields = {field["name"]: merchant.open(field["value"]) for field in card["user_information"]["common_field_list"]}
    except KeyError as error:
        raise CheckFailed(f"the answer has no {error}") from None
    except ValueError:
        raise CheckFailed("a field of the answer does not open with the merchant's key") from None
    require(fields == {"USER_FORM_FLAG_SEX": sex}, "the form fields came back different")
    return {
        "status": 200,
        "user_card_code": card["user_card_code"],
        "user_card_state": card.get("user_card_state"),
        "signature": "verified",
        "phone_number": "opened, equal",
        "user_information": "opened, equal",
    }


def tamper_one(merchant, phone, sex, code):
    """One byte of the body is not as signed. It stays valid JSON, so that only the signature can refuse it."""
    body = json.dumps(import_request(merchant, phone, sex, code), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    authorization = merchant.authorization("POST", PATH, body)
    tampered = bytearray(body)
    last = body.index(code.encode("ascii")) + len(code) - 1
    tampered[last] = ord("0") if body[last] != ord("0") else ord("1")
    answer = post(merchant, bytes(tampered), authorization)
    refusal = parsed(answer)
    require(answer.status_code == 401, f"status {answer.status_code}, expected 401")
    require(refusal.get("code") == "SIGN_ERROR", f"code {refusal.get('code')}, expected SIGN_ERROR")
    return {"status": 401, "code": "SIGN_ERROR", "bytes_changed": sum(a != b for a, b in zip(body, tampered))}


def main():
    parser = argparse.ArgumentParser(description="Imports one member into a running sandbox.")
    parser.add_argument("folder", type=pathlib.Path, help="the folder written by `wxmember sandbox --dir`")
    parser.add_argument("--tamper", action="store_true", help="change one byte after signing; expects 401 SIGN_ERROR")
    parser.add_argument("--phone", default="13800138000", help="a made-up phone number (default: %(default)s)")
    parser.add_argument("--sex", default="女", help="value of USER_FORM_FLAG_SEX (default: %(default)s)")
    parser.add_argument("--code", default=None, help="the user card code (default: a new one each time)")
    arguments = parser.parse_args()
    code = arguments.code or "py" + secrets.token_hex(8)
    result = {"check": "tamper" if arguments.tamper else "import"}
    try:
        merchant = Merchant(arguments.folder)
        merchant.check()
        run = tamper_one if arguments.tamper else import_one
        result |= {"ok": True, **run(merchant, arguments.phone, arguments.sex, code)}
    except CheckFailed as error:
        result |= {"ok": False, "error": str(error)}
    except (OSError, KeyError, ValueError, requests.RequestException) as error:
        result |= {"ok": False, "error": f"{type(error).__name__}: {error}", "hint": "is `wxmember sandbox --dir` running?"}
    print(json.dumps(result, ensure_ascii=False))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
