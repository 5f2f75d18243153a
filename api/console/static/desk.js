// Follows a request on its page: asks for the page again until nothing changes any more, and puts
// the new state where the old one stood. Without a script the page loads itself again.
"use strict";

(() => {
  const EVERY_MS = 1500;

  const look = async () => {
    let answer;
    try {
      answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } });
    } catch {
      return true; // the next look may find the server again
    }
    if (!answer.ok) return answer.status >= 500;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const place of ["#followed", "#results", ".facts"]) {
      const now = document.querySelector(place);
      const next = page.querySelector(place);
      if (now && next && now.innerHTML !== next.innerHTML) now.replaceChildren(...next.childNodes);
    }
    return page.querySelector("[data-followed]") !== null;
  };

  const follow = async () => {
    if (document.visibilityState !== "visible" || (await look())) setTimeout(follow, EVERY_MS);
  };

  setTimeout(follow, EVERY_MS);
})();
