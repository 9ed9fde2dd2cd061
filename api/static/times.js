// Instants in the viewer's zone (UTC stays in the title), ages and countdowns that go on without the server.
// What stands inside of an element with data-now is counted by its lane's clock, which was there when the server looked.
"use strict";

const HOUR = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const UNITS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
const STANDS_MS = 15000; // the clock of a lane that no update has moved for so long stands still
let ahead = 0; // of this machine's clock the server's, ms
const lanes = new WeakMap(); // element with data-now -> what it said, and since when by this machine's clock

function heard(serverNow) {
  ahead = serverNow - Date.now();
}

function clockOf(element) {
  const part = element.closest("[data-now]");
  if (!part) return Date.now() + ahead;
  let known = lanes.get(part);
  if (!known || known.said !== part.dataset.now) lanes.set(part, (known = { said: part.dataset.now, at: Date.now() }));
  return Number(known.said) + Math.min(Date.now() - known.at, part.closest("[data-refresh]") ? STANDS_MS : Infinity);
}

function span(ms) {
  let left = Math.floor(Math.abs(ms) / 1000);
  for (let place = 0; place < UNITS.length; place++) {
    const [unit, size] = UNITS[place];
    if (left < size) continue;
    const next = UNITS[place + 1];
    const rest = next ? Math.floor((left % size) / next[1]) : 0;
    return `${Math.floor(left / size)} ${unit}${rest ? ` ${rest} ${next[0]}` : ""}`;
  }
  return "0 s";
}

function localise(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll("time[data-ms]")) {
    const moment = new Date(Number(element.dataset.ms));
    const text = (moment.toDateString() === today ? HOUR : DAY).format(moment);
    if (element.textContent !== text) element.textContent = text;
  }
  tick(root);
}

function tick(root) {
  const now = Date.now() + ahead;
  for (const element of root.querySelectorAll("[data-due]")) {
    const left = Number(element.dataset.due) - now;
    const text = left >= 0 ? `answer in ${span(left)}` : `unanswered, overdue for ${span(left)}`;
    if (element.textContent !== text) element.textContent = text;
    element.classList.toggle("missing", left < 0);
  }
  for (const element of root.querySelectorAll("[data-since], [data-until]")) {
    const until = element.dataset.until;
    const now = clockOf(element);
    const ms = until ? Number(until) - now : now - Number(element.dataset.since);
    const text = until ? (ms >= 0 ? `in ${span(ms)}` : `${span(ms)} ago`) : span(ms);
    if (element.textContent !== text) element.textContent = text;
    if (!element.title) element.title = new Date(Number(until || element.dataset.since)).toISOString().slice(0, 19).replace("T", " ") + " UTC";
  }
}

localise(document);
setInterval(() => tick(document), 1000);
