# Texts of the libraries in English, to be recognised. They are the libraries' own; a test compares them with the
# sources. `known.zh.ftl` has the same keys with the same parameters.

# Problems of rows, named by their code.
row-bad-birthday = not a date; write it as 1990-01-31
row-bad-color = not a colour; write it as #RRGGBB
row-bad-days = not a number of days between 1 and 10958
row-bad-phone-number = not a mobile number of mainland China
row-bad-time = not a time; write it as 2024-01-31 or 2024-01-31 08:30:00
row-bad-url = not a URL that starts with https://
row-decimal-point = written as a number with a decimal point (like 12345.0); write it as text, with its leading zeros
row-code-character = character { $position } is not allowed; a code has digits, English letters and half-width punctuation
row-duplicate-code = the same code is in row { $first_row }
row-duplicate-phone-number = the same phone number is in row { $first_row }
row-duplicate-openid = the same openid is in row { $first_row }
row-excel-date = a spreadsheet's day number in place of a date; format the column as text like 2024-01-31
row-four-byte-character = character { $position } is an emoji or a rare character of four bytes, which the platform refuses
row-missing-value = is empty
row-not-sealable = the field `{ $field }` cannot be sealed
row-openid-character = character { $position } is not allowed; an openid has digits, English letters, `-` and `_`
row-request-no-character = character { $position } is not allowed; a request number has digits, English letters and `|`, `_`, `*`, `-`
row-ragged = has { $found } cells where the header has { $expected }
row-scientific-notation = a spreadsheet has shortened the number (like 1.38E+10) and lost digits; format the column as text
row-too-long = has { $length } characters, at most { $limit } are allowed
row-too-long-to-seal = has { $bytes } bytes in UTF-8, at most { $limit } can be encrypted
row-too-many-choices = has { $found } choices, at most { $limit } are allowed
row-unknown-sex = not one of 男, 女, male, female, M, F; leave it empty when it is not known
row-unknown-validity-type = not one of FIX_TIME_RANGE, FIX_TERM, PERMANENT, 固定时间, 固定天数, 永久有效
row-validity-contradiction = does not belong to a validity of the type { $validity_type }; leave it empty or change the type
row-validity-incomplete = is empty, but a validity of the type { $validity_type } needs it
row-validity-reversed = the end of the validity is not after its begin

# Why a run stops, and what to do.
stop-key = check the merchant id, the merchant key and its serial, and this host's clock
stop-by-phone = import by phone is not open to every merchant yet: ask WeChat Pay for it, or take a route that works today, `--via import-by-openid` or `--via phone-membercard`
stop-by-openid = WeChat Pay opens member cards on request: ask for this merchant id and this brand
stop-by-membercard = this merchant may not import members of the older card (会员卡): ask WeChat Pay for the permission
stop-card = check `card_id`
stop-other-card = the card belongs to another merchant id: check `card_id` and `mchid`
stop-upgrade = upgrade the card template first
stop-platform-key-id = the platform does not know the key that rows are sealed with: check `platform_key_id`
stop-platform-key = `platform_key` and `platform_key_id` do not belong together: take both from one page
stop-no-platform-key = a merchant in public-key mode has no platform certificates: set `platform_key` and `platform_key_id`; `wxmember doctor --online` says more
stop-damaged = a stored request cannot be read
stop-damaged-hint = restore the ledger from a copy, or start a new one with `--ledger FILE`
stop-unknown = { $rows } rows one after the other ended without a known outcome, the last one so: { $message }
stop-unknown-hint = `wxmember doctor --online` looks for a cause on this side; the same command finds out what became of the rows
stop-rate = the platform keeps answering 429
stop-rate-hint = another program uses the quota of this merchant id: stop it, or set a lower quota
stop-unreachable-hint = check the network and `base_url`; the same command continues

# Sources.
source-changed = `{ $name }` changed while it was read; nothing of it was sent, start again
source-empty = `{ $name }` is empty; its first line must name the columns
source-header-only = `{ $name }` has a header on line { $line } and no row below it
source-io = failed to read `{ $name }`
load-cancelled = stopped while loading, after { $rows } rows; the same command continues
load-not-ready = nothing can be sealed

