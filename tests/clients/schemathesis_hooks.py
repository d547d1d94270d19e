"""Hooks for schemathesis: all that a caller of the sandbox has to do, sharing no code with this repository's crates.

Signs every request over the bytes that leave, seals what the document calls a ciphertext, and narrows requests to ids
that exist, so that operations succeed as well as refuse. Answers are judged by the document as it is.

WXMEMBER_SANDBOX_DIR names the folder that `wxmember sandbox --dir` writes, WXMEMBER_TALLY a file that gets how many
answers of each status each operation gave, as JSON.
"""
import atexit
import collections
import json
import os
import pathlib
import sys
import types

import requests
import schemathesis
from hypothesis import strategies

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "python")]
from import_one import Merchant  # noqa: E402
from narrowed import PHONE, TIME, VALUE, narrow  # noqa: E402
from seeded import seed  # noqa: E402

MERCHANT = Merchant(pathlib.Path(os.environ["WXMEMBER_SANDBOX_DIR"]))
TALLY = collections.defaultdict(collections.Counter)

# Sealing is random and slow, and a run is to be the same each time: a strategy chooses by place from what is made once.
PHONES = [MERCHANT.seal(f"138{number:08}") for number in range(200)]
VALUES = [MERCHANT.seal(text) for text in ("女", "篮球", "1990-01-01", "member@example.com", "深圳市南山区", "张三")]
TIMES = ["2020-05-20T13:29:35.120+08:00", "2026-01-01T00:00:00Z", "2030-05-20T13:29:35+08:00"]
schemathesis.openapi.format(PHONE, strategies.sampled_from(PHONES))
schemathesis.openapi.format(VALUE, strategies.sampled_from(VALUES))
schemathesis.openapi.format(TIME, strategies.sampled_from(TIMES))


class Signature(requests.auth.AuthBase):
    """Signs what `requests` is about to send: the path with its query as they are, the body to the byte."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode("utf-8") if isinstance(body, str) else body
        request.headers["Authorization"] = MERCHANT.authorization(request.method, request.path_url, body)
        return request


schemathesis.auth.set_from_requests(Signature())


@schemathesis.hook
def before_load_schema(context, raw_schema):
    known = seed(MERCHANT, raw_schema, Signature())
    narrow(raw_schema, known, {PHONE: PHONES[0], VALUE: VALUES[0]})


@schemathesis.hook
def after_call(context, case, response):
    TALLY[case.operation.definition.raw["operationId"]][response.status_code] += 1


@schemathesis.check
def signature(context, response, case):
    """What succeeds is signed, and what is refused is not, as the platform has it."""
    headers = requests.structures.CaseInsensitiveDict({name: values[0] for name, values in response.headers.items()})
    if response.status_code < 300:
        MERCHANT.verify(types.SimpleNamespace(headers=headers, content=response.content or b""))
    else:
        assert "Wechatpay-Signature" not in headers, "a refusal is signed"


@atexit.register
def write_tally():
    if path := os.environ.get("WXMEMBER_TALLY"):
        pathlib.Path(path).write_text(json.dumps(TALLY), encoding="utf-8")
