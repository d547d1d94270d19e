//! Texts of the libraries, as Chinese shows them.

use super::*;

#[track_caller]
fn check(english: &str, expected: &str) {
    assert_eq!(chinese(english), expected);
}

#[test]
fn a_text_is_recognised_by_its_template() {
    check("is empty", "为空");
    check(
        "has 33 characters, at most 32 are allowed",
        "有 33 个字符，最多允许 32 个",
    );
}

#[test]
fn why_a_sandbox_does_not_start_is_chinese_behind_its_place() {
    check(
        "failed to start the sandbox: d/faults.toml: faults[1]: `seed` is no whole number in its range",
        "无法启动沙箱：d/faults.toml：faults[1]：`seed` 不是允许范围内的整数",
    );
    check(
        "failed to start the sandbox: d/sandbox.json: missing, while apiclient_key.pem is there; restore it, or delete \
         the folder to get new keys",
        "无法启动沙箱：d/sandbox.json：缺失，而 apiclient_key.pem 存在；请恢复它，或删除整个目录以生成新密钥",
    );
    check(
        "failed to start the sandbox: d/pub_key.pem: not the public half of the sandbox's platform key; restore the \
         file, or delete the folder to get new keys",
        "无法启动沙箱：d/pub_key.pem：不是沙箱平台私钥对应的公钥；请恢复该文件，或删除整个目录以生成新密钥",
    );
}

/// The text about a source takes only what it may be.
#[test]
fn what_is_said_of_something_else_is_no_text_about_a_source() {
    check("`level` is something new", "`level` is something new");
    check(
        "`m.csv` is a set of something new",
        "`m.csv` is a set of something new",
    );
    check(
        "`m.csv` is a damaged spreadsheet or archive",
        "`m.csv` 是损坏的表格或压缩包",
    );
}

#[test]
fn the_problems_of_a_row_stand_behind_their_columns() {
    check(
        "column `手机号`: not a mobile number of mainland China; column `a: b`: is empty",
        "列“手机号”：不是中国大陆的手机号；列“a: b”：为空",
    );
    check(
        "has 3 cells where the header has 4",
        "有 3 个单元格，而表头有 4 列",
    );
}

#[test]
fn what_a_text_holds_of_other_texts_is_chinese_too() {
    check(
        "`m.csv`, line 3: none of the 2 columns is `level`; name it, for example, `等级`",
        "`m.csv`，第 3 行：2 列中没有 `level`；列名可以是 `等级`",
    );
    check(
        "`m.csv`, line 1: none of the 2 columns is `pickup_time`; name it, for example, `领取时间`, or set a default \
         for all rows",
        "`m.csv`，第 1 行：2 列中没有 `pickup_time`；列名可以是 `领取时间`，或为所有行设置默认值",
    );
    check(
        "`m.csv`, `等级` is assigned twice",
        "`m.csv`，`等级` 被指定了两次",
    );
    check(
        "`m.csv` is text, which has no sheets; leave out `--sheet`",
        "`m.csv` 是文本，没有工作表；请去掉 `--sheet`",
    );
    check(
        "`m.xls` cannot be read as a spreadsheet: it is damaged, or protected by a password",
        "`m.xls` 无法作为表格读取：文件已损坏，或有密码保护",
    );
    check(
        "`m.csv`, line 2, column 1: not UTF-8; save it as `CSV UTF-8` and try again",
        "`m.csv` 第 2 行，第 1 列：不是 UTF-8 编码；请另存为 `CSV UTF-8` 后重试",
    );
    check(
        "`m.csv`, line 2, column `姓名`: not GB18030; save it as `CSV UTF-8`, or name its encoding with `--encoding`",
        "`m.csv` 第 2 行，列“姓名”：不是 GB18030 编码；请另存为 `CSV UTF-8`，或用 `--encoding` 指定编码",
    );
}

#[test]
fn what_is_wrong_with_a_file_of_the_sandbox_is_chinese_behind_its_place() {
    let said = |flaw: &str| format!("failed to start the sandbox: d/i.toml: line 3: {flaw}");
    let expected = |flaw: &str| format!("无法启动沙箱：d/i.toml：第 3 行：{flaw}");
    for (english, chinese) in [
        (
            "unknown setting `mchidd` in `merchants`; there are `mchid`, `brands`",
            "`merchants` 中有未知的配置项 `mchidd`；可用的有 `mchid`、`brands`",
        ),
        (
            "unknown setting `mchid`; there are `merchants`",
            "未知的配置项 `mchid`；可用的有 `merchants`",
        ),
        (
            "unknown setting in `merchants`; there are `mchid`",
            "`merchants` 中有未知的配置项；可用的有 `mchid`",
        ),
        ("the setting `merchants` is missing", "缺少配置项 `merchants`"),
        (
            "the setting `mchid` is missing in `merchants`",
            "`merchants` 中缺少配置项 `mchid`",
        ),
        (
            "the setting `merchants.state` can be `expired`, `valid`",
            "配置项 `merchants.state` 可以是 `expired`、`valid`",
        ),
        (
            "the setting `merchants.mchid` needs text in quotation marks",
            "配置项 `merchants.mchid` 应为加引号的文本",
        ),
        ("a setting here needs a whole number", "此处的配置项应为整数"),
    ] {
        check(&said(english), &expected(chinese));
    }
    check(
        "wxmember.toml: line 4, column 17: a backslash between quotation marks begins an escape; write it twice, or use single quotation marks",
        "wxmember.toml：第 4 行，第 17 列：双引号中的反斜杠是转义符；请写两个，或改用单引号",
    );
    check("line endings: other", "line endings：other");
}

