"use strict";
// The labels of this browser: one entry of localStorage for each person and case, so that two tabs never undo each other.
const Store = ((page) => {
  const COMMON = "curator.label.";
  const PREFIX = `${COMMON}${page.queue}.`;
  const VERDICTS = ["", "pass", "fail", "unsure"];
  const cases = new Map(page.cases.map((made) => [made.case_id, made]));
  const kept = new Map();
  const rows = new Map();
  let lasting = true;

  function write(key, value) {
    kept.set(key, value);
    if (!written(key, value) && !(makeRoom() && written(key, value))) lasting = false;
  }
  function written(key, value) {
    try {
      localStorage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  }
  // Of a full store: forget what other queues hold and a file has already.
  function makeRoom() {
    const settledQueues = entries(COMMON).filter(([key, stored]) =>
      key.endsWith(".meta") && !key.startsWith(PREFIX) && parsed(stored)?.changes === 0);
    for (const [key] of settledQueues) {
      for (const [old] of entries(key.slice(0, -"meta".length))) erase(old);
    }
    return settledQueues.length > 0;
  }
  function erase(key) {
    kept.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      lasting = false;
    }
  }
  function read(key) {
    try {
      return localStorage.getItem(key) ?? kept.get(key) ?? null;
    } catch {
      lasting = false;
      return kept.get(key) ?? null;
    }
  }
  function entries(prefix) {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(prefix)).map((key) => [key, localStorage.getItem(key)]);
    } catch {
      lasting = false;
      return [];
    }
  }
  const parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  };

  const place = (person, id) => `${encodeURIComponent(person)}.${encodeURIComponent(id)}`;
  const same = (a, b) => a.localeCompare(b, undefined, { sensitivity: "accent" }) === 0;
  const spaced = (name) => name.trim().replace(/\s+/g, " ");
  const folder = decodeURIComponent(location.pathname).replace(/[^/\\]*$/, "");
  const metaOf = (prefix) => parsed(read(`${prefix}meta`)) ?? { changes: 0 };
  function meta(change) {
    const now = { ...metaOf(PREFIX), folder, ...change };
    if (change) write(`${PREFIX}meta`, JSON.stringify(now));
    return now;
  }
  const changed = (by = 1) => meta({ changes: meta().changes + by });

  // A row of the file. What the queue says of a case is always taken from the page.
  function row(made, person, given) {
    return {
      case_id: made.case_id, content_hash: made.content_hash, slice: made.slice,
      inclusion_probability: made.inclusion_probability, kind: made.kind ?? null,
      verdict: "", label: "", corrected_category: "", note: "", ...given, labelled_by: person,
    };
  }
  const judged = (made) => Boolean(made && (made.verdict || made.label));
  const empty = (made) => !judged(made) && !made.corrected_category && !made.note;
  const alike = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const text = (value) => (typeof value === "string" ? value.toWellFormed?.() ?? value : "");

  // The row of any object, be it stored or loaded; null if it is none of this queue.
  function rowOf(value) {
    const made = value && cases.get(value.case_id);
    const person = spaced(text(value?.labelled_by));
    if (!made || !person || value.content_hash !== made.content_hash || !VERDICTS.includes(value.verdict ?? "")) return null;
    const seconds = Number.isFinite(value.seconds) && value.seconds >= 0 ? value.seconds : 0;
    const at = new Date(value.labelled_at);
    return row(made, person, {
      verdict: value.verdict ?? "", label: text(value.label), corrected_category: text(value.corrected_category), note: text(value.note),
      seconds, labelled_at: (Number.isNaN(at.getTime()) ? new Date(0) : at).toISOString(),
    });
  }
  function put(value) {
    const key = place(value.labelled_by, value.case_id);
    if (empty(value)) {
      rows.delete(key);
      erase(`${PREFIX}row.${key}`);
    } else {
      rows.set(key, value);
      write(`${PREFIX}row.${key}`, JSON.stringify(value));
    }
  }
  // Take over what other tabs wrote; without a store that keeps everything, what is here stays.
  function remember() {
    const stored = entries(`${PREFIX}row.`);
    if (lasting) rows.clear();
    for (const [, line] of stored) {
      const value = rowOf(parsed(line));
      if (value) rows.set(place(value.labelled_by, value.case_id), value);
    }
  }
  const all = () => {
    const order = new Map(page.cases.map((made, n) => [made.case_id, n]));
    return [...rows.values()].sort((a, b) => order.get(a.case_id) - order.get(b.case_id) || (a.labelled_by < b.labelled_by ? -1 : 1));
  };
  const people = () => [...new Set([...page.cases.flatMap((made) => made.people ?? []), ...all().map((made) => made.labelled_by)])];
  const spelt = (name) => people().find((other) => same(other, spaced(name))) ?? spaced(name);

  // Of two labels of one person for one case the later one counts; a note alone never replaces a verdict.
  function better(a, b) {
    const wins = judged(a) === judged(b) ? a.labelled_at > b.labelled_at : judged(a);
    const [winner, other] = wins ? [a, b] : [b, a];
    return judged(other) ? winner
      : { ...winner, note: winner.note || other.note, corrected_category: winner.corrected_category || other.corrected_category };
  }
  function load(content) {
    const count = { new: 0, newer: 0, older: 0, same: 0, foreign: 0, unread: 0 };
    for (const line of content.replace(/^\ufeff/, "").split("\n").filter((part) => part.trim())) {
      const value = parsed(line);
      const loaded = rowOf(value);
      if (!loaded) {
        count[value?.case_id && !cases.has(value.case_id) ? "foreign" : "unread"] += 1;
        continue;
      }
      loaded.labelled_by = spelt(loaded.labelled_by);
      const here = rows.get(place(loaded.labelled_by, loaded.case_id));
      const merged = here ? better(loaded, here) : loaded;
      const kind = !here ? "new" : alike(here, loaded) ? "same" : alike(merged, here) ? "older" : "newer";
      count[kind] += 1;
      if (kind === "new" || kind === "newer") put(merged);
    }
    if (count.new + count.newer) changed(count.new + count.newer);
    return count;
  }

  // Labels of an earlier queue of this folder that no file holds yet: [its hash, its rows as lines].
  function earlier() {
    const others = entries(COMMON).filter(([key]) => key.endsWith(".meta") && !key.startsWith(PREFIX));
    return others.flatMap(([key, stored]) => {
      const about = parsed(stored);
      if (!about || about.folder !== folder || !about.changes) return [];
      const prefix = key.slice(0, -"meta".length);
      const lines = entries(`${prefix}row.`).map(([, line]) => line);
      return lines.length ? [{ prefix, hash: prefix.slice(COMMON.length, -1), lines }] : [];
    });
  }
  function settled(prefix) {
    write(`${prefix}meta`, JSON.stringify({ ...metaOf(prefix), changes: 0 }));
  }

  remember();
  meta({});
  return {
    page, cases, meta, changed, row, judged, put, remember, all, people, spelt, load, earlier, settled, folder, prefix: PREFIX,
    of: (person, id) => rows.get(place(person, id)),
    lasting: () => lasting,
    name: () => meta().person ?? read(`${COMMON}person`) ?? "",
    setName: (name) => { meta({ person: name }); write(`${COMMON}person`, name); },
    draft: (person, id) => read(`${PREFIX}draft.${place(person, id)}`) ?? "",
    setDraft: (person, id, value) => (value ? write : erase)(`${PREFIX}draft.${place(person, id)}`, value),
    saved: () => meta({ changes: 0 }),
    lines: () => all().map((made) => JSON.stringify(made)),
  };
})(JSON.parse(document.getElementById("queue").textContent));
