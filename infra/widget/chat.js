// The chat page: what happens when something is typed, tapped or arrives. Drawing is view.js, the wire is
// stream.js. Keeps two things in sessionStorage: the conversation's id and which buttons were pressed.

import { Problem, follow, post, request, say } from "./stream.js";
import { TurnView, chips, el, icon } from "./view.js";

const $ = (id) => document.getElementById(id);
const STARTERS = [
  "Something like Inception, but shorter",
  "A warm film for a rainy evening",
  "Scary, but no gore",
  "A clever comedy for four people",
].map((text) => ({ label: text, text }));
const PHASES = {
  understanding: "Listening", searching: "Looking along the shelves", relaxing: "Looking a little further", answering: "Choosing words",
};
const box = $("message");

let conversation = sessionStorage.getItem("usher.conversation");
let marks = JSON.parse(sessionStorage.getItem("usher.marks") || "{}");
let ledgerVersion = 0;
let current = null; // {view, turnId, abort} while an answer arrives
let latest = null; // the last TurnView

// --- sending ------------------------------------------------------------------------------------------

async function send(message, edits = []) {
  if (current || !(message || edits.length)) return;
  const body = { message, edits };
  if (conversation) body.conversation_id = conversation;
  const view = addTurn(message);
  if (document.activeElement !== box) view.node.focus({ preventScroll: true });
  view.node.scrollIntoView({ block: "start" });
  const again = () => { view.node.remove(); send(message, edits); };
  await receive(view, (signal, onCut) => say(body, signal, onCut), again);
}

function addTurn(message) {
  latest?.retire();
  latest = new TurnView(message, { say: send, mark, marked: (id) => marks[id] || [] });
  $("welcome").hidden = true;
  $("restart").hidden = false;
  $("transcript").append(latest.node);
  return latest;
}

/** Draws a turn's events until it ends, whatever happens to the connection. */
async function receive(view, open, again) {
  current = { view, turnId: "", abort: new AbortController() };
  setBusy(true);
  announce("Thinking");
  try {
    const onCut = () => view.phase("Connection lost, trying again");
    for await (const event of open(current.abort.signal, onCut)) {
      current.turnId = event.turn_id;
      draw(view, event, again);
    }
  } catch (error) {
    if (error.name === "AbortError") view.note("Stopped.");
    else if (error instanceof Problem) explain(view, error, again);
    else throw error;
  } finally {
    view.phase("");
    current = null;
    setBusy(false);
  }
}

/** Says what went wrong and offers what helps; a wait counts down on the button. */
function explain(view, problem, again) {
  let text = problem.message;
  if (problem.status === 404) {
    text = "This conversation is not here any more. Let us begin a new one.";
    forget();
  }
  if (problem.code === "conversation_busy") text = "Another message of this conversation is still being answered.";
  const useless = [413, 415, 422].includes(problem.status) || problem.code === "stale_edit";
  const button = useless ? null : el("button", { type: "button", class: "option", click: again }, "Try again");
  // A busy conversation is free once its answer ended; what it asks us to wait is the longest case.
  const wait = problem.code === "conversation_busy" ? Math.min(problem.retryAfter, 3) : problem.retryAfter;
  if (button && wait) countDown(button, wait);
  view.note(text, button);
  announce(text);
  if (problem.code === "stale_edit") reload();
}

function countDown(button, seconds) {
  button.disabled = seconds > 0;
  button.textContent = seconds > 0 ? `Try again in ${seconds} s` : "Try again";
  if (seconds > 0) setTimeout(() => countDown(button, seconds - 1), 1000);
}

// --- drawing what arrives -----------------------------------------------------------------------------

function draw(view, event, again = null) {
  switch (event.type) {
    case "turn.started":
      conversation = event.conversation_id;
      sessionStorage.setItem("usher.conversation", conversation);
      break;
    case "status": if (!view.text) view.phase(PHASES[event.phase]); break;
    case "recommendations":
      view.showCards(event.cards);
      announce(event.cards.length === 1 ? "One film found" : `${event.cards.length} films found`);
      break;
    case "text.delta": view.addText(event.text); break;
    case "clarify": view.ask(event.question, event.options); break;
    case "suggestions": view.suggest(event.chips); break;
    case "ledger": showLedger(event); break;
    case "error": {
      const button = event.retryable && again ? el("button", { type: "button", class: "option", click: again }, "Try again") : null;
      view.note(event.message, button);
      announce(event.message);
      break;
    }
    case "turn.finished":
      view.phase("");
      if (event.status === "cancelled") view.note("Stopped.");
      announce(event.status === "completed" ? view.firstSentence() : "The answer was stopped");
      break;
  }
}

