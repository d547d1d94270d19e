#!/usr/bin/env python3
"""Writes the member lists beside itself; the same bytes every time.

members.csv, members-gbk.csv, members.xlsx and members.ndjson hold the same members. No person is behind any row: names
are drawn from short lists, numbers are counted.
"""

import csv
import io
import json
import pathlib
import random
import zipfile
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).parent
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = ["伟", "芳", "娜", "敏", "静", "磊", "洋", "艳", "勇", "杰", "秀英", "建国", "子涵", "雨桐", "浩然", "欣怡", "梓轩", "思远"]
CITIES = ["北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "西安", "南京", "重庆", "苏州", "长沙"]
LEVELS = ["普通会员", "银卡会员", "金卡会员", "钻石会员"]


def write(name, rows):
    with open(HERE / name, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def text(rows):
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue()


def write_gbk(name, rows):
    """What a spreadsheet on a Chinese system saves as CSV."""
    (HERE / name).write_bytes(text(rows).encode("gbk"))


def write_ndjson(name, rows):
    """Phone numbers of digits alone are numbers, as programs export them; empty cells are left out."""
    header, *rows = rows
    lines = []
    for row in rows:
        pairs = {key: int(cell) if key == "手机号" and cell.isdigit() else cell for key, cell in zip(header, row) if cell}
        lines.append(json.dumps(pairs, ensure_ascii=False) + "\n")
    (HERE / name).write_text("".join(lines), encoding="utf-8", newline="")


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def write_xlsx(name, rows):
    """Phone numbers of digits alone are numbers, as a spreadsheet makes them."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for index, cell in enumerate(row):
            place = f"{chr(65 + index)}{number}"
            if not cell:
                continue
            if index == 0 and cell.isdigit():
                cells.append(f'<c r="{place}"><v>{cell}</v></c>')
            else:
                cells.append(f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
        '<sheets><sheet name="会员" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(HERE / name, "w") as archive:
        for part, content in parts.items():
            # Without a time of its own, so that the bytes are the same every time.
            information = zipfile.ZipInfo(part, (2025, 1, 1, 0, 0, 0))
            information.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(information, HEAD + content)


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
    write_gbk("members-gbk.csv", members(1000))
    write_ndjson("members.ndjson", members(1000))
    write_xlsx("members.xlsx", members(1000))
    write("members-with-mistakes.csv", mistakes())
