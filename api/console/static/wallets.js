// The wallets of this browser, and the server, for the scripts that ask either. Wallets announce
// themselves (EIP-6963), so that a browser with several lets its reader choose; one that only puts
// itself into the page (EIP-1193) is offered where no other is there. Whatever goes wrong is an
// object with a `name`, which is that of a line of the page (`data-say`).
"use strict";

const Wallets = (() => {
  const WAIT_FOR_WALLETS_MS = 600;
  const NAMES = { 4001: "rejected", "-32002": "busy", 4900: "gone", 4901: "network" };

  const say = (part, name, words = {}) => {
    for (const line of part.querySelectorAll("[data-say]")) {
      line.hidden = line.dataset.say !== name;
      if (line.hidden) continue;
      // In the reader's language where the page has a sentence for the code; else as the server says.
      const known = words.code && part.querySelector(`[data-code="${CSS.escape(words.code)}"]`);
      for (const place of line.querySelectorAll("[data-word]")) {
        const isKnown = known && place.dataset.word === "detail";
        place.textContent = isKnown ? known.textContent : words[place.dataset.word] || "";
        if (isKnown) place.removeAttribute("lang");
      }
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
    if (!answer.ok) {
      const name = answer.status === 401 ? "signed-out" : "refused";
      const words = { code: body.code || String(answer.status), detail: body.detail };
      throw { name, status: answer.status, words };
    }
    return body;
  };

  const send = (path, body, headers = {}) =>
    ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  const askWallet = async (provider, method, params = []) => {
    try {
      return await provider.request({ method, params });
    } catch (error) {
      throw { name: NAMES[error && error.code] || "gone" };
    }
  };

  const offer = (list, info, provider, choose) => {
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
    button.addEventListener("click", () => choose(provider));
    const line = document.createElement("li");
    line.append(button);
    list.append(line);
  };

  // Offers each wallet in the part's list; `choose` is called with the one that is pressed.
  const offerAll = (part, choose) => {
    const list = part.querySelector(".wallets");
    const known = new Set();
    say(part, "");
    addEventListener("eip6963:announceProvider", ({ detail }) => {
      if (known.has(detail.info.uuid)) return;
      known.add(detail.info.uuid);
      say(part, "");
      offer(list, detail.info, detail.provider, choose);
    });
    dispatchEvent(new Event("eip6963:requestProvider"));
    setTimeout(() => {
      if (known.size) return;
      if (window.ethereum) offer(list, { name: part.dataset.walletWord }, window.ethereum, choose);
      else say(part, "none");
    }, WAIT_FOR_WALLETS_MS);
  };

  return { say, ask, send, askWallet, offerAll };
})();
