// Keeps an element marked with data-refresh up to date. The server sends the whole fragment whenever it has changed
// (/live/…); only what differs is changed, so that focus, selection and open details stay. Where no stream can be had the
// fragment is asked for every few seconds (/fragments/…). When the server is silent the page says so and turns grey.
"use strict";

const SILENT_MS = 12000;
const ASK_MS = 3000;
const KEPT = new Set(["open", "title"]); // what the viewer, or a script, has set

function sync(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || (old.id || "") !== (fresh.id || "")) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) {
    if (name === "open" && old.nodeName === "DETAILS") continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  syncChildren(old, fresh);
}

function syncChildren(old, fresh) {
  const named = new Map([...old.children].filter((node) => node.id).map((node) => [node.id, node]));
  const incoming = [...fresh.childNodes];
  incoming.forEach((node, place) => {
    const there = old.childNodes[place];
    const same = node.id && named.get(node.id);
    if (same) {
      if (same !== there) old.insertBefore(same, there || null); // what is ticked stays ticked, also when it moves
      sync(same, node);
    } else if (!there || node.id || there.id) old.insertBefore(node, there || null);
    else sync(there, node);
  });
  while (old.childNodes.length > incoming.length) old.lastChild.remove();
}

function apply(element, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  localise(fresh.content);
  syncChildren(element, fresh.content);
  tick(element);
  element.dataset.updates = Number(element.dataset.updates || 0) + 1;
  document.dispatchEvent(new CustomEvent("daymark:updated", { detail: element }));
}

function alive(yes) {
  document.body.classList.toggle("stale", !yes);
  for (const note of document.querySelectorAll(".offline")) note.hidden = yes;
}

function follow(element) {
  const path = element.dataset.refresh;
  let source = null;
  let last = Date.now();
  let streamed = false;
  const heardFrom = () => {
    last = Date.now();
    streamed = true;
    alive(true);
  };
  const open = () => {
    source = new EventSource(path.replace("/fragments/", "/live/"));
    source.addEventListener("message", (event) => {
      heardFrom();
      apply(element, event.data);
    });
    source.addEventListener("beat", (event) => {
      heardFrom();
      heard(Number(event.data));
    });
    source.addEventListener("fault", () => alive(false));
  };
  const ask = async () => {
    try {
      const answer = await fetch(path, { signal: AbortSignal.timeout(10000) });
      if (!answer.ok || answer.redirected) return;
      apply(element, await answer.text());
      last = Date.now();
      alive(true);
    } catch {
      // said below
    }
  };
  setInterval(() => {
    if (document.hidden) return;
    if (source && source.readyState === EventSource.CLOSED) source = null;
    if (!source) open();
    if (!streamed || Date.now() - last > SILENT_MS) ask();
    if (Date.now() - last > SILENT_MS) alive(false);
  }, ASK_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && source) {
      source.close(); // a tab that nobody looks at costs nothing
      source = null;
    } else if (!document.hidden && !source) {
      last = Date.now();
      open();
    }
  });
  open();
}

document.querySelectorAll("[data-refresh]").forEach(follow);
addEventListener("pagehide", () => document.body.classList.remove("stale"));
