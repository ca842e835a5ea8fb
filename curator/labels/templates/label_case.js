"use strict";
// Draws one case. Texts are set as text nodes only, so that no log and no loaded file can add markup.
const CaseView = (({ texts }) => {
  const SHORT_TALK = [4, 1500]; // turns before the question and their characters that are shown unfolded: about half a screen
  const SHORT_TEXT = 700; // of a tool's result, or of the only document
  const PREVIEW = 110;
  const ROLES = { user: "User", assistant: "Assistant", system: "System prompt", tool: "Result of a tool" };
  const CODE = ["code", "sql", "json", "tool_call"];

  const count = (n) => n.toLocaleString("en");
  const plural = (n, noun, many = `${noun}s`) => `${count(n)} ${n === 1 ? noun : many}`;
  const joined = (runs) => runs.map((run) => (Array.isArray(run) ? run[0] : run)).join("");

  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return made;
  }
  function log(className, ...children) {
    const made = element("div", `log ${className}`.trim(), ...children);
    made.dir = "auto";
    return made;
  }
  const looksLikeCode = (text) => /^\s*[[{]/.test(text);
  // Of an answer that shares nothing with the other side only the outline is marked: all of it would be.
  const marked = (runs) => {
    const name = runs.every((run) => Array.isArray(run) || !run.trim()) ? "whole" : "";
    return runs.map((run) => (Array.isArray(run) ? element("mark", name, run[0]) : run));
  };
  function answer(runs, kind) {
    const text = joined(runs);
    if (!text) return element("p", "muted", "(an empty answer)");
    return log(CODE.includes(kind) || looksLikeCode(text) ? "mono" : "", ...marked(runs));
  }
  function whole(place) {
    const [text, omitted] = texts[place];
    return log(looksLikeCode(text) ? "mono" : "", text || "(empty)",
      omitted ? element("span", "muted", ` \u2026 ${count(omitted)} more characters, in label_queue.jsonl`) : null);
  }
  const lengthOf = (turn) => (turn.text === undefined ? 0 : texts[turn.text][0].length);
  function folded(title, open, ...children) {
    const made = element("details", "", element("summary", "", ...[title].flat()), ...children);
    made.open = open;
    return made;
  }

  function turn(made) {
    const role = made.role === "tool" && made.tool ? `Result of ${made.tool}` : ROLES[made.role];
    const calls = (made.calls ?? []).map((call) =>
      element("div", "call", element("p", "cap", "Calls ", element("code", "", call.name)), whole(call.arguments)));
    const text = made.text === undefined ? null : whole(made.text);
    if (made.role === "tool" && lengthOf(made) > SHORT_TEXT) {
      return element("div", "turn tool", folded([`${role} `, element("span", "muted", plural(lengthOf(made), "character"))], false, text));
    }
    return element("div", `turn ${made.role}`, element("p", "cap", role), text, ...calls);
  }
  function earlier(turns) {
    if (!turns.length) return [];
    const long = turns.length > SHORT_TALK[0] || turns.reduce((sum, made) => sum + lengthOf(made), 0) > SHORT_TALK[1];
    const hidden = long ? turns.slice(0, -2) : [];
    const shown = turns.slice(hidden.length);
    return [hidden.length ? folded(plural(hidden.length, "earlier turn"), false, ...hidden.map(turn)) : null, ...shown.map(turn)];
  }
  function asked(made) {
    const system = made.turns.filter((part) => part.role === "system" && part.text !== undefined);
    const turns = made.turns.filter((part) => part.role !== "system");
    const last = turns.findLastIndex((part) => part.role === "user");
    const question = last < 0 ? null
      : element("section", "question", element("h3", "cap", "Question"), turns[last].text === undefined ? null : whole(turns[last].text));
    return [
      system.length ? folded("System prompt", false, ...system.map((part) => whole(part.text))) : null,
      ...earlier(turns.slice(0, Math.max(last, 0))), question, ...turns.slice(last + 1).map(turn),
    ];
  }
  function score(value) {
    return value === undefined ? null : element("span", "score num", `score ${Number(value.toPrecision(3))}`);
  }
  function paper(made, n, alone) {
    const [text] = texts[made.text];
    const short = alone && text.length < SHORT_TEXT;
    const about = (made.about ?? []).map((fact) => element("span", "", fact));
    const title = [element("span", "n num", `${n}`), made.id ? element("b", "", made.id) : null, score(made.score),
      element("span", "muted preview", text.slice(0, PREVIEW))].filter(Boolean);
    return folded(title, short, about.length ? element("p", "about small muted", ...about) : null, whole(made.text));
  }
  function papers(documents) {
    if (!documents) return null;
    return element("section", "papers", element("h3", "cap", plural(documents.length, "retrieved document")),
      ...documents.map((made, n) => paper(made, n + 1, documents.length === 1)));
  }

  function option(made, n, kind, chosen, votes) {
    const key = element("button", "key", n < 9 ? `${n + 1}` : "\u2713");
    key.type = "button";
    key.dataset.option = n;
    key.title = n < 9 ? `This is the right answer (${n + 1})` : "This is the right answer";
    const text = answer(made.runs, kind);
    text.id = `option-${n}`;
    key.setAttribute("aria-label", `Right answer ${n + 1}`);
    key.setAttribute("aria-describedby", text.id);
    key.setAttribute("aria-pressed", String(chosen));
    const said = votes && made.count !== undefined
      ? element("p", "votes small muted num", `given ${made.count} of ${plural(votes, "time")}`, made.same ? ", the same as production\u2019s" : "")
      : null;
    return element("li", chosen ? "chosen" : "", key, element("div", "", text, said));
  }
  const options = (made) => [...(made.answers ?? []), ...(made.labels ?? [])];
  function others(made, row) {
    const shown = options(made);
    if (!shown.length) return null;
    const votes = Store.judged(row) ? (made.answers ?? []).reduce((sum, given) => sum + given.count, 0) : 0;
    const item = (given, n) => option(given, n, made.kind, row?.label === given.label, votes);
    const answers = (made.answers ?? []).map((given, n) => item(given, n));
    const labels = (made.labels ?? []).map((given, n) => item(given, n + answers.length));
    return element("section", "others",
      answers.length ? element("h3", "cap", "Other answers ", element("span", "hint", "a number says: this one is right")) : null,
      answers.length ? element("ol", "options", ...answers) : null,
      labels.length ? element("h3", "cap", answers.length ? "Other labels" : "Labels") : null,
      labels.length ? element("ol", "options short", ...labels) : null);
  }
  function production(made) {
    const title = element("h3", "cap", "Production\u2019s answer");
    if (made.target) return element("section", "production", title, answer(made.target, made.kind));
    return element("section", "production none", title,
      element("p", "", "The log has no answer of production to this case."),
      element("p", "small", "There is nothing to pass or fail: choose or type the right answer, or mark the case as unsure."));
  }
  function verdict(made, given) {
    const row = given ?? (made.marked ? { verdict: made.marked, note: made.note } : null);
    if (!row) return null;
    const words = { pass: "Pass", fail: "Fail", unsure: "Unsure" };
    const facts = [
      row.category && ["Category", row.category],
      row.label && !options(made).some((given) => given.label === row.label) && ["Right answer", row.label],
      row.note && ["Note", row.note],
    ].filter(Boolean);
    const badge = Store.judged(row) ? element("span", `badge ${row.verdict || "label"}`,
      given ? words[row.verdict] ?? "Right answer given" : "Left as unsure before") : null;
    return element("section", "judged", badge,
      ...facts.map(([name, text]) => element("div", "", element("span", "cap", name), log("", text))));
  }

  // The whole case; `row` is the person's label of it, if any. Counts and category come only after the verdict.
  function draw(made, row, title) {
    const heading = element("h2", "title", title, made.task ? element("span", "muted", made.task) : null);
    heading.id = "title";
    const seen = row && { ...row, category: row.corrected_category || (Store.judged(row) ? made.category : "") };
    return element("article", "sheet", heading,
      element("div", "asked", ...asked(made), papers(made.documents)),
      element("div", "answered", verdict(made, seen), production(made), others(made, row)));
  }
  return { draw, element, options, plural, joined, count };
})(Store.page);
