// Times in the reader's zone where the server wrote UTC, counted on; a list that stays short; Now kept fresh, or said not to be.
"use strict";
(() => {
  const EVERY = 10_000, PATIENCE = 8_000, COUNT = 5_000;
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const minute = new Intl.DateTimeFormat(undefined, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const zone = exact.resolvedOptions().timeZone;
  const main = document.getElementById("main"), notice = document.getElementById("notice");
  const asOf = document.querySelector("#as-of time");

  // The server's clock counts: what it calls now, less what this machine does.
  let ahead = Date.parse(main.dataset.now) - Date.now();
  const elapsed = (ms) => {
    const whole = Math.floor(ms / 1000);
    const parts = [[Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"], [Math.floor(whole / 60) % 60, "m"], [whole % 60, "s"]];
    return parts.filter(([amount]) => amount).slice(0, 2).map(([amount, unit]) => `${amount}${unit}`).join(" ");
  };
  const count = () => {
    for (const one of document.querySelectorAll("time[data-counts]")) {
      let apart = Date.parse(one.dateTime) - Date.now() - ahead;
      if (one.dataset.counts === "past") apart = Math.min(0, apart);
      const words = Math.abs(apart) < 1000 ? "now" : apart > 0 ? `in ${elapsed(apart)}` : `${elapsed(-apart)} ago`;
      if (!Number.isNaN(apart) && one.textContent !== words) one.textContent = words;
    }
  };
  const localize = (root) => {
    for (const one of root.querySelectorAll("[data-zone]")) if (one.textContent !== zone) one.textContent = zone;
    for (const one of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(one.dateTime);
      if (!Number.isNaN(at.getTime())) {
        one.title = exact.format(at);
        if ("clock" in one.dataset) one.textContent = minute.format(at);
        one.dataset.local = "";
      }
    }
  };

  // What is the same thing before and after: the page has no id for every button.
  const named = (one) => JSON.stringify([one.tagName, one.id, one.name, one.value, one.getAttribute("href"), one.getAttribute("aria-labelledby"),
    one.closest("form")?.getAttribute("action"), one.closest("section")?.querySelector("h2")?.id]);
  const same = (root, selector, one) => [...root.querySelectorAll(selector)].filter((other) => named(other) === named(one));
  const put = (came, old) => {
    for (const one of old.querySelectorAll("details[open]")) {
      const twin = same(came, "details", one)[same(old, "details", one).indexOf(one)];
      if (twin) twin.open = true;
    }
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    const heir = held && same(came, held.tagName, held)[same(old, held.tagName, held).indexOf(held)];
    const scrolled = [...old.querySelectorAll(".wide")].filter((one) => one.scrollLeft);
    const places = scrolled.map((one) => [same(came, ".wide", one)[0], one.scrollLeft]);
    old.replaceWith(came);
    for (const [one, left] of places) if (one) one.scrollLeft = left;
    if (held) (heir ?? main).focus({ preventScroll: true });
  };

  const kind = document.getElementById("now") ? "page" : document.querySelector("[data-live]") ? "stream" : "";
  let updated = Date.now(), asked = updated, asking = false, why = "";
  const busy = () => document.querySelector("#now :is(input, select, textarea):focus, #now :active");
  const refresh = async () => {
    [asking, asked] = [true, Date.now()];
    let said = "the server does not answer";
    try {
      const answer = await fetch(kind === "page" ? "/" : "/healthz", { headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) said = `the server answers ${answer.status}`;
      else if (kind === "page") {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        const came = fresh.getElementById("now");
        if (!came) said = "you are not signed in any more: load the page again";
        else if (busy()) said = "it waits while you are in a form";
        else {
          main.dataset.now = fresh.getElementById("main").dataset.now;
          ahead = Date.parse(main.dataset.now) - Date.now();
          asOf.dateTime = main.dataset.now;
          delete asOf.dataset.local;
          put(document.adoptNode(came), document.getElementById("now"));
          said = "";
        }
      } else said = "";
    } catch { /* said already */ }
    [asking, why] = [false, said];
    if (!said) updated = Date.now();
    localize(document);
    count();
    tell();
  };
  const tell = () => {
    const old = Date.now() - updated;
    const text = old > 2 * EVERY || (why && old > EVERY) ? `Not updated since ${clock.format(updated)} (${why || "the server does not answer"}).` : "";
    if (notice.textContent !== text) notice.textContent = text;
    notice.hidden = !text;
  };
  const look = () => {
    tell();
    if (asking || Date.now() - asked < EVERY) return;
    if (!busy()) refresh();
    else why = "it waits while you are in a form";
  };

  localize(document);
  setInterval(count, COUNT);
  if (kind) setInterval(look, 1000);
  if (kind) document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (node.nodeType === 1) localize(node.parentElement ?? node);
      }
    }
    const rows = document.querySelectorAll("#rows > tr");
    for (const row of [...rows].slice(500)) row.remove();
  }).observe(document.body, { childList: true, subtree: true });
})();
