// Pages that people have stored, opened by somebody who is signed in.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { Machine } from "./shell.mjs";
import { Site, Visitor, launch } from "./site.mjs";

let site, browser, machine, data;
before(async () => {
  [site, browser] = await Promise.all([Site.start(), launch()]);
  machine = new Machine(site);
  data = site.url.replace("localhost", "127.0.0.1");
});
after(async () => {
  await browser?.close();
  machine?.remove();
  await site?.stop();
});

const program = path.resolve(process.env.ATRIUM_PROGRAM ?? "../../bin/atrium");

// aws runs a command of the AWS CLI as the administrator.
function aws(command) {
  return machine.bash(`eval "$(${program} env --data-dir '${site.dir}')"\naws ${command}`);
}

// attack is what a stored page does if it can: whoever opens it is signed in.
const attack = (people) => `
  document.documentElement.setAttribute("title", "it ran");
  fetch("${people}/start", { credentials: "include", mode: "no-cors" });
  new Image().src = "${people}/signin?stolen=" + document.cookie;`;

// shows waits until something is so.
async function shows(is, otherwise) {
  for (const late = Date.now() + 20_000; !is(); await new Promise((r) => setTimeout(r, 50))) assert.ok(Date.now() < late, otherwise);
}

test("a stored page, image or feed runs no scripts", async () => {
  const files = {
    "page.html": ["text/html", `<!doctype html><title>stored</title><h1>a stored page</h1><script>${attack(site.url)}</script>
      <form id=f action="${site.url}/signin" method=post></form><button form=f id=b autofocus onclick="${"document.title='it ran'"}">press</button>`],
    "image.svg": ["image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>stored</title><script>${attack(site.url).replaceAll("&", "&amp;")}</script></svg>`],
    "page.xhtml": ["application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>stored</title><script>${attack(site.url)}</script></head><body/></html>`],
    "text.txt": ["text/plain", `<script>${attack(site.url)}</script>`],
  };
  for (const [name, [, text]] of Object.entries(files)) machine.write(`stored/${name}`, text);
  aws("s3 mb s3://stored");
  aws("s3 cp stored s3://stored --recursive --no-progress"); // with the types that the names suggest
  const admin = await Visitor.arrive(browser, site);
  await admin.goto("/start");
  await admin.signIn("admin");
  await admin.page.waitForURL(`${site.url}/start**`);
  const reached = [];
  admin.context.on("request", (request) => { if (/stolen|\/start$|\/signin$/.test(request.url())) reached.push(request.url()); });
  for (const [name, [type]] of Object.entries(files)) {
    const address = aws(`s3 presign s3://stored/${name}`);
    assert.ok(address.startsWith(`${data}/stored/${name}?`), address);
    reached.length = admin.problems.length = 0;
    const response = await admin.page.goto(address);
    const headers = response.headers();
    assert.equal(response.status(), 200);
    assert.equal(headers["content-type"], type);
    assert.equal(headers["content-security-policy"], "sandbox; frame-ancestors 'none'");
    assert.equal(headers["x-content-type-options"], "nosniff");
    if (name !== "text.txt") await shows(() => admin.problems.some((text) => text.includes("sandboxed")), `${name}: no script was blocked`);
    assert.equal(await admin.page.evaluate(() => document.documentElement.getAttribute("title")), null, `${name} ran`);
    assert.deepEqual(reached, [], `${name} reached the people host`);
    assert.deepEqual(await admin.context.cookies(address), [], "the data host has cookies");

    // At the people host the address opens nothing.
    const there = await admin.page.goto(address.replace(data, site.url));
    assert.equal(there.status(), 403);
    assert.match(await there.text(), /<Code>AccessDenied<\/Code>/);
    const bare = await admin.page.goto(`${site.url}/stored/${name}`);
    assert.equal(bare.status(), 404);
    assert.doesNotMatch(await bare.text(), /it ran/);
  }
  await admin.context.close();
});
