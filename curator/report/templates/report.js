"use strict";
// Fills the case lists of the page and filters them. Texts are set as text nodes only, so that no log can add markup.
(() => {
  const carried = JSON.parse(document.getElementById("cases").textContent);
  const form = document.getElementById("filter");
  const status = document.getElementById("hits");
  const lists = [...document.querySelectorAll("details.all")];
  const FIRST = 100;
  let matches = () => true;
  let filtered = false;

  const casesOf = new Map();
  for (const row of carried.cases) {
    for (const id of row.in) {
      if (!casesOf.has(id)) casesOf.set(id, []);
      casesOf.get(id).push(row);
    }
  }
  const carriedIn = (id) => casesOf.get(id) ?? [];
  const count = (n) => n.toLocaleString("en");
  const plural = (n, noun, many = `${noun}s`) => `${count(n)} ${n === 1 ? noun : many}`;
  const words = (name) => name.replaceAll("-", " ");

  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  const cut = ([text, omitted]) => [
    text || "(empty)",
    omitted ? element("span", "more", ` \u2026 ${count(omitted)} more characters`) : null,
  ];
  function log(tag, className, ...children) {
    const made = element(tag, className, ...children);
    made.dir = "auto";
    return made;
  }
  const marked = (runs) => runs.map((run) => (Array.isArray(run) ? element("mark", "", run[0]) : run));

  function folded(title, ...children) {
    return element("details", "", element("summary", "", title), ...children);
  }
  function link(file, place, text) {
    const made = element("a", "", text);
    made.href = `${file}#${place}`;
    return element("span", "", made);
  }
  function meta(row) {
    const facts = [
      row.task && `task ${row.task}`, row.score !== undefined && `disagreement ${row.score.toFixed(2)}`,
      row.diagnosis && words(row.diagnosis), row.weight > 1 && `represents ${plural(row.weight, "record")}`,
      row.thumb && `thumb ${row.thumb}`, row.source,
      ...Object.entries(row.metadata ?? {}).map(([key, value]) => `${key}: ${value}`),
    ];
    return element("div", "meta num", element("span", "", element("code", "", row.id)),
      ...facts.filter(Boolean).map((fact) => element("span", "", fact)),
      row.queue ? link(carried.queue, `row=${row.queue}`, `${carried.queue} row ${row.queue}`) : null,
      row.eval ? link(carried.evals, `line=${row.eval - 1},${row.eval}`, `${carried.evals} line ${row.eval}`) : null);
  }
  function asked(row) {
    const turns = (row.earlier ?? []).map(([role, ...text]) =>
      element("div", "turn", element("p", "cap", role), log("pre", "", ...cut(text))));
    return element("div", "asked",
      row.system === undefined ? null : folded("System prompt", log("pre", "", ...cut(carried.systems[row.system]))),
      turns.length ? folded(plural(turns.length, "other turn"), ...turns) : null,
      element("p", "cap", "Input"), log("pre", "", ...cut(row.input ?? [""])));
  }
  function side(className, title, ...children) {
    return element("div", className, element("p", "cap", title), log("div", "log", ...children));
  }
  function answer(made, votes) {
    return element("li", "", element("div", "votes num", `${made.count} of ${votes}`),
      element("div", "", log("div", "log", ...cut(made.text)),
        made.target ? element("span", "badge", "production\u2019s answer") : null,
        made.readable ? null : element("span", "badge unread", "no answer could be read"),
        element("span", "by", ` ${made.by.join(", ")}`)));
  }
  function said(row) {
    const answers = row.answers ?? [];
    const votes = answers.reduce((sum, made) => sum + made.count, row.more ?? 0);
    const list = element("ul", "answers", ...answers.map((made) => answer(made, votes)),
      row.more ? element("li", "", element("div", "votes num", `${row.more} of ${votes}`), "other answers") : null);
    const faces = row.basis ? element("div", "faces",
      side("given", carried.sides[row.basis][0], ...marked(row.given ?? [])),
      side("expected", carried.sides[row.basis][1], ...marked(row.expected ?? []))) : null;
    const alone = !faces && row.target ? side("given", "production", ...cut(row.target)) : null;
    const trusted = row.reference && row.basis !== "label"
      ? side("expected", `trusted: ${row.reference[0]}`, ...cut(row.reference.slice(1))) : null;
    return element("div", "said", faces ?? alone, trusted,
      answers.length ? folded(`All ${plural(votes, "answer")} of the committee`, list) : null);
  }
  const shown = (row) => element("article", "case", meta(row), asked(row), said(row));

  function fill(list) {
    const rows = carriedIn(list.dataset.category).filter(matches);
    const place = list.querySelector(".cases");
    place.replaceChildren(...rows.slice(0, FIRST).map(shown));
    if (rows.length <= FIRST) return;
    const more = element("button", "", `Show the other ${plural(rows.length - FIRST, "case")}`);
    more.type = "button";
    more.addEventListener("click", () => {
      const rest = rows.slice(FIRST).map(shown);
      more.replaceWith(...rest);
      rest[0].tabIndex = -1;
      rest[0].focus();
    });
    place.append(more);
  }
  function title(list) {
    const own = carriedIn(list.dataset.category);
    const all = Number(list.dataset.count);
    const here = own.length < all
      ? `${count(own.length)} of ${plural(all, "case")} (the others are in categories.jsonl)`
      : `All ${plural(all, "case")}`;
    const hits = own.filter(matches).length;
    return filtered ? `${plural(hits, "case")} of ${count(own.length)} that match, answers side by side`
      : `${here}, answers side by side`;
  }
  function refresh() {
    for (const list of lists) {
      list.querySelector("summary").textContent = title(list);
      const card = list.closest(".part, .category");
      card.hidden = filtered && !carriedIn(list.dataset.category).some(matches);
      if (list.open) fill(list);
    }
    const hits = carried.cases.filter(matches).length;
    const cards = [...document.querySelectorAll(".category:not(.rest)")];
    const open = cards.filter((card) => !card.hidden).length;
    status.textContent = filtered
      ? `${plural(hits, "case")} of ${count(carried.cases.length)} match, in ${open} of ${plural(cards.length, "category", "categories")}.`
      : `${plural(hits, "case")}, not filtered.`;
  }

  function options(select, values, name = (value) => value) {
    const first = select.options[0];
    select.replaceChildren(first, ...[...new Set(values)].sort().map((value) => new Option(name(value), value)));
  }
  const field = (name) => form.elements.namedItem(name);
  const values = (key) => carried.cases.map((row) => row.metadata?.[key]).filter((value) => value !== undefined);
  const texts = new WeakMap();
  function textOf(row) {
    if (!texts.has(row)) {
      const parts = [row.id, row.source, row.input, row.target, row.reference, row.given, row.expected, row.earlier,
        (row.answers ?? []).map((made) => made.text), Object.values(row.metadata ?? {})];
      texts.set(row, parts.flat(3).join("\n").toLowerCase());
    }
    return texts.get(row);
  }
  function apply() {
    const [task, diagnosis, key, value] = ["task", "diagnosis", "key", "value"].map((name) => field(name).value);
    const text = field("text").value.trim().toLowerCase();
    filtered = Boolean(task || diagnosis || key || text);
    matches = (row) =>
      (!task || row.task === task) && (!diagnosis || row.diagnosis === diagnosis) &&
      (!key || (value ? row.metadata?.[key] === value : row.metadata?.[key] !== undefined)) &&
      (!text || textOf(row).includes(text));
    refresh();
  }
  function chooseKey() {
    options(field("value"), field("key").value ? values(field("key").value) : []);
    field("value").value = "";
    field("value").disabled = !field("key").value;
    field("key").disabled = field("key").options.length < 2;
  }

  options(field("task"), carried.cases.map((row) => row.task).filter(Boolean));
  options(field("diagnosis"), carried.cases.map((row) => row.diagnosis).filter(Boolean), words);
  options(field("key"), carried.cases.flatMap((row) => Object.keys(row.metadata ?? {})));
  chooseKey();
  let waiting = 0;
  form.addEventListener("input", (event) => {
    if (event.target === field("key")) chooseKey();
    clearTimeout(waiting);
    waiting = setTimeout(apply, event.target === field("text") ? 150 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { chooseKey(); apply(); }, 0));
  for (const list of lists) {
    list.hidden = false;
    list.addEventListener("toggle", () => { if (list.open) fill(list); });
  }
  form.hidden = false;
  refresh();
})();
