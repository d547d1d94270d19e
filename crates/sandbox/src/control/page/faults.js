// Fault switches: which kinds there are, which are on, switching on and off.

import { byId, code, el, fill, isNews, soon } from "/page/dom.js";
import { operations, titleOf } from "/page/reference.js";
import { ask } from "/page/server.js";
import { both, number, t } from "/page/texts.js";

export function startFaults(report) {
  let kinds = null;

  async function refresh() {
    await showForm();
    const { faults } = await ask("/faults");
    showList(faults);
  }

  async function showForm() {
    if (kinds !== null) return;
    const [listed, all] = await Promise.all([ask("/fault-kinds"), operations()]);
    kinds = new Map(listed.kinds.map((kind) => [kind.fault, kind]));
    const group = (label, commits) => {
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...listed.kinds.filter((kind) => kind.commits === commits)
        .map((kind) => el("option", { value: kind.fault }, kind.fault)));
      return group;
    };
    fill(byId("fault-kind"), group(t("faults.not_stored"), false), group(t("faults.stored"), true));
    fill(byId("fault-operation"), el("option", { value: "" }, t("faults.any")),
      all.map((operation) => el("option", { value: operation.id }, `${operation.id} · ${titleOf(operation)}`)));
    byId("fault-kind").value = kinds.has("system-error") ? "system-error" : listed.kinds[0].fault;
    showKind();
  }

  function showKind() {
    const kind = kinds.get(byId("fault-kind").value);
    byId("fault-sentence").textContent = `${both(kind)}${kind.commits ? t("faults.stores") : t("faults.stores_not")}`;
    byId("fault-seconds-row").hidden = !kind.takes_seconds;
  }

  function showList(faults) {
    if (!isNews("faults", faults)) return;
    byId("faults-empty").hidden = faults.length > 0;
    byId("faults-clear").hidden = faults.length === 0;
    const count = byId("faults-count");
    count.hidden = faults.length === 0;
    count.textContent = number(faults.length);
    fill(byId("faults-list"), faults.map((fault) => el("li", { data: { id: fault.id } },
      el("div", {},
        el("p", {}, el("b", {}, fault.fault), " ", fault.seconds === undefined ? null : t("faults.by_seconds", { seconds: number(fault.seconds) })),
        el("p", { class: "hint" }, both(kinds.get(fault.fault))),
        el("p", {}, whenOf(fault), " · ", fault.operation ? code(fault.operation) : t("faults.any"))),
      el("button", { type: "button", "aria-label": t("faults.remove_one", { fault: fault.fault }), on: { click: () => remove(fault.id) } },
        t("faults.remove")))));
  }

  function whenOf(fault) {
    if (fault.share !== undefined) return t("faults.by_share", { share: fault.share, seed: fault.seed });
    return t("faults.by_answers", { answers: number(fault.answers) });
  }

  async function acted(act) {
    try {
      await act();
      report(null);
    } catch (problem) {
      // One that is used up meanwhile is gone, as was wanted.
      if (problem.status !== 404) report(problem);
    }
    await refresh().catch(report);
  }

  const remove = (id) => acted(() => ask(`/faults/${id}`, { method: "DELETE" }));

  byId("fault-kind").addEventListener("change", showKind);
  byId("faults-clear").addEventListener("click", () => acted(() => ask("/faults", { method: "DELETE" })));
  // Who fills in a number means the choice beside it.
  for (const [field, choice] of [["fault-answers", "next"], ["fault-share", "share"], ["fault-seed", "share"]]) {
    byId(field).addEventListener("input", () => {
      document.querySelector(`input[name="when"][value="${choice}"]`).checked = true;
    });
  }
  byId("fault").addEventListener("submit", (event) => {
    event.preventDefault();
    const kind = kinds.get(byId("fault-kind").value);
    const fault = { fault: kind.fault };
    if (kind.takes_seconds) fault.seconds = byId("fault-seconds").valueAsNumber;
    if (byId("fault-operation").value !== "") fault.operation = byId("fault-operation").value;
    if (document.querySelector('input[name="when"]:checked').value === "share") {
      fault.share = `${byId("fault-share").value}%`;
      fault.seed = byId("fault-seed").valueAsNumber;
    } else {
      fault.answers = byId("fault-answers").valueAsNumber;
    }
    acted(() => ask("/faults", { method: "POST", body: fault }));
  });

  return { refresh, refreshSoon: soon(() => refresh().catch(report), 300) };
}
