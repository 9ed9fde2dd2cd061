// Single keys: help, search, and up and down a list. They can be turned off, since whoever speaks to the machine may
// press them unawares (WCAG 2.1.4); then the buttons are still there. And the menu, where the screen is narrow.

const ROWS = ".findings > li, .log > details, main .table tbody tr";
const HANDLE = "a[href], summary";
const help = document.getElementById("keys");
const single = help.querySelector("input");

function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function handles() {
  const all = [...document.querySelectorAll(ROWS)].filter((row) => row.checkVisibility());
  return all.map((row) => row.querySelector(HANDLE) || row.querySelector("input, button")).filter(Boolean);
}

function move(by) {
  const rows = handles();
  const here = rows.findIndex((handle) => handle.closest(ROWS).contains(document.activeElement));
  const next = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + by, 0), rows.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function choose() {
  document.activeElement.closest(ROWS)?.querySelector("input[type=checkbox]")?.click();
}

const menu = document.querySelector(".menu"); // there is one where the screen is narrow
menu?.addEventListener("click", () => {
  const open = menu.closest(".side").classList.toggle("open");
  menu.setAttribute("aria-expanded", String(open));
});

const KEYS = {
  "?": () => help.showModal(),
  "/": () => document.getElementById("find")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  x: choose,
};
const ARROWS = { ArrowDown: () => move(1), ArrowUp: () => move(-1) };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], .CodeMirror")) return;
  const inList = event.target.closest(ROWS) && event.target.matches(`${HANDLE}, input, button`);
  const act = (single.checked && KEYS[event.key]) || (inList && ARROWS[event.key]);
  if (!act) return;
  event.preventDefault();
  act();
});

single.checked = recall("keys") !== "off";
single.addEventListener("change", () => {
  try {
    localStorage.setItem("keys", single.checked ? "on" : "off");
  } catch {
    // it holds for this page
  }
});
const asked = document.querySelector(".asks-keys");
asked.hidden = false;
asked.addEventListener("click", () => help.showModal());
