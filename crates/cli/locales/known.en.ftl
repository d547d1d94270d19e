# Texts of the libraries in English, to be recognised. They are the libraries' own; a test compares them with the
# sources. `known.zh.ftl` has the same keys with the same parameters.

# Problems of rows, named by their code.
row-bad-birthday = not a date; write it as 1990-01-31
row-bad-color = not a colour; write it as #RRGGBB
row-bad-days = not a number of days between 1 and 10958
row-bad-phone-number = not a mobile number of mainland China
row-bad-time = not a time; write it as 2024-01-31 or 2024-01-31 08:30:00
row-bad-url = not a URL that starts with https://
row-code-character = character { $position } is not allowed; a code has digits, English letters and half-width punctuation
row-duplicate-code = the same code is in row { $first_row }
row-duplicate-phone-number = the same phone number is in row { $first_row }
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
stop-unknown = { $rows } rows one after the other ended without a known outcome
stop-unknown-hint = the platform or the way to it is disturbed; the same command continues later
stop-rate = the platform keeps answering 429
stop-rate-hint = another program uses the quota of this merchant id: stop it, or set a lower quota
stop-unreachable-hint = check the network and `base_url`; the same command continues

# Sources.
source-changed = `{ $name }` changed while it was read; nothing of it was sent, start again
source-empty = `{ $name }` is empty; its first line must name the columns
source-header-only = `{ $name }` has a header on line 1 and no row below it
source-io = failed to read `{ $name }`
load-cancelled = stopped while loading, after { $rows } rows; the same command continues
load-not-ready = nothing can be sealed

# The ledger.
ledger-busy = the ledger `{ $path }` is in use by another process
ledger-closed = the ledger was closed before it was done
ledger-io = failed to open `{ $path }`
ledger-key = the ledger's key `{ $path }` is missing or damaged; restore it, or start a new ledger
ledger-newer = the ledger has version { $found }, this software knows up to { $known }; update wxmember
ledger-foreign = `{ $path }` is not a ledger of wxmember
