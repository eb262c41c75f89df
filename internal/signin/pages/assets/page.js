// What the pages do beyond plain forms. Each works without this file.
"use strict";

// Show and hide passwords.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const show = button.textContent;
  const fields = button.dataset.reveal.split(" ").map((id) => document.getElementById(id));
  button.hidden = false;
  button.addEventListener("click", () => {
    const reveal = fields[0].type === "password";
    for (const field of fields) field.type = reveal ? "text" : "password";
    button.textContent = reveal ? button.dataset.hide : show;
  });
  fields[0].form.addEventListener("submit", () => {
    for (const field of fields) field.type = "password";
  });
}

// Put the hyphen into a code while it is typed.
for (const field of document.querySelectorAll("[data-user-code]")) {
  field.addEventListener("input", () => {
    if (field.selectionStart !== field.value.length) return;
    const code = field.value.toUpperCase().replace(/[^A-Z0-9]/g, "").slice(0, 8);
    field.value = code.length > 4 ? code.slice(0, 4) + "-" + code.slice(4) : code;
  });
}

// Copy what stands beside a button.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  const copy = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("pre, code").textContent);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = copy; }, 2000);
  });
}

// Show nothing of a session that has ended, whether the server can be reached or
// not. Timers stand still while a machine sleeps, so the clock is asked again.
if (document.body.dataset.left) {
  const ends = Date.now() + (Number(document.body.dataset.left) + 1) * 1000;
  const check = () => {
    if (Date.now() < ends) return;
    document.body.replaceChildren();
    location.replace(location.pathname + location.search);
  };
  setInterval(check, 1000);
  document.addEventListener("visibilitychange", check);
}

// Have what the page notes read out: screen readers tell of what changes only,
// and then of all of it.
for (const note of document.querySelectorAll("main [role=status]")) setTimeout(() => note.append("\u00a0"), 300);

// Send a form once.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    const button = form.querySelector("button[type=submit]");
    if (!button) return;
    if (button.getAttribute("aria-busy") === "true") event.preventDefault();
    button.setAttribute("aria-busy", "true");
  });
}
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// What stands behind the # belongs to the page that a person signs in for.
// Browsers keep it through redirects, but not through forms and links.
if (location.hash && location.pathname.startsWith("/signin")) {
  for (const form of document.forms) form.setAttribute("action", form.getAttribute("action") + location.hash);
  for (const link of document.querySelectorAll('a[href^="/signin"]')) link.setAttribute("href", link.getAttribute("href") + location.hash);
}
