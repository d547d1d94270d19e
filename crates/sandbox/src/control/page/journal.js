// The journal, live: a stream of server-sent events, a list of the newest requests, and the one that is explained.

import { byId, code, el, fill, soon } from "/page/dom.js";
import { ask } from "/page/server.js";
import { showRequest } from "/page/request.js";
import { number, t, time } from "/page/texts.js";

/** As many as the sandbox keeps, and as many as are shown at once. */
const KEPT = 1024;
const SHOWN = 200;
const AGAIN_MILLIS = 3000;

/** Oldest first. */
let entries = [];
let source = null;
/** Of the sandbox's start and of its emptied journals; others than these, and what is here is of the past. */
let instance = null;
let clears = 0;
let chosen = null;
let isPaused = false;
let missed = 0;
let listener = () => {};
let reached = () => {};

/** Calls a function when requests have come. */
export function onRequests(listen) {
  listener = listen;
}

/** `whenReached` is called whenever the sandbox answers after it did not. */
export function startJournal(whenReached) {
  reached = whenReached;
  byId("filter").addEventListener("submit", (event) => event.preventDefault());
  byId("filter-text").addEventListener("input", show);
  byId("filter-refused").addEventListener("change", show);
  byId("pause").addEventListener("click", () => {
    isPaused = !isPaused;
    missed = 0;
    byId("pause").setAttribute("aria-pressed", String(isPaused));
    show();
  });
  byId("requests").addEventListener("keydown", moveByArrows);
  // Browsers open six connections to one address; tabs that nobody sees must not hold them all.
  document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) connect(last());
  });
  connect(0);
}

const last = () => entries.at(-1)?.number ?? 0;

function connect(since) {
  source?.close();
  source = new EventSource(`/events?since=${since}`);
  source.addEventListener("hello", ({ data }) => {
    const hello = JSON.parse(data);
    // Another start counts its requests anew, and a journal may have been emptied while nobody told.
    const isOfThePast = instance !== hello.instance || clears !== hello.clears;
    ({ instance, clears } = hello);
    if (isOfThePast) {
      forget();
      changed();
      if (hello.since !== 0) {
        connect(0);
        return;
      }
    }
    live("live", t("live.on"));
    reached();
  });
  source.addEventListener("request", ({ data }) => {
    entries.push(JSON.parse(data));
    if (entries.length > KEPT) entries.splice(0, entries.length - KEPT);
    if (isPaused) missed += 1;
    changed();
  });
  source.addEventListener("reset", ({ data }) => {
    ({ clears } = JSON.parse(data));
    forget();
    changed();
  });
  source.addEventListener("error", () => {
    live("lost", t("live.lost"));
    // The browser tries again by itself, but not after a refusal.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => document.hidden || connect(last()), AGAIN_MILLIS);
    }
  });
}

function forget() {
  entries = [];
  missed = 0;
}

function live(state, text) {
  const line = byId("live");
  line.dataset.state = state;
  line.textContent = text;
}

const changed = soon(() => {
  listener();
  if (isPaused) {
    byId("pause").textContent = t("journal.go_on", { count: number(missed) });
    return;
  }
  show();
  const newest = entries.at(-1);
  if (newest && !byId("journal").hidden) {
    byId("news").textContent = `${t("journal.request", { number: newest.number })}: ${newest.operation ?? newest.method} ${outcome(newest)}`;
  }
}, 60);

function outcome(entry) {
  if (entry.fault) return t("journal.spoilt", { fault: entry.fault });
  if (entry.rule) return `${entry.status} ${entry.rule}`;
  return entry.status === null ? t("journal.no_answer") : String(entry.status);
}

/** How many requests are here, and how many of them were refused. */
export function counted() {
  return { kept: entries.length, refused: entries.filter((entry) => entry.rule !== null).length };
}

/** How an entry ended, for its colour. */
export function kindOf(entry) {
  if (entry.fault) return "warn";
  if (entry.status === null || entry.status >= 400) return "bad";
  return "good";
}

function isWanted(entry) {
  if (byId("filter-refused").checked && !entry.rule && !entry.fault) return false;
  const wanted = byId("filter-text").value.trim().toLowerCase();
  return wanted === "" || [entry.operation, entry.method, entry.target, entry.rule, entry.fault, entry.request_id, entry.status]
    .some((text) => String(text ?? "").toLowerCase().includes(wanted));
}

function show() {
  if (!isPaused) byId("pause").textContent = t("journal.pause");
  const wanted = [];
  for (let index = entries.length - 1; index >= 0 && wanted.length < SHOWN; index -= 1) {
    if (isWanted(entries[index])) wanted.push(entries[index]);
  }
  byId("journal-empty").hidden = wanted.length > 0;
  byId("journal-empty").textContent = entries.length === 0 ? t("journal.empty") : t("journal.no_match");
  // Rows that stay are kept, so that the focus stays.
  const rows = new Map([...byId("requests").children].map((row) => [row.dataset.number, row]));
  const focused = document.activeElement;
  fill(byId("requests"), wanted.map((entry) => rows.get(String(entry.number)) ?? row(entry)));
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  mark();
}

function row(entry) {
  const kind = kindOf(entry);
  return el("li", { value: entry.number, data: { number: entry.number, kind } },
    el("a", { href: `#/journal/${entry.number}` },
      el("span", { class: "when" }, time(entry.at)),
      el("span", { class: "status", data: { kind } }, entry.status === null ? t("journal.none") : String(entry.status)),
      el("span", { class: "operation" }, entry.operation ?? t("journal.no_operation")),
      el("span", { class: "number" }, `#${entry.number}`),
      el("span", { class: "target" }, el("b", {}, entry.method), " ", entry.target),
      entry.fault ? el("span", { class: "why", data: { kind } }, t("journal.spoilt", { fault: entry.fault }))
        : entry.rule ? el("span", { class: "why", data: { kind } }, entry.rule) : null));
}

function mark() {
  for (const row of byId("requests").children) {
    const anchor = row.firstElementChild;
    if (row.dataset.number === chosen) anchor.setAttribute("aria-current", "true");
    else anchor.removeAttribute("aria-current");
  }
}

function moveByArrows(event) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const next = step && event.target.closest("li")?.[step];
  if (!next) return;
  event.preventDefault();
  next.firstElementChild.focus();
}

/** Shows the list, and one request explained if its number or id is given. */
export async function showJournal(id) {
  chosen = id;
  byId("journal").dataset.chosen = String(id !== null);
  // A list that is held still stays as it is, whatever is chosen in it.
  if (isPaused) mark();
  else show();
  const detail = byId("request");
  if (id === null) {
    fill(detail, el("p", { class: "empty" }, t("request.choose")));
    return;
  }
  try {
    const explanation = await ask(`/requests/${encodeURIComponent(id)}`);
    if (chosen !== id) return;
    showRequest(detail, explanation);
    byId("news").textContent = detail.querySelector(".verdict").textContent;
  } catch (problem) {
    if (chosen !== id) return;
    const what = { 404: t("request.unknown"), 410: t("request.too_old") }[problem.status];
    if (what === undefined) throw problem;
    fill(detail, el("p", {}, el("a", { class: "back", href: "#/journal" }, t("request.back"))),
      el("p", { class: "empty" }, what, " ", code(id)));
  }
}
