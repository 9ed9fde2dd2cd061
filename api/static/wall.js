// The wall: as many boards as can be read at once, one page after the other; full screen; a clock.
"use strict";

const PAGE = 6;
const TURN_MS = 12000;
let page = 0;
let paused = false;

function pages() {
  return Math.max(1, Math.ceil(document.querySelectorAll(".board").length / PAGE));
}

function lay() {
  page %= pages();
  const boards = document.querySelectorAll(".board");
  boards.forEach((board, place) => board.classList.toggle("away", Math.floor(place / PAGE) !== page));
  document.querySelector(".boards").classList.toggle("few", boards.length <= 2);
  document.getElementById("pages").textContent = pages() > 1 ? `${page + 1} of ${pages()}` : "";
}

function turn(by) {
  page = (page + by + pages()) % pages();
  lay();
}

const pause = document.getElementById("pause");
function setPaused(yes) {
  paused = yes;
  pause.setAttribute("aria-pressed", String(yes));
  pause.textContent = yes ? "Go on" : "Pause";
}

pause.addEventListener("click", () => setPaused(!paused));
document.getElementById("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "ArrowRight") turn(1);
  else if (event.key === "ArrowLeft") turn(-1);
});
document.addEventListener("daymark:updated", lay);
setInterval(() => paused || turn(1), TURN_MS);
function tell() {
  const text = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  document.getElementById("clock").textContent = text;
}
setInterval(tell, 1000);
tell();
lay();
