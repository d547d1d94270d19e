// Fault switches: which kinds there are, which are on, switching on and off.

import { byId, code, el, fill, isNews, prose, soon } from "/page/dom.js";
import { operations, titleOf } from "/page/reference.js";
import { ask } from "/page/server.js";
import { both, number, t } from "/page/texts.js";

/** The numbers that belong to each way in which a fault comes. */
const OF_CHOICE = {
  next: ["fault-answers"],
  for: ["fault-for"],
  share: ["fault-share", "fault-seed", "fault-burst"],
};

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
    kinds = new Map(listed.fault_kinds.map((kind) => [kind.name, kind]));
    const group = (label, commits) => {
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...listed.fault_kinds.filter((kind) => kind.commits === commits)
        .map((kind) => el("option", { value: kind.name }, kind.name)));
      return group;
    };
    fill(byId("fault-kind"), group(t("faults.not_stored"), false), group(t("faults.stored"), true));
    fill(byId("fault-operation"), el("option", { value: "" }, t("faults.any")),
      all.map((operation) => el("option", { value: operation.id }, `${operation.id} · ${titleOf(operation)}`)));
    byId("fault-kind").value = kinds.has("system-error") ? "system-error" : listed.fault_kinds[0].name;
    fill(byId("faults-header"), listed.header === null ? null : [t("faults.header"), " ", code(`${listed.header}: system-error`)]);
    showKind();
  }

  function showKind() {
    const kind = kinds.get(byId("fault-kind").value);
    fill(byId("fault-sentence"), prose(both(kind)));
    byId("fault-effect").textContent = kind.commits ? t("faults.stored") : t("faults.not_stored");
    const [parameter] = kind.parameters;
    byId("fault-parameter-row").hidden = parameter === undefined;
    const field = byId("fault-parameter");
    if (parameter === undefined) return;
    fill(byId("fault-parameter-name"), code(parameter.name), t("colon"), prose(both(parameter)));
    field.min = parameter.minimum;
    field.max = parameter.maximum;
    field.value = parameter.example;
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
        el("p", {}, el("b", {}, fault.fault), " ", parametersOf(fault)),
        el("p", { class: "hint" }, prose(both(kinds.get(fault.fault)))),
        el("p", {}, whenOf(fault), " · ", fault.operation ? code(fault.operation) : t("faults.any"))),
      el("button", { type: "button", "aria-label": t("faults.remove_one", { fault: fault.fault }), on: { click: () => remove(fault.id) } },
        t("faults.remove")))));
  }

  function parametersOf(fault) {
    const named = kinds.get(fault.fault)?.parameters ?? [];
    return named.filter(({ name }) => name in fault).map(({ name }) => code(`${name}=${fault[name]}`));
  }

  function whenOf(fault) {
    if (fault.share !== undefined) {
      const share = t("faults.by_share", { share: fault.share, seed: fault.seed });
      return fault.burst > 1 ? `${share}${t("faults.by_burst", { burst: number(fault.burst) })}` : share;
    }
    if (fault.for_seconds !== undefined) return t("faults.by_time", { seconds: number(fault.for_seconds) });
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
  for (const [choice, fields] of Object.entries(OF_CHOICE)) {
    for (const field of fields) {
      byId(field).addEventListener("input", () => {
        document.querySelector(`input[name="when"][value="${choice}"]`).checked = true;
      });
    }
  }
  byId("fault").addEventListener("submit", (event) => {
    event.preventDefault();
    const kind = kinds.get(byId("fault-kind").value);
    const when = document.querySelector('input[name="when"]:checked').value;
    // Only what is sent has to be right: the form as a whole would also want what is hidden or not chosen.
    const fields = kind.parameters.length > 0 ? ["fault-parameter", ...OF_CHOICE[when]] : OF_CHOICE[when];
    if (!fields.every((field) => byId(field).reportValidity())) return;
    const fault = { fault: kind.name };
    for (const { name } of kind.parameters) fault[name] = byId("fault-parameter").valueAsNumber;
    if (byId("fault-operation").value !== "") fault.operation = byId("fault-operation").value;
    if (when === "next") fault.answers = byId("fault-answers").valueAsNumber;
    if (when === "for") fault.for_seconds = byId("fault-for").valueAsNumber;
    if (when === "share") {
      fault.share = `${byId("fault-share").value}%`;
      fault.seed = byId("fault-seed").valueAsNumber;
      fault.burst = byId("fault-burst").valueAsNumber;
    }
    acted(() => ask("/faults", { method: "POST", body: fault }));
  });

  return { refresh, refreshSoon: soon(() => refresh().catch(report), 300) };
}
