// Asks security keys and built-in authenticators for what a form needs.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// options gives the browser those of the server, whose bytes are in base64.
function options(json) {
  const o = JSON.parse(json);
  o.challenge = bytes(o.challenge);
  if (o.user) o.user.id = bytes(o.user.id);
  for (const list of [o.allowCredentials, o.excludeCredentials]) for (const c of list ?? []) c.id = bytes(c.id);
  return o;
}

// answer writes a credential as the server reads it.
function answer(credential) {
  const r = credential.response;
  const out = { clientDataJSON: text(r.clientDataJSON) };
  if (r.attestationObject) {
    out.attestationObject = text(r.attestationObject);
    out.transports = r.getTransports?.() ?? [];
  } else {
    out.authenticatorData = text(r.authenticatorData);
    out.signature = text(r.signature);
    if (r.userHandle?.byteLength) out.userHandle = text(r.userHandle);
  }
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response: out,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

for (const button of document.querySelectorAll("[data-webauthn]")) {
  const problem = document.createElement("p");
  problem.className = "problem";
  problem.setAttribute("role", "alert");
  problem.hidden = true;
  button.before(problem);
  const say = (message) => { problem.textContent = message; problem.hidden = message === ""; };
  if (!window.PublicKeyCredential) {
    button.disabled = true;
    say(button.dataset.unsupported);
    continue;
  }
  if (button.dataset.webauthn === "create") {
    button.form.addEventListener("submit", (event) => { // by the Enter key
      event.preventDefault();
      button.click();
    });
  }
  button.addEventListener("click", async () => {
    const name = button.form.elements.namedItem("name");
    if (button.getAttribute("aria-busy") === "true" || name && !name.reportValidity()) return;
    button.setAttribute("aria-busy", "true");
    say("");
    try {
      const publicKey = options(button.dataset.options);
      const create = button.dataset.webauthn === "create";
      const credential = await (create ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
      button.form.elements.namedItem("credential").value = answer(credential);
      button.form.submit();
    } catch {
      button.removeAttribute("aria-busy");
      say(button.dataset.failed);
    }
  });
}
