// Has a message signed, and follows what comes of it. What it says is shown in sentences before any
// wallet is asked; the wallet signs that very message (EIP-712), and the server brings it to the
// chain, once: what is signed is kept, so that trying again sends the same message and no second one.
"use strict";

(() => {
  const { ask, askWallet, offerAll, say, send } = Wallets;
  const LOOK_EVERY_MS = 1200;
  const STEPS = ["accepted", "sent", "included", "final"];

  const part = document.getElementById("signing");
  if (!part) return;

  const draft = JSON.parse(part.dataset.draft);
  const begin = part.querySelector("[data-begin]");
  const again = part.querySelector("[data-again]");
  const shown = part.querySelector("[data-shown]");
  const progress = part.querySelector("[data-progress]");
  const values = part.closest("form, section").querySelectorAll("[data-value]");
  let drafted = null;
  let signed = null;
  let isBusy = false;

  const fail = (error) => {
    if (!error || !error.name || error instanceof Error) throw error;
    say(part, error.name, error.words);
  };

  const alone = (work) => async (...given) => {
    if (isBusy) return;
    isBusy = true;
    try {
      await work(...given);
    } catch (error) {
      fail(error);
    } finally {
      isBusy = false;
    }
  };

  // A number that changes what is previewed: signing it goes by way of its preview.
  const previewed = part.closest("form, section").querySelector("[data-previewed]");

  const show = alone(async () => {
    if (previewed && previewed.value !== previewed.defaultValue) return previewed.form.requestSubmit();
    for (const field of values) {
      const value = field.value.trim();
      const isSame = value.toLowerCase() === (field.dataset.not || "").toLowerCase();
      field.setCustomValidity(value && isSame ? field.dataset.notWord : "");
      if (!field.reportValidity()) return;
      draft[field.dataset.value] = value;
    }
    say(part, "");
    drafted = await send("/v1/typed-data", { message: draft });
    const sentences = document.documentElement.lang === "en" ? drafted.says_en : drafted.says_zh;
    shown.querySelector("ul.says").replaceChildren(
      ...sentences.map((sentence) => {
        const line = document.createElement("li");
        line.textContent = sentence;
        return line;
      }),
    );
    begin.hidden = true;
    for (const field of values) field.readOnly = true;
    shown.hidden = false;
    shown.querySelector("h3").focus();
    offerAll(shown, (provider) => sign(provider));
  });

  const chooseChain = async (provider, wanted) => {
    const has = async () => Number(await askWallet(provider, "eth_chainId")) === wanted;
    if (await has()) return;
    try {
      const chainId = "0x" + wanted.toString(16);
      await askWallet(provider, "wallet_switchEthereumChain", [{ chainId }]);
    } catch (error) {
      if (error.name === "rejected") throw error;
    }
    if (!(await has())) throw { name: "network" };
  };

  const sign = alone(async (provider) => {
    say(shown, "asked");
    try {
      const accounts = await askWallet(provider, "eth_requestAccounts");
      const wanted = drafted.account.toLowerCase();
      const account = accounts.find((each) => each.toLowerCase() === wanted);
      if (!account) throw { name: "account", words: { has: accounts[0], wanted: drafted.account } };
      const typed = drafted.typed_data;
      await chooseChain(provider, typed.domain.chainId);
      const signature = await askWallet(provider, "eth_signTypedData_v4", [account, JSON.stringify(typed)]);
      signed = { typed_data: typed, signature, proof: drafted.proof };
    } catch (error) {
      if (!error || !error.name || error instanceof Error) throw error;
      const chain = String(drafted.typed_data.domain.chainId);
      return say(shown, error.name, error.words || { chain });
    }
    say(shown, "");
    shown.querySelector(".wallets").hidden = true;
    await bring();
  });

  const bring = async () => {
    try {
      again.hidden = true;
      say(part, "bringing");
      const session = await ask("/v1/session");
      const operation = await send("/v1/signed-messages", signed, {
        "X-CSRF-Token": session.csrf_token,
        "Idempotency-Key": drafted.operation_id,
      });
      say(part, "");
      progress.hidden = false;
      await follow(operation.operation_id);
    } catch (error) {
      if (!progress.hidden) throw error;
      again.hidden = false;
      throw error;
    }
  };

  const mark = (operation) => {
    const reached = STEPS.indexOf(operation.state);
    for (const line of progress.querySelectorAll("[data-step]")) {
      const at = STEPS.indexOf(line.dataset.step);
      line.classList.toggle("is-done", at <= reached);
      if (at === reached) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    }
    const word = progress.querySelector(`[data-step="${operation.state}"]`);
    if (word) progress.querySelector("[role=status]").textContent = word.textContent;
  };

  const follow = async (id) => {
    for (;;) {
      let operation = null;
      try {
        operation = await ask(`/v1/operations/${id}`);
        say(part, "");
      } catch (error) {
        if (error.name !== "offline") throw error;
        say(part, "offline"); // what was brought goes on without this page
      }
      if (operation) {
        mark(operation);
        if (operation.state === "final") return say(part, "done");
        if (operation.state === "failed" || operation.state === "cancelled") {
          const failure = operation.failure || {};
          return say(part, "failed", { code: failure.code || operation.state, detail: failure.detail });
        }
      }
      await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
    }
  };

  say(part, "");
  begin.hidden = false;
  begin.addEventListener("click", show);
  again.addEventListener("click", alone(bring));
})();
