// Starts the page: shows the view that the address names, and keeps the parts informed.

import { byId } from "/page/dom.js";
import { lang, t } from "/page/texts.js";
import { startFaults } from "/page/faults.js";
import { onRequests, showJournal, startJournal } from "/page/journal.js";
import { refreshOverview, showOverview, startOverview } from "/page/overview.js";
import { showReference } from "/page/reference.js";
import { showRules } from "/page/rules.js";

const FAULTS_MILLIS = 5000;

const TITLES = {
  overview: t("overview.title"),
  journal: t("journal.title"),
  faults: t("faults.title"),
  api: t("api.title"),
  rules: t("rules.title"),
};

/** Whether what is said is that the sandbox does not answer. */
let isGone = false;

/** Says what went wrong, until the next thing goes right. */
export function report(problem) {
  isGone = problem?.status === 0;
  const line = byId("problem");
  line.hidden = !problem;
  line.textContent = problem ? (problem.sentence ?? (problem.status === 0 ? t("problem.gone") : String(problem))) : "";
}

const faults = startFaults(report);
const refreshFaults = () => faults.refresh();

async function route(isFirst) {
  const [, name, ...rest] = location.hash.split("/");
  const view = name in TITLES ? name : "overview";
  const argument = rest.length > 0 ? decoded(rest.join("/")) : null;
  for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== view;
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.dataset.view === view) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  document.title = `${TITLES[view]} – ${t("title")}`;
  report(null);
  if (!isFirst && argument === null) byId(view).querySelector("h1").focus({ preventScroll: false });
  try {
    if (view === "overview") await showOverview();
    if (view === "journal") await showJournal(argument);
    if (view === "faults") await refreshFaults();
    if (view === "api") await showReference(argument);
    if (view === "rules") await showRules(argument);
  } catch (problem) {
    report(problem);
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Its target is no view.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});

// The place stays when the language changes.
byId("language").addEventListener("click", (event) => {
  event.preventDefault();
  location.assign(`/?lang=${lang === "zh" ? "en" : "zh"}${location.hash}`);
});

/** It answers again, so that it is not said any more that it does not. */
function reached() {
  if (isGone) report(null);
}

startOverview(report, refreshFaults);
startJournal(reached);
onRequests(() => {
  refreshOverview();
  faults.refreshSoon();
});
// A fault ends with its time, and whoever calls the control address changes others.
setInterval(() => document.hidden || refreshFaults().then(reached, report), FAULTS_MILLIS);
addEventListener("hashchange", () => route(false));
await route(true);
await refreshFaults().catch(report);
document.body.dataset.ready = "true";
