# 中文帮助。英文原文是参数的文档注释。键的规则见 src/language/help.rs，由测试比较。

help = 把会员导入微信会员卡，也可在沙箱中演练。
help-root-after = 退出码：0 完成，1 失败，2 用法错误；`import` 和 `worker` 还有 3 完成但有被拒绝的行，75 已停止，再次运行同一命令可继续；`check` 还有 3 有行会被拒绝。
help-any-help = 显示帮助
help-any-version = 显示版本
help-any-lang = 输出语言 [默认：按系统区域设置]
help-any-log = 在标准错误输出中记录日志，直到该级别 [默认：不记录，`--log-format json` 时为 info]
help-any-log-format = 标准错误输出的格式；`json` 为每行一个对象，消息和进度也是
help-any-format = 结果的输出格式
help-any-config = 配置文件
help-any-profile = 配置文件中的配置名
help-any-ledger = 账本，保存每一行的状态：文件，或多台机器共用的 `postgres://…` [默认：用户的状态目录中]
help-any-ledger-key = `postgres://…` 账本的哈希密钥文件，读取名单的每台机器使用同一个 [默认：用户的状态目录中]
help-any-ledger-password-file = 只存放 `postgres://…` 账本密码的文件 [默认：环境变量 `PGPASSWORD`，或 `WXMEMBER_LEDGER` 的 URL 中的密码]
help-any-sandbox = 使用 `import --sandbox` 的账本
help-any-job = 任务：任务编号或其开头，或 `last`（最近的任务）
help-any-output = 写入该文件 [默认：标准输出]
help-any-quota = 请求限额，如 `5/s` 或 `300/m`，同一账本的所有进程合计 [默认：接口规定的 5/s；`--sandbox` 不限]
help-any-concurrency = 同时进行的请求数 [默认：限额四秒内允许的请求数，8 到 256 之间；没有限额时为 32]
help-any-map = 指定某列对应的字段，如 `phone_number=手机号` 或 `level=#7`，可重复；环境变量中以逗号分隔
help-any-map-file = 含 `[columns]` 和 `[constants]` 的 TOML 文件；`--map` 优先
help-any-encoding = 文本编码：utf-8、utf-16le、utf-16be、gbk 或 gb18030 [默认：自动识别]
help-any-delimiter = 文本中单元格之间的分隔符，一个字符或 `tab` [默认：自动识别]
help-any-sheet = 表格文件的工作表 [默认：第一个可见的]
help-any-input-format = 文件格式：csv、tsv、xlsx、xls、ods 或 ndjson [默认：自动识别]
help-any-window = 只在每天的这段时间发送，如 `22:00-06:00`；默认为北京时间，也可在后面注明时区偏移，如 `22:00-06:00 +09:00`
help-any-max-duration = 运行这么久后停止，如 `8h` 或 `90m`；再次运行同一命令可继续
help-any-on-unknown = 请求可能已生效但结果未知的行如何处理：repeat 重发同一请求以查明，hold 保留待人工处理
help-any-yes = 即使该配置从未成功导入过，也不先用一行试探；连续 200 行因同样的原因被拒绝时也不停下

help-call = 发出任意已签名的请求，并查看签名内容
help-call-after =
    通过验签的应答正文原样写到标准输出，其余写到标准错误输出。示例：

      wxmember call GET v3/brand/partner/card-member/cards/{"{card_id}"} --param card_id=p… --query brand_id=1004
      wxmember call POST v3/brand/partner/card-member/user-cards/import-by-phone --json @member.json --seal /phone_number=@phone.txt
      wxmember call GET v3/marketing/membercard-open/phonenumber-member/search --query card_id=p… --seal-query encrypted_phone_number=@phone.txt

    退出码：0 应答成功，1 被拒绝或失败，2 用法错误。
