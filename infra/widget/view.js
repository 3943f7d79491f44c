// What a turn looks like: bubbles, prose, cards, chips. Builds elements from text only, so that nothing
// a model, a catalogue or a person wrote can become markup. Does not know the network.

const SVG = "http://www.w3.org/2000/svg";
const HUES = {
  action: 14, adventure: 36, animation: 190, biography: 28, comedy: 44, crime: 222, documentary: 160, drama: 262,
  family: 96, fantasy: 282, history: 30, horror: 352, music: 318, musical: 330, mystery: 242, noir: 230,
  romance: 340, "science fiction": 204, sport: 130, thriller: 210, war: 80, western: 24,
};
const MARKS = [["like", "Like"], ["seen", "Seen it"], ["dislike", "Not for me"]];

/** An element with properties (strings become attributes, functions listeners) and children. */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** A row of tappable texts; `say` gets the text of the one that was tapped. */
export function chips(options, label, say, kind = "chip") {
  const button = (one) => el("button", { type: "button", class: kind, click: () => say(one.text) }, one.label);
  return el("div", { class: "chips", role: "group", "aria-label": label }, ...options.map(button));
}

/** One exchange: what the person said and the answer as it grows. */
export class TurnView {
  constructor(message, actions) {
    this.actions = actions;
    this.text = "";
    this.question = "";
    this.prose = el("div", { class: "prose" });
    this.progress = el("p", { class: "progress" }, el("span", { class: "dots", "aria-hidden": "true" }), el("span"));
    this.cards = el("div", { class: "cards" });
    this.after = el("div", { class: "after" });
    const answer = el("div", { class: "answer" }, hidden("Usher: "), this.prose, this.progress, this.cards, this.after);
    this.node = el("article", { class: "turn", tabindex: "-1" }, el("p", { class: "said" }, hidden("You: "), message), answer);
    this.phase("Thinking");
  }

  /** Shows what is going on now; an empty text ends it. */
  phase(text) {
    this.progress.hidden = !text;
    this.progress.lastChild.textContent = text;
    this.node.classList.toggle("busy", Boolean(text));
  }

  addText(text) {
    this.text += text;
    this.progress.hidden = true;
    // At most one layout per frame, however fast the words come.
    this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.drawProse(); });
  }

  drawProse() {
    this.prose.replaceChildren(...paragraphs(this.text));
  }

  showCards(cards) {
    this.node.classList.add("has-cards");
    this.cards.replaceChildren(...cards.map((card) => cardView(card, this.actions)));
  }

  ask(question, options) {
    this.question = question;
    if (!this.text.includes(question)) this.after.append(el("p", { class: "question" }, question));
    this.after.append(chips(options, question, this.actions.say, "option"));
  }

  suggest(options) {
    this.after.append(chips(options, "Suggestions", this.actions.say));
  }

  /** A line that is not part of the answer: stopped, failed, cut off; with a button when there is one. */
  note(text, button = null) {
    this.phase("");
    this.after.append(el("div", { class: "notice" }, el("p", {}, text), button));
  }

  /** What can be tapped belongs to the last turn only. */
  retire() {
    this.after.querySelectorAll(".chips, .notice button").forEach((node) => node.remove());
  }

  firstSentence() {
    const text = (this.question || this.text).replaceAll("*", "").trim();
    return (text.match(/^.{1,200}?[.!?](?=\s|$)/s) || [text.slice(0, 200)])[0];
  }
}

function hidden(text) {
  return el("span", { class: "unseen" }, text);
}

/** The little Markdown that answers use: paragraphs, lists, bold, italics. Everything else is text. */
function paragraphs(text) {
  return text.split(/\n{2,}/).filter((block) => block.trim()).map((block) => {
    const lines = block.trim().split("\n");
    const isList = lines.every((line) => /^\s*([-*•]|\d+\.)\s/.test(line));
    if (!isList) return el("p", {}, ...lines.flatMap((line, n) => (n ? [el("br"), ...inline(line)] : inline(line))));
    return el("ul", {}, ...lines.map((line) => el("li", {}, ...inline(line.replace(/^\s*\S+\s/, "")))));
  });
}

function inline(text) {
  return text.split(/(\*\*[^*\n]+\*\*|\*[^*\s][^*\n]*\*)/).filter(Boolean).map((part) => {
    if (/^\*\*[^*]+\*\*$/.test(part)) return el("strong", {}, part.slice(2, -2));
    if (/^\*[^*]+\*$/.test(part)) return el("em", {}, part.slice(1, -1));
    return document.createTextNode(part);
  });
}

function cardView(card, actions) {
  const { facts } = card;
  const id = `film-${Math.random().toString(36).slice(2)}`;
  const title = el("h2", { id }, card.title, card.year ? el("span", { class: "year" }, ` ${card.year}`) : null);
  const buttons = MARKS.map(([kind, label]) => {
    const pressed = String(actions.marked(card.id).includes(kind));
    const press = (event) => actions.mark(card, kind, event.currentTarget);
    return el("button", { type: "button", class: `mark ${kind}`, "aria-pressed": pressed, click: press }, icon(kind), label);
  });
  return el("article", { class: "card", "aria-labelledby": id }, art(card), el("div", { class: "about" },
    title,
    el("p", { class: "facts" }, factsLine(facts)),
    card.why.length ? el("ul", { class: "why", "aria-label": "Why this film" }, ...card.why.map((reason) => el("li", {}, reason))) : null,
    facts.overview ? el("button", { type: "button", class: "overview", "aria-expanded": "false", click: unfold }, facts.overview) : null,
    el("div", { class: "marks", role: "group", "aria-label": `What do you think of ${card.title}?` }, ...buttons)));
}

/** A long overview shows three lines until it is tapped. */
function unfold({ currentTarget: overview }) {
  overview.setAttribute("aria-expanded", String(overview.getAttribute("aria-expanded") === "false"));
}

function factsLine(facts) {
  const minutes = facts.runtime_min;
  const length = minutes ? [minutes >= 60 ? `${Math.floor(minutes / 60)} h` : "", minutes % 60 ? `${minutes % 60} min` : ""] : [];
  const by = facts.directors.length ? `by ${facts.directors.slice(0, 2).join(", ")}` : "";
  const parts = [facts.kind === "series" ? "series" : "", length.join(" ").trim(), facts.certificate, facts.genres.slice(0, 3).join(", "), by];
  return parts.filter(Boolean).join(" · ");
}

/** A poster of our own: colours from the genre, light from the title, always the same for a film. */
function art(card) {
  let hash = 2166136261;
  for (const character of card.id + card.title) hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
  const genre = card.facts.genres.find((name) => name in HUES && name !== "drama") || card.facts.genres[0];
  const hue = ((HUES[genre] ?? hash % 360) + (hash % 31) - 15 + 360) % 360;
  const letter = [...card.title.replace(/^(the|a|an) /i, "")][0] || "?";
  const node = el("div", { class: "art", "aria-hidden": "true" }, letter);
  node.style.setProperty("--hue", hue);
  node.style.setProperty("--turn", 25 + ((hash >> 8) % 60));
  node.style.setProperty("--x", `${15 + ((hash >> 12) % 70)}%`);
  node.style.setProperty("--y", `${5 + ((hash >> 18) % 50)}%`);
  return node;
}
