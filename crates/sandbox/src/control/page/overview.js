// The overview: who is there, what is left of the quota, what time it is.

import { byId, code, el, fill, isNews, soon, table } from "/page/dom.js";
import { counted } from "/page/journal.js";
import { ask } from "/page/server.js";
import { number, t } from "/page/texts.js";

const MEMBERS_SHOWN = 50;
const EVERY_MILLIS = 5000;
const GAUGE_MILLIS = 1000;

let report = () => {};

export function startOverview(reportTo, refreshFaults) {
  report = reportTo;
  byId("clock").addEventListener("submit", async (event) => {
    event.preventDefault();
    const seconds = byId("clock-seconds").valueAsNumber;
    await acted(() => ask("/clock", { method: "PUT", body: { shift_seconds: seconds } }));
  });
  byId("reset").addEventListener("click", async () => {
    if (!confirm(t("reset.sure"))) return;
    await acted(() => ask("/reset", { method: "POST" }));
    refreshFaults();
  });
  setInterval(() => isShown() && showOverview().catch(report), EVERY_MILLIS);
  setInterval(() => isShown() && hasEmptier && showQuota().catch(report), GAUGE_MILLIS);
}

async function acted(act) {
  try {
    await act();
    report(null);
    await showOverview();
  } catch (problem) {
    report(problem);
  }
}

const isShown = () => !byId("overview").hidden && !document.hidden;

/** Shows what has changed, a little later. */
export const refreshOverview = soon(() => isShown() && showOverview().catch(report), 300);

export async function showOverview() {
  const [state, health, { faults }, members] = await Promise.all([
    ask("/state"), ask("/health"), ask("/faults"), ask(`/members?limit=${MEMBERS_SHOWN}`),
    showQuota(),
  ]);
  showFigures(state, health, faults);
  showClock(state.clock);
  if (isNews("members", members)) showMembers(members);
  const { clock, members: ofMembers, ...rest } = state;
  if (isNews("state", rest)) showState(state);
}

function showState(state) {
  showTemplates(state);
  table(byId("merchants"), [t("merchants.mchid"), t("merchants.brands"), t("merchants.serials")],
    state.merchants.map((merchant) => [
      code(merchant.mchid), list(merchant.brand_ids), list(merchant.serials),
    ]));
  const usable = state.platform.usable_key_ids;
  fill(byId("keys"), usable.map((id) => el("li", {}, code(id), " ",
    el("span", { class: "tag", data: { kind: "plain" } }, id.startsWith("PUB_KEY_ID_") ? t("keys.public") : t("keys.certificate")))));
}

const list = (ids) => el("ul", { class: "plain" }, ids.map((id) => el("li", {}, code(id))));

function showFigures(state, health, faults) {
  const { kept, refused } = counted();
  const figures = [
    [t("figures.members"), health.members],
    [t("figures.templates"), state.templates.length],
    [t("figures.requests"), health.requests],
    [t("figures.refused", { count: number(kept) }), refused],
    [t("figures.faults"), faults.length],
  ];
  fill(byId("figures"), figures.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, number(value)))));
}

function showMembers({ members, total }) {
  byId("members-hint").textContent = total === 0 ? t("members.none")
    : total > members.length ? t("members.some", { shown: number(members.length), total: number(total) })
      : t("members.masked");
  byId("members").hidden = total === 0;
  table(byId("members"),
    [t("members.code"), t("members.state"), t("members.phone"), t("members.level"), t("members.card"), t("members.repeats")],
    members.map((member) => [
      code(member.user_card_code), stateTag(member.user_card_state), member.phone_number ?? "–", member.level ?? "–",
      code(member.card_id), number(member.repeats),
    ]));
}

function showTemplates(state) {
  byId("templates").hidden = state.templates.length === 0;
  table(byId("templates"), [t("templates.card"), t("templates.brand"), t("templates.state"), t("templates.type")],
    state.templates.map((template) => [
      code(template.card_id), code(template.brand_id), stateTag(template.state), template.card_type ?? "–",
    ]));
}

function stateTag(state) {
  const kind = { CARD_EFFECTIVE: "good", EFFECTIVE: "good", INVALID: "bad", EXPIRED: "bad" }[state] ?? "plain";
  return el("span", { class: "tag", data: { kind } }, state);
}

function showClock(clock) {
  byId("clock-time").textContent = clock.time.replace("T", " ").replace("+", " +");
  const shift = byId("clock-shift");
  shift.textContent = clock.shift_seconds === 0 ? t("clock.true") : t("clock.shifted", { seconds: number(clock.shift_seconds) });
  shift.dataset.kind = clock.shift_seconds === 0 ? "plain" : "warn";
}

/** Whether some bucket fills up by itself. */
let hasEmptier = false;

async function showQuota() {
  const { quota, buckets } = await ask("/quota");
  if (!isNews("quota", { quota, buckets })) return;
  const hint = quota === null ? t("quota.none")
    : t("quota.rate", { rate: number(quota.per_second), burst: number(quota.capacity) });
  byId("quota-hint").textContent = buckets.length === 0 && quota !== null ? `${hint} ${t("quota.unused")}` : hint;
  hasEmptier = buckets.some((bucket) => bucket.left < bucket.capacity);
  fill(byId("quota"), buckets.map((bucket) => el("li", { data: { empty: bucket.left < 1 } },
    el("span", { class: "what" }, code(bucket.operation), " ", el("span", { class: "hint" }, bucket.mchid)),
    el("span", { class: "left" }, t("quota.left", { left: number(Math.floor(bucket.left)), burst: number(bucket.capacity) })),
    el("meter", {
      min: 0, max: bucket.capacity, value: bucket.left,
      "aria-label": t("quota.gauge", { operation: bucket.operation, mchid: bucket.mchid }),
    }),
    el("span", { class: "hint" }, t("quota.so_far", { taken: number(bucket.taken), limited: number(bucket.limited) })))));
}