# The ledger.
ledger-busy = the ledger `{ $path }` is in use by another process
ledger-closed = the ledger was closed before it was done
ledger-io = failed to open `{ $path }`
ledger-key = the ledger's key `{ $path }` is missing or damaged; restore it, or start a new ledger
ledger-key-elsewhere = the ledger's key `{ $path }` is not on this host; copy it from the host that made the ledger, and name it with `--ledger-key`
ledger-no-key = the ledger was opened without its key, so no rows can be loaded into it
ledger-newer = the ledger has version { $found }, this software knows up to { $known }; update wxmember
ledger-foreign = `{ $path }` is not a ledger of wxmember

# What a cell of a spreadsheet or of JSON is instead of text.
row-cell-boolean = a truth value, where text or a number is needed
row-cell-duration = a length of time, where a date or text is needed
row-cell-error = the error of a formula
row-lost-digits = a number of more than 15 digits, which a spreadsheet has rounded; format the column as text
row-cell-nested = a JSON array or object, where one value is needed
row-cell-no-date = formatted as a date that does not exist
row-cell-no-text = a JSON string with half a character
row-spans-lines = spans lines { $first } to { $last }; is a quotation mark not closed?
row-cell-date = a date of the spreadsheet, where text is needed; format the column as text and type it again
row-cell-fraction = a number with a fraction, where a code is needed; format the column as text
row-repeated-key = the object has this key twice
row-unknown-key = the object has a key that none of the first 1000 objects has

# Made of pieces by the ledger.
composed-code = the same code is in row { $row } of job { $job }
composed-phone-number = the same phone number is in row { $row } of job { $job }
composed-openid-job = the same openid is in row { $row } of job { $job }
held-by-job = row { $row } of job { $job } is this member

# How runs end.
stop-time = the time that the run was given is over
stop-time-hint = the same command continues
stop-probe = row { $row }, sent alone because nothing was imported into this card yet, was refused: { $code }: { $message }
stop-probe-hint = if it is only this row, the same command goes on with the next one; `--yes` sends all rows without a probe
stop-probe-unknown = the first row, sent alone because nothing was imported into this card yet, got no clear answer: { $message }
stop-same-refusal = { $limit } rows one after the other were refused alike: { $code }: { $message }
stop-same-refusal-hint = look at the message; if it is the rows' fault, the same command with `--yes` goes on
stop-forbidden = 403 without an explanation
stop-forbidden-hint = look for a proxy between this host and WeChat Pay, and whether the merchant is in good standing
row-superseded = this row was never sent, and row { $row } of job { $job } took its place
stop-paused = somebody paused the job
stop-paused-hint = `wxmember resume JOB` lets it go on

