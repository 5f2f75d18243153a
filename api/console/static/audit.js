// Begins an audit for an officer, and follows one that runs. Without it the page is read as it is,
// and shows how far the audit is whenever it is asked for again.
"use strict";

(() => {
  const LOOK_EVERY_MS = 1500;

  const form = document.getElementById("begin-audit");
  const running = document.getElementById("running");

  const { ask, send } = Wallets;
  const part = document.getElementById("verify");
  const say = (name, words) => Wallets.say(part, name, words);

  const optionsOf = async () => {
    const options = { compile: form.elements.compile.checked };
    if (form.elements.expiry_epochs.value !== "") {
      options.expiry_epochs = Number(form.elements.expiry_epochs.value);
    }
    const files = [...form.elements.share_rules.files];
    options.share_rules = await Promise.all(files.map(async (each) => JSON.parse(await each.text())));
    return options;
  };

  const begin = async () => {
    let options;
    try {
      options = await optionsOf();
    } catch {
      return say("rule");
    }
    say("asked");
    const session = await ask("/v1/session");
    try {
      await send("/v1/audits", options, { "X-CSRF-Token": session.csrf_token });
    } catch (error) {
      if (error.status !== 409) throw error; // else one runs already, which is as good
    }
    return location.reload();
  };

  const look = async () => {
    const found = await ask("/v1/audits/latest");
    if (found.state !== "running") return location.reload();
    const bar = running.querySelector("progress");
    const shown = (number) => number.toLocaleString(document.documentElement.lang);
    if (found.total) {
      bar.max = found.total;
      bar.value = found.done;
      running.querySelector("[data-count]").textContent = `${shown(found.done)} / ${shown(found.total)}`;
    }
    for (const line of running.querySelectorAll("[data-step]")) {
      line.hidden = line.dataset.step !== found.step;
    }
    return undefined;
  };

  if (form) {
    form.hidden = false;
    say("");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      begin().catch((error) => {
        if (!error || !error.name || error instanceof Error) throw error;
        say(error.name, error.words);
      });
    });
  }
  if (running) setInterval(() => document.visibilityState === "visible" && look().catch(() => {}), LOOK_EVERY_MS);
})();