help-call-method = 请求方法
help-call-path = 路径，如 `v3/certificates` 或 `v3/brand/partner/card-member/cards/{"{card_id}"}`
help-call-params = 填入路径中的 `{"{NAME}"}`，自动进行百分号编码
help-call-query = 追加查询参数，自动进行百分号编码
help-call-json = 请求正文，来自文件或标准输入的 JSON
help-call-seal = 加密正文中 JSON Pointer 指向的文本；加 `=@FILE` 或 `=-` 时文本来自文件或标准输入。`*` 表示列表的每个元素
help-call-seal-query = 追加加密后发送的查询参数；文本来自文件或标准输入
help-call-open = 解密应答中 JSON Pointer 指向的字段，并在原处显示
help-call-verbose = 在标准错误输出中逐行显示被签名的内容和请求头

help-check = 检查会员名单，说明导入时哪些行会被拒绝；不发送任何请求
help-check-after =
    不发送任何请求，也不保存任何内容。无需配置；有 `wxmember.toml` 时使用其中的固定值和限额。

    退出码：0 所有行合格，1 文件整体不可用，2 用法错误，3 有行会被拒绝。
help-check-file = 会员名单：CSV、TSV、XLSX、XLS、ODS 或 NDJSON，`-` 为标准输入
help-check-via = 导入方式：import-by-phone、import-by-openid 或 phone-membercard [默认：import-by-phone]
help-check-config = 配置文件 [默认：存在时用 wxmember.toml]
help-check-profile = 配置文件中的配置名 [默认：default]
help-check-quota = 导入时的请求限额，如 `5/s` [默认：配置中的，否则为接口规定的]
help-check-problems = 显示多少个问题

help-completions = 将 shell 补全脚本写到标准输出
help-completions-after =
    例如 `wxmember completions bash > /usr/share/bash-completion/completions/wxmember`。

    退出码：0 已写出，1 失败，2 用法错误。
help-completions-shell = shell 名称

help-doctor = 检查密钥、序列号、文件和时钟有什么问题
help-doctor-after = 退出码：0 正常，1 发现问题，2 用法错误。
help-doctor-dir = 检查该目录而不是 `--config`：`wxmember sandbox --dir` 或微信支付证书工具生成的目录；其中有 `wxmember.toml` 时一并读取
help-doctor-online = 发出一个不改变任何数据的签名请求，并比较时钟；配置的地址在本机时自动进行

help-export = 将任务中某一状态的行写成 CSV
help-export-after =
    列为 row、line、user_card_code、state、code、message、request_id 和 updated_at；加 `--source` 时前面还有该文件的各列，该文件必须是导入时的原文件，且以相同的方式读取。这样的文件含有个人信息，只有所有者可读。

    退出码：0 已写入，1 失败，2 用法错误。
help-export-state = 哪种状态的行
help-export-source = 导入时的原文件，用于同时写出它的各列

help-import = 导入会员名单；再次运行同一命令可从中断处继续
help-import-after = 退出码：0 完成，1 失败，2 用法错误，3 完成但有被拒绝的行，75 已停止，再次运行同一命令可继续。
help-import-file = 会员名单：CSV、TSV、XLSX、XLS、ODS 或 NDJSON，`-` 为标准输入
help-import-via = 导入方式：`import-by-phone`、`import-by-openid` 或 `phone-membercard` [默认：配置中的，否则为 import-by-phone]
help-import-sandbox = 导入到本进程内的沙箱：无需配置，不涉及真实会员
help-import-config = 配置文件，不与 `--sandbox` 同用 [默认：wxmember.toml]
help-import-profile = 配置文件中的配置名，不与 `--sandbox` 同用 [默认：default]

help-init = 检查密钥是否匹配，然后写出配置
help-init-after =
    写入之前会读取并比较密钥。文件中只有路径，没有密钥，且只有所有者可读（权限 600）。

    退出码：0 已写入，1 失败，2 用法错误。
help-init-force = 配置文件已存在时覆盖它
help-init-mchid = 服务商的商户号
help-init-merchant-key = 商户私钥 apiclient_key.pem
help-init-merchant-key-passphrase-file = 私钥加密时，存放其密码的文件
help-init-merchant-p12 = 商户私钥和证书合为一个文件的 apiclient_cert.p12，代替前两者
help-init-merchant-p12-passphrase-file = 存放该文件密码的文件 [默认：密码为商户号]
help-init-merchant-certificate = 商户证书 apiclient_cert.pem
help-init-platform-key = 微信支付公钥 pub_key.pem
help-init-platform-key-id = 该公钥的 ID，PUB_KEY_ID_…
help-init-platform-certificate = 平台证书，代替微信支付公钥或与其并用
help-init-apiv3-key-file = 只存放 APIv3 密钥的文件；单独使用时用于下载平台证书
help-init-brand-id = 品牌ID
help-init-card-id = 会员卡模板ID
help-init-validity = 行中未写明时的有效期：`permanent`、天数，或 RFC 3339 格式的 `BEGIN/END`
help-init-base-url = 请求的地址 [默认：微信支付]