# Sources and columns.
source-no-sheet = `{ $name }` has no sheet `{ $sheet }`; it has `{ $sheets }`
source-no-json = `{ $name }`, line { $line }, near byte { $byte }: not a JSON object on one line
source-no-spreadsheet = `{ $name }` cannot be read as a spreadsheet: { $problem }
source-encoding = `{ $name }`, line { $line }, { $column }: not { $encoding }; save it as `CSV UTF-8`, or name its encoding with `--encoding`
source-limit = `{ $name }` has more than { $limit }
source-quote = `{ $name }`: the record that starts near line { $line } does not end; is a quotation mark not closed?
source-quote-open = `{ $name }`: the quotation mark on line { $line } is not closed
source-no-utf8 = `{ $name }`, line { $line }, { $column }: not UTF-8{ $guess }
source-guess-gbk = ; it looks like GBK: convert it with `iconv -f GB18030 -t UTF-8 FILE > FILE2`, or save it as `CSV UTF-8`
source-guess-nothing = ; save it as `CSV UTF-8` and try again
source-unsupported = `{ $name }` is { $text }
source-is-text = text, which has no sheets; leave out `--sheet`
source-is-binary = binary, or UTF-16 without a byte order mark; save it as `CSV UTF-8`, or name its encoding with `--encoding`
source-is-unlikely = text that is not UTF-8, and mostly rare characters as GB18030; save it as `CSV UTF-8`, or name its encoding with `--encoding`
source-is-damaged = a damaged spreadsheet or archive
source-is-xlsb = a binary workbook (.xlsb); save it as .xlsx
source-is-archive = an archive; unpack it and name the file in it
source-is-json-array = a JSON array; write one object a line, for example with `jq -c '.[]'`
source-is-pdf = a PDF; save the list as `CSV UTF-8`
source-problem-damaged = it is damaged, or protected by a password
source-limit-file = 64 MiB, which is the most a spreadsheet may have; save it as `CSV UTF-8`
source-limit-unpacked = 512 MiB when it is unpacked, which is the most a spreadsheet may have; save it as `CSV UTF-8`
source-limit-cells = 10 million filled cells, which is the most a spreadsheet may have; save it as `CSV UTF-8`
source-limit-area = 10 million cells, the empty ones between others counted; save the list alone as `CSV UTF-8`
source-limit-text = 256 MiB of text, which is the most a spreadsheet may have; save it as `CSV UTF-8`
source-limit-columns = 1000 columns; save the list alone as `CSV UTF-8`
note-encoding = taken for GB18030: check a name, or name the encoding with `--encoding`
note-sheet = 1 other sheet is not read: `{ $sheets }`; choose with `--sheet`
note-sheets = { $count } other sheets are not read: `{ $sheets }`; choose with `--sheet`
note-number-codes = codes are numbers in the spreadsheet: leading zeros are lost
load-mapping = `{ $name }`, { $error }
mapping-twice = `{ $column }` is assigned twice
mapping-no-column = line { $line }: none of the { $columns } columns is `{ $column }`, which is assigned to `{ $field }`
mapping-no-field = a member has no field `{ $field }`; a custom field has to be named in `custom_fields`
mapping-ambiguous = columns { $first_column } (`{ $first }`) and { $second_column } (`{ $second }`) both mean `{ $field }`; rename or remove one, or choose with `--map { $same }=COLUMN`
mapping-missing = line { $line }: none of the { $columns } columns is `{ $name }`; name it, for example, `{ $example }`
composed-mapping-missing-default = line { $line }: none of the { $columns } columns is `{ $name }`; name it, for example, `{ $example }`, or set a default for all rows
mapping-header-below = line { $line } does not name the columns; the header seems to be on line { $below }: delete what stands above it
mapping-no-header = there seems to be no header line: one of the names of the columns is a phone number
defaults-unusable = the default for `{ $field }` is unusable: { $kind }
load-seal = failed to seal row { $row }
load-thread = a thread that reads or seals rows panicked
report-io = failed to write `{ $path }`
report-other = `{ $name }` is not what job { $job } was loaded from

# Jobs of a ledger.
job-ambiguous = { $jobs } jobs have a name that begins with `{ $id }`
job-none = no job has a name that begins with `{ $id }`
job-purged = job { $job } was purged; nothing of it can be sent again
job-unfinished = job { $job } has { $rows } rows that have not come to an end; a purge would lose them
ledger-database = failed to { $action } in the ledger
ledger-url = not the address of a PostgreSQL database; write it like `postgres://user@host/database`
ledger-wrong-key = `{ $path }` is not the key of this ledger; every host needs a copy of the one key file

# Values of arguments.
value-quota = not a quota; write it like `5/s`, `300/m` or `18000/h`, at most 1000000/s
value-window-empty = the window begins when it ends; leave it out to send at all hours
value-window = not a window; write it like `22:00-06:00`, or `22:00-06:00 +08:00` with a time zone
value-window-hours = a time of the window is not on the clock; hours go from 00:00 to 24:00
value-window-zone = the time zone of the window is no offset; write it like `+08:00` or `Z`
value-route = not one of import-by-phone, import-by-openid, phone-membercard
value-encoding = not one of utf-8, utf-16le, utf-16be, gbk, gb18030
value-format = not one of csv, tsv, xlsx, xls, ods, ndjson
value-assignment = not `FIELD=COLUMN`, such as `phone_number=手机号`
value-concurrency = a whole number from 1 is needed
value-duration = a time such as `8h`, `90m` or `1h30m` is needed
value-boolean = `1` or `true`, `0` or `false` is needed
value-address = an IP address with a port, such as `127.0.0.1:8765`, is needed; port 0 takes a free one
value-shift = a whole number of seconds such as `600` is needed, or `-600` for a clock that is behind

