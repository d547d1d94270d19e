# What the program says, in English. `zh.ftl` has the same keys with the same parameters; a test compares them.

# Everywhere.
error-prefix = { "error: " }
hint-prefix = { "hint: " }
no-runtime = failed to start the runtime
json-failed = failed to write the result as JSON
unwritable = failed to write { $path }
output-kept = { $path } is needed and not written over
output-link = { $path } is a symbolic link and not followed
output-hint = name another file with `--output`
password-in-arguments = a password stands in `--ledger`, where every user of this machine sees it
password-in-arguments-hint = leave it out and set `PGPASSWORD` or `--ledger-password-file`, or give the whole URL in the variable `WXMEMBER_LEDGER`
secret-readable = warning: { $path } holds a secret, and others may read it (mode { $mode }); run `chmod 600 { $word }`

# The reader of arguments.
usage-unknown = unexpected argument `{ $argument }`
usage-command = there is no command `{ $command }`
usage-missing = missing: { $arguments }
usage-conflict = `{ $first }` and `{ $second }` cannot be given together
usage-no-value = `{ $argument }` needs a value
usage-value = `{ $argument }` takes one of: { $values }
usage-value-because = the value of `{ $argument }` cannot be read: { $why }
usage-hint = see `wxmember --help`, or a command with `--help` behind it

# Ledgers and jobs.
ledger-unusable = ledger { $ledger }
ledger-no-file = the ledger is neither a file nor a `postgres://…` URL
ledger-missing = there is no ledger { $ledger }
ledger-missing-hint = it is made by the first `wxmember import`; name another one with `--ledger`, or that of the sandbox with `--sandbox`
ledger-missing-hint-sandbox = it is made by the first `wxmember import FILE --sandbox`
no-jobs = the ledger has no job
no-jobs-hint = name another ledger with `--ledger`, or that of the sandbox with `--sandbox`
hint-ambiguous-job = give more of the id; `wxmember jobs` lists them
hint-no-such-job = `wxmember jobs` lists the jobs; the sandbox's are listed with `--sandbox`
hint-ledger-busy = end the other process, or name another ledger with `--ledger`
hint-ledger-damaged = put the file and its key back from a backup, or name a new one with `--ledger` and import the list again: who is a member already comes out as present
hint-ledger-database = look whether the disk is full, or the database answers
hint-ledger-postgres = look whether PostgreSQL answers there, for example with `psql`; a password comes from `PGPASSWORD` or `--ledger-password-file`
hint-ledger-foreign = name a ledger of wxmember, or a new file, with `--ledger`
hint-ledger-io = look whether the folder is there and yours, or name another ledger with `--ledger`
hint-ledger-key = put the key file back from a backup; without it duplicates cannot be found
hint-ledger-newer = update wxmember on this host, or name another ledger with `--ledger`
hint-ledger-url = for example `--ledger postgres://user@host/database`, with the password in `PGPASSWORD`
hint-ledger-wrong-key = copy the key file from the host that made the ledger, and name it with `--ledger-key`
hint-purged = import the file again to send its members
hint-unfinished = bring the rows to an end first, or delete them all the same with `--force`
hint-run-again = the same command continues the job
hint-other-source = give the file as it was when it was imported
column-job = JOB
column-state = STATE
column-rows = ROWS
column-imported = IMPORTED
column-present = PRESENT
column-refused = REFUSED
column-unknown = UNKNOWN
column-queued = QUEUED
column-sent = SENT
column-updated = UPDATED
column-source = SOURCE
column-code = CODE
column-message = MESSAGE
label-job = job
label-source = source
label-card = card
label-mchid = merchant
label-platform = platform
label-route = route
label-standing = state
label-rows = rows
label-imported = imported
label-present = present
label-refused = refused
label-unknown = unknown
label-queued = queued
label-sent = sent
label-created = created
label-updated = updated
standing-loading = loading
standing-open = open
standing-paused = paused
standing-done = done
standing-purged = purged
paused = job { $job } is paused; what was sent already finishes
paused-hint = let it go on with `{ $command }`
resumed = job { $job } may go on
send-hint = send them with the command that imported the file, or with `wxmember worker`
retried =
    { $rows ->
        [one] { $rows } row queued
       *[other] { $rows } rows queued
    }
