// One turn over the wire: sends the message, reads server-sent events and, after a cut, takes them up
// again where they stopped. Knows the routes of /v1; does not know what an event looks like on screen.

const ATTEMPTS = 8; // in a row without a new event: about 40 s of trying
const WAIT_MS = [300, 700, 1500, 3000, 5000, 8000, 10000, 10000];

/** An answer that refuses: problem+json, or no answer at all (status 0). */
export class Problem extends Error {
  constructor(status, body = {}, retryAfter = 0) {
    super(body.detail || "I cannot reach the server. Check that it runs, then try again.");
    this.status = status;
    this.code = body.code || "unreachable";
    this.retryAfter = retryAfter;
  }
}

/** A request of ours; anything but success is thrown as a Problem. */
export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0);
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({ detail: `The server answered ${response.status}.` }));
  throw new Problem(response.status, body, Number(response.headers.get("Retry-After")) || 0);
}

export function post(path, body, headers = {}, signal = undefined) {
  const options = { method: "POST", signal, headers: { "Content-Type": "application/json", ...headers } };
  return request(path, { ...options, body: JSON.stringify(body) });
}

/** The events of a new turn, in order and without gaps, to its end. */
export async function* say(body, signal, onCut) {
  yield* untilFinished(await post("v1/chat", body, {}, signal), "", signal, onCut);
}

/** The events of a turn that began earlier. */
export async function* follow(turnId, signal, onCut) {
  yield* untilFinished(await resume(turnId, 0, signal), turnId, signal, onCut);
}

function resume(turnId, after, signal) {
  const headers = after ? { "Last-Event-ID": String(after) } : {};
  return request(`v1/turns/${encodeURIComponent(turnId)}/events`, { headers, signal });
}

async function* untilFinished(first, knownTurn, signal, onCut) {
  let response = first, turnId = knownTurn, last = 0, fruitless = 0;
  for (;;) {
    let wait = 0;
    try {
      for await (const event of response ? parse(response) : []) {
        if (event.type === "reconnect") { wait = event.after_ms; break; }
        if (event.id <= last) continue; // seen before the cut
        last = event.id;
        turnId = event.turn_id;
        fruitless = 0;
        yield event;
        if (event.type === "turn.finished") return;
      }
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (!(error instanceof TypeError)) throw error; // fetch reports a broken connection as TypeError
    }
    if (!turnId || fruitless >= ATTEMPTS) throw new Problem(0, { detail: "The answer was cut off.", code: "cut_off" });
    onCut();
    await sleep(Math.max(wait, WAIT_MS[fruitless++]), signal);
    response = await resume(turnId, last, signal).catch((problem) => {
      if (problem instanceof Problem && (problem.status === 0 || problem.status >= 500)) return null;
      throw problem;
    });
  }
}

/** Server-sent events of a response, as parsed JSON. */
async function* parse(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // an event without its closing blank line is incomplete
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "" && data.length) {
          yield JSON.parse(data.join("\n"));
          data = [];
        } else if (line.startsWith("data:")) {
          data.push(line.slice(line[5] === " " ? 6 : 5));
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => { clearTimeout(timer); reject(new DOMException("stopped", "AbortError")); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); resolve(); }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
