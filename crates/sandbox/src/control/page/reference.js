// The API reference, from the document that the sandbox checks requests against.

import { byId, code, el, fill, link, prose } from "/page/dom.js";
import { json } from "/page/request.js";
import { ask } from "/page/server.js";
import { lang, number, t } from "/page/texts.js";

let loaded = null;
let isShown = false;

/** Every operation of the document, in its order. */
export async function operations() {
  loaded ??= ask("/api.json").catch((problem) => {
    // Asked again next time.
    loaded = null;
    throw problem;
  });
  const document = await loaded;
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => operation?.operationId)
      .map(([method, operation]) => ({
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        operation,
        parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])],
      })));
}

/** `English words (中文)` is written for both. */
function inLanguage(text) {
  const parts = /^(.*?)\s*[(（]([^()（）]*[\u4e00-\u9fff][^()（）]*)[)）]\.?$/u.exec(text ?? "");
  if (parts === null) return text ?? "";
  return lang === "zh" ? parts[2] : parts[1];
}

export const titleOf = (operation) => inLanguage(operation.operation.summary);

export async function showReference(id) {
  const all = await operations();
  const document = await loaded;
  if (!isShown) {
    isShown = true;
    const groups = document.tags.map((tag) => {
      const own = all.filter((operation) => operation.operation.tags?.includes(tag.name));
      return own.length === 0 ? null : el("section", { class: "group" },
        el("h2", {}, inLanguage(tag.description)),
        own.map((operation) => entry(operation, document)));
    });
    fill(byId("operations"), groups);
    byId("api-filter").addEventListener("input", filter);
    byId("api-filter").form.addEventListener("submit", (event) => event.preventDefault());
  }
  const wanted = id && byId(`operation-${id}`);
  if (wanted) {
    wanted.open = true;
    wanted.scrollIntoView({ block: "start" });
    wanted.firstElementChild.focus({ preventScroll: true, focusVisible: false });
  }
}

function filter() {
  const wanted = byId("api-filter").value.trim().toLowerCase();
  for (const group of byId("operations").children) {
    let some = false;
    for (const entry of group.querySelectorAll("details.operation")) {
      entry.hidden = !entry.firstElementChild.textContent.toLowerCase().includes(wanted);
      some ||= !entry.hidden;
    }
    group.hidden = !some;
  }
}

function entry(operation, document) {
  const content = el("div", { class: "content" });
  const details = el("details", { class: "operation", id: `operation-${operation.id}` },
    el("summary", {},
      el("span", { class: "method", data: { method: operation.method } }, operation.method),
      el("span", { class: "path" }, operation.path),
      el("span", { class: "summary" }, titleOf(operation), " ", code(operation.id))),
    content);
  // Made when it is opened: the whole document at once would be some ten thousand elements.
  details.addEventListener("toggle", () => {
    if (details.open && content.childElementCount === 0) fill(content, described(operation, document));
  });
  return details;
}

function described(operation, document) {
  const { operation: own } = operation;
  const request = own.requestBody?.content?.["application/json"];
  const answer = resolved(own.responses?.["200"], document)?.content?.["application/json"];
  const limits = [
    own.deprecated && t("api.deprecated"),
    own["x-rate-limit"] && t("api.rate", { rate: number(own["x-rate-limit"]) }),
    own["x-repeatable"] !== undefined && (own["x-repeatable"] ? t("api.repeatable") : t("api.not_repeatable")),
  ].filter(Boolean);
  const parameters = operation.parameters.map((parameter) => resolved(parameter, document));
  return [
    el("p", { lang: "en" }, prose(own.description)),
    el("ul", { class: "limits" }, limits.map((limit) => el("li", {}, limit))),
    own.externalDocs && el("p", {}, link(own.externalDocs.url, t("api.docs"))),
    parameters.length > 0 && el("h3", {}, t("api.parameters")),
    parameters.length > 0 && fields(parameters.map((parameter) => ({
      name: parameter.name,
      depth: 0,
      where: { path: t("api.in_path"), query: t("api.in_query"), header: t("api.in_header") }[parameter.in] ?? parameter.in,
      required: parameter.required === true,
      schema: resolved(parameter.schema, document),
      description: parameter.description,
    }))),
    request && el("h3", {}, t("api.body")),
    request && fields(members(request.schema, document)),
    request?.example && example(t("api.example"), request.example),
    answer && el("h3", {}, t("api.answer")),
    answer && fields(members(answer.schema, document)),
    answer?.example && example(t("api.example"), answer.example),
    !answer && own.responses?.["204"] && el("p", {}, t("api.no_content")),
  ];
}