retried-none-hint = rows that broke a rule have nothing to send: put them right in the file of refused rows and import that
purged = purged job { $job }: { $requests } sealed requests and the codes of { $rows } rows are deleted
no-codes = no row was refused
report-written = wrote { $path }
exported =
    { $rows ->
        [one] { $rows } row
       *[other] { $rows } rows
    }
man-written = wrote { $pages } pages into { $folder }

# Imports and workers.
stopping = stopping; requests in flight finish first, ctrl-c again stops at once
hint-name-a-file = name a file that exists
hint-correct-file = correct { $file } and run the same command; nothing was sent
hint-correct-profile = correct { $file } and run the same command; nothing was sent
hint-map-field = correct { $place }; the fields of a member are { $fields }
hint-map-column = correct { $place }, or the name of the column in { $file }; nothing was sent
hint-map-twice = correct { $place }: each field and each column can be assigned once; nothing was sent
hint-defaults = set `validity` and `pickup_time` in the profile, or add the columns
refused-file-failed = failed to write the file of refused rows
refused-file-nowhere = there is no folder that the file of refused rows can be written into
refused-file-kept = { $file } has another text, which may be yours, and is kept
hint-refused-file = run the same command in a folder that you may write into; no row is sent twice
refused-file-hint = put the rows in { $file } right and import that file
sandbox-has-no-profile = a sandbox inside this process has no profile
sandbox-has-no-profile-hint = leave out `--sandbox`, or `--config` and `--profile`
source-found = { $name }: { $what }
source-delimiter = cells separated by `{ $delimiter }`
source-tabs = cells separated by tabs
source-sheet = sheet `{ $sheet }`
source-gzip = packed by gzip
ignored-columns = ignored columns: { $columns }
defaults-changed = the profile's defaults have changed since the job was loaded; its rows keep what they were loaded with
refused-row = row { $row } (line { $line }): { $code }: { $message }
more-rows = … and { $rows } more
continued = { " (continued)" }
sent-in = { $requests } requests in { $seconds } s
run-stopped = the run stopped: { $code }: { $message }
stop-hint = { $hint }; then run the same command again
unknown-hint = { $rows } rows may have been imported: `{ $command }` shows what is known of them, and the same command finds out; if it does not, `wxmember doctor --online` looks for the cause
continue-hint = run the same command again to continue
worker-nothing = no job had rows to send
worker-sent = { $requests } requests in { $seconds } s
worker-job-stopped = job { $job } is left with rows

# Checks.
check-stopping = stopping; nothing was sent
check-profile-unusable = the profile is not used: { $why }
check-no-profile = without a profile every card is taken to be valid for ever
check-takes = { $time } to import the good rows at { $rate } requests a second
column-number = NO
column-column = COLUMN
column-field = FIELD
label-good = good
label-takes = takes

# Progress.
progress-comma = { ", " }
progress-loading = { $rows } rows read, { $refused } refused
progress-rows = { $done } of { $rows } rows
progress-rate = { $rate } a second
progress-rate-of = { $rate } of { $limit } a second
progress-refused = { $rows } refused
progress-unknown = { $rows } unknown
progress-left = { $time } left
time-seconds = { $seconds } s
time-minutes = { $minutes } min
time-hours = { $hours } h { $minutes } min
waiting-back-off = waiting before repeating
waiting-leases = waiting for the rows of other processes
waiting-ledger = waiting for the ledger
waiting-load = waiting for another process that loads the file
waiting-rate-limit = slowed down by the platform
waiting-window = waiting for the window until { $until }
waiting-work = waiting for jobs
waiting-other = waiting

