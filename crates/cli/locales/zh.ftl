# 程序的中文输出。键和参数与 en.ftl 一致，由测试比较。

# 通用。
error-prefix = 错误：
hint-prefix = 提示：
no-runtime = 无法启动运行时
json-failed = 无法将结果写成 JSON
unwritable = 无法写入 { $path }
password-in-arguments = `--ledger` 中含有密码，本机所有用户都能看到命令行参数
password-in-arguments-hint = 去掉密码并设置 `PGPASSWORD` 或 `--ledger-password-file`，或把完整的 URL 写在环境变量 `WXMEMBER_LEDGER` 中

# 命令行参数。
usage-unknown = 未知的参数 `{ $argument }`
usage-command = 没有命令 `{ $command }`
usage-missing = 缺少参数：{ $arguments }
usage-conflict = `{ $first }` 与 `{ $second }` 不能同时使用
usage-no-value = `{ $argument }` 需要一个值
usage-value = `{ $argument }` 的可选值为：{ $values }
usage-value-because = `{ $argument }` 的值无效：{ $why }
usage-hint = 参见 `wxmember --help`，或在命令后加 `--help`

# 账本与任务。
ledger-unusable = 账本 { $ledger }
ledger-missing = 账本 { $ledger } 不存在
ledger-missing-hint = 账本由第一次 `wxmember import` 创建；可用 `--ledger` 指定其他账本，或用 `--sandbox` 指定沙箱的账本
ledger-missing-hint-sandbox = 账本由第一次 `wxmember import FILE --sandbox` 创建
no-jobs = 账本中没有任务
no-jobs-hint = 用 `--ledger` 指定其他账本，或用 `--sandbox` 指定沙箱的账本
hint-ambiguous-job = 请多输入几位任务编号；`wxmember jobs` 可列出所有任务
hint-no-such-job = `wxmember jobs` 可列出所有任务；沙箱的任务需加 `--sandbox`
hint-ledger-busy = 请结束另一个进程，或用 `--ledger` 指定其他账本
hint-ledger-database = 请检查磁盘是否已满、数据库能否连接
hint-ledger-postgres = 请检查该地址的 PostgreSQL 能否连接，例如用 `psql`；密码取自 `PGPASSWORD` 或 `--ledger-password-file`
hint-ledger-foreign = 请用 `--ledger` 指定 wxmember 的账本或一个新文件
hint-ledger-io = 请检查目录是否存在、是否有权限，或用 `--ledger` 指定其他账本
hint-ledger-key = 请从备份恢复密钥文件；没有它就无法识别重复的会员
hint-ledger-newer = 请升级本机的 wxmember，或用 `--ledger` 指定其他账本
hint-ledger-url = 例如 `--ledger postgres://user@host/database`，密码写在 `PGPASSWORD` 中
hint-ledger-wrong-key = 请从创建账本的主机复制密钥文件，并用 `--ledger-key` 指定
hint-purged = 重新导入文件即可再次发送其中的会员
hint-unfinished = 请先让这些行得出结果，或用 `--force` 强制清除
hint-run-again = 再次运行同一命令即可继续该任务
hint-other-source = 请提供导入时的原文件
column-job = 任务
column-state = 状态
column-rows = 行数
column-imported = 已导入
column-present = 已存在
column-refused = 被拒绝
column-unknown = 未知
column-queued = 待发送
column-sent = 请求数
column-updated = 最后更新
column-source = 名单文件
column-code = 错误码
column-message = 错误描述
label-job = 任务
label-source = 名单文件
label-card = 会员卡模板
label-mchid = 商户号
label-platform = 平台地址
label-route = 导入方式
label-standing = 状态
label-rows = 行数
label-imported = 已导入
label-present = 已存在
label-refused = 被拒绝
label-unknown = 结果未知
label-queued = 待发送
label-sent = 请求
label-created = 开始时间
label-updated = 最后更新
standing-loading = 读取中
standing-open = 未完成
standing-paused = 已暂停
standing-done = 已完成
standing-purged = 已清除
paused = 任务 { $job } 已暂停；已发出的请求会等到结果
paused-hint = 用 `{ $command }` 恢复任务
resumed = 任务 { $job } 可以继续
send-hint = 用导入该文件的命令或 `wxmember worker` 发送
retried = { $rows } 行已重新排队
retried-none-hint = 未通过校验的行没有可发送的请求：请在被拒绝行的文件中改正后重新导入该文件
purged = 任务 { $job } 已清除：删除了 { $requests } 个加密请求和 { $rows } 行的会员卡号
no-codes = 没有被拒绝的行
report-written = 已写入 { $path }
exported = 共 { $rows } 行
man-written = 已在 { $folder } 中写入 { $pages } 个手册页

