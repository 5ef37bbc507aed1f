/* A part of the page that is replaced takes the focus with it: what had it is found again by what it says. */
(function () {
  "use strict";
  let last = null;
  const group = (e) => (e.closest("[aria-label]") || document.body).getAttribute("aria-label");
  document.addEventListener("focusin", (event) => {
    const e = event.target;
    last = { id: e.id, tag: e.tagName, text: e.textContent, group: group(e), element: e };
  });
  document.addEventListener("pointerdown", () => { last = null; });
  new MutationObserver(() => {
    if (!last || last.element.isConnected || document.activeElement !== document.body) return;
    const same = last.id
      ? document.getElementById(last.id)
      : [...document.querySelectorAll("#page " + last.tag)].find(
          (e) => e.textContent === last.text && group(e) === last.group);
    if (same) same.focus({ preventScroll: true });
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
