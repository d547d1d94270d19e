#!/usr/bin/env python3
"""Writes members.csv and members-with-mistakes.csv beside itself; the same bytes every time.

No person is behind any row: names are drawn from short lists, numbers are counted.
"""

import csv
import pathlib
import random

HERE = pathlib.Path(__file__).parent
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = ["伟", "芳", "娜", "敏", "静", "磊", "洋", "艳", "勇", "杰", "秀英", "建国", "子涵", "雨桐", "浩然", "欣怡", "梓轩", "思远"]
CITIES = ["北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "西安", "南京", "重庆", "苏州", "长沙"]
LEVELS = ["普通会员", "银卡会员", "金卡会员", "钻石会员"]


def write(name, rows):
    with open(HERE / name, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def members(count):
    draw = random.Random(20251125)
    numbers = draw.sample(range(10000), count)
    yield ["手机号", "会员卡号", "姓名", "性别", "生日", "城市", "等级", "领取时间"]
    for index, number in enumerate(numbers, 1):
        phone = f"1990000{number:04}"
        # Lists come from several tills, and each writes phone numbers and dates its own way.
        if index % 10 == 3:
            phone = f"{phone[:3]} {phone[3:7]} {phone[7:]}"
        elif index % 10 == 7:
            phone = f"+86{phone}"
        year, month, day = draw.randint(1955, 2006), draw.randint(1, 12), draw.randint(1, 28)
        birthday = f"{year}/{month}/{day}" if index % 4 == 2 else f"{year}-{month:02}-{day:02}"
        joined = f"{draw.randint(2019, 2025)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        if index % 3 == 1:
            joined += f" {draw.randint(9, 21):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}"
        yield [
            phone,
            f"M{2025000000 + index}",
            draw.choice(SURNAMES) + draw.choice(GIVEN),
            draw.choice(["男", "女"]),
            birthday if index % 9 else "",
            draw.choice(CITIES),
            draw.choices(LEVELS, [60, 25, 10, 5])[0],
            joined,
        ]


COLUMNS = [
    "手机号", "会员卡号", "姓名", "性别", "生日", "地址", "等级", "卡颜色", "卡图片", "领取时间",
    "有效期类型", "有效期开始", "有效期结束", "有效期天数",
]

# One change to a good row each, and one kind of mistake each; an empty change leaves the row good.
CHANGES = [
    {},
    {"手机号": "12345678901"},
    {"手机号": "1.99E+10"},
    {"手机号": ""},
    {"会员卡号": "M" + "1" * 32},
    {"会员卡号": "M金0001"},
    {"有效期类型": "永久有效"},
    {"姓名": "张🙂"},
    {"地址": "长" * 71 + "ab"},
    {"性别": "保密"},
    {"生日": "1990-02-30"},
    {"领取时间": "昨天下午"},
    {"领取时间": "45293"},
    {"有效期类型": "FIX_TERM", "有效期天数": "365"},
    {"等级": "一二三四五六七八九十一"},
    {"卡颜色": "红色"},
    {"卡图片": "logo.png"},
    {"有效期类型": "两年"},
    {"有效期类型": "FIX_TERM"},
    {"有效期类型": "FIX_TERM", "有效期天数": "20000"},
    {"有效期类型": "PERMANENT", "有效期天数": "365"},
    {"有效期类型": "FIX_TIME_RANGE", "有效期开始": "2025-01-01", "有效期结束": "2024-12-31"},
    {"有效期类型": "FIX_TIME_RANGE", "有效期开始": "2025-01-01", "有效期结束": "2026-12-31"},
    {"会员卡号": "E0001"},
    {"手机号": "19900010001"},
    {"手机号": "+86 199-0001-0026"},
]


def mistakes():
    yield COLUMNS
    for index, change in enumerate(CHANGES, 1):
        row = dict.fromkeys(COLUMNS, "")
        row |= {"手机号": f"1990001{index:04}", "会员卡号": f"E{index:04}", "姓名": "李雷", "性别": "男"}
        row |= {"生日": "1990-01-31", "地址": "海淀区1号", "等级": "金卡会员", "领取时间": "2024-01-31"}
        yield list((row | change).values())


if __name__ == "__main__":
    write("members.csv", members(1000))
    write("members-with-mistakes.csv", mistakes())
