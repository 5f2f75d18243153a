// Compares what this site says with a node of the reader's choice. The reader's browser asks that
// node, and nobody else is told of it: this site learns neither the address nor the answers. What
// the node answers is shown only where it has the form that was asked for, and as text.

const PATIENCE_MS = 10_000;
const MOST_CHARACTERS = 4 * 1024 * 1024; // of an answer: a block's hashes, or a contract's code
const MOST_URL = 2000;
const HASH = /^0x[0-9a-f]{64}$/i;
const QUANTITY = /^0x(?:0|[1-9a-f][0-9a-f]{0,12})$/i; // what a number holds without rounding
const CODE = /^0x(?:[0-9a-f]{2}){0,262144}$/i;
const OWN_MACHINE = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/;

const part = document.getElementById("compare");
const form = part.querySelector("form");
const field = part.querySelector("input");
const table = part.querySelector("table");
const rows = [...table.tBodies[0].rows];
let run = 0;

/** A reason to end a comparison, which the page has a sentence for. */
class Ended extends Error {}

/** What the node refuses to tell, or knows nothing of: the other lines go on. */
class Untold extends Error {}

const say = (name) => {
  for (const line of part.querySelectorAll("[data-say]")) line.hidden = line.dataset.say !== name;
  if (name === "url") field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
};

function addressIn(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new Ended("url");
  }
  const isPlain = url.username === "" && url.password === "" && text.length <= MOST_URL;
  if (!isPlain || !["http:", "https:"].includes(url.protocol)) throw new Ended("url");
  if (location.protocol === "https:" && url.protocol === "http:" && !OWN_MACHINE.test(url.hostname)) {
    throw new Ended("mixed");
  }
  return url.href;
}

async function textOf(answer) {
  if (!answer.body) return "";
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
    if (text.length > MOST_CHARACTERS) {
      reader.cancel().catch(() => {});
      throw new Ended("odd");
    }
  }
}

async function fetched(url, body) {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      signal: ending.signal,
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
      redirect: "error",
    });
    return await textOf(answer);
  } catch (error) {
    if (error instanceof Ended) throw error;
    throw new Ended(ending.signal.aborted ? "timeout" : "unreachable");
  } finally {
    clearTimeout(timer);
  }
}

/** The result of a call. Throws Untold where the node refuses it, Ended where it is no such node. */
async function ask(url, method, ...params) {
  const text = await fetched(url, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Ended("odd");
  }
  if (answer === null || typeof answer !== "object" || answer.jsonrpc !== "2.0") throw new Ended("odd");
  if (answer.error) throw new Untold("refused");
  if (!("result" in answer)) throw new Ended("odd");
  return answer.result;
}

async function numberOf(url, method) {
  const found = await ask(url, method);
  if (typeof found !== "string" || !QUANTITY.test(found)) throw new Untold("odd");
  return Number(found);
}

async function hashOf(url, block) {
  const found = await ask(url, "eth_getBlockByNumber", `0x${block.toString(16)}`, false);
  if (found === null) throw new Untold("unknown");
  const isIt = typeof found === "object" && typeof found.hash === "string" && HASH.test(found.hash);
  if (!isIt || !QUANTITY.test(found.number) || Number(found.number) !== block) throw new Untold("odd");
  return found.hash.toLowerCase();
}

/** A contract's code at a block. It never changes, and many nodes keep no old states: then now. */
async function codeOf(url, address, block) {
  const found = await ask(url, "eth_getCode", address, `0x${block.toString(16)}`).catch((error) => {
    if (error instanceof Untold) return ask(url, "eth_getCode", address, "latest");
    throw error;
  });
  if (typeof found !== "string" || !CODE.test(found)) throw new Untold("odd");
  return Uint8Array.from(found.slice(2).match(/../g) || [], (each) => Number.parseInt(each, 16));
}

const shown = (number) => number.toLocaleString(document.documentElement.lang);

/** Words of the page, in the reader's language, with a number in them where they have a place. */
const words = (name, number) => {
  const found = part.querySelector(`template[data-word="${name}"]`).content.cloneNode(true);
  const place = found.querySelector("b");
  if (place) place.textContent = shown(number);
  return found;
};

function fill(row, value, result, number) {
  const [node, end] = [row.querySelector("[data-node]"), row.querySelector("[data-result]")];
  if (value === null) node.replaceChildren("–");
  else if (HASH.test(value)) node.firstElementChild.textContent = value;
  else node.textContent = value;
  end.replaceChildren(words(result, number));
  row.dataset.is = result;
}

/** What stands in the row's place of the node: for a hash an element that breaks it. */
function clear(row) {
  const code = document.createElement("code");
  code.className = "digest digest--whole";
  row.querySelector("[data-node]").replaceChildren(code);
  row.querySelector("[data-result]").replaceChildren();
  delete row.dataset.is;
}

const held = (own, value) => [value, value === own ? "same" : "different"];

/** What the node says of a line, the word for how that compares, and the number in that word. */
async function compareRow({ what, address, own, block: number }, url, block, head) {
  if (what === "chain") return held(own, String(await numberOf(url, "eth_chainId")));
  if (what === "head") {
    const behind = block - head;
    return [shown(head), behind > 0 ? "behind" : behind < 0 ? "ahead" : "same", Math.abs(behind)];
  }
  if (what === "block") return held(own, await hashOf(url, Number(number)));
  if (head < block) throw new Untold("unknown"); // it may have been deployed since
  const code = await codeOf(url, address, block);
  if (code.length === 0) return [null, "none"];
  const { keccak256 } = await import(part.dataset.hashes);
  const digest = Array.from(keccak256(code), (each) => each.toString(16).padStart(2, "0"));
  return held(own, `0x${digest.join("")}`);
}

/** The one sentence over the lines, by name. */
function verdict() {
  const of = (kinds, results) =>
    rows.some((row) => kinds.includes(row.dataset.what) && results.includes(row.dataset.is));
  if (of(["chain", "block"], ["different"])) return "different";
  if (of(["code"], ["different", "none"])) return "code";
  return of(["chain", "block", "head", "code"], ["unknown", "refused", "odd", "behind"]) ? "partly" : "same";
}

async function compare() {
  run += 1;
  const mine = run;
  table.hidden = true;
  rows.forEach(clear);
  say("working");
  let told;
  try {
    const url = addressIn(field.value.trim());
    const block = Number(part.dataset.block);
    const head = await numberOf(url, "eth_blockNumber").catch((error) => {
      throw error instanceof Untold ? new Ended("odd") : error;
    });
    for (const row of rows) {
      const found = await compareRow(row.dataset, url, block, head).catch((error) => {
        if (error instanceof Untold) return [null, error.message];
        throw error;
      });
      if (mine !== run) return; // another comparison was begun
      fill(row, ...found);
    }
    told = verdict();
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    told = error.message;
  }
  if (mine !== run) return;
  table.hidden = !rows.every((row) => row.dataset.is);
  say(told);
  if (told === "url") field.focus();
}

for (const place of part.querySelectorAll("[data-origin]")) place.textContent = location.origin;
form.hidden = false;
say("");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  compare();
});
