// Keeps the public status page up to date: every half minute what it says is asked for again. Without script it is as it was.
"use strict";

async function renew() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  const open = [...document.querySelectorAll("details")].map((one) => one.open);
  fresh.querySelectorAll("details").forEach((one, place) => { one.open = open[place] || false; });
  localise(fresh);
  document.getElementById("main").replaceWith(fresh);
}

setInterval(() => { if (!document.hidden && !document.getElementById("main").contains(document.activeElement)) renew(); }, 30000);
