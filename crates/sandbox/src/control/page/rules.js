// The rules that the sandbox refuses by, with what stands behind each and how sure it is.

import { byId, code, el, fill, link, prose, table } from "/page/dom.js";
import { sureness } from "/page/request.js";
import { ask } from "/page/server.js";
import { both, lang, number, t } from "/page/texts.js";

const LETTERS = ["D", "S", "C", "P", "I"];

let rules = null;

export async function showRules(id) {
  if (rules === null) {
    ({ rules } = await ask("/rules"));
    const count = (letter) => rules.filter((rule) => rule.sureness === letter).length;
    fill(byId("rules-legend"), LETTERS.map((letter) => el("li", {}, sureness(letter), " ",
      t("rules.share", { count: number(count(letter)), percent: number(Math.round((100 * count(letter)) / rules.length)) }))));
    fill(byId("rules-sureness"), el("option", { value: "" }, t("rules.every")),
      LETTERS.map((letter) => el("option", { value: letter }, sureness(letter).textContent)));
    byId("rules-filter").addEventListener("input", show);
    byId("rules-filter").form.addEventListener("submit", (event) => event.preventDefault());
    byId("rules-sureness").addEventListener("change", show);
  }
  if (id !== null) byId("rules-filter").value = id;
  show();
}

function show() {
  const wanted = byId("rules-filter").value.trim().toLowerCase();
  const letter = byId("rules-sureness").value;
  const shown = rules.filter((rule) => (letter === "" || rule.sureness === letter)
    && (wanted === "" || [rule.id, rule.code, rule.status, rule.check, rule.message.zh, rule.message.en, both(rule.checks)]
      .some((text) => String(text).toLowerCase().includes(wanted))));
  table(byId("rules-table"),
    [t("rules.rule"), t("rules.check"), t("rules.answer"), t("rules.sureness"), t("rules.source")],
    shown.map((rule) => [
      code(rule.id),
      both(rule.checks),
      el("div", {}, el("span", { class: "status", data: { kind: "bad" } }, `${rule.status} ${rule.code}`), el("p", {}, rule.message[lang])),
      sureness(rule.sureness),
      el("div", {}, el("p", { lang: "en" }, prose(rule.source)),
        rule.pages.map((page) => el("p", { class: "page" }, link(page, new URL(page).pathname)))),
    ]));
}