# The other commands.
verified = verified
not-verified = not verified
message-to-cover = the message that the signature has to cover:
message-signed = the message that is signed:
headers-sent = headers:
signature-needs = for the signature to be accepted:
answered = { $status }, request { $id }, the signature of the answer is right
answered-without-id = { $status }, request without an id, the signature of the answer is right
send-with-id = send it with `Wechatpay-Serial:` and the id of this key
send-with = send it with `Wechatpay-Serial: { $id }`
ask-mchid = merchant id (商户号)
ask-merchant-key = merchant's private key, a file
ask-merchant-certificate = merchant's certificate, a file
ask-platform-key = WeChat Pay's public key (微信支付公钥), a file; `-` for a platform certificate instead
ask-platform-certificate = platform certificate (平台证书), a file; `-` to download it with the APIv3 key
ask-apiv3-key = APIv3 key (APIv3密钥), a file
ask-platform-key-id = id of that key (PUB_KEY_ID_…)
ask-brand-id = brand (品牌ID)
ask-card-id = card template (会员卡模板ID)
ask-no-file = there is no such file
ask-digits = 1 to 32 digits are needed
ask-key-id = it begins with PUB_KEY_ID_
ask-word = letters and digits without blanks are needed
init-give = give { $flags }
init-platform-flags = --platform-key with --platform-key-id (or --platform-certificate, or --apiv3-key-file alone)
init-written = wrote { $config }, profile `{ $name }`
init-written-hint = look for what could still be wrong with `{ $command }`
stopping-sandbox = stopping; requests in flight finish first
sandbox-test-only = test only: this is not WeChat Pay, and its members are gone when it stops
sandbox-page = open { $url } in a browser: members, every request explained, faults, rules
sandbox-import = import into it with `wxmember import FILE --config { $folder }/wxmember.toml --ledger { $folder }/ledger.db --quota { $quota }`
sandbox-ledger = when the sandbox is started again at the same address, that ledger remembers who was imported and the sandbox does not: to import the same members again, delete { $folder }/ledger.db or name another ledger
sandbox-dir = add `--dir DIR` to write keys and a ready profile that other programs can use
sandbox-no-card = { $profile } cannot import yet: no template of the identities file is its merchant's; add one under `[[templates]]`
sandbox-credentials = keys that the file leaves out were made; `curl "{ $url }/credentials?reveal=true"` shows them
rules-rule = rule
rules-sureness = sure
rules-answer = answer
rules-check = check
rules-message = message
rules-evidence = evidence
rules-source = source
rules-policies = where the public documents are silent, `--policy NAME=CHOICE` chooses, and the first choice is the default:
rules-sections = the sections that sources name, and what to read about each:
rules-section = { $section }  { $about }: { $url }
rules-shares = how sure the rules are:
rules-policy = policy `{ $name }`, { $when }: { $choices }
rules-share = { $letter }  { $count } of { $total }, { $share } %: { $meaning }
scrubbed =
    { $exchanges ->
        [one] { $exchanges } exchange kept; taken out:
       *[other] { $exchanges } exchanges kept; taken out:
    }
scrub-skipped =
    { $exchanges ->
        [one] { $exchanges } exchange left out: no operation of the API document, or no answer of the platform
       *[other] { $exchanges } exchanges left out: no operations of the API document, or no answers of the platform
    }
scrub-read-it = read it before you give it away; the recording itself stays with you
scrub-failed = { $file } cannot be scrubbed: { $why }
scrub-empty-hint = record calls of paths under `/v3/brand/partner/card-member`, with their answers
scrub-unknown-hint = if it says nothing of anybody, leave it out with `--unknown drop` and tell us its name
replay-failed = { $file } cannot be replayed: { $why }
replay-not-scrubbed = { $file } was not scrubbed at { $place }
replay-accepted = accepted by both
replay-confirms = confirms { $rule }
replay-contradicts = contradicts { $rule }
replay-other-reason = same code, other reason: the sandbox refuses by { $rule }, the recorded message says something else
replay-not-refused = refused, but the rebuilt request was accepted: what was wrong does not show; by status, code and message it may be { $rules }
replay-no-rule = refused, but the rebuilt request was accepted: what was wrong does not show, and no rule of the sandbox has this status, code and message
replay-not-judged = not judged: the answer does not follow from what a fixture shows, or is not the platform's own
replay-difference = { $at }: recorded { $recorded }, sandbox { $sandbox }
doctor-finding = { $at }: { $problem }; { $fix }
doctor-note = { $check }: { $note }
doctor-found =
    { $findings ->
        [one] { $findings } problem found
       *[other] { $findings } problems found
    }
