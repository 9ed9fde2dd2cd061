// Forms that do something through the API: what is ticked, and the fields, go as JSON; what became of it is said beside them.
"use strict";

function said(answer, body) {
  if (!answer.ok) return body.detail || `refused (${answer.status})`;
  if ("sent" in body) return [`${body.sent} sent`, ...body.refused].join("; ");
  const done = { applied: "done", pending: "sent; the alert job has not answered yet" }[body.outcome] || "done";
  return [done, body.detail].filter(Boolean).join(": ");
}

function bodyOf(form, button) {
  const body = {};
  for (const field of form.querySelectorAll("[data-field]")) {
    if (!field.value || button?.dataset.without === field.dataset.field) continue;
    body[field.dataset.field] = field.type === "datetime-local" ? new Date(field.value).getTime() : field.value;
  }
  if (button && button.dataset.kind) body.kind = button.dataset.kind;
  if (form.dataset.list) {
    const ticked = [...document.querySelectorAll(`input[name="one"]:checked`)].map((box) => box.value);
    body[form.dataset.list] = ticked.map((value) => (value.startsWith("{") ? JSON.parse(value) : value));
  }
  return body;
}

for (const form of document.querySelectorAll("form[data-api]")) {
  const outcome = form.querySelector(".outcome");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = bodyOf(form, event.submitter);
    if (form.dataset.list && !body[form.dataset.list].length) {
      outcome.textContent = "Choose at least one.";
      return;
    }
    outcome.textContent = "…";
    try {
      let path = event.submitter?.dataset.api || form.dataset.api;
      if (form.dataset.silence) {
        path = `${form.dataset.silence}console-${Date.now()}`;
        body.match = JSON.parse(form.dataset.match);
        body.from = new Date().toISOString();
        body.until = new Date(body.until).toISOString();
      }
      const options = { method: form.dataset.method || "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
      const answer = await fetch(path, options);
      outcome.textContent = said(answer, await answer.json());
    } catch {
      outcome.textContent = "No answer from the server; try again.";
    }
  });
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-all]")) return;
  for (const box of document.querySelectorAll(`input[name="one"]`)) box.checked = event.target.checked;
});
