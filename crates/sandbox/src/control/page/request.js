// One request explained: the ladder of checks, the answer, the message to sign beside what the client signed.

import { code, el, fill, link, prose } from "/page/dom.js";
import { both, dateTime, lang, number, t } from "/page/texts.js";
import { kindOf } from "/page/journal.js";

export function showRequest(parent, request) {
  const title = el("h2", { tabindex: "-1" }, t("journal.request", { number: request.number }));
  fill(parent,
    el("p", { class: "back" }, el("a", { href: "#/journal" }, t("request.back"))),
    el("header", {},
      title,
      el("p", { class: "target" }, el("b", {}, request.method), " ", request.target)),
    verdict(request),
    facts(request),
    ladder(request),
    message(request),
    sealed(request),
    answer(request),
    rule(request),
    head(request));
  // Who goes through the list beside it stays there; where it takes the list's place, it takes the focus.
  if (!document.activeElement.closest("#requests")) title.focus({ preventScroll: true });
}

function verdict(request) {
  const kind = kindOf(request);
  const failed = request.checks.find((check) => check.result === "failed");
  let text = t("request.passed", { status: request.status });
  if (request.fault) text = t("request.spoilt", { fault: request.fault });
  else if (failed) text = t("request.refused", { check: both(failed) });
  else if (request.status === null) text = t("journal.no_answer");
  const { code: name, message: sentence, detail } = answerOf(request) ?? {};
  return el("div", { class: "verdict", data: { kind } },
    el("p", {}, el("strong", {}, text)),
    failed && el("p", {}, el("span", { class: "status", data: { kind } }, `${request.status} ${name ?? ""}`), " ",
      prose(sentence ?? both(request.rule_explained?.message))),
    detail && el("p", {}, t("request.at"), " ", code(pointer(detail)), t("colon"), detail.issue));
}

const answerOf = (request) => (lang === "zh" ? request.answer : request.answer_in_english);

function pointer(detail) {
  return detail.location === "body" ? detail.field : `${detail.location} ${detail.field}`;
}

/** What was given beside what is known. */
function facts(request) {
  if (request.facts === null) return null;
  const { hint, ...rest } = request.facts;
  const names = {
    given: t("facts.given"), known: t("facts.known"), expected: t("facts.expected"), gateway: t("facts.gateway"),
    seconds_ahead: t("facts.seconds_ahead"), allowed: t("facts.allowed"),
  };
  return el("section", {},
    el("h3", {}, t("facts.title")),
    el("dl", { class: "pairs" }, Object.entries(rest).map(([name, value]) => [
      el("dt", {}, names[name] ?? name), el("dd", {}, shown(value)),
    ])),
    hint && el("p", { class: "advice" }, prose(both(hint))));
}

function shown(value) {
  if (value === null || value === undefined) return el("em", {}, t("facts.nothing"));
  if (Array.isArray(value)) return el("ul", { class: "plain" }, value.map((one) => el("li", {}, code(String(one)))));
  if (typeof value === "object") {
    return el("ul", { class: "plain" }, Object.entries(value).map(([name, one]) => el("li", {}, `${name}: `, shown(one))));
  }
  return code(String(value));
}

function head(request) {
  const pairs = [
    [t("head.at"), dateTime(request.at)],
    [t("head.operation"), request.operation],
    [t("head.id"), request.request_id],
    [t("head.nonce"), request.nonce],
    [t("head.timestamp"), request.timestamp],
    [t("head.serial"), request.platform_serial],
  ];
  return el("details", { class: "head" }, el("summary", {}, t("head.title")),
    el("dl", { class: "pairs" }, pairs.map(([name, value]) => [el("dt", {}, name), el("dd", {}, shown(value))])));
}

function ladder(request) {
  const words = {
    passed: t("check.passed"), failed: t("check.failed"), not_reached: t("check.not_reached"), not_needed: t("check.not_needed"),
  };
  const signs = { passed: "✓", failed: "✗", not_reached: "·", not_needed: "–" };
  return el("section", {},
    el("h3", {}, t("checks.title")),
    el("ol", { class: "ladder" }, request.checks.map((check) =>
      el("li", { data: { result: check.result, check: check.check }, title: words[check.result] },
        el("span", { class: "sign", "aria-hidden": "true" }, signs[check.result]),
        el("span", { class: "what" }, both(check)),
        el("span", { class: "word" }, words[check.result])))));
}