# Files of the sandbox: settings that are wrong.
composed-toml-line = line { $line }
composed-toml-choice = the setting `{ $setting }` can be { $choices }
composed-toml-choice-here = a setting here can be { $choices }
composed-toml-missing-part = the setting `{ $setting }` is missing in `{ $part }`
composed-toml-missing = the setting `{ $setting }` is missing
composed-toml-type = the setting `{ $setting }` needs { $needed }
composed-toml-type-here = a setting here needs { $needed }
composed-toml-unknown-part = unknown setting `{ $setting }` in `{ $part }`; there are { $settings }
composed-toml-unknown = unknown setting `{ $setting }`; there are { $settings }
composed-toml-unnamed-part = unknown setting in `{ $part }`; there are { $settings }
composed-toml-unnamed = unknown setting; there are { $settings }
toml-not = not TOML, where a setting is `name = "text"` or `name = 1`, and each name stands once in its part
toml-needs-boolean = `true` or `false`
toml-needs-list = a list, such as `["text"]` or parts under `[[name]]`
toml-needs-text = text in quotation marks
toml-needs-number = a whole number
toml-needs-count = a whole number from 0 on
toml-needs-part = a part of settings, under `[name]`
toml-needs-other = a value of another type

# Profiles.
profile-hint = write one with `wxmember init`, or try the sandbox first with `wxmember import FILE --sandbox`
profile-none = { $config } has no profile `{ $name }`
profile-names = choose one with `--profile`; it has { $names }
profile-zone = `time_zone` is no offset
profile-zone-hint = write it like `time_zone = "+08:00"`
profile-no-text = not text in UTF-8
profile-unreadable = failed to read { $path }
profile-no-platform-key = no platform key is set, so no answer could be believed
profile-no-platform-key-hint = set `platform_key` to the path of pub_key.pem and `platform_key_id` to its PUB_KEY_ID_…, or `apiv3_key_file` alone to download platform certificates
profile-both = `platform_key` and `platform_key_id` go together: set both
profile-apiv3 = an APIv3 key has 32 bytes
profile-apiv3-hint = write the APIv3 key (APIv3密钥) of the merchant platform into it and nothing else
profile-serial = `merchant_serial` is not the serial number of the merchant's certificate
profile-serial-hint = leave `merchant_serial` out, or set it to { $serial }
profile-no-certificate = neither `merchant_certificate` nor `merchant_serial` is set
profile-no-certificate-hint = set `merchant_certificate` to the path of apiclient_cert.pem
profile-two-keys = `merchant_key` and `merchant_p12` are both set; one of them is enough
profile-no-key = neither `merchant_key` nor `merchant_p12` is set
profile-no-key-hint = set `merchant_key` to the path of apiclient_key.pem
profile-p12 = a PKCS#12 file needs a passphrase
profile-p12-hint = name it with `merchant_p12` in the profile (`init --merchant-p12`), or a file that holds its passphrase with `open --passphrase-file`; WeChat Pay's own file has the merchant id
profile-encrypted = the private key is encrypted with a passphrase
profile-encrypted-hint = name a file that holds the passphrase: `merchant_key_passphrase_file` in the profile (`init --merchant-key-passphrase-file`), or `open --passphrase-file`
place-key = put back the apiclient_key.pem that came with the merchant's certificate
place-certificate = put back the apiclient_cert.pem that came with the merchant's key
place-platform-key = download WeChat Pay's public key (pub_key.pem) in the merchant platform
place-platform-certificate = fetch the platform's certificate with WeChat Pay's tool, or change to its public key
place-name-certificate = name a platform certificate with `platform_certificate`, without an id
place-name-key = name it with `platform_key`, and its id with `platform_key_id`

