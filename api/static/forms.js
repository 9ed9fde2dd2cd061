// A local time that the viewer picks becomes the instant that the server is asked for (epoch ms), and back.
"use strict";

for (const input of document.querySelectorAll("[data-instant]")) {
  const hidden = input.form.querySelector(`[name="${input.dataset.instant}"]`);
  if (input.dataset.ms) {
    const at = new Date(Number(input.dataset.ms));
    input.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  }
  input.form.addEventListener("submit", () => {
    hidden.value = input.value ? new Date(input.value).getTime() : "";
    hidden.disabled = !input.value;
  });
}
