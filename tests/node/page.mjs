// Drives the sandbox's page in Chromium, as a person would, and sends the requests that the page is to show.
//
//   node page.mjs BASE_URL CONTROL_URL CHROMIUM PROFILE SCREENSHOTS
//
// It shares no code with the sandbox: what it signs and seals, it does with Node's own cryptography. Ends with 0 if the
// page showed everything, else with 1 and what was missing.

import assert from "node:assert/strict";
import { constants, createSign, publicEncrypt, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [base, control, chromium, profile, screenshots] = process.argv.slice(2);
const require = createRequire(join(process.env.WXMEMBER_TEST_NODE, "package.json"));
const puppeteer = require("puppeteer-core");

/** Longer than anything takes on a busy machine; nothing waits for it to pass. */
const LONGEST = 30_000;
const IMPORT = "/v3/brand/partner/card-member/user-cards/import-by-phone";
const WIDE = { width: 1280, height: 900, deviceScaleFactor: 1 };
const NARROW = { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const { merchants: [merchant] } = await (await fetch(`${control}/credentials?reveal=true`)).json();

function seal(text) {
  const key = { key: merchant.platform_key_pem, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" };
  return publicEncrypt(key, Buffer.from(text)).toString("base64");
}

function member(code, phone) {
  return {
    brand_id: merchant.brand_id,
    card_id: merchant.card_id,
    phone_number: seal(phone),
    user_card_code: code,
    level: "钻石会员",
    date_information: { type: "PERMANENT" },
    pickup_time: "2026-05-20T13:29:35+08:00",
  };
}

/** Sends a body under a signature over what was `signed`; null when no answer comes. */
async function send(body, { signed = body, headers = {}, target = IMPORT } = {}) {
  const timestamp = Math.floor(Date.now() / 1000);
  const nonce = randomBytes(16).toString("hex");
  const message = `POST\n${target}\n${timestamp}\n${nonce}\n${signed}\n`;
  const signature = createSign("RSA-SHA256").update(message).sign(merchant.merchant_key_pem, "base64");
  const parts = { mchid: merchant.mchid, nonce_str: nonce, timestamp, serial_no: merchant.merchant_serial, signature };
  const value = Object.entries(parts).map(([name, part]) => `${name}="${part}"`).join(",");
  try {
    const answer = await fetch(base + target, {
      method: "POST",
      body,
      headers: {
        Accept: "application/json",
        Authorization: `WECHATPAY2-SHA256-RSA2048 ${value}`,
        "Content-Type": "application/json",
        "User-Agent": "page-test",
        "Wechatpay-Serial": merchant.platform_key_id,
        ...headers,
      },
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return null;
  }
}

mkdirSync(screenshots, { recursive: true });
const browser = await puppeteer.launch({
  executablePath: chromium,
  userDataDir: profile,
  // Nothing but this machine can be reached, as on a desk without a network.
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
  ],
});

/** What the browser complained about; nothing may be here at the end. */
const complaints = [];

async function open(path, { view = WIDE, scheme = "light", wanted = "en-GB,en" } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(LONGEST);
  page.on("console", (message) => message.type() !== "log" && complaints.push(`${path}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`${path}: ${error}`));
  page.on("request", (request) => request.url().startsWith(control) || complaints.push(`asks ${request.url()}`));
  await page.setViewport(view);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setExtraHTTPHeaders({ "Accept-Language": wanted });
  await page.goto(control + path, { waitUntil: "load" });
  await page.waitForSelector("body[data-ready]");
  await page.waitForSelector("#live[data-state='live']");
  return page;
}

const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
const texts = (page, selector) => page.$$eval(selector, (elements) => elements.map((element) => element.textContent));
const shot = (page, name, options = {}) => page.screenshot({ path: join(screenshots, `${name}.png`), ...options });

/** Waits until an element has a text. */
async function says(page, selector, part) {
  const has = (selector, part) => [...document.querySelectorAll(selector)].some((found) => found.textContent.includes(part));
  try {
    await page.waitForFunction(has, {}, selector, part);
  } catch (error) {
    const found = await texts(page, selector);
    throw new Error(`${selector} never said ${JSON.stringify(part)}, but ${JSON.stringify(found)}`, { cause: error });
  }
}

async function everythingIsForgotten(page) {
  assert.equal(await send(JSON.stringify(member("10000", "13800138009"))), 200);
  await says(page, "#members td", "10000");
  page.once("dialog", (dialog) => dialog.accept());
  await page.click("#reset");
  await says(page, "#members-hint", "No member yet");
  await page.goto(`${control}/#/journal`);
  await page.waitForSelector("#journal-empty:not([hidden])");
}

const hide = (page, isHidden) => page.evaluate((isHidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}, isHidden);

async function aHiddenTabCatchesUp(page) {
  const rows = () => page.$$eval("#requests li", (rows) => rows.map((row) => Number(row.dataset.number)));
  await page.goto(`${control}/#/journal`);
  const [before] = await rows();
  await hide(page, true);
  assert.equal(await send("{}"), 400);
  assert.equal(await send("{}"), 400);
  await hide(page, false);
  await says(page, "#requests li:first-child .number", `#${before + 2}`);
  assert.deepEqual((await rows()).slice(0, 3), [before + 2, before + 1, before]);
}

/** What was forgotten while nobody looked is not shown to whoever looks again. */
async function aHiddenTabForgets(page) {
  const rows = () => page.$$eval("#requests li", (rows) => rows.map((row) => Number(row.dataset.number)));
  const elsewhere = { target: "/v3/nowhere" };
  await page.goto(`${control}/#/journal`);
  assert.equal(await send("{}", elsewhere), 404);
  await page.waitForSelector("#requests li");
  const [before] = await rows();
  await hide(page, true);
  await fetch(`${control}/reset`, { method: "POST" });
  assert.equal(await send("{}", elsewhere), 404);
  await hide(page, false);
  await says(page, "#requests li:first-child .number", `#${before + 1}`);
  await page.waitForFunction(() => document.querySelectorAll("#requests li").length === 1);
  await page.waitForSelector("#live[data-state='live']");
}

async function aRefusalIsExplained(page) {
  const sent = JSON.stringify(member("10001", "13800138000"));
  assert.equal(await send(sent), 200);
  // Written again with blanks: what a client does that serialises twice.
  const twice = sent.replaceAll('":', '": ').replaceAll(',"', ', "');
  assert.equal(await send(sent, { signed: twice }), 401);
  await page.goto(`${control}/#/journal`);
  await says(page, "#requests li", "SIGNATURE");
  const row = "#requests li[data-kind='bad'] a";
  // By keyboard, as by mouse.
  await page.focus(row);
  await page.keyboard.press("Enter");
  await says(page, "#request .verdict", "the signature does not verify");
  assert.match(await text(page, "#request .ladder [data-check='signature']"), /failed/);
  assert.match(await text(page, "#request .ladder [data-check='clock']"), /passed/);
  assert.match(await text(page, "#request .ladder [data-check='business']"), /not reached/);
  const lines = await texts(page, "#request .lines > li");
  assert.equal(lines.length, 5);
  assert.match(lines[0], /Method.*same.*POST/);
  assert.match(lines[4], /differs[^]*The client signed[^]*serialised twice/);
  assert.ok(!lines[4].includes(JSON.parse(sent).phone_number), "a sealed value is shown");
  assert.match(await text(page, "#request"), /SIGN_ERROR/);
  await page.waitForSelector(`${row}[aria-current='true']:focus`);
  await page.keyboard.press("ArrowDown");
  await page.waitForSelector("#requests li[data-kind='good'] a:focus");
}

async function aRefusedFieldIsPointedAt(page) {
  const body = { ...member("10002", "13800138001"), level: "", surplus: 1 };
  assert.equal(await send(JSON.stringify(body)), 400);
  await says(page, "#requests li", "BODY_SCHEMA");
  await page.click("#requests li:first-child a");
  await says(page, "#request .verdict", "At /");
  assert.ok((await page.$$("#request .lines mark")).length > 0, "no member of the body is marked");
}

async function aFaultIsSwitchedOnAndHappens(page) {
  await page.goto(`${control}/#/faults`);
  await page.waitForSelector("#faults:not([hidden]) #fault-kind option");
  const kinds = (await (await fetch(`${control}/fault-kinds`)).json()).fault_kinds.map((kind) => kind.name);
  const offered = await page.$$eval("#fault-kind option", (options) => options.map((option) => option.value));
  assert.deepEqual(offered.toSorted(), kinds.toSorted());
  await page.select("#fault-kind", "bad-gateway");
  await page.select("#fault-operation", "import_by_phone");
  await page.click("#fault button.primary");
  await says(page, "#faults-list li", "bad-gateway");
  await says(page, "#faults-count", "1");
  // A share, and one that is off by some seconds, which the form must ask for.
  await page.select("#fault-kind", "shifted-clock");
  await page.waitForSelector("#fault-parameter-row:not([hidden])");
  await page.select("#fault-operation", "list_certificates");
  await page.$eval("#fault-share", (field) => {
    field.value = "2.5";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await page.click("#fault button.primary");
  await says(page, "#faults-list li", "2.5% of the answers, seed 7");
  await shot(page, "faults-en-1280");
  assert.equal(await send(JSON.stringify(member("10003", "13800138002"))), 502);
  // It is used up, and the page says so by itself.
  await page.waitForFunction(() => document.querySelectorAll("#faults-list li").length === 1);
  await page.goto(`${control}/#/journal`);
  await says(page, "#requests li:first-child", "502");
  await says(page, "#requests li:first-child .why", "bad-gateway");
  assert.equal(await send(JSON.stringify(member("10003", "13800138002"))), 200);
  await says(page, "#requests li:first-child .status", "200");
  await page.goto(`${control}/#/faults`);
  await page.click("#faults-list li button");
  await page.waitForSelector("#faults-empty:not([hidden])");
}

/** A number that is missing or too small holds a fault back, and one that is not sent does not. */
async function aFaultIsNotGuessed(page) {
  const fill = (field, value) => page.$eval(field, (field, value) => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);
  const count = async () => (await (await fetch(`${control}/faults`)).json()).faults.length;
  await page.goto(`${control}/#/faults`);
  await page.select("#fault-operation", "list_certificates");
  for (const [kind, field, value] of [
    ["shifted-clock", "#fault-parameter", ""],
    ["system-error", "#fault-seed", ""],
    ["system-error", "#fault-share", "0"],
    ["system-error", "#fault-for", "1.5"],
    ["system-error", "#fault-answers", ""],
  ]) {
    await page.select("#fault-kind", kind);
    await fill(field, value);
    await page.click("#fault button.primary");
    await page.waitForSelector(`${field}:focus:invalid`);
    assert.equal(await count(), 0, field);
  }
  // Everything but what belongs to this choice is still wrong.
  await fill("#fault-answers", "2");
  await page.click("#fault button.primary");
  await says(page, "#faults-list li", "the next 2");
  await page.click("#faults-clear");
  await page.waitForSelector("#faults-empty:not([hidden])");
}

/** Faults that others switch on or off are shown by themselves, and counted on the overview. */
async function faultsOfOthersAreShown(page) {
  await page.goto(`${control}/#/overview`);
  const body = JSON.stringify({ fault: "system-error", share: "1%", operation: "list_certificates" });
  await fetch(`${control}/faults`, { method: "POST", body });
  await page.waitForFunction(() => document.getElementById("faults-count").textContent === "1");
  await says(page, "#figures div:last-child dd", "1");
  await fetch(`${control}/faults`, { method: "DELETE" });
  await page.waitForSelector("#faults-count[hidden]");
  await says(page, "#figures div:last-child dd", "0");
}

/** In a list that is held still, a click shows a request and moves nothing. */
async function aPausedListStays(page) {
  const numbers = () => page.$$eval("#requests li", (rows) => rows.map((row) => row.dataset.number));
  await page.goto(`${control}/#/journal`);
  await page.click("#pause");
  const before = await numbers();
  await send("{}", { target: "/v3/nowhere" });
  await says(page, "#pause", "1 new");
  await page.click("#requests li:first-child a");
  await page.waitForSelector("#requests li:first-child a[aria-current='true']");
  assert.deepEqual(await numbers(), before);
  await page.click("#pause");
  await page.waitForFunction((count) => document.querySelectorAll("#requests li").length === count, {}, before.length + 1);
}

async function whatIsWrongIsSaid(page) {
  await page.$eval("#fault-answers", (field) => {
    field.min = "";
    field.value = "0";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await page.click("#fault button.primary");
  await says(page, "#problem:not([hidden])", "answers");
}

async function markupStaysText(page) {
  const attack = "<img src=x onerror=document.title=1><script>document.title=1</script>";
  const elements = () => page.evaluate(() => [document.scripts.length, document.images.length]);
  await page.goto(`${control}/#/journal`);
  const before = await elements();
  await send("{}", { headers: { "Wechatpay-Serial": attack } });
  await says(page, "#requests li:first-child", "PLATFORM_SERIAL_UNKNOWN");
  await page.click("#requests li:first-child a");
  await says(page, "#request dd", attack);
  await send("{}", { headers: { "User-Agent": attack, Accept: "" } });
  await says(page, "#requests li:first-child", "CLIENT_HEADERS");
  await page.click("#requests li:first-child a");
  await says(page, "#request dd", attack);
  await send("{}", { headers: { Authorization: `${attack.replaceAll(" ", "/")} x` } });
  await says(page, "#requests li:first-child", "AUTHORIZATION_");
  await page.click("#requests li:first-child a");
  await says(page, "#request dd", "<img/src=x/onerror");
  const path = "/v3/%3Cscript%3Edocument.title=1%3C/script%3E?a=\"><b>";
  await send("{}", { target: path });
  await says(page, "#requests li:first-child .target", "%3Cscript%3E");
  await page.click("#requests li:first-child a");
  await says(page, "#request .target", "%3Cscript%3E");
  assert.deepEqual(await elements(), before);
  assert.match(await page.title(), /sandbox/);
}

async function theOverviewFollows(page) {
  await page.goto(`${control}/#/overview`);
  await says(page, "#members td", "10001");
  assert.ok(!(await text(page, "#members")).includes("1380013"), "a phone number is shown");
  await says(page, "#quota li", "import_by_phone");
  await send(JSON.stringify(member("10004", "13800138004")));
  await says(page, "#members td", "10004");
  await page.$eval("#clock-seconds", (field) => { field.value = "-600"; });
  await page.click("#clock button");
  await says(page, "#clock-shift", "shifted by -600 s");
  assert.equal(await send(JSON.stringify(member("10005", "13800138005"))), 401);
  await page.$eval("#clock-seconds", (field) => { field.value = "0"; });
  await page.click("#clock button");
  await says(page, "#clock-shift", "not shifted");
}

async function theReferenceAndTheRulesAreThere(page) {
  const { paths } = await (await fetch(`${control}/api.json`)).json();
  const ids = Object.values(paths).flatMap((item) => Object.values(item).map((operation) => operation.operationId).filter(Boolean));
  await page.goto(`${control}/#/api/import_by_phone`);
  await page.waitForSelector("#operation-import_by_phone[open] .fields li");
  assert.equal((await page.$$("details.operation")).length, ids.length);
  const sealed = await texts(page, "#operation-import_by_phone .field");
  assert.ok(sealed.some((field) => /phone_number.*required.*encrypted/.test(field)), sealed.join());
  assert.ok(sealed.some((field) => /^user_card_code(?!.*encrypted)/.test(field)), sealed.join());
  await page.type("#api-filter", "certificates");
  await page.waitForFunction(() => [...document.querySelectorAll("details.operation")].filter((one) => !one.closest("[hidden]")).length === 1);
  const { count } = await (await fetch(`${control}/rules`)).json();
  await page.goto(`${control}/#/rules`);
  await page.waitForFunction((count) => document.querySelectorAll("#rules-table tbody tr").length === count, {}, count);
  await page.type("#rules-filter", "NONCE_REPLAYED");
  await page.waitForFunction(() => document.querySelectorAll("#rules-table tbody tr").length === 1);
}

async function theLanguageStays(page) {
  await page.goto(`${control}/#/rules`);
  await page.click("#language");
  await says(page, "h1", "规则");
  assert.equal(await page.$eval("html", (html) => html.lang), "zh");
  assert.ok((await page.url()).endsWith("#/rules"));
  await page.goto(`${control}/`);
  await says(page, "nav", "请求记录");
}

/** No view is wider than the screen. */
async function nothingSticksOut(page, name) {
  const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(width, 0, `${name} is ${width} px too wide`);
}

async function pictures(refused, pointed) {
  const views = [
    ["overview", "#/overview", "#members td"],
    ["refused", `#/journal/${refused}`, "#request .ladder li"],
    ["pointed", `#/journal/${pointed}`, "#request mark"],
    ["journal", "#/journal", "#requests li"],
    ["faults", "#/faults", "#faults-list li"],
    ["api", "#/api/import_by_phone", "#operation-import_by_phone .fields li"],
    ["rules", "#/rules", "#rules-table td"],
  ];
  for (const [lang, wanted] of [["en", "en"], ["zh", "zh-CN,zh"]]) {
    for (const view of [WIDE, NARROW]) {
      const page = await open("/", { view, wanted });
      for (const [name, hash, selector] of views) {
        await page.goto(`${control}/${hash}`);
        await page.waitForSelector(selector, { visible: true });
        // A request is longer than a screen, and scrolls beside the list.
        if (view === WIDE) await page.setViewport({ ...WIDE, height: selector.startsWith("#request ") ? 1500 : WIDE.height });
        await nothingSticksOut(page, `${name} at ${view.width} in ${lang}`);
        await shot(page, `${name}-${lang}-${view.width}`, { fullPage: view === NARROW && !["api", "rules"].includes(name) });
      }
      await page.close();
    }
  }
  const dark = await open(`/#/journal/${refused}`, { scheme: "dark" });
  await dark.waitForSelector("#request .ladder li");
  await shot(dark, "refused-dark-1280");
  await dark.goto(`${control}/#/overview`);
  await dark.waitForSelector("#members td");
  await shot(dark, "overview-dark-1280");
}

try {
  const page = await open("/");
  assert.match(await text(page, ".warning"), /not WeChat Pay/);
  await everythingIsForgotten(page);
  await aHiddenTabForgets(page);
  await aRefusalIsExplained(page);
  const numberOf = async (rule) => {
    const { requests } = await (await fetch(`${control}/journal`)).json();
    return requests.find((request) => request.rule === rule).number;
  };
  await aRefusedFieldIsPointedAt(page);
  const [refused, pointed] = [await numberOf("SIGNATURE"), await numberOf("BODY_SCHEMA")];
  await aFaultIsSwitchedOnAndHappens(page);
  await aFaultIsNotGuessed(page);
  await faultsOfOthersAreShown(page);
  await aPausedListStays(page);
  await theOverviewFollows(page);
  await theReferenceAndTheRulesAreThere(page);
  await markupStaysText(page);
  await aHiddenTabCatchesUp(page);
  const asked = complaints.length;
  await page.goto(`${control}/#/faults`);
  await whatIsWrongIsSaid(page);
  // The browser writes down that the answer was 400.
  assert.ok(complaints.splice(asked).every((complaint) => complaint.includes("400")));
  await theLanguageStays(page);
  for (const fault of [{ fault: "lost-answer", answers: 2, operation: "import_by_phone" }, { fault: "rate-limited-for", seconds: 3, share: "10%", seed: 7 }]) {
    await fetch(`${control}/faults`, { method: "POST", body: JSON.stringify(fault) });
  }
  await pictures(refused, pointed);
  assert.deepEqual(complaints, []);
  console.log(`screenshots: ${screenshots}`);
} finally {
  await browser.close();
}