help-jobs = 列出账本中的任务
help-jobs-after = 退出码：0 已列出，1 失败，2 用法错误。

help-man = 将手册页写入目录
help-man-after =
    每个命令一页，语言由 `--lang` 决定：wxmember.1、wxmember-import.1 等。

    退出码：0 已写入，1 失败，2 用法错误。
help-man-output = 目录，不存在时自动创建

help-open = 解密应答中的一个加密值
help-open-after =
    密文从标准输入读取，明文只写到标准输出。请只解密签名已验证的内容。

    退出码：0 已解密，1 失败，2 用法错误。
help-open-key = 商户私钥 apiclient_key.pem 或 apiclient_cert.p12 [默认：配置中的]
help-open-passphrase-file = 只存放该私钥密码的文件

help-pause = 暂停任务，任何进程都不再发送，直到 `resume`
help-pause-after = 退出码：0 完成，1 失败，2 用法错误。

help-purge = 删除任务中加密保存的会员数据；状态和计数保留
help-purge-after =
    保留的内容：每一行的状态、错误码和计数。清除后的任务不能再发送或重试，其中的会员也不再用于查重。

    退出码：0 已清除，1 失败，2 用法错误。
help-purge-force = 即使有些行还没有结果；它们将永远没有结果。请先停止正在运行的导入，它可能仍会发送手中的行

help-report = 报告任务的结果：供人阅读、供程序读取，或在浏览器中打开的页面
help-report-after =
    报告不含个人信息。

    退出码：0 完成，1 失败，2 用法错误。示例：

      wxmember report last --format html --output report.html
help-report-format = 报告的格式；`html` 为单个页面，没有脚本，不需要网络

help-resume = 恢复已暂停的任务
help-resume-after = 退出码：0 完成，1 失败，2 用法错误。

help-retry = 将任务中的行重新排队
help-retry-after =
    发送之前就被拒绝的行没有可发送的请求；请在被拒绝行的文件中改正后导入该文件。

    退出码：0 已排队，1 失败，2 用法错误。
help-retry-code = 只处理该错误码的行，如 `PARAM_ERROR`
help-retry-state = 只处理该状态的行 [默认：被拒绝和结果未知的行]

help-sandbox = 在本机扮演微信支付一方，用于测试
help-sandbox-after =
    运行到按下 ctrl-c 或收到 SIGTERM 为止。

    退出码：0 收到信号后停止，1 未能启动，2 用法错误。
help-sandbox-listen = 接口的地址；端口 0 表示任选空闲端口
help-sandbox-control = 控制接口的地址；端口 0 表示任选空闲端口
help-sandbox-dir = 将商户会持有的文件写入该目录，或使用其中已有的密钥；与 `--identities` 同用时，每个商户一个子目录，存放该文件未给出的密钥
help-sandbox-identities = 从该 TOML 文件读取商户、品牌、模板与密钥
help-sandbox-policy = 公开文档未说明之处的处理方式，如 `second-card=allow`；可多次使用，优先于 `--identities` 文件；`wxmember sandbox rules` 列出所有策略与选项
help-sandbox-notify-url = 将通知发往该 `http` 地址，不论模板的 `notify_url` 是什么
help-sandbox-clock-shift = 沙箱时钟快多少秒，负数为慢；最多快慢 100 年
help-sandbox-platform-certificates = 微信支付公钥之外的平台证书数量；`--dir` 中已有的计算在内
help-sandbox-fault = 使应答出错：按种子选取的一部分 `lost-answer=1%[,seed=N][,burst=N]`，接下来的若干次 `lost-answer=3`，或一段时间内的全部 `rate-limited=10s`；其后可加 `operation=ID`，部分故障还需 `seconds=N` 或 `bytes_per_second=N`；可多次使用，环境变量中用 `;` 分隔
help-sandbox-faults = 启动时先读取该 TOML 文件中的故障，再加上 `--fault` 的故障
help-sandbox-no-negative-test = 不允许请求通过请求头 `Wechatpay-Negative-Test` 指定自身应答的故障
help-sandbox-quota = 沙箱允许的请求频率，如 `5/s` [默认：不限]

