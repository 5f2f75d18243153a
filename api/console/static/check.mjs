// Checks a certificate in the reader's own browser: the server's word is not taken for what the
// proofs say. What the block's hash is, the reader knows from elsewhere, or else takes from this
// site; which of both it was stands beside the answer.

const part = document.getElementById("check");
const form = part.querySelector("form");
const data = part.dataset;

const say = (name, word = "") => {
  for (const line of part.querySelectorAll("[data-say]")) {
    line.hidden = line.dataset.say !== name;
    const code = line.querySelector("code");
    if (code && !line.hidden && word) code.textContent = word;
  }
};

const blockOf = (certificate, rlp) => {
  const raw = Uint8Array.from(certificate.header.slice(2).match(/../g), (each) => parseInt(each, 16));
  return rlp.decode(raw)[8].reduce((sum, each) => sum * 256 + each, 0);
};

/** The certificate's text: the file that was chosen, or what this server gives. */
async function read() {
  const chosen = form.elements.file;
  if (chosen) return chosen.files.length ? chosen.files[0].text() : null;
  const answer = await fetch(data.source, { cache: "no-store" });
  if (!answer.ok) throw new Error("unavailable");
  return answer.text();
}

const show = (certificate, block, isOwn) => {
  const names = JSON.parse(data.programmes);
  const lines = certificate.standings.map((each) => {
    const line = document.createElement("li");
    const name = names[each.programme_id] || String(each.programme_id);
    line.append(`${name}: ${each.balance.toLocaleString(document.documentElement.lang)}`);
    return line;
  });
  const found = part.querySelector("[data-found]");
  found.querySelector("[data-org]").textContent = certificate.org_id;
  found.querySelector("[data-block]").textContent = block;
  found.querySelector("ul").replaceChildren(...lines);
  found.hidden = false;
  say(isOwn ? "own" : "site");
};

async function check() {
  part.querySelector("[data-found]").hidden = true;
  say("working");
  const given = form.elements.hash.value.trim().toLowerCase();
  const text = await read();
  if (text === null) return say("");
  const [{ verifyCertificate }, { keccak256, rlp }] = await Promise.all([
    import(data.verifier),
    import(data.hashes),
  ]);
  const { code_hashes: codeHashes, recovery_delay: recoveryDelay, ...ledger } = JSON.parse(data.ledger);
  let block = Number(data.block);
  try {
    if (form.elements.file) block = blockOf(JSON.parse(text), rlp);
  } catch {
    return say("wrong", "it is no certificate");
  }
  const anchor = { ...ledger, block_number: block, block_hash: given || data.hash };
  const found = verifyCertificate(text, anchor, { keccak256, rlp, codeHashes, recoveryDelay });
  if (found.verdict === "correct") show(found.certificate, block, given !== "");
  else say("wrong", found.problem);
}

form.hidden = false;
say("");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  check().catch(() => say("unavailable"));
});
