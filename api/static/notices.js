// Messages of channels of type `browser`, as they come: beside the list, and on the desktop where that was allowed.
"use strict";

const SHOWN = 5;
const place = document.querySelector(".notices");
const asks = document.querySelector(".asks-notices");

function show(message) {
  const about = message.alerts?.length === 1 ? `/alerts/${encodeURIComponent(message.alerts[0].id)}` : "/alerts";
  const line = document.createElement("a");
  line.href = about;
  line.textContent = message.title;
  place.prepend(line);
  while (place.children.length > SHOWN) place.lastChild.remove();
  if (window.Notification?.permission !== "granted") return;
  const notice = new Notification(message.title, { body: message.text, tag: message.group || message.id });
  notice.addEventListener("click", () => location.assign(about));
}

if (place) new EventSource(place.dataset.stream).addEventListener("notification", (event) => show(JSON.parse(event.data)));

if (asks && window.Notification?.permission === "default") {
  asks.hidden = false;
  asks.addEventListener("click", async () => {
    await Notification.requestPermission();
    asks.hidden = true;
  });
}