function example(title, value) {
  return el("details", {}, el("summary", {}, title), el("pre", { lang: "en" }, json(value)));
}

/** What a `$ref` means, with the words beside it. */
function resolved(schema, document) {
  if (!schema) return schema;
  let { $ref: reference, allOf, ...own } = schema;
  let found = {};
  if (reference) {
    const parts = reference.replace(/^#\//, "").split("/");
    found = resolved(parts.reduce((at, part) => at?.[part], document), document) ?? {};
  }
  for (const part of allOf ?? []) found = { ...found, ...resolved(part, document) };
  return { ...found, ...own };
}

/** The members of an object, at every depth, in the order of the document. */
function members(schema, document, depth = 0, above = []) {
  const object = resolved(schema, document);
  if (depth > DEEPEST || !object?.properties) return [];
  return Object.entries(object.properties).flatMap(([name, own]) => {
    const member = resolved(own, document);
    const isList = member.type === "array";
    const inner = isList ? resolved(member.items, document) : member;
    const row = {
      name, depth, above, isList,
      required: object.required?.includes(name) === true,
      schema: isList ? { ...inner, minItems: member.minItems, maxItems: member.maxItems } : member,
      description: member.description ?? inner?.description,
    };
    return [row, ...members(inner, document, depth + 1, [...above, name])];
  });
}

function fields(rows) {
  return el("ul", { class: "fields" }, rows.map((row) => el("li", { data: { depth: row.depth } },
    el("p", { class: "field" },
      code(row.name), " ",
      el("span", { class: "hint" }, row.isList ? t("api.list_of", { type: typeOf(row.schema) }) : typeOf(row.schema)), " ",
      row.where && el("span", { class: "tag", data: { kind: "plain" } }, row.where), " ",
      row.required && el("span", { class: "tag", data: { kind: "warn" } }, t("api.required")), " ",
      isSealed(row.schema) && el("span", { class: "tag", data: { kind: "sealed" } }, t("api.sealed"))),
    limitsOf(row.schema).length > 0 && el("p", { class: "hint" }, limitsOf(row.schema).join(" · ")),
    row.schema?.enum?.length > 0 && el("p", { class: "values" }, row.schema.enum.map((value) => [code(String(value)), " "])),
    row.description && el("p", { class: "hint", lang: "en" }, prose(row.description)))));
}

const typeOf = (schema) => ({
  string: t("type.string"), integer: t("type.integer"), boolean: t("type.boolean"), object: t("type.object"), number: t("type.number"),
}[schema?.type] ?? schema?.type ?? "");

const isSealed = (schema) => /ciphertext/i.test(schema?.format ?? "") || schema?.["x-plaintext"] !== undefined;

function limitsOf(schema = {}) {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems, pattern, format } = schema;
  return [
    (minLength || maxLength) && t("limit.length", { range: range(minLength, maxLength) }),
    (minimum !== undefined || maximum !== undefined) && t("limit.value", { range: range(minimum, maximum) }),
    (minItems || maxItems) && t("limit.items", { range: range(minItems, maxItems) }),
    pattern && t("limit.pattern", { pattern }),
    format && !isSealed(schema) && t("limit.format", { format }),
  ].filter(Boolean);
}

function range(from, to) {
  if (from === to) return number(from);
  if (from === undefined) return `≤ ${number(to)}`;
  return to === undefined ? `≥ ${number(from)}` : `${number(from)}–${number(to)}`;
}

const DEEPEST = 8;
