// Times in the reader's zone where the server wrote UTC, a list that stays short, and no refresh under somebody's hands.
"use strict";
(() => {
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const minute = new Intl.DateTimeFormat(undefined, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  const zone = exact.resolvedOptions().timeZone;
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
  localize(document);
  document.addEventListener("htmx:before:request", (event) => {
    const now = document.getElementById("now");
    const busy = now?.contains(document.activeElement) || now?.querySelector("details[open]");
    if (event.target === now && busy) event.preventDefault();
  });
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
