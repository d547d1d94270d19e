"""The same loop as `wxmember-bench calls` over PyPI's `wechatpayv3`: seal two fields, sign, send, verify.

python wechatpayv3_calls.py MEMBERS_JSON IN_FLIGHT plain|opened SANDBOX_FOLDER; prints one line of JSON. What is in
flight are threads, as the package's synchronous client asks for.
"""
import json
import pathlib
import re
import sys
import threading
import time

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.type import RequestType

PATH = "/v3/brand/partner/card-member/user-cards/import-by-phone"


def main():
    members_file, in_flight, opening, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    settings = json.loads((folder / "sandbox.json").read_text(encoding="utf-8"))
    members = json.loads(pathlib.Path(members_file).read_text(encoding="utf-8"))
    pay = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=settings["mchid"],
        private_key=(folder / "apiclient_key.pem").read_text(encoding="utf-8"),
        cert_serial_no=settings["merchant_serial"],
        appid="",
        apiv3_key=settings["apiv3_key"],
        public_key=(folder / "pub_key.pem").read_text(encoding="utf-8"),
        public_key_id=settings["platform_key_id"],
    )
    # The package knows neither another host nor this operation; its core does everything else.
    core = pay._core
    core._gate_way = settings["base_url"]

    def call(member):
        body = {
            "brand_id": settings["brand_id"],
            "card_id": settings["card_id"],
            "phone_number": core.encrypt(member["phone_number"]),
            "user_card_code": member["user_card_code"],
            "level": member["level"],
            "date_information": {"type": "PERMANENT"},
            "pickup_time": member["pickup_time"],
            "user_information": {
                "common_field_list": [{"name": "USER_FORM_FLAG_NAME", "value": core.encrypt(member["name"])}]
            },
        }
        code, text = core.request(PATH, method=RequestType.POST, data=body, cipher_data=True)
        if code != 200:
            raise RuntimeError(text)
        card = json.loads(text)
        if opening == "opened" and core.decrypt(card["phone_number"]) != member["phone_number"]:
            raise RuntimeError("another phone number")

    lock = threading.Lock()
    waiting = iter(members)
    wrong = []

    def work():
        while not wrong:
            with lock:
                member = next(waiting, None)
            if member is None:
                return
            try:
                call(member)
            except Exception as error:  # pylint: disable=broad-except
                wrong.append(error)

    start, cpu = time.perf_counter(), time.process_time()
    threads = [threading.Thread(target=work) for _ in range(int(in_flight))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text(encoding="utf-8"))
    print(json.dumps({
        "calls": len(members),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_bytes": int(peak.group(1)) * 1024,
    }))


main()