function message(request) {
  const { message_to_sign: message, failed } = request;
  if (message === null) return null;
  const verdicts = {
    same: t("message.same"), differs: t("message.differs"), malformed: t("message.malformed"), unknown: t("message.unknown"),
  };
  const at = request.answer?.detail?.location === "body" ? request.answer.detail.field : null;
  const section = el("section", { class: "message", data: { client: message.client } },
    el("h3", {}, t("message.title")),
    el("p", { class: "hint" }, verdicts[message.client]),
    el("ol", { class: "lines" }, message.lines.map((line) => lineOf(line, at))),
    message.client_ended_lines_with && el("p", { class: "advice" }, t("message.ending"), t("colon"), both(message.client_ended_lines_with)),
    message.hint && message.client !== "differs" && el("p", { class: "advice" }, prose(both(message.hint))));
  // Where the signature is not in question, the message is only for those who want to see it.
  if (message.client !== "same" || failed === "signature" || at !== null) return section;
  section.firstElementChild.remove();
  return el("details", {}, el("summary", {}, t("message.title")), section);
}

function lineOf(line, at) {
  const names = {
    method: t("line.method"), url: t("line.url"), timestamp: t("line.timestamp"), nonce: t("line.nonce"), body: t("line.body"),
  };
  const words = { same: t("line.same"), differs: t("line.differs"), unknown: t("line.unknown") };
  return el("li", { data: { result: line.result } },
    el("p", { class: "name" }, el("span", {}, names[line.name] ?? line.name), " ",
      el("span", { class: "tag", data: { kind: { same: "good", differs: "bad" }[line.result] ?? "plain" } }, words[line.result])),
    el("div", { class: "gateway" }, line.client_signed && el("span", { class: "who" }, t("line.gateway")),
      line.name === "body" ? body(line.gateway, at) : el("pre", {}, line.gateway, newline())),
    line.client_signed && el("div", { class: "client" }, el("span", { class: "who" }, t("line.client")),
      el("p", {}, prose(both(line.client_signed)))));
}

const newline = () => el("span", { class: "newline", title: t("line.newline") }, "\\n");

function body({ bytes, content }, at) {
  if (bytes === 0) return el("pre", {}, el("em", {}, t("line.empty_body")), newline());
  const length = el("span", { class: "hint" }, t("line.bytes", { bytes: number(bytes) }));
  if (content === null) return [el("pre", {}, el("em", {}, t("line.not_shown")), newline()), length];
  if (typeof content === "string") return [el("pre", {}, content, newline()), length];
  return [el("pre", {}, json(content, at), newline()), length];
}

/** A document as text, with the refused member marked. */
export function json(value, at = null, place = "", indent = "") {
  const inner = `${indent}  `;
  let parts;
  if (Array.isArray(value) && value.length > 0) {
    parts = ["[\n", value.map((one, index) => [
      inner, json(one, at, `${place}/${index}`, inner), index < value.length - 1 ? ",\n" : "\n",
    ]), indent, "]"];
  } else if (value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0) {
    const members = Object.entries(value);
    parts = ["{\n", members.map(([name, one], index) => {
      const own = `${place}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const member = [`${JSON.stringify(name)}: `, json(one, at === own ? null : at, own, inner)];
      return [inner, at === own ? el("mark", {}, member) : member, index < members.length - 1 ? ",\n" : "\n"];
    }), indent, "}"];
  } else {
    parts = [JSON.stringify(value)];
  }
  return at !== null && at === place && place !== "" ? el("mark", {}, parts) : parts;
}

function sealed(request) {
  const fields = request.sealed_fields;
  if (fields.length === 0) return null;
  return el("section", {},
    el("h3", {}, t("sealed.title")),
    el("ul", { class: "sealed" }, fields.map((field) => el("li", {},
      code(field.field), " ",
      el("span", { class: "tag", data: { kind: field.opens ? "good" : "bad" } }, field.opens ? t("sealed.opens") : t("sealed.closed")),
      " ", el("span", { class: "hint" }, field.characters === null ? t("sealed.no_text") : t("sealed.length", { characters: number(field.characters) }))))));
}

function answer(request) {
  const document = answerOf(request);
  if (document === null || document === undefined) return null;
  return el("section", {},
    el("h3", {}, t("answer.title")),
    el("pre", {}, `HTTP ${request.status}\n\n`, json(document)));
}

function rule(request) {
  const rule = request.rule_explained;
  if (rule === null) return null;
  return el("section", {},
    el("h3", {}, t("rule.title")),
    el("p", {}, el("a", { href: `#/rules/${rule.id}` }, code(rule.id)), " ", sureness(rule.sureness)),
    el("p", { class: "hint" }, t("rule.source"), t("colon"), prose(rule.source)),
    rule.pages.length > 0 && el("ul", { class: "plain" }, rule.pages.map((page) => el("li", {}, link(page, page)))));
}

export function sureness(letter) {
  const words = {
    D: t("sureness.d"), S: t("sureness.s"), C: t("sureness.c"), P: t("sureness.p"), I: t("sureness.i"),
  };
  return el("span", { class: "sureness", data: { letter } }, words[letter] ?? letter);
}
