# 各库英文消息的中文译文，键和参数与 known.en.ftl 一致。

# 行的问题，按错误码命名。
row-bad-birthday = 不是日期；请写成 1990-01-31
row-bad-color = 不是颜色；请写成 #RRGGBB
row-bad-days = 不是 1 到 10958 之间的天数
row-bad-phone-number = 不是中国大陆的手机号
row-bad-time = 不是时间；请写成 2024-01-31 或 2024-01-31 08:30:00
row-bad-url = 不是以 https:// 开头的网址
row-code-character = 第 { $position } 个字符不允许；会员卡号只能有数字、英文字母和半角标点
row-duplicate-code = 会员卡号与第 { $first_row } 行重复
row-duplicate-phone-number = 手机号与第 { $first_row } 行重复
row-excel-date = 这里是表格软件的日期序号而不是日期；请把该列设为文本格式，如 2024-01-31
row-four-byte-character = 第 { $position } 个字符是表情符号或四字节的生僻字，平台不接受
row-missing-value = 为空
row-not-sealable = 字段 `{ $field }` 无法加密
row-openid-character = 第 { $position } 个字符不允许；openid 只能有数字、英文字母、`-` 和 `_`
row-request-no-character = 第 { $position } 个字符不允许；请求单号只能有数字、英文字母和 `|`、`_`、`*`、`-`
row-ragged = 有 { $found } 个单元格，而表头有 { $expected } 列
row-scientific-notation = 表格软件把数字缩写成了科学计数法（如 1.38E+10），末尾数字已丢失；请把该列设为文本格式
row-too-long = 有 { $length } 个字符，最多允许 { $limit } 个
row-too-long-to-seal = UTF-8 编码有 { $bytes } 字节，最多可加密 { $limit } 字节
row-too-many-choices = 有 { $found } 个选项，最多允许 { $limit } 个
row-unknown-sex = 不是男、女、male、female、M、F 之一；不清楚时请留空
row-unknown-validity-type = 不是 FIX_TIME_RANGE、FIX_TERM、PERMANENT、固定时间、固定天数、永久有效之一
row-validity-contradiction = 不属于 { $validity_type } 类型的有效期；请留空或更改类型
row-validity-incomplete = 为空，但 { $validity_type } 类型的有效期需要它
row-validity-reversed = 有效期的结束时间不晚于开始时间

stop-key = 请检查商户号、商户私钥及其证书序列号，以及本机时钟
stop-by-phone = 根据手机号导入尚未对所有商户开放：请向微信支付申请，或改用目前可用的方式 `--via import-by-openid` 或 `--via phone-membercard`
stop-by-openid = 会员卡能力需向微信支付申请：请为该商户号和品牌申请开通
stop-by-membercard = 该商户无权导入旧版会员卡的会员：请向微信支付申请权限
stop-card = 请检查 `card_id`
stop-other-card = 该会员卡属于另一个商户号：请检查 `card_id` 和 `mchid`
stop-upgrade = 请先升级会员卡模板
stop-platform-key-id = 平台不认识加密所用的公钥：请检查 `platform_key_id`
stop-platform-key = `platform_key` 与 `platform_key_id` 不匹配：请从同一页面获取两者
stop-no-platform-key = 公钥模式的商户没有平台证书：请设置 `platform_key` 和 `platform_key_id`；详见 `wxmember doctor --online`
stop-damaged = 账本中的请求无法读取
stop-damaged-hint = 请从备份恢复账本，或用 `--ledger FILE` 新建账本
stop-unknown = 连续 { $rows } 行结果未知
stop-unknown-hint = 平台或网络异常；稍后再次运行同一命令即可继续
stop-rate = 平台持续返回 429
stop-rate-hint = 另有程序在使用该商户号的频率额度：请停止它，或设置更低的 `--quota`
stop-unreachable-hint = 请检查网络和 `base_url`；再次运行同一命令即可继续

source-changed = `{ $name }` 在读取过程中有改动；尚未发送任何内容，请重新开始
source-empty = `{ $name }` 是空的；第一行必须是列名
source-header-only = `{ $name }` 第 1 行是表头，下面没有数据
source-io = 无法读取 `{ $name }`
load-cancelled = 读取 { $rows } 行后停止；再次运行同一命令即可继续
load-not-ready = 无法加密

ledger-busy = 账本 `{ $path }` 正被另一个进程使用
ledger-closed = 账本在完成之前被关闭
ledger-io = 无法打开 `{ $path }`
ledger-key = 账本的密钥 `{ $path }` 丢失或损坏；请恢复它，或新建账本
ledger-newer = 账本的版本是 { $found }，本软件最高支持 { $known }；请升级 wxmember
ledger-foreign = `{ $path }` 不是 wxmember 的账本