#[test]
fn a_list_has_chinese_commas() {
    check(
        "choose one with `--profile`; it has default, other",
        "用 `--profile` 选择；现有 default、other",
    );
    check(
        "PUB_KEY_ID_1 is not known here; known is PUB_KEY_ID_2, 4D3C",
        "这里没有 PUB_KEY_ID_1；已有 PUB_KEY_ID_2、4D3C",
    );
    check(
        "`second-card` can be `allow`, `refuse`",
        "`second-card` 可以是 `allow`、`refuse`",
    );
    check(
        "`m.xlsx` has no sheet `会员`; it has `a, b`, `c`",
        "`m.xlsx` 中没有工作表 `会员`；现有 `a, b`、`c`",
    );
    check(
        "1 other sheet is not read: `a, b`; choose with `--sheet`",
        "另有 1 个工作表没有读取：`a, b`；可用 `--sheet` 选择",
    );
}

#[test]
fn what_the_doctor_finds_is_chinese_to_the_end() {
    check(
        "the platform's key is in the merchant's place (WeChat Pay's private key, as in the platform's own file)",
        "商户密钥的位置放了平台的密钥（与平台文件中的微信支付私钥相同）",
    );
    check(
        "this machine's clock is 600 s behind the platform's, every request is refused (limit 300 s)",
        "本机时钟比平台慢 600 秒，所有请求都会被拒绝（上限 300 秒）",
    );
    check("the APIv3 key is not there", "APIv3 密钥不存在");
    check("set it to 4D3C, or leave it out", "请设为 4D3C，或去掉它");
    check("holds no certificate: an empty file", "其中没有证书：空文件");
    check(
        "the merchant's certificate cannot be read (Permission denied (os error 13))",
        "商户证书无法读取（没有权限（系统错误 13））",
    );
}

#[test]
fn what_is_wrong_with_a_key_file_is_chinese_behind_its_path() {
    for (english, expected) in [
        (
            "failed to read d/apiclient_key.pem: No such file or directory (os error 2)",
            "无法读取 d/apiclient_key.pem：文件不存在（系统错误 2）",
        ),
        (
            "d/k.pem: holds no private key: a PEM block `EC PRIVATE KEY`",
            "d/k.pem：其中没有私钥：PEM 块 `EC PRIVATE KEY`",
        ),
        (
            "d/k.pem: holds a private key, not WeChat Pay's public key or certificate",
            "d/k.pem：是私钥，不是微信支付公钥或平台证书",
        ),
        (
            "d/k.pem: holds no public key or certificate: neither PEM nor PKCS#12",
            "d/k.pem：其中没有公钥或证书：无法识别的内容（非 PEM，也非 PKCS#12）",
        ),
        (
            "d/k.pem: found a PEM block `PUBLIC KEY`, expected `PRIVATE KEY`",
            "d/k.pem：PEM 块是 `PUBLIC KEY`，应为 `PRIVATE KEY`",
        ),
        (
            "d/c.p12: the private key in the PKCS#12 file is unusable: the content is not an RSA key",
            "d/c.p12：PKCS#12 文件中的私钥无法使用：内容不是 RSA 密钥",
        ),
        (
            "d/c.p12: expected a PKCS#12 file, as `apiclient_cert.p12` is; found an empty file",
            "d/c.p12：应为 PKCS#12 文件，如 `apiclient_cert.p12`；实际为：空文件",
        ),
        (
            "nothing was written: w.toml: the base URL cannot be used: it is not a URL",
            "未写入任何内容：w.toml：`base_url` 无法使用：不是 URL",
        ),
    ] {
        check(english, expected);
    }
}

#[test]
fn what_happened_to_a_body_is_chinese() {
    let body = "without the line break at the end, so the body is not what was sent";
    let key = "under the key configured as PUB_KEY_ID_1, so the header or the configured id is wrong";
    check(
        &format!("it does match {body}"),
        "正文末尾没有换行时签名匹配；可见正文不是发送时的原文",
    );
    check(
        &format!("it does match {key}"),
        "改用配置中 ID 为 PUB_KEY_ID_1 的密钥，签名即匹配；可见 HTTP 头或配置的 ID 有误",
    );
    check(
        &format!("it does match {key} and {body}"),
        "改用配置中 ID 为 PUB_KEY_ID_1 的密钥，且正文末尾没有换行时签名匹配；可见 HTTP 头或配置的 ID 有误，正文也不是\
         发送时的原文",
    );
    check(
        "give the text in the body and seal it with `--seal /a`, or give both with `--seal /a=@FILE`",
        "请在正文中写出该文本并用 `--seal /a` 加密，或用 `--seal /a=@FILE` 一并给出",
    );
}

#[test]
fn what_nobody_knows_stays_as_it_is() {
    check("something new", "something new");
    check("column `x`: something new", "列“x”：something new");
    check("参数错误", "参数错误");
}
