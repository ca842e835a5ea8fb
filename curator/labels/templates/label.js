"use strict";
// Leads a person through the cases: keys and buttons, filters, time, undo, saving and loading.
(() => {
  const { page } = Store;
  const { element, plural, options, joined } = CaseView;
  const IDLE_MS = 120000; // without a key or a movement for longer nothing is counted: 400 words are read by then
  const at = (id) => document.getElementById(id);
  const main = at("case");
  const editor = at("editor");
  const here = location.protocol === "file:" ? Store.folder.replace(/^\/(?=[A-Za-z]:)/, "") : "the folder of this page";
  const history = [];
  const pending = new Map(); // ms spent on cases that are not judged yet
  let person = "";
  let now = null;
  let spent = 0;
  let last = Date.now();

  // The cases: those of this person, of the batch, and of the filter.
  const rowOf = (made) => Store.of(person, made.case_id);
  // A case that was left as unsure before is no news: it is shown, but does not wait for a verdict.
  const judged = (made) => Store.judged(rowOf(made)) || Boolean(made.marked);
  const verdictOf = (made) => rowOf(made)?.verdict || (Store.judged(rowOf(made)) ? "" : made.marked);
  const assigned = new Set(page.cases.flatMap((made) => made.people ?? []));
  const mine = () => page.cases.filter((made) => !assigned.has(person) || !made.people || made.people.includes(person));
  const inBatch = (batch) => mine().filter((made) => !batch || made.batch === Number(batch));
  const scope = () => inBatch(at("batch").value);
  const FILTERS = {
    all: () => true, todo: (made) => !judged(made), done: judged, unsure: (made) => verdictOf(made) === "unsure",
  };
  const listed = () => scope().filter(FILTERS[at("show").value]);
  function nextToDo() {
    const again = at("show").value === "unsure"; // one pass: what stays unsure does not come again
    const cases = scope();
    const start = cases.indexOf(now) + 1;
    return [...cases.slice(start), ...(again ? [] : cases.slice(0, start))].find(again ? FILTERS.unsure : FILTERS.todo) ?? null;
  }
  function neighbour(step) {
    const cases = scope();
    const matching = listed();
    if (!now) return step < 0 ? matching.at(-1) : matching[0];
    const place = cases.indexOf(now);
    return step < 0 ? matching.findLast((made) => cases.indexOf(made) < place) : matching.find((made) => cases.indexOf(made) > place);
  }

  // Time: what lies between two signs of a person, unless it is idle.
  function tick() {
    const time = Date.now();
    if (time - last < IDLE_MS) spent += Math.max(0, time - last);
    last = time;
  }
  function seconds() {
    tick();
    const sum = (pending.get(now.case_id) ?? 0) + spent;
    pending.delete(now.case_id);
    spent = 0;
    return Math.round(sum / 100) / 10;
  }

  // Drawing.
  const announce = (text) => { at("status").textContent = text; };
  function usualSeconds() {
    const times = mine().map(rowOf).filter((row) => Store.judged(row) && row.seconds > 0).map((row) => row.seconds).sort((a, b) => a - b);
    return times.length < 3 ? null : times[times.length >> 1];
  }
  function left(cases) {
    const each = usualSeconds();
    const open = cases.filter((made) => !judged(made)).length;
    if (each === null || !open) return "";
    const minutes = Math.ceil((each * open) / 60);
    return minutes < 60 ? ` \u00b7 ${minutes} min left` : ` \u00b7 ${(minutes / 60).toFixed(1)} h left`;
  }
  function header() {
    const cases = scope();
    const done = cases.filter(judged).length;
    at("progress").textContent = `${done} of ${cases.length} done${left(cases)}`;
    const track = at("track");
    track.setAttribute("aria-valuemax", cases.length);
    track.setAttribute("aria-valuenow", done);
    track.firstElementChild.style.width = `${cases.length ? (100 * done) / cases.length : 0}%`;
    const { changes } = Store.meta();
    at("unsaved").textContent = changes ? `${changes}` : "";
    at("save").setAttribute("aria-label", changes ? `Save, ${plural(changes, "change")} not saved yet` : "Save");
    at("name").textContent = person;
    batches();
  }
  function batches() {
    const select = at("batch");
    const numbers = [...new Set(mine().map((made) => made.batch))].sort((a, b) => a - b);
    const title = (batch) => {
      const cases = inBatch(batch);
      return `${batch ? `Batch ${batch}` : "all batches"} (${cases.filter(judged).length} of ${cases.length})`;
    };
    const chosen = select.value;
    select.replaceChildren(...["", ...numbers].map((batch) => new Option(title(batch), `${batch}`)));
    select.value = [...select.options].some((option) => option.value === chosen) ? chosen : "";
  }
  function show(made, { keep = false } = {}) {
    if (now && now !== made) {
      tick();
      if (!judged(now)) pending.set(now.case_id, (pending.get(now.case_id) ?? 0) + spent);
      spent = 0;
    }
    now = made;
    closeEditor();
    header();
    if (made) {
      const cases = scope();
      const place = cases.includes(made) ? `Case ${cases.indexOf(made) + 1} of ${cases.length}` : "Case of another batch";
      main.replaceChildren(CaseView.draw(made, rowOf(made), place));
      main.setAttribute("aria-labelledby", "title");
    } else {
      main.replaceChildren(finished());
    }
    buttons();
    if (keep) return;
    scrollTo(0, 0);
    (main.querySelector(".finish .primary") ?? main).focus({ preventScroll: true });
  }
  function buttons() {
    const row = now && rowOf(now);
    for (const button of document.querySelectorAll("[data-do]")) {
      const verdict = ["pass", "fail", "unsure"].includes(button.dataset.do);
      if (verdict) button.setAttribute("aria-pressed", String(row?.verdict === button.dataset.do));
      const idle = button.dataset.do === "undo" ? !history.length
        : verdict || ["correct", "category", "note"].includes(button.dataset.do) ? !now || (!now.target && ["pass", "fail"].includes(button.dataset.do)) : false;
      button.setAttribute("aria-disabled", String(idle));
    }
  }
  function finished() {
    const cases = scope();
    const open = mine().filter((made) => !judged(made));
    const batch = at("batch").value;
    const sum = (verdict) => cases.filter((made) => verdictOf(made) === verdict).length;
    const corrected = cases.filter((made) => rowOf(made)?.label).length;
    const each = usualSeconds();
    const facts = [["pass", sum("pass")], ["fail", sum("fail")], ["unsure", sum("unsure")], ["with a right answer", corrected],
      ...(each === null ? [] : [["seconds a case, usually", Math.round(each)]])];
    const title = !cases.length ? "There is nothing to label" : cases.some((made) => !judged(made)) ? "No case matches"
      : batch ? `Batch ${batch} is done` : "All cases are judged";
    const go = element("button", batch && open.length ? "primary" : "", "Go on with the other batches");
    go.dataset.do = "go-on";
    const again = element("button", "", "Look at the unsure ones again");
    again.dataset.do = "unsure-again";
    const save = element("button", batch && open.length ? "" : "primary", "Save the labels");
    save.dataset.do = "save";
    return element("section", "finish", element("h2", "", title),
      cases.length ? element("dl", "sums num", ...facts.map(([name, n]) => element("div", "", element("dt", "", name), element("dd", "", `${n}`)))) : null,
      cases.length ? element("p", "muted", `Save them, and put ${page.done} into ${here}: the next curator run finds it there, and curator estimate takes it.`) : null,
      cases.length ? element("div", "row", batch && open.length ? go : null, save, sum("unsure") && at("show").value !== "unsure" ? again : null) : null);
  }

  // Steps, each of which can be undone.
  function step(given) {
    const before = rowOf(now);
    history.push({ made: now, before });
    const value = Store.row(now, person, {
      verdict: before?.verdict ?? "", label: before?.label ?? "", corrected_category: before?.corrected_category ?? "", note: before?.note ?? "",
      ...given, seconds: Math.round(((before?.seconds ?? 0) + seconds()) * 10) / 10, labelled_at: new Date().toISOString(),
    });
    Store.put(value);
    Store.changed();
    if (!Store.lasting()) warnOfStorage();
  }
  function judge(given, words) {
    const before = rowOf(now);
    step(given);
    Store.setDraft(person, now.case_id, "");
    const { batch } = now;
    const whole = inBatch(batch).every(judged);
    const place = whole && mine().some((made) => !judged(made)) ? ` Batch ${batch} is done: a good place to stop.` : "";
    const gone = before?.label && !rowOf(now)?.label ? " The right answer that was given is gone; Undo brings it back." : "";
    announce(`Case ${scope().indexOf(now) + 1}: ${words}.${gone}${place}`);
    show(nextToDo());
  }
  function decide(verdict) {
    if (!now.target && verdict !== "unsure") {
      announce("There is no answer of production to judge: choose or type the right one.");
      return;
    }
    judge({ verdict, ...(verdict === "fail" ? {} : { label: "" }) }, verdict);
  }
  const SAME = "pass, as that is what production answered";
  function rightAnswer(label, same) {
    if (same) judge({ verdict: "pass", label: "" }, SAME);
    else judge({ verdict: now.target ? "fail" : "", label }, now.target ? "fail, with the right answer" : "right answer given");
  }
  function choose(n) {
    const option = options(now)[n];
    if (option) rightAnswer(option.label, option.same);
  }
  const flat = (text) => text.trim().replace(/\s+/g, " ");
  // A text that the reader of label files would doubt is asked about here, and gets the quotes that say it is meant.
  const doubtful = new Set(page.doubtful.words);
  let doubted = null;
  function isDoubtful(text) {
    if (text.length > page.doubtful.longest || options(now).some((made) => [text, `"${text}"`].includes(made.label))) return false;
    const plain = flat(text.toLowerCase()).replace(/[.!]+$/, "");
    return !/[\p{L}\p{N}]/u.test(text) || doubtful.has(plain);
  }
  function typed(text) {
    if (isDoubtful(text) && doubted !== text && now.kind !== "boolean") {
      doubted = text;
      announce(`\u201c${text}\u201d looks like a placeholder or a verdict. Press Enter again if it is the right answer.`);
      return;
    }
    const option = options(now).find((made) => [text, `"${text}"`].includes(made.label));
    const same = now.target && flat(joined(now.target)) === flat(text);
    rightAnswer(option?.label ?? (isDoubtful(text) ? `"${text}"` : text), same || option?.same);
  }
  function undo() {
    const past = history.pop();
    if (!past) {
      announce("There is nothing to undo.");
      return;
    }
    Store.put(past.before ?? Store.row(past.made, person, {}));
    Store.changed();
    announce("Undone.");
    show(past.made);
  }

  // The editor above the buttons: a right answer, a note, or a category.
  function closeEditor() {
    editor.hidden = true;
    editor.replaceChildren();
    doubted = null;
  }
  function button(text, action, className = "") {
    const made = element("button", className, text);
    made.type = "button";
    made.addEventListener("click", action);
    return made;
  }
  function cancel() {
    closeEditor();
    main.focus({ preventScroll: true });
  }
  function openText(title, value, { hint, extra = [], input, submit }) {
    const area = element("textarea");
    const label = element("label", "cap", title);
    area.id = "typed";
    label.htmlFor = area.id;
    area.value = value;
    area.rows = 3;
    area.dir = "auto";
    area.addEventListener("input", () => input?.(area.value));
    const save = element("button", "primary", "Save");
    editor.replaceChildren(label, area, element("div", "row", ...extra, element("span", "small muted hint", hint), button("Cancel", cancel), save));
    editor.onsubmit = (event) => {
      event.preventDefault();
      submit(area.value.trim());
    };
    editor.hidden = false;
    area.focus();
    return area;
  }
  function openCorrection() {
    const row = rowOf(now);
    const draft = (value) => Store.setDraft(person, now.case_id, value);
    const known = options(now).find((made) => made.label === row?.label);
    const start = (text, runs) => button(text, () => {
      area.value = joined(runs);
      draft(area.value);
      area.focus();
    }, "plain");
    const area = openText("Right answer", Store.draft(person, now.case_id) || (known ? joined(known.runs) : row?.label ?? ""), {
      hint: "Enter saves, Shift+Enter starts a line",
      extra: now.target ? [start("Start from production\u2019s", now.target)] : [],
      input: draft,
      submit: (text) => (text ? typed(text) : announce("Type the right answer first.")),
    });
  }
  function openNote() {
    openText("Note", rowOf(now)?.note ?? "", {
      hint: "Enter saves",
      submit: (text) => {
        step({ note: text });
        announce(text ? "Note kept." : "Note removed.");
        show(now, { keep: true });
        main.focus({ preventScroll: true });
      },
    });
  }
  function openCategory() {
    const chosen = rowOf(now)?.corrected_category || now.category || "";
    const pick = ({ name }) => () => {
      step({ corrected_category: name === now.category ? "" : name });
      announce("Category kept.");
      show(now, { keep: true });
      main.focus({ preventScroll: true });
    };
    const list = page.categories.map((made, n) => {
      const item = button("", pick(made), "category");
      item.append(...(n < 9 ? [element("kbd", "", `${n + 1}`), " "] : []), made.shown);
      item.setAttribute("aria-pressed", String(made.name === chosen));
      return item;
    });
    editor.replaceChildren(element("p", "cap", page.categories.length ? "Category of the case" : "This run has no categories"),
      element("div", "categories", ...list), element("div", "row", element("span", "hint"), button("Cancel", cancel)));
    editor.onsubmit = (event) => event.preventDefault();
    editor.hidden = false;
    (list.find((item) => item.getAttribute("aria-pressed") === "true") ?? list[0] ?? editor.querySelector("button")).focus();
  }

  // Files.
  function download(name, lines) {
    const link = element("a");
    link.href = URL.createObjectURL(new Blob(lines.map((line) => `${line}\n`), { type: "application/jsonl" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }
  function save() {
    Store.remember();
    const lines = Store.lines();
    if (!lines.length) {
      announce("There are no labels to save yet.");
      return;
    }
    download(page.done, lines);
    Store.saved();
    announce(`${plural(lines.length, "label")} saved as ${page.done}. Put it into the folder of this page.`);
    header();
  }
  async function load(file) {
    const count = Store.load(await file.text());
    const words = [
      `${plural(count.new + count.newer, "label")} loaded`, count.same && `${count.same} were here already`,
      count.older && `${count.older} older than those here were left out`, count.foreign && `${count.foreign} of cases that are not in this queue were left out`,
      count.unread && `${plural(count.unread, "line")} could not be read`,
    ].filter(Boolean);
    history.length = 0;
    show(now && !judged(now) ? now : nextToDo());
    announce(`${words.join("; ")}.`);
  }
  function notice(text, ...more) {
    const made = element("p", "notice", text, ...more);
    made.setAttribute("role", "alert");
    at("notices").append(made);
    return made;
  }
  function warnOfStorage() {
    if (!at("notices").dataset.storage) notice("This browser does not keep labels for this page. Save them before you close it.");
    at("notices").dataset.storage = "1";
  }
  function offerEarlier() {
    for (const { prefix, hash, lines } of Store.earlier()) {
      const made = notice(`This browser has ${plural(lines.length, "label")} of an earlier queue of this folder that ${lines.length === 1 ? "is" : "are"} not saved. `,
        button("Save them", () => {
          download(page.done.replace(".jsonl", `.${hash}.jsonl`), lines);
          Store.settled(prefix);
          made.remove();
        }), " ", button("Not needed", () => { Store.settled(prefix); made.remove(); }, "plain"));
    }
  }

  // Keys and buttons.
  const ACTIONS = {
    pass: () => decide("pass"), fail: () => decide("fail"), unsure: () => decide("unsure"),
    correct: openCorrection, category: openCategory, note: openNote,
  };
  const ALWAYS = {
    undo, save,
    back: () => move(-1), next: () => move(1),
    load: () => at("file").click(),
    help: () => {
      at("keys").showModal();
      at("close").focus();
    },
    batch: () => at("batch").focus(),
    fold: () => {
      const parts = [...main.querySelectorAll("details")];
      const open = parts.some((part) => !part.open);
      for (const part of parts) part.open = open;
    },
    "unsure-again": () => { at("show").value = "unsure"; filtered(); },
    "go-on": () => { at("batch").value = ""; filtered(); },
  };
  function move(by) {
    const made = neighbour(by);
    if (made) show(made);
    else announce(by < 0 ? "This is the first case." : "This is the last case.");
  }
  const KEYS = {
    p: "pass", f: "fail", u: "unsure", c: "correct", k: "category", n: "note", z: "undo", s: "save", l: "load", o: "fold", b: "batch",
    "?": "help", ArrowLeft: "back", ArrowRight: "next",
  };
  // Layouts without Latin letters, or with digits behind Shift, are read by the place of the key.
  function keyOf({ key, code, shiftKey }) {
    const written = key.length === 1 ? key.toLowerCase() : key;
    if (KEYS[written] || /^\d$/.test(key)) return written;
    const [, letter, digit] = /^(?:Key([A-Z])|Digit([1-9]))$/.exec(code) ?? [];
    if (letter && !/^[ -~]$/.test(key)) return letter.toLowerCase();
    return digit && !shiftKey ? digit : written;
  }
  function act(name) {
    if (ALWAYS[name]) ALWAYS[name]();
    else if (now && ACTIONS[name]) ACTIONS[name]();
  }
  function inEditor(event) {
    const touch = matchMedia("(pointer: coarse)").matches;
    if (event.key === "Escape") cancel();
    else if (event.key === "Enter" && event.target.id === "typed" && (event.ctrlKey || event.metaKey || (!event.shiftKey && !touch))) editor.requestSubmit();
    else if (/^[1-9]$/.test(event.key) && event.target.matches(".category")) editor.querySelectorAll(".category")[event.key - 1]?.click();
    else if (/^Arrow(Up|Down)$/.test(event.key) && event.target.matches(".category")) {
      const items = [...editor.querySelectorAll(".category")];
      items.at((items.indexOf(event.target) + (event.key === "ArrowUp" ? -1 : 1)) % items.length).focus();
    } else return;
    event.preventDefault();
  }
  function pressed(event) {
    if (event.isComposing || event.repeat || document.querySelector("dialog[open]")) return;
    if (editor.contains(event.target)) {
      inEditor(event);
      return;
    }
    const key = keyOf(event);
    const name = KEYS[key];
    const control = event.ctrlKey || event.metaKey;
    if (event.altKey || (control && !["save", "undo"].includes(name))) return;
    if (event.key === "Escape" || (event.key === "Enter" && event.target.matches("select"))) {
      cancel();
      return;
    }
    if (event.target.matches("input, textarea, select") || (!control && !at("single").checked && name !== "help" && !event.key.startsWith("Arrow"))) return;
    if (name) act(name);
    else if (now && /^[1-9]$/.test(key)) choose(key - 1);
    else return;
    event.preventDefault();
  }
  let byPointer = false;
  function filtered(keep = false) {
    Store.meta({ batch: at("batch").value, show: at("show").value });
    const matching = listed();
    show(matching.find((made) => !judged(made)) ?? (at("show").value === "all" ? null : matching[0] ?? null), { keep });
  }
  function start() {
    person = Store.spelt(Store.name());
    Store.setName(person);
    for (const part of [document.querySelector("header"), main, document.querySelector("footer")]) part.hidden = false;
    history.length = 0;
    header();
    filtered();
  }
  function ask() {
    at("people").replaceChildren(...Store.people().map((name) => new Option(name)));
    at("who-name").value = person;
    at("who").showModal();
  }

  document.addEventListener("keydown", pressed);
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "scroll"]) {
    addEventListener(kind, tick, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) tick();
    else last = Date.now();
  });
  // A choice by keyboard goes on in the list: the arrow keys pass through the options one by one.
  addEventListener("pointerdown", () => { byPointer = true; }, true);
  addEventListener("keydown", () => { byPointer = false; }, true);
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-do], [data-option]");
    if (!chosen) return;
    if (chosen.dataset.option) choose(Number(chosen.dataset.option));
    else act(chosen.dataset.do);
  });
  at("save").addEventListener("click", save);
  at("load").addEventListener("click", ALWAYS.load);
  at("help").addEventListener("click", ALWAYS.help);
  at("name").addEventListener("click", ask);
  for (const id of ["batch", "show"]) at(id).addEventListener("change", () => filtered(!byPointer));
  at("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) await load(file);
    event.target.value = "";
  });
  at("who").addEventListener("close", () => {
    const name = at("who-name").value;
    if (name.trim()) {
      Store.setName(Store.spelt(name));
      start();
    } else if (!person) ask();
  });
  at("keys").addEventListener("close", () => Store.meta({ single: at("single").checked }));
  addEventListener("storage", (event) => {
    if (!event.key?.startsWith(Store.prefix)) return;
    Store.remember();
    header();
    if (now && editor.hidden && event.key.includes(".row.")) show(now, { keep: true });
  });
  addEventListener("beforeunload", (event) => {
    if (!Store.lasting() && Store.meta().changes) event.preventDefault();
  });

  const parts = Store.folder.split("/").filter(Boolean);
  at("folder").textContent = parts.at(-1) ?? "";
  document.title = `${parts.at(-1) ?? ""} \u00b7 labels`;
  at("done-name").textContent = page.done;
  at("single").checked = Store.meta().single ?? true;
  batches();
  at("batch").value = Store.meta().batch ?? "";
  at("show").value = Store.meta().show ?? "all";
  if (!Store.lasting()) warnOfStorage();
  offerEarlier();
  const known = Store.spelt(Store.name());
  if (known && (!assigned.size || assigned.has(known))) start();
  else ask();
})();