# Calls: what can be done about a refusal.
advice-certificate = see in the merchant platform whether the certificate { $serial } is the merchant { $mchid }'s and in force; the private key is the certificate's if `wxmember doctor` says so
advice-permission = ask WeChat Pay to open this API for the merchant id, and the brand to authorise it
advice-path = check the path; a right path that is unknown is not open for this merchant id
advice-ids = check the ids: they belong to another brand, or to nobody
advice-method = the path is right and the method is not
advice-rate = send it again later: the API allows 5 calls a second and merchant id
advice-maybe = it may have taken effect: look it up, or send the same once more
advice-clock = set this machine's clock, best by NTP
advice-set-key = set `platform_key_id` to { $key } and `platform_key` to that key
advice-set-certificate = the platform signs with a certificate: set `platform_certificate`, or `apiv3_key_file` to download it
advice-download = download the public key of { $key } in the merchant platform once more
advice-parameters = give a part of the path with `--param NAME=VALUE`, a query with `--query NAME=VALUE`
advice-network = check the address, the network and the proxy
advice-field = see the field that the message names; a sealed field needs `--seal`, a query parameter `--query` or `--seal-query`
advice-seal = seal it with `--seal { $field }`
advice-seal-query = seal it with `--seal-query { $name }=@FILE`
advice-no-certificates = this merchant has no platform certificate; set `platform_key` and `platform_key_id`
call-value = a value stands among the arguments, where every user of this machine sees it
call-value-hint = give `@FILE`, or `-` for stdin
call-pointer = `--seal` needs a JSON Pointer
call-pointer-hint = for example `--seal /phone_number=-`
call-parameter = `--seal-query` needs the name of a parameter
call-parameter-hint = for example `--seal-query encrypted_phone_number=-`
call-stdin = only one value can come from stdin
call-stdin-hint = put the others into files: `@FILE`
call-no-json = the body is not JSON (line { $line }, column { $column })
call-place = the body has no place `{ $pointer }`
call-place-hint = every object and list on the way has to be there; only the last member may be new
call-query = the path holds a query
call-query-hint = give each part with `--query NAME=VALUE`
call-url = the path is a whole URL
call-url-hint = the profile's `base_url` says where to send; give what comes after it
call-no-body = { $method } has no body
call-no-body-hint = leave out `--json` and `--seal`
call-body = PATCH and PUT need a body
call-body-hint = give one with `--json @FILE`

# Keys, values and answers.
key-none-to-seal = the profile names no key of WeChat Pay to seal with
key-none-to-verify = the profile names no key of WeChat Pay to verify with
key-none-hint = give one with `--key`: pub_key.pem, or a platform certificate
seal-four-bytes = the plaintext holds a character of four bytes (an emoji or a rare Han character), which the API refuses
verify-headers = give all four headers, and the body as it came
verify-clock = set this machine's clock; for an answer that was kept, say when it came with `--received-at`
verify-probe = send the request again: probes are never repeated
verify-empty = the body is empty; save the raw bytes, for example with `curl -o`, and name that file with `--body`
verify-changed = the body or a header is not what was signed; save the raw bytes, for example with `curl -o`; never re-serialise
verify-unsigned = an answer with status { $status } need not be signed: WeChat Pay's errors mostly are not

# Making a profile.
init-there = { $config } is there already
init-there-hint = name another file with `--config`, or replace this one with `--force`
init-no-terminal = there is no terminal to ask on, and something is missing
init-unanswered = not everything was answered
init-unwritten = nothing was written: { $why }

# The sandbox and places.
sandbox-failed = failed to start the sandbox: { $why }
sandbox-address = choose another address with `{ $flag }`; port 0 takes a free one
sandbox-addresses = `--listen` and `--control` need an address each; port 0 takes a free one
sandbox-identities = the file needs `[[merchants]]`, and may hold what crates/sandbox/src/identities.toml of the source shows
sandbox-faults = the file needs `[[faults]]`, and may hold what crates/sandbox/src/faults.toml of the source shows
sandbox-keys = the sandbox's own keys are unusable
place-no-home = there is no home folder to keep the ledger in
place-ledger-hint = name a file with `--ledger FILE`
place-folder = failed to make the folder { $folder }
print-failed = failed to print

# What the doctor looks at.
check-profile = profile
check-merchant-key = merchant key
check-merchant-certificate = merchant certificate
check-platform-key = platform key
check-platform-certificate = platform certificate
check-merchant-serial = merchant serial
check-platform-key-id = platform key id
check-mchid = merchant id
check-settings = settings
check-validity = validity
check-apiv3-key = APIv3 key
check-permissions = permissions
check-clock = clock
check-online = online

