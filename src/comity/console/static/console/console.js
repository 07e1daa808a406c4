/* What JavaScript adds: live counters, the "n new" bar, keys in lists. Every page works without it. */
"use strict";
(() => {
  const body = document.body;

  /* Live counters. The bar tells; it never moves a row under the cursor. */
  function show(counts) {
    for (const place of document.querySelectorAll("[data-count]")) {
      const value = counts[place.dataset.count];
      if (value === undefined) continue;
      place.textContent = String(value);
      place.hidden = value === 0;
    }
    /* A page that waits for a partner's answer: something came since it was opened. */
    const came = document.getElementById("came-bar");
    if (came && counts.arrivals > Number(came.dataset.arrivals)) came.hidden = false;
    const bar = document.getElementById("new-bar");
    if (!bar || counts.assessed === undefined) return;
    const fresh = counts.assessed - Number(bar.dataset.assessed);
    if (fresh > 0) {
      document.getElementById("new-count").textContent = String(fresh);
      bar.hidden = false;
    }
  }

  if (body.dataset.live && "EventSource" in window) {
    const events = new EventSource(body.dataset.live);
    events.addEventListener("counts", (event) => show(JSON.parse(event.data)));
    window.addEventListener("pagehide", () => events.close());
  }

  /* j and k walk through a list, Enter opens, x ticks, a leads to whom the ticked ones are given. Never while someone
     types. Who comes back to a list is where he left it. On a consignment j and k lead to its neighbours. */
  const rows = [...document.querySelectorAll("[data-rows] > tr")];
  let at = -1;

  function go(to) {
    if (rows.length === 0) return;
    if (at >= 0) rows[at].classList.remove("is-at");
    at = Math.max(0, Math.min(rows.length - 1, to));
    rows[at].classList.add("is-at");
    const link = rows[at].querySelector(".row-link");
    if (link) {
      link.focus({ preventScroll: true });
      history.replaceState({ row: link.href }, "");
    }
    rows[at].scrollIntoView({ block: "nearest" });
  }

  const left = history.state && history.state.row;
  if (left) {
    const again = rows.findIndex((row) => row.querySelector(".row-link")?.href === left);
    if (again >= 0) go(again);
  }

  function give() {
    const to = document.getElementById("assign-to");
    if (!to) return false;
    const ticked = document.querySelector("[data-rows] input[type=checkbox]:checked");
    const box = at >= 0 && !ticked ? rows[at].querySelector("input[type=checkbox]") : null;
    if (box) box.checked = true;
    to.focus();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    const isTyping = target.matches("input:not([type=checkbox]), select, textarea") || target.isContentEditable;
    if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
    if (rows.length === 0) {
      const beside = { j: "next", k: "prev" }[event.key];
      if (beside) document.querySelector(`main a[rel=${beside}]`)?.click();
      return;
    }
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    if (here >= 0) {
      if (at >= 0 && at !== here) rows[at].classList.remove("is-at");
      at = here;
    }
    if (event.key === "j") go(at + 1);
    else if (event.key === "k") go(at < 0 ? 0 : at - 1);
    else if (event.key === "x" && at >= 0) {
      const box = rows[at].querySelector("input[type=checkbox]");
      if (box) box.checked = !box.checked;
    } else if (event.key !== "a" || !give()) return;
    event.preventDefault();
  });

  const all = document.getElementById("all-rows");
  if (all) {
    all.closest("label").hidden = false;
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll("[data-rows] input[type=checkbox]")) box.checked = all.checked;
    });
  }

  /* After a refused form the summary of what is wrong is read first. */
  const summary = document.querySelector(".error-summary");
  if (summary) summary.focus();
})();
