// Builds elements. Everything that is shown goes in as text or as an attribute from the list below, so that nothing
// that came in a request can become markup, a script or an address.

const ATTRIBUTES = new Set([
  "aria-current", "aria-hidden", "aria-label", "aria-pressed", "class", "colspan", "for", "href", "id", "lang", "max", "min", "open",
  "rel", "role", "scope", "tabindex", "target", "title", "type", "value",
]);

/** An element with attributes and children; a child is an element, a text, or nothing. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "data") {
      Object.assign(element.dataset, value);
    } else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (ATTRIBUTES.has(name)) {
      element.setAttribute(name, value === true ? "" : String(value));
    } else {
      throw new TypeError(`no attribute ${name} is set here`);
    }
  }
  element.append(...children.flat(Infinity).filter(isThere));
  return element;
}

const isThere = (child) => child !== null && child !== undefined && child !== false;

/** Puts children in the place of what is there. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter(isThere));
}

export function byId(id) {
  return document.getElementById(id);
}

/** A link to a page elsewhere, if it is one. */
export function link(url, text) {
  if (!String(url).startsWith("https://")) return el("span", {}, text);
  return el("a", { href: url, rel: "noreferrer", target: "_blank" }, text);
}

export function code(text) {
  return el("code", {}, text);
}

/** A sentence whose words between backticks are code. */
export function prose(text) {
  return String(text ?? "").split("`").map((part, index) => (index % 2 === 1 ? code(part) : part));
}

/** A table whose cells know their column, so that a narrow screen can show rows as blocks. */
export function table(parent, columns, rows) {
  const head = el("tr", {}, columns.map((column) => el("th", { scope: "col" }, column)));
  const body = rows.map((cells) =>
    el("tr", {}, cells.map((cell, index) => el("td", { data: { label: columns[index] } }, cell))));
  fill(parent, el("thead", {}, head), el("tbody", {}, body));
}

const shownBefore = new Map();

/** Whether something is not what was shown before. What stays is left alone: focus and selection are in it. */
export function isNews(name, value) {
  const text = JSON.stringify(value);
  if (shownBefore.get(name) === text) return false;
  shownBefore.set(name, text);
  return true;
}

/** Runs a function once after many calls. */
export function soon(run, millis) {
  let timer = null;
  return () => {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      run();
    }, millis);
  };
}
