// Approves a proposal with the reader's own wallet: the message is the server's, its sentence is
// shown before the wallet is asked, and what was signed is brought by the server.
"use strict";

(() => {
  const WAIT_FOR_WALLETS_MS = 600;
  const REJECTED = 4001;
  const part = document.getElementById("sign");
  const { proposal, account, csrf, key, language } = part.dataset;
  const told = part.querySelector("[data-told]");
  const wallets = told.querySelector(".wallets");
  let typedData = null;

  const say = (name, word = "") => {
    for (const line of part.querySelectorAll("[data-say]")) {
      line.hidden = line.dataset.say !== name;
      const code = line.querySelector("code");
      if (code) code.textContent = word;
    }
  };

  const send = async (path, body) => {
    let answer;
    try {
      answer = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf, "Idempotency-Key": key },
        body: JSON.stringify(body),
      });
    } catch {
      throw { name: "offline" };
    }
    const made = await answer.json().catch(() => ({}));
    if (!answer.ok) throw { name: "refused", word: made.code || String(answer.status) };
    return made;
  };

  const askWallet = async (provider, method, params) => {
    try {
      return await provider.request({ method, params });
    } catch (error) {
      throw { name: error && error.code === REJECTED ? "rejected" : "gone" };
    }
  };

  const sign = async (provider) => {
    say("asked");
    try {
      const accounts = await askWallet(provider, "eth_requestAccounts");
      const own = accounts.find((each) => each.toLowerCase() === account.toLowerCase());
      if (!own) throw { name: "other" };
      const text = JSON.stringify(typedData);
      const signature = await askWallet(provider, "eth_signTypedData_v4", [own, text]);
      const made = await send("/v1/signed-messages", { typed_data: typedData, signature });
      location.assign(`/desk/operations/${made.operation_id}`);
    } catch (error) {
      say(error.name || "gone", error.word);
    }
  };

  const offer = (info, provider) => {
    const line = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = info.name;
    button.addEventListener("click", () => sign(provider));
    line.append(button);
    wallets.append(line);
  };

  const begin = async () => {
    try {
      const message = { kind: "approval", account, proposal: Number(proposal) };
      const drafted = await send("/v1/typed-data", { message });
      typedData = drafted.typed_data;
      const says = language === "zh-CN" ? drafted.says_zh : drafted.says_en;
      told.querySelector(".told").textContent = says.join(" ");
      told.hidden = false;
      say(wallets.children.length ? "" : "none");
    } catch (error) {
      say(error.name || "gone", error.word);
    }
  };

  const known = new Set();
  addEventListener("eip6963:announceProvider", ({ detail }) => {
    if (known.has(detail.info.uuid)) return;
    known.add(detail.info.uuid);
    offer(detail.info, detail.provider);
  });
  dispatchEvent(new Event("eip6963:requestProvider"));
  setTimeout(() => {
    if (!known.size && window.ethereum) offer({ name: part.dataset.walletWord }, window.ethereum);
  }, WAIT_FOR_WALLETS_MS);

  say("");
  const button = part.querySelector("[data-ask]");
  button.hidden = false;
  button.addEventListener("click", begin);
})();
