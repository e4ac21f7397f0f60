"use strict";
// The browser of questions. It makes elements and text nodes, never markup from text: articles,
// questions and answers are strangers' words.

const data = JSON.parse(document.getElementById("data").textContent);
const STEP = 25;
const ANY = "any failure", NONE = "no failure", ALL = "all";
const at = (id) => document.getElementById(id);
const [system, kind, sort, text] = ["system", "kind", "sort", "text"].map(at);
let shown = STEP;

// make("p", {class: "small"}, "words", element, ...)
function make(name, attributes, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside.filter((part) => part !== null));
  return element;
}

// Filters -----------------------------------------------------------------------------------------

function options(select, values) {
  select.replaceChildren(...values.map(([value, label]) => make("option", { value }, label)));
}

const words = new Map(); // what free text is looked for in, by item

function wordsOf(item) {
  if (!words.has(item)) {
    const question = data.questions[item.id];
    const said = item.statements.map((statement) => statement.text);
    const all = [item.id, question.question, ...question.answers, ...said, item.reason, item.error];
    words.set(item, all.join("\n").toLowerCase());
  }
  return words.get(item);
}

function happened(item) {
  if (sort.value === ALL) return true;
  if (sort.value === ANY) return item.failures.length > 0;
  if (sort.value === NONE) return item.failures.length === 0;
  return item.failures.includes(sort.value);
}

function asked(item) {
  const question = data.questions[item.id];
  if (kind.value === ALL) return true;
  if (kind.value === "false premise") return question.false_premise;
  if (kind.value === "known entity") return question.known_entity;
  return question.kind === kind.value;
}

function chosen() {
  const wanted = text.value.trim().toLowerCase();
  const items = data.systems[system.value];
  return items.filter((item) => happened(item) && asked(item) && wordsOf(item).includes(wanted));
}

// The numbers beside the sorts are of the chosen system and kind.
function count() {
  const before = sort.value || ANY;
  const items = data.systems[system.value].filter(asked);
  const failed = items.filter((item) => item.failures.length).length;
  options(sort, [
    [ANY, `any failure (${failed})`],
    ...data.sorts.map((name) => {
      const n = items.filter((item) => item.failures.includes(name)).length;
      return [name, `${name} (${n})`];
    }),
    [NONE, `no failure (${items.length - failed})`],
    [ALL, `all (${items.length})`],
  ]);
  sort.value = before;
}

// The list ----------------------------------------------------------------------------------------

function list() {
  const items = chosen();
  at("count").textContent =
    `${items.length} of ${data.systems[system.value].length} questions` +
    (items.length > shown ? `, the first ${shown} of them below` : "");
  at("list").replaceChildren(...items.slice(0, shown).map(entry));
  at("more").hidden = items.length <= shown;
}

function entry(item) {
  const question = data.questions[item.id];
  const tags = make("span", { class: "tags" }, `${item.id} · ${question.kind} · ${question.split}`);
  for (const name of item.failures) tags.append(" · ", make("span", { class: "tag" }, name));
  const whole = make("details", { class: "item" },
    make("summary", {}, question.question, tags));
  whole.addEventListener("toggle", () => {
    if (whole.childElementCount === 1) whole.append(inside(item, question)); // on first opening
  });
  return whole;
}

function inside(item, question) {
  const content = make("div", { class: "inside" });
  if (question.history.length) content.append(history(question.history));
  content.append(
    make("div", {}, ...answer(item), ...citations(item)),
    make("div", {}, ...expected(item, question)),
    articles(item, question),
  );
  return content;
}

function history(turns) {
  const box = make("div", { class: "history" }, make("h3", {}, "Asked before"));
  for (const turn of turns) {
    box.append(make("p", {}, turn.question));
    if (turn.answer) box.append(make("p", { class: "small" }, turn.answer));
  }
  return box;
}

// What was said -----------------------------------------------------------------------------------

function answer(item) {
  const took = item.milliseconds === null ? "" : ` · ${item.milliseconds.toLocaleString("en")} ms`;
  const parts = [make("h3", {}, `Answer${took}`)];
  if (item.error) parts.push(make("p", { class: "no" }, `Error: ${item.error}`));
  if (item.abstained) parts.push(make("p", {}, `Abstained: ${item.reason || "no reason given"}`));
  parts.push(...item.statements.map(statement));
  return parts;
}

function statement(said) {
  const numbers = said.citations.map((n) => `[${n}]`).join("");
  const score = said.support === null ? "" : ` ${said.support.toFixed(2)}`;
  const [name, verdict] =
    said.supported === null ? ["unread", "? not judged"]
    : said.supported ? ["yes", `✓ supported${score}`]
    : ["no", `✗ not supported${score}: ${said.reason}`];
  return make("p", {}, `${said.text} ${numbers} `, make("span", { class: name }, verdict));
}

function citations(item) {
  if (!item.citations.length) return [];
  const rows = item.citations.map((citation) => {
    const teller = [citation.publisher, citation.published].filter(Boolean).join(", ");
    return make("li", {},
      `[${citation.n}] `, titled(citation), make("span", { class: "small" }, ` ${teller}`),
      make("blockquote", {}, citation.quote));
  });
  return [make("h3", {}, "Citations"), make("ol", {}, ...rows)];
}