function showLedger({ version, entries }) {
  ledgerVersion = version;
  const list = $("ledger").querySelector("ul");
  list.replaceChildren(...entries.map((entry) => {
    const remove = () => send(entry.remove_text, [{ op: "remove", entry_id: entry.id, ledger_version: ledgerVersion }]);
    const button = el("button", { type: "button", "aria-label": `Remove: ${entry.label}`, click: remove }, icon("remove"));
    return el("li", { class: entry.polarity }, entry.label, button);
  }));
  $("ledger").hidden = entries.length === 0;
}

function announce(text) {
  if (!replaying) $("status").textContent = text;
}

function setBusy(busy) {
  $("send").hidden = busy;
  $("stop").hidden = !busy;
  $("restart").disabled = busy;
  document.body.classList.toggle("answering", busy);
}

// --- marking films ------------------------------------------------------------------------------------

async function mark(card, kind, button) {
  if (button.getAttribute("aria-pressed") === "true") return;
  const group = [...button.parentElement.children];
  const other = kind === "seen" ? null : group.find((one) => one !== button && !one.classList.contains("seen"));
  const before = group.map((one) => one.getAttribute("aria-pressed"));
  button.setAttribute("aria-pressed", "true");
  other?.setAttribute("aria-pressed", "false");
  try {
    await keep({ kind, movie_id: card.id, conversation_id: conversation || undefined });
    const opposite = { like: "dislike", dislike: "like" }[kind];
    marks[card.id] = [...(marks[card.id] || []).filter((one) => one !== opposite), kind];
    sessionStorage.setItem("usher.marks", JSON.stringify(marks));
    announce(`Noted: ${button.textContent}, ${card.title}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    group.forEach((one, n) => one.setAttribute("aria-pressed", before[n]));
    announce(`That was not kept. ${error.message}`);
    button.title = error.message;
  }
}

/** Sends twice at most, with one key: a repeat of what did arrive changes nothing. */
async function keep(interaction) {
  const headers = { "Idempotency-Key": Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-") };
  try {
    await post("v1/interactions", interaction, headers);
  } catch (error) {
    if (error.status !== 0 && error.status < 500) throw error;
    await new Promise((resolve) => setTimeout(resolve, 800));
    await post("v1/interactions", interaction, headers);
  }
}

// --- coming back --------------------------------------------------------------------------------------

let replaying = false;

async function reload() {
  if (!conversation) return;
  let kept;
  try {
    kept = await (await request(`v1/conversations/${encodeURIComponent(conversation)}`)).json();
  } catch (error) {
    if (error.status === 404) forget();
    return;
  }
  $("transcript").replaceChildren();
  replaying = true;
  for (const turn of kept.turns) replay(turn);
  replaying = false;
  latest?.node.scrollIntoView({ block: "start", behavior: "instant" });
  const running = kept.turns.find((turn) => turn.turn_id === kept.running_turn);
  const again = () => { latest.node.remove(); send(running.message, running.edits); };
  if (running) await receive(latest, (signal, onCut) => follow(running.turn_id, signal, onCut), again);
}

function replay(turn) {
  const view = addTurn(turn.message);
  for (const event of turn.events) draw(view, event);
  if (!turn.events.length) view.addText(turn.answer);
  if (turn.status === "failed" && !turn.events.length) view.note("This answer was lost.");
  if (turn.status !== "running") view.phase("");
}

function forget() {
  conversation = null;
  sessionStorage.removeItem("usher.conversation");
  showLedger({ version: 0, entries: [] });
}

// --- hands --------------------------------------------------------------------------------------------

function submit(event) {
  event.preventDefault();
  const message = box.value.trim();
  if (!message || current) return;
  box.value = "";
  grow();
  send(message);
}

function grow() {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}

async function stop() {
  if (!current) return;
  const { turnId, abort } = current;
  if (!turnId) return abort.abort();
  await post(`v1/turns/${encodeURIComponent(turnId)}/stop`, {}).catch(() => abort.abort());
  box.focus();
}

$("composer").addEventListener("submit", submit);
box.addEventListener("input", grow);
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  if (event.key === "Escape") stop();
});
$("stop").addEventListener("click", stop);
$("restart").addEventListener("click", () => {
  forget();
  latest = null;
  $("transcript").replaceChildren();
  $("welcome").hidden = false;
  $("restart").hidden = true;
  box.focus();
});
$("starters").append(...chips(STARTERS, "", send).children);
if (matchMedia("(hover: hover)").matches) box.focus();
reload();