# 导入与工作进程。
stopping = 正在停止，等待已发出的请求；再按一次 ctrl-c 立即退出
hint-name-a-file = 请指定一个存在的文件
hint-correct-file = 请改正 { $file } 后再次运行同一命令；尚未发送任何请求
hint-defaults = 请在配置中设置 `validity` 和 `pickup_time`，或在名单中加上这些列
refused-file-failed = 无法写入被拒绝行的文件
refused-file-hint = 请改正 { $file } 中的行，然后导入该文件
sandbox-has-no-profile = 进程内的沙箱不使用配置
sandbox-has-no-profile-hint = 请去掉 `--sandbox`，或去掉 `--config` 和 `--profile`
source-found = { $name }：{ $what }
source-delimiter = 以 `{ $delimiter }` 分隔
source-tabs = 以制表符分隔
source-sheet = 工作表“{ $sheet }”
source-gzip = gzip 压缩
ignored-columns = 忽略的列：{ $columns }
defaults-changed = 任务读取之后，配置中的默认值已有改动；已读取的行保持原来的值
refused-row = 第 { $row } 行（文件第 { $line } 行）：{ $code }：{ $message }
more-rows = …… 另有 { $rows } 行
continued = （继续）
sent-in = { $requests } 个，用时 { $seconds } 秒
run-stopped = 导入中止：{ $code }：{ $message }
stop-hint = { $hint }；然后再次运行同一命令
continue-hint = 再次运行同一命令即可继续
worker-nothing = 没有待发送的任务
worker-sent = 共 { $requests } 个请求，用时 { $seconds } 秒
worker-job-stopped = 任务 { $job } 还有未完成的行

# 检查。
check-stopping = 正在停止；尚未发送任何请求
check-profile-unusable = 未使用配置：{ $why }
check-no-profile = 没有配置，所有会员卡按永久有效处理
check-takes = 按每秒 { $rate } 个请求导入合格的行，约需 { $time }
column-number = 序号
column-column = 列
column-field = 字段
label-good = 合格
label-takes = 用时

# 进度。
progress-comma = ，
progress-loading = 已读取 { $rows } 行，被拒绝 { $refused } 行
progress-rows = { $done }/{ $rows } 行
progress-rate = 每秒 { $rate } 行
progress-rate-of = 每秒 { $rate } 行（上限 { $limit }）
progress-refused = 被拒绝 { $rows }
progress-unknown = 结果未知 { $rows }
progress-left = 预计还需 { $time }
time-seconds = { $seconds } 秒
time-minutes = { $minutes } 分钟
time-hours = { $hours } 小时 { $minutes } 分钟
waiting-back-off = 等待重试
waiting-leases = 等待其他进程处理的行
waiting-ledger = 等待账本
waiting-load = 等待另一个进程读取名单
waiting-rate-limit = 平台限频，已降速
waiting-window = 等待允许的时段，至 { $until }
waiting-work = 等待任务
waiting-other = 等待中

# 其他命令。
verified = 验证通过
not-verified = 验证未通过
message-to-cover = 签名应覆盖的内容：
message-signed = 被签名的内容：
headers-sent = 请求头：
signature-needs = 签名被接受的条件：
answered = { $status }，请求 { $id }，应答签名正确
answered-without-id = { $status }，请求没有 ID，应答签名正确
send-with-id = 请连同 `Wechatpay-Serial:` 和该公钥的 ID 一起发送
send-with = 请连同 `Wechatpay-Serial: { $id }` 一起发送
init-written = 已写入 { $config }，配置 `{ $name }`
init-written-hint = 用 `{ $command }` 检查还有什么问题
stopping-sandbox = 正在停止，等待进行中的请求
sandbox-test-only = 仅供测试：这不是微信支付，停止后其中的会员即消失
sandbox-import = 用 `wxmember import FILE --config { $folder }/wxmember.toml` 导入
sandbox-dir = 加上 `--dir DIR` 可写出密钥和现成的配置，供其他程序使用
sandbox-credentials = 文件中未给出的密钥已生成；`curl "{ $url }/credentials?reveal=true"` 可查看
doctor-found = 发现 { $findings } 个问题
