// Signs in with a wallet, and out again. The message to sign is the server's own.
"use strict";

(() => {
  const { ask, askWallet, offerAll, say, send } = Wallets;

  const part = document.getElementById("sign-in") || document.getElementById("sign-out");
  if (!part) return;

  const toHex = (text) =>
    "0x" + Array.from(new TextEncoder().encode(text), (b) => b.toString(16).padStart(2, "0")).join("");

  const signIn = async (provider) => {
    say(part, "asked");
    try {
      const [account] = await askWallet(provider, "eth_requestAccounts");
      if (!account) throw { name: "gone" };
      const { message } = await ask(`/v1/sign-in/nonce?address=${account}`);
      const signature = await askWallet(provider, "personal_sign", [toHex(message), account]);
      await send("/v1/sessions", { message, signature });
      location.replace(location.href.split("#")[0]); // not reload(), which would send a form again
    } catch (error) {
      say(part, error.name === "signed-out" ? "refused" : error.name, error.words);
    }
  };

  const signOut = async () => {
    try {
      const session = await ask("/v1/session");
      const headers = { "X-CSRF-Token": session.csrf_token };
      await ask("/v1/session", { method: "DELETE", headers });
    } catch (error) {
      if (error.name === "offline") return say(part, "offline");
    }
    location.reload(); // a session that had ended is as good as one that ends
  };

  if (part.id === "sign-in") offerAll(part, signIn);
  else part.querySelector("button").addEventListener("click", signOut);
})();
