// Comfort only: every act works without this file. Keys, and lists that refresh by themselves.
"use strict";
(() => {
  const typing = () => {
    const e = document.activeElement;
    return e !== null && /^(INPUT|TEXTAREA|SELECT)$/.test(e.tagName) && e.type !== "hidden";
  };
  // Keys of one letter may be switched off, for who speaks to his computer (WCAG 2.1.4): a choice of this browser.
  const singleKeys = () => { try { return localStorage.getItem("touches") !== "non"; } catch { return true; } };
  for (const box of document.querySelectorAll("input[data-touches]")) {
    box.closest("[hidden]").hidden = false;
    box.checked = singleKeys();
    box.addEventListener("change", () => { try { localStorage.setItem("touches", box.checked ? "oui" : "non"); } catch { /* stays as it is */ } });
  }
  const links = () => Array.from(document.querySelectorAll("a.row-link"));
  const move = (step) => {
    const all = links();
    if (all.length === 0) return;
    const at = all.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
    all[next].focus();
    all[next].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !singleKeys()) return;
    if (event.key === "Escape" && typing()) { document.activeElement.blur(); return; }
    if (typing()) return;
    if (event.key === "j") { move(1); event.preventDefault(); return; }
    if (event.key === "k") { move(-1); event.preventDefault(); return; }
    if (/^[cvumn]$/.test(event.key)) {
      const target = document.querySelector(`[data-key="${event.key}"]`);
      if (target === null) return;
      event.preventDefault();
      if (/^[umn]$/.test(event.key)) target.click(); else { target.focus(); target.scrollIntoView({ block: "center" }); }
    }
  });

  // A scanner ends what it reads with Enter: in the fields of a form that means the next field, not the end.
  document.addEventListener("keydown", (event) => {
    const from = event.target;
    if (event.key !== "Enter" || !(from instanceof HTMLInputElement) || !from.hasAttribute("data-next")) return;
    if (from.name === "plus" && from.value !== "") return;
    const all = Array.from(from.form.elements).filter((e) => e.type !== "hidden" && e.tabIndex >= 0 && !e.disabled && e.tagName !== "FIELDSET");
    const next = all[all.indexOf(from) + 1];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  });

  // The first row is ready for Enter when a list opens.
  if (document.activeElement === document.body) {
    const first = links()[0];
    if (first !== undefined) first.focus({ preventScroll: true });
  }

  // One signature for one click.
  for (const form of document.querySelectorAll('form[method="post"]')) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent === "1") { event.preventDefault(); return; }
      form.dataset.sent = "1";
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form")) delete form.dataset.sent;
  });

  // Refresh: says that no person asked, so that an abandoned screen signs out by itself.
  const seconds = Number(document.body.dataset.refresh);
  if (seconds > 0) {
    const refresh = async () => {
      if (document.hidden || typing() || document.querySelector("details[open]") !== null) return;
      try {
        const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, credentials: "same-origin" });
        if (answer.redirected || answer.status === 401) { location.reload(); return; }
        if (!answer.ok) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("main");
        const main = document.querySelector("main");
        if (fresh === null || main === null) return;
        const held = document.activeElement;
        const inside = held !== null && main.contains(held);
        const href = held === null ? null : held.getAttribute("href");
        const notice = main.querySelector(".notice");
        main.replaceChildren(...fresh.childNodes);
        if (notice !== null && main.querySelector(".notice") === null) main.prepend(notice);
        if (!inside) return;
        const again = held.id !== "" ? document.getElementById(held.id)
          : href === null ? undefined : Array.from(main.querySelectorAll("a[href]")).find((link) => link.getAttribute("href") === href);
        // A signed order leaves the list: the next one, not the top of the page.
        const row = again ?? links()[0];
        if (row !== undefined && row !== null) row.focus({ preventScroll: true });
      } catch { /* the next one will tell */ }
    };
    setInterval(refresh, seconds * 1000);
  }
})();