# What the doctor finds.
doctor-not-compared = not compared with the platform's; `--online` does
doctor-usable = `{ $name }` of { $config } is usable
doctor-correct = correct the setting
doctor-no-apiv3 = not set; notifications and the download of certificates need it
doctor-apiv3-blank = the APIv3 key holds a blank or a character that is not ASCII
doctor-apiv3-length = the APIv3 key has { $bytes } bytes, it must have 32
doctor-mode = run `chmod 600 { $path }`
doctor-modes-right = secret files are their owner's alone
doctor-no-folder = { $path } is not a folder
doctor-folder-hint = make one to look at with `wxmember sandbox --dir DIR`
doctor-line = correct the line
doctor-no-profile = there is no profile `{ $name }`
doctor-not-the-sandboxs = not what the sandbox wrote
doctor-not-the-sandboxs-hint = restore it, or delete the folder and let `wxmember sandbox --dir` write it anew
doctor-no-key = no merchant key is set, or its passphrase cannot be read
doctor-no-key-hint = set `merchant_key` to the path of apiclient_key.pem, or `merchant_p12` to that of apiclient_cert.p12
doctor-download = none is set, so they are downloaded and opened with the APIv3 key; not tried yet
doctor-no-platform = there is no key of WeChat Pay, so no answer could be believed and no field sealed
doctor-encrypted = the private key is encrypted with a passphrase
doctor-encrypted-hint = name a file that holds the passphrase with `merchant_key_passphrase_file`
doctor-alone = an RSA private key; without the certificate nothing says whose
doctor-belongs = belongs to the certificate { $serial }
doctor-belongs-not = the private key does not belong to the certificate { $serial }
doctor-public-for-private = holds the merchant's public key, not the private one
doctor-public-not-merchants = holds a public key, not the merchant's private key
doctor-certificate-not-key = holds a certificate, not the merchant's private key
doctor-key-not-certificate = holds a private key, not the merchant's certificate
doctor-public-not-certificate = holds a public key, not the merchant's certificate
doctor-platforms-certificate = the platform's certificate is in the merchant's place
doctor-private-at-platform = the merchant's private key is in the platform's place
doctor-private = holds a private key; WeChat Pay gives its public key only
doctor-own-public = the merchant's own public key is in the platform's place
doctor-own-certificate = the merchant's own certificate is in the platform's place
doctor-certificate-not-public = holds a certificate, not a public key
doctor-public = a public key, not the merchant's
doctor-private-not-platforms = holds a private key, not the platform's certificate
doctor-public-not-platforms = holds a public key, not a certificate
doctor-downloaded = downloaded, and opened with the APIv3 key; { $serial } seals
doctor-not-compared-why = not compared: { $why }
doctor-not-tried = not tried with a profile that is not usable
doctor-close = less than 300 s from the platform's
doctor-seconds = { $seconds } s from the platform's
doctor-set-clock = set the clock, best by NTP
doctor-read = { $what } was read: the signature is accepted and the answer verifies
doctor-accepted = the signature is accepted
doctor-open = ask WeChat Pay to open member cards for this merchant id
doctor-no-connection = no connection ({ $why })
doctor-mchid = `mchid` is not 1 to 32 digits
doctor-mchid-hint = set it to the merchant id (商户号) of the certificate
doctor-mchid-other = `mchid` is { $mchid }, and the certificate is the merchant { $name }'s
doctor-mchid-other-hint = set it to { $name }, or take the certificate of { $mchid }
doctor-certificates = { $value }, the certificate's
doctor-serial-empty = `merchant_serial` is empty
doctor-serial-is-key-id = `merchant_serial` holds the id of WeChat Pay's public key
doctor-serial-decimal = `merchant_serial` is in decimal, it has to be in hexadecimal
doctor-serial-unknown = { $id }; without the certificate nothing says whether it is right
doctor-serial-platforms = `merchant_serial` is the serial number of the platform's certificate
doctor-serial-other = `merchant_serial` ({ $id }) is not the serial number of the certificate
doctor-serial-hex = `merchant_serial` is not hexadecimal
doctor-serial-hint = set it to { $serial }, or leave it out
doctor-key-id-form = `platform_key_id` is not `PUB_KEY_ID_` in capitals and digits after it
doctor-key-id-merchants = `platform_key_id` holds the serial number of the merchant's certificate
doctor-key-id-platforms = `platform_key_id` holds the serial number of the platform's certificate
doctor-key-id-leave = leave it out: a certificate brings its own number
doctor-key-id-empty = `platform_key_id` is empty
doctor-key-id-none = `platform_key_id` is not the id of a public key
doctor-key-id-copy = copy the id (PUB_KEY_ID_…) that the merchant platform shows beside the public key
doctor-not-yet = the certificate is valid from { $from } on, and this machine's clock shows { $now }
doctor-expired = the certificate has expired on { $date }
doctor-expires = the certificate expires on { $date }, in { $days } days
doctor-valid = { $serial } is valid until { $date }
doctor-renew = get the next one in the merchant platform and change over while both are valid
doctor-bytes = 32 bytes
doctor-apiv3-problem = the APIv3 key { $problem }
doctor-key-problem = the merchant's private key { $problem }
doctor-certificate-problem = the merchant's certificate { $problem }
doctor-public-problem = WeChat Pay's public key { $problem }
doctor-platform-problem = the platform's certificate { $problem }
doctor-holds-no-private = holds no private key
doctor-holds-no-certificate = holds no certificate
doctor-holds-no-public = holds no public key
doctor-not-there = is not there
doctor-unreadable = cannot be read ({ $error })
doctor-large = is larger than { $bytes } bytes
doctor-open-to-others = others may read it (mode { $mode })
doctor-platforms-key = the platform's key is in the merchant's place (WeChat Pay's { $kind }, as in the platform's own file)
doctor-kind-private = private key
doctor-kind-public = public key
doctor-kind-certificate = certificate
doctor-serial = serial { $serial }
doctor-serial-long = `merchant_serial` has { $digits } hexadecimal digits, a serial number at most 40
doctor-other-than = `{ $name }` is another one than in { $file }
doctor-set = set it to { $value }
composed-doctor-behind = this machine's clock is { $seconds } s behind the platform's, every request is refused (limit 300 s)
composed-doctor-ahead = this machine's clock is { $seconds } s ahead of the platform's, every request is refused (limit 300 s)
composed-doctor-behind-soon = this machine's clock is { $seconds } s behind the platform's, requests are refused from 300 s on
composed-doctor-ahead-soon = this machine's clock is { $seconds } s ahead of the platform's, requests are refused from 300 s on
doctor-early = the clock shows { $date }, before this program was written
doctor-this-machine = this machine
doctor-stranger = not compared: a stranger's signature was accepted
doctor-no-time = not compared: the answer carries no time
doctor-nothing-listens = not compared: nothing listens at the profile's address
doctor-card-template = the card template
doctor-nobody-knows = the card template: nobody knows the path over there
doctor-unknown-path = the path of the card template is unknown (404 without a body)
doctor-clock-first = says nothing more until the clock is right
doctor-try-again = try again
doctor-correct-named = correct what the message names; the same again is refused again

