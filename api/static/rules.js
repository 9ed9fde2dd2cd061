// The editor of rules: checked and drawn as one types, completed by the language's schema, simulated beside the text.

const CHECK_MS = 350;
const ASK_MS = 400;
const form = document.getElementById("rule");
const field = document.getElementById("text");
let editor = null;
let asked = 0;
let schema = null;

const text = () => (editor ? editor.getValue() : field.value);

async function check() {
  const mine = ++asked;
  try {
    const answer = await fetch("/fragments/rules/check", { method: "POST", body: new URLSearchParams({ text: text() }) });
    if (!answer.ok || answer.redirected) return;
    const html = await answer.text();
    if (mine !== asked) return; // a newer text is being looked at
    const place = document.getElementById("check");
    const before = place.querySelector(".graph");
    place.innerHTML = html;
    if (!place.querySelector(".graph") && before) place.append(before); // half a word is no reason to lose the picture
    mark();
  } catch {
    // the next change asks again
  }
}

function mark() {
  if (!editor) return;
  editor.eachLine((line) => ["fault", "doubt"].forEach((name) => editor.removeLineClass(line, "background", name)));
  for (const one of document.querySelectorAll("#check [data-line]")) {
    const line = Number(one.dataset.line) - 1;
    if (line >= 0 && line < editor.lineCount()) editor.addLineClass(line, "background", one.classList.contains("error") ? "fault" : "doubt");
  }
}

let waiting = 0;
function changed() {
  clearTimeout(waiting);
  waiting = setTimeout(check, CHECK_MS);
}

// What may stand at a place: the schema is followed down the keys above it, by their indentation.
function resolved(node) {
  if (!node) return [];
  if (node.$ref) return resolved(node.$ref.slice(2).split("/").reduce((at, part) => at[part], schema));
  const some = node.anyOf || node.oneOf || node.allOf;
  return some ? some.flatMap(resolved) : [node];
}

function inside(nodes, key) {
  return nodes.flatMap((node) => {
    if (node.properties && node.properties[key]) return resolved(node.properties[key]);
    return typeof node.additionalProperties === "object" ? resolved(node.additionalProperties) : [];
  });
}

function pathAt(cm, cursor) {
  const path = [];
  let indent = cm.getLine(cursor.line).search(/[^\s-]|$/);
  for (let number = cursor.line - 1; number >= 0 && indent > 0; number--) {
    const found = /^([\s-]*)([\w.-]+):/.exec(cm.getLine(number));
    if (found && found[1].length < indent) {
      path.unshift(found[2]);
      indent = found[1].length;
    }
  }
  const flow = cm.getLine(cursor.line).slice(0, cursor.ch);
  const own = /^[\s-]*([\w.-]+):\s*\{[^}]*$/.exec(flow);
  if (own) path.push(own[1]);
  return path;
}

async function hint(cm) {
  schema = schema || (await (await fetch("/api/v1/schemas/workflow")).json());
  const cursor = cm.getCursor();
  const before = cm.getLine(cursor.line).slice(0, cursor.ch);
  const word = /[\w]*$/.exec(before)[0];
  let nodes = [schema];
  for (const key of pathAt(cm, cursor)) nodes = inside(nodes, key).flatMap((node) => (node.items ? resolved(node.items) : [node]));
  const value = /([\w]+):\s*\w*$/.exec(before);
  let words = nodes.flatMap((node) => Object.keys(node.properties || {})).map((name) => `${name}: `);
  if (value) words = inside(nodes, value[1]).flatMap((node) => node.enum || (node.const !== undefined ? [node.const] : node.type === "boolean" ? [true, false] : [])).map(String);
  const list = [...new Set(words)].filter((one) => one.startsWith(word));
  return { list, from: { line: cursor.line, ch: cursor.ch - word.length }, to: cursor };
}
hint.async = false;

async function simulate() {
  const place = document.getElementById("simulation");
  const workflow = form.dataset.workflow || (/^workflow:\s*["']?([^\s"'#]+)/m.exec(text()) || [])[1] || "new";
  const path = `rules/${encodeURIComponent(workflow)}/simulations`;
  place.textContent = "…";
  try {
    const days = Number(form.elements.days.value);
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text: text(), days }) };
    const answer = await fetch(`/api/v1/${path}`, options);
    const begun = await answer.json();
    if (!answer.ok) {
      place.textContent = begun.detail;
      return;
    }
    for (;;) {
      place.innerHTML = await (await fetch(`/fragments/${path}/${begun.id}`)).text();
      localise(place);
      if (!["waiting", "running"].includes(place.firstElementChild.dataset.state)) return;
      await new Promise((done) => setTimeout(done, ASK_MS));
    }
  } catch {
    place.textContent = "No answer from the server; try again.";
  }
}

if (window.CodeMirror) {
  editor = CodeMirror.fromTextArea(field, {
    mode: "yaml",
    lineNumbers: true,
    lineWrapping: true,
    inputStyle: "contenteditable",
    screenReaderLabel: "The rule, as YAML",
    readOnly: field.readOnly,
    extraKeys: {
      "Ctrl-Space": (cm) => cm.showHint({ hint, completeSingle: false }),
      Tab: (cm) => cm.replaceSelection("  "),
      Esc: (cm) => cm.getInputField().blur(),
    },
  });
  document.getElementById("hint").hidden = false;
  editor.on("change", changed);
  mark();
} else {
  field.addEventListener("input", changed);
}

form.addEventListener("submit", (event) => {
  const what = event.submitter ? event.submitter.value : "";
  if (what === "simulate" || what === "check") {
    event.preventDefault();
    if (what === "check") check();
    else simulate();
  }
});
