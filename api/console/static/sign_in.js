// Signs in with a wallet, and out again. Wallets announce themselves (EIP-6963), so that a browser
// with several lets its reader choose; one that only puts itself into the page (EIP-1193) is offered
// where no other is there. The message to sign is the server's own.
"use strict";

(() => {
  const WAIT_FOR_WALLETS_MS = 600;
  const REJECTED = 4001;
  const ALREADY_ASKING = -32002;

  const part = document.getElementById("sign-in") || document.getElementById("sign-out");
  if (!part) return;

  const say = (name, word = "") => {
    for (const line of part.querySelectorAll("[data-say]")) {
      line.hidden = line.dataset.say !== name;
      const code = line.querySelector("code");
      if (code) code.textContent = word;
    }
  };

  const ask = async (path, options = {}) => {
    let answer;
    try {
      answer = await fetch(path, { cache: "no-store", ...options });
    } catch {
      throw { name: "offline" };
    }
    if (answer.status === 204) return null;
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw { name: "refused", word: body.code || String(answer.status) };
    return body;
  };

  const send = (path, body) =>
    ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });

  const toHex = (text) =>
    "0x" + Array.from(new TextEncoder().encode(text), (b) => b.toString(16).padStart(2, "0")).join("");

  const askWallet = async (provider, method, params) => {
    try {
      return await provider.request({ method, params });
    } catch (error) {
      const names = { [REJECTED]: "rejected", [ALREADY_ASKING]: "busy" };
      throw { name: names[error && error.code] || "gone" };
    }
  };

  const signIn = async (provider) => {
    say("asked");
    try {
      const [account] = await askWallet(provider, "eth_requestAccounts");
      if (!account) throw { name: "gone" };
      const { message } = await ask(`/v1/sign-in/nonce?address=${account}`);
      const signature = await askWallet(provider, "personal_sign", [toHex(message), account]);
      await send("/v1/sessions", { message, signature });
      location.reload();
    } catch (error) {
      say(error.name, error.word);
    }
  };

  const signOut = async () => {
    try {
      const session = await ask("/v1/session");
      const headers = { "X-CSRF-Token": session.csrf_token };
      await ask("/v1/session", { method: "DELETE", headers });
    } catch (error) {
      if (error.name === "offline") return say("offline");
    }
    location.reload(); // a session that had ended is as good as one that ends
  };

  const offer = (info, provider) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--quiet";
    if (typeof info.icon === "string" && info.icon.startsWith("data:image/")) {
      const icon = document.createElement("img");
      icon.src = info.icon;
      icon.alt = "";
      button.append(icon);
    }
    button.append(info.name);
    button.addEventListener("click", () => signIn(provider));
    const line = document.createElement("li");
    line.append(button);
    document.getElementById("wallets").append(line);
  };

  const offerWallets = () => {
    const known = new Set();
    say("");
    addEventListener("eip6963:announceProvider", ({ detail }) => {
      if (known.has(detail.info.uuid)) return;
      known.add(detail.info.uuid);
      say("");
      offer(detail.info, detail.provider);
    });
    dispatchEvent(new Event("eip6963:requestProvider"));
    setTimeout(() => {
      if (known.size) return;
      if (window.ethereum) offer({ name: part.dataset.walletWord }, window.ethereum);
      else say("none");
    }, WAIT_FOR_WALLETS_MS);
  };

  if (part.id === "sign-in") offerWallets();
  else part.querySelector("button").addEventListener("click", signOut);
})();
