// Keeps an element marked with data-refresh up to date: fetches the fragment it names and changes only what differs, so that
// focus, selection and open details stay. When the server is silent the page says so and turns grey.
"use strict";

function sync(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  syncChildren(old, fresh);
}

function syncChildren(old, fresh) {
  const incoming = [...fresh.childNodes];
  const present = [...old.childNodes];
  incoming.forEach((node, place) => (place < present.length ? sync(present[place], node) : old.append(node)));
  present.slice(incoming.length).forEach((node) => node.remove());
}

async function refresh(element) {
  let alive = false;
  try {
    const answer = await fetch(element.dataset.refresh, { signal: AbortSignal.timeout(10000) });
    if (answer.ok && !answer.redirected) {
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      syncChildren(element, fresh.content);
      alive = true;
    }
  } catch {
    // said below
  }
  document.body.classList.toggle("stale", !alive);
  document.querySelector(".offline").hidden = alive;
}

for (const element of document.querySelectorAll("[data-refresh]")) {
  const loop = async () => {
    if (!document.hidden) await refresh(element);
    setTimeout(loop, Number(element.dataset.every));
  };
  setTimeout(loop, Number(element.dataset.every));
}