// Only a web address becomes a link.
function titled({ title, url }) {
  if (!/^https?:\/\//i.test(url || "")) return title;
  return make("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, title);
}

// What was expected -------------------------------------------------------------------------------

function expected(item, question) {
  const parts = [make("h3", {}, "Expected")];
  if (!question.answers.length) {
    const why = question.false_premise ? ": the question presupposes what isn't so" : "";
    parts.push(make("p", {}, `To abstain${why}.`));
  } else {
    parts.push(make("p", {}, question.answers[0]));
    const others = question.answers.slice(1).join("; ");
    if (others) parts.push(make("p", { class: "small" }, `or: ${others}`));
  }
  if (question.nuggets.length) {
    const rows = question.nuggets.map((nugget, n) =>
      check(item.nuggets[n], nugget.text, nugget.vital ? "vital" : "okay"));
    parts.push(make("h3", {}, "Nuggets"), make("ul", { class: "checks" }, ...rows));
  }
  if (question.evidence.length) {
    const rows = question.evidence.map((quote, n) =>
      check(isRead(item.ranks[n]), quote.text, place(item.ranks[n])));
    parts.push(make("h3", {}, "Gold evidence"), make("ul", { class: "checks" }, ...rows));
  }
  return parts;
}

const isRead = (rank) => rank !== null && rank <= data.read;

function place(rank) {
  if (rank === null) return "not among the hits";
  return isRead(rank) ? `hit ${rank}` : `hit ${rank}, below the first ${data.read}`;
}

function check(good, words, note) {
  const sign = make("span", { class: `sign ${good ? "yes" : "no"}`, role: "img",
    "aria-label": good ? "yes:" : "no:" }, good ? "✓" : "✗");
  return make("li", {}, sign, words, make("span", { class: "small" }, ` ${note}`));
}

// Articles with both kinds of marks ---------------------------------------------------------------

function articles(item, question) {
  const cited = item.citations.filter((citation) => citation.span)
    .map(({ article, span, n }) => ({ article, span, name: "cited", note: `[${n}]` }));
  const gold = question.evidence.filter((quote) => quote.span)
    .map(({ article, span }) => ({ article, span, name: "gold", note: "" }));
  const marks = [...cited, ...gold];
  const ids = [...new Set(marks.map((mark) => mark.article))];
  if (!ids.length) return "";
  return make("div", { class: "articles" }, make("h3", {}, "In the articles"),
    ...ids.map((id) => article(data.texts[id], marks.filter((mark) => mark.article === id))));
}

function article(source, marks) {
  const teller = [source.publisher, source.published].filter(Boolean).join(", ");
  const names = [...new Set(marks.map((mark) => mark.note || "gold"))].join(" ");
  const body = make("div", { class: "body", tabindex: 0, role: "region", "aria-label": source.title },
    ...marked(source.text, marks));
  const box = make("details", { class: "article", open: "" },
    make("summary", {}, `${source.title} `, make("span", { class: "small" }, `${teller} · ${names}`)),
    body);
  requestAnimationFrame(() => {
    const first = body.querySelector("mark");
    if (first) body.scrollTop = Math.max(0, first.offsetTop - 40);
  });
  return box;
}

// Marks may overlap: the text is cut wherever one begins or ends.
function marked(text, marks) {
  const cuts = [0, text.length, ...marks.flatMap((mark) => mark.span)];
  const sorted = [...new Set(cuts)].sort((a, b) => a - b);
  return sorted.slice(1).map((end, n) => {
    const start = sorted[n];
    const over = marks.filter(({ span }) => span[0] <= start && end <= span[1]);
    if (!over.length) return text.slice(start, end);
    const names = [...new Set(over.map((mark) => mark.name))].join(" ");
    const notes = over.filter(({ span }) => span[1] === end).map((mark) => mark.note).join("");
    const what = names.split(" ").map((name) => (name === "gold" ? "gold evidence" : "quoted"));
    return make("mark", { class: names, title: what.join(", ") }, text.slice(start, end),
      notes ? make("sup", {}, notes) : null);
  });
}

// Begin -------------------------------------------------------------------------------------------

function start() {
  options(system, Object.keys(data.systems).map((name) => [name, name]));
  const questions = Object.values(data.questions);
  const kinds = [...new Set(questions.map((question) => question.kind))];
  if (questions.some((question) => question.false_premise)) kinds.push("false premise");
  if (questions.some((question) => question.known_entity)) kinds.push("known entity");
  options(kind, [[ALL, "all"], ...kinds.map((name) => [name, name])]);
  count();
  list();
}

function again() {
  shown = STEP;
  count();
  list();
}

for (const select of [system, kind, sort]) select.addEventListener("change", again);
text.addEventListener("input", again);
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("more").addEventListener("click", () => {
  const from = shown;
  shown += STEP;
  list();
  at("list").children[from]?.querySelector("summary").focus();
});
start();
