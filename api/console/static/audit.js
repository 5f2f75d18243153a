// Begins an audit for an officer, and follows one that runs. Without it the page is read as it is,
// and shows how far the audit is whenever it is asked for again.
"use strict";

(() => {
  const LOOK_EVERY_MS = 1500;

  const form = document.getElementById("begin-audit");
  const running = document.getElementById("running");

  const say = (name, word = "") => {
    for (const line of document.querySelectorAll("#verify [data-say]")) {
      line.hidden = line.dataset.say !== name;
      const code = line.querySelector("code");
      if (code && !line.hidden && word) code.textContent = word;
    }
  };

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
    const session = await (await fetch("/v1/session", { cache: "no-store" })).json();
    const answer = await fetch("/v1/audits", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf_token || "" },
      body: JSON.stringify(options),
    });
    if (answer.ok || answer.status === 409) return location.reload(); // 409: one runs already
    const problem = await answer.json().catch(() => ({}));
    return say("refused", problem.code || String(answer.status));
  };

  const look = async () => {
    const found = await (await fetch("/v1/audits/latest", { cache: "no-store" })).json();
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
      begin().catch(() => say("offline"));
    });
  }
  if (running) setInterval(() => document.visibilityState === "visible" && look().catch(() => {}), LOOK_EVERY_MS);
})();