# What verifying says.
verdict-all-there = all four are there
verdict-matches = matches the body of { $bytes } bytes
verdict-unknown-key = { $key } is not known here; known is { $known }
verdict-key = { $key } is known
verdict-now = signed in the second it was received (limit { $limit } s)
verdict-after = signed { $ahead } s after it was received, by our clock (limit { $limit } s)
verdict-before = signed { $behind } s before it was received (limit { $limit } s)
check-headers = headers
check-timestamp = timestamp
check-key = key
check-signature = signature

# The sandbox: faults, policies, how it starts, its folder and recordings.
fault-no-body = `{ $fault }` spoils a body, and `{ $operation }` answers 204, which has none; take another fault or operation
fault-no-card = `{ $fault }` answers about another user card, and an answer of `{ $operation }` names none; take another fault or operation
fault-number = `{ $option }` is no whole number in its range
fault-parameter = `{ $fault }` needs `{ $parameter }=NUMBER`
fault-no-parameter = `{ $fault }` takes no `{ $parameter }`
fault-times = give one of `share`, `answers` and `for_seconds`, not several
fault-shape = a fault and how often it comes are needed, such as `lost-answer=1%,seed=7`
fault-share = the share must be more than `0%` and at most `100%`, in steps of `0.0001%`
fault-of-share = `{ $option }` belongs to a share, such as `1%`
fault-unknown = no such fault; there are { $names }
fault-operation = no such operation; the API document has ids such as `import_by_phone`
fault-option = no such option; there are `seed`, `burst`, `operation`, `seconds` and `bytes_per_second`
fault-when = how often is a share such as `1%`, a number of answers such as `3`, or a time such as `10s`
policy-choice = `{ $policy }` can be { $choices }
policy-unknown = no such policy; there are { $names }
policy-shape = a policy is `NAME=CHOICE`, such as `second-card=allow`
clock-shift = the shift of the clock must be from -{ $limit } to { $limit } seconds, 100 years either way
value-http = an address such as `http://127.0.0.1:9000/notify` is needed; the sandbox speaks no TLS
value-certificates = a number from 0 to 8 is needed
start-bind = cannot listen on { $address }
start-identity = no identity could be made
start-random = the system gives no random bytes
start-stopped = the runtime was shut down while the sandbox started
start-spec = the API document cannot be played at { $at }: { $why }
folder-contradiction = { $problem }; restore the file, or delete the folder to get new keys
folder-profile = not written by the sandbox, which leaves it alone; move it away, or name another folder
folder-keys = the keys are unusable; restore the files, or delete the folder to get new keys
folder-incomplete = missing, while { $found } is there; restore it, or delete the folder to get new keys
folder-found-running = a running sandbox
folder-found-other = the file that belongs to it
folder-settings = not what the sandbox wrote (line { $line }, column { $column }); restore it, or delete the folder to get new keys
folder-read = cannot be read
folder-write = cannot be written
folder-public-key = not the public half of the sandbox's platform key
folder-serial = `merchant_serial` is not the certificate's serial number
folder-of-identities = the folder keeps the keys of an identities file; give that file as well
folder-without-identities = the folder was made without an identities file; name another folder
folder-certificates = `platform_certificates` lists something else than serial numbers
folder-certificate = not the certificate of the serial number in its name
identity-apiv3 = the APIv3 key is unusable
identity-issue = a certificate could not be made
identity-mismatch = the merchant certificate does not belong to the merchant key
identity-merchant-certificate = the merchant certificate is unusable
identity-merchant-key = the merchant key is unusable
identity-new-key = a new key could not be made
identity-platform-certificate = a platform certificate is unusable
identity-platform-key = a private key of the platform is unusable
identity-platform-mismatch = a platform certificate does not belong to its private key
identity-text = `{ $name }` is empty or holds other characters than visible ASCII
identities-unusable = unusable key or certificate
identities-folder-name = its `mchid` names a folder, so it may hold letters, digits, `-` and `_` only
identities-brand = no merchant has its `brand_id`; add it to `brands` of one
identities-key-id = `public_key_id` is visible ASCII and not empty
identities-no-public-key = without a public key it needs a certificate; add `[[platform.certificates]]`
identities-kept-id = `public_key_id.txt` of the folder holds no id; delete it to get a new one
identities-either = give `certificate` and `private_key`, or nothing but `state`
fixture-policies = `given.policies` cannot be used
fixture-syntax = no fixture of the format `wxmember-fixture/1` (line { $line }, column { $column })
fixture-source = a fixture whose origin is `documentation` needs `source`, the address of the page
replay-exchange = exchange { $number } cannot be built: { $why }
replay-no-operation = no such operation
replay-no-key = no key to seal with
replay-no-part = a part of its path is missing
replay-parameter = a parameter cannot be sealed
replay-field = a field cannot be sealed
replay-time = its `at` is more than 100 years from 2026
replay-given = `given.members`: the sandbox refuses one of them by the rule { $rule }
replay-keys = no keys could be made
scrub-empty = no exchange of an operation of the API document is in it
scrub-leak = something that was taken out is still in the fixture; nothing was written, please report it
scrub-syntax = { $problem }; a recording is HAR 1.2, or JSON or NDJSON with `request` and `response`
scrub-lacks = exchange { $number } has no { $member }
scrub-base64 = exchange { $number } has a body that is not base64
scrub-many = more than { $limit } exchanges; split the file
scrub-unknown = exchange { $number }: { $at } is not in the API document; `--unknown drop` leaves it out
scrub-line = line { $line } is not JSON
scrub-place = line { $line }, column { $column } is not JSON
scrub-encoding = exchange { $number } has a body in another encoding than base64