help-rules = 列出沙箱拒绝请求的每条规则、其来源与可信程度
help-rules-after =
    标准输出只有规则，每行一条；表头、策略和图例写到标准错误输出。要在一页中查看全部内容，或供程序读取：

      wxmember sandbox rules 2>&1 | less -S
      wxmember sandbox rules --format json

    退出码：0 已列出，1 失败，2 用法错误。
help-rules-format = 输出格式：每行一条规则的表格，或一个 JSON 对象

help-scrub = 去除录制的请求与应答中一切可识别身份的内容，以便作为证据交出
help-scrub-after =
    示例：
      wxmember sandbox scrub recorded.har
      wxmember sandbox scrub exchanges.ndjson --unknown drop --output fixtures

    退出码：0 所有文件都已脱敏，1 有文件无法脱敏，2 用法错误。
help-scrub-files = 录制文件：HAR 1.2，或含 `request` 与 `response` 的 JSON、NDJSON；每个文件生成一个样本
help-scrub-output = 存放样本的目录；已有的文件不会被覆盖
help-scrub-unknown = 如何处理接口文档中没有的字段和参数

help-replay = 用沙箱重放脱敏后的请求，并指出其证实或反驳了哪些规则
help-replay-after = 退出码：0 沙箱的应答与录制的一致，1 不一致，或有文件无法重放或未脱敏，2 用法错误。
help-replay-files = 样本，即 `sandbox scrub` 写出的文件
help-replay-format = 输出格式：列表，或一个 JSON 对象

help-seal = 为微信支付加密一个值
help-seal-after =
    明文从标准输入读取，末尾的换行不计。示例：

      wxmember seal --key pub_key.pem < phone.txt

    退出码：0 已加密，1 失败，2 用法错误。
help-seal-key = 微信支付公钥（pub_key.pem）或平台证书 [默认：配置中的]
help-seal-key-id = 该公钥的 ID，PUB_KEY_ID_…；只在输出中重复

help-status = 显示任务的进展
help-status-after = 退出码：0 完成，1 失败，2 用法错误。

help-verify = 判断应答或通知是否由微信支付签名，以及为什么不是
help-verify-after =
    退出码：0 验证通过，1 未通过，2 用法错误。用 curl 保存的应答这样验证

      curl -D headers.txt -o body.json …
      wxmember verify --headers headers.txt --body body.json
help-verify-key = 微信支付公钥（pub_key.pem）或平台证书 [默认：配置中的]
help-verify-key-id = 该公钥的 ID，PUB_KEY_ID_… [默认：`Wechatpay-Serial` 所写的]
help-verify-headers = 应答头文件，每行一个 `Name: value`，与 `curl -D` 所写相同
help-verify-serial = Wechatpay-Serial 的值
help-verify-timestamp = Wechatpay-Timestamp 的值
help-verify-nonce = Wechatpay-Nonce 的值
help-verify-signature = Wechatpay-Signature 的值
help-verify-body = 正文文件，逐字节不变；`-` 为标准输入
help-verify-received-at = 收到的时间，Unix 秒 [默认：现在]
help-verify-verbose = 在标准错误输出中逐行显示被签名的内容

help-worker = 与其他进程和机器分担账本中的任务；不需要名单文件
help-worker-after =
    配置决定用哪个商户号签名；该商户号在配置地址上的所有已读取的任务都会处理。任意多个工作进程共用一个账本和限额。

    退出码：0 完成，1 失败，2 用法错误，3 完成但有被拒绝的行，75 已停止，还有剩余的行。
help-worker-until-done = 没有待发送的行时结束 [默认：等待新任务]
