// The texts of the page, in the language that the server chose.

import { ask } from "/page/server.js";

export const lang = document.documentElement.lang === "zh" ? "zh" : "en";
const texts = await ask(`/page/${lang}.json`);

/** The text of a key; `{name}` in it is replaced. */
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Of `{zh, en}`, the one to show. */
export function both(pair) {
  return pair?.[lang] ?? pair?.en ?? "";
}

const digits = new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en");
export const number = (value) => digits.format(value);

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const moment = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "medium",
});

/** A Unix time as the platform's clock shows it, in China. */
export const time = (seconds) => clock.format(new Date(seconds * 1000));
export const dateTime = (seconds) => `${moment.format(new Date(seconds * 1000))} +08:00`;
