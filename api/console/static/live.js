// Tells the reader of an open page that something was recorded since, or that the page can no longer
// be trusted to be current. It changes no figure: the reader asks for the page again, or does not.
// The stream is held only while the page is seen, for a browser opens few connections to a server,
// and goes on where the page was made, or where it last was.
"use strict";

(() => {
  const LOOK_EVERY_MS = 15000;
  const ANSWER_WITHIN_MS = 10000;

  const live = document.getElementById("live");
  let told = live.dataset.told;
  let stream = null;
  let timer = null;

  const say = (name, isSo) => {
    const line = live.querySelector(`[data-live="${name}"]`);
    if (line.hidden === isSo) line.hidden = !isSo;
  };

  const tellNews = (event) => {
    told = event.lastEventId || told;
    say("new", true);
  };

  const look = async () => {
    try {
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const answer = await fetch("/readyz", { cache: "no-store", signal });
      say("offline", false);
      say("stale", !answer.ok);
    } catch {
      if (stream) say("offline", true);
    }
  };

  const begin = () => {
    if (stream) return;
    stream = new EventSource(`${live.dataset.stream}&begin_after=${told}`);
    for (const kind of ["entry", "membership", "withdrawn"]) stream.addEventListener(kind, tellNews);
    timer = setInterval(look, LOOK_EVERY_MS);
    look();
  };

  const end = () => {
    if (!stream) return;
    stream.close();
    clearInterval(timer);
    stream = timer = null;
  };

  const follow = () => (document.visibilityState === "visible" ? begin() : end());

  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", end);
  addEventListener("pageshow", follow);
  follow();
})();
