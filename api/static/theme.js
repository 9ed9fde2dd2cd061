// Light, dark, or as the system has it: set before the first paint, so that nothing flickers.
"use strict";

const THEMES = ["system", "light", "dark"];

function theme() {
  try {
    return localStorage.getItem("theme") || "system";
  } catch {
    return "system";
  }
}

function show(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

show(theme());
document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector(".theme");
  if (!button) return;
  const tell = () => (button.querySelector("span").textContent = `Theme: ${theme()}`);
  button.hidden = false;
  tell();
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
    try {
      localStorage.setItem("theme", next);
    } catch {
      return;
    }
    show(next);
    tell();
  });
});
