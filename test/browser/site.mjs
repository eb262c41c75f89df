// What the tests share: a node with sample data, and a browser whose pages are
// held to the rules for every page.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

export const chosen = "Vt7-kelp-Moon";

const program = process.env.ATRIUM_PROGRAM ?? "../../bin/atrium";
// What axe holds pages to: WCAG 2.2, levels A and AA, and good practice.
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

const screenshots = process.env.ATRIUM_SCREENSHOTS;

// totp is what an authenticator app with a secret shows (RFC 6238), a number of
// steps from now.
export function totp(secret, steps = 0) {
  const bits = [...secret.replace(/\s/g, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const seed = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", seed).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// Site is a node on a data directory of its own.
export class Site {
  // start starts the program with flags beside those that every site has.
  static async start(...flags) {
    const site = new Site();
    site.flags = flags;
    site.dir = fs.mkdtempSync(path.join(os.tmpdir(), "atrium-browser-"));
    site.port = 0;
    await site.run();
    const credentials = path.join(site.dir, "credentials.txt"); // an empty node has none
    const lines = fs.existsSync(credentials) ? fs.readFileSync(credentials, "utf8").trim().split("\n") : [];
    site.passwords = Object.fromEntries(lines.map((line) => line.split(": ")));
    return site;
  }

  // run starts the program, on the port that it had before.
  async run() {
    this.process = spawn(program, ["dev", "--data-dir", this.dir, "--listen", `127.0.0.1:${this.port}`, ...this.flags], { stdio: ["ignore", "pipe", "inherit"] });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    let said = "";
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the node did not start:\n${said}`)), 60_000);
      this.process.once("exit", () => reject(new Error(`the node stopped:\n${said}`)));
      this.process.stdout.on("data", (chunk) => {
        said += chunk;
        if (!said.includes("Stop with Ctrl-C")) return;
        clearTimeout(timer);
        resolve();
      });
    });
    this.said = said;
    this.url = said.match(/http:\/\/localhost:\d+/)[0];
    this.port = new URL(this.url).port;
  }

  // serve runs the node on as one in production, with flags.
  async serve(...flags) {
    await this.halt();
    const at = `127.0.0.1:${this.port}`;
    this.process = spawn(program, [
      "serve", "--data-dir", this.dir, "--root-key-file", path.join(this.dir, "root.key"), "--listen", at, "--admin-listen", "",
      "--public-url", this.url, "--data-url", `http://${at}`, ...flags,
    ], { stdio: ["ignore", "ignore", "inherit"] });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
      if ((await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok) return;
      assert.equal(this.process.exitCode, null, "the node stopped");
    }
    assert.fail("the node is not ready");
  }

  async halt() {
    this.process.kill("SIGTERM");
    await this.ended;
  }

  async restart() {
    await this.halt();
    await this.run();
  }

  async stop() {
    await this.halt();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  // call sends an unsigned request of a client.
  async call(address, body, headers = {}) {
    const response = await fetch(this.url + address, {
      method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body),
    });
    return { status: response.status, ...(await response.json()) };
  }

  // client registers a client as the AWS CLI does.
  async client(more = {}) {
    const registered = await this.call("/client/register", {
      clientName: "botocore-client-atrium", clientType: "public", scopes: ["sso:account:access"], ...more,
    });
    assert.equal(registered.status, 200, JSON.stringify(registered));
    return { clientId: registered.clientId, clientSecret: registered.clientSecret };
  }

  // device begins a device authorization.
  async device(client, headers) {
    const device = await this.call("/device_authorization", { ...client, startUrl: `${this.url}/start` }, headers);
    assert.equal(device.status, 200, JSON.stringify(device));
    return device;
  }

  // poll asks for the tokens of a device authorization.
  poll(client, device) {
    return this.call("/token", { ...client, grantType: "urn:ietf:params:oauth:grant-type:device_code", deviceCode: device.deviceCode });
  }
}

// launch starts a browser that talks to nobody but the pages it is given.
export function launch() {
  return chromium.launch({
    executablePath: process.env.ATRIUM_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

// Visitor is a person at a page of a site.
export class Visitor {
  static async arrive(browser, site, options = {}) {
    const visitor = new Visitor();
    visitor.site = site;
    visitor.context = await browser.newContext(options);
    visitor.page = await visitor.context.newPage();
    visitor.page.setDefaultTimeout(20_000);
    visitor.problems = [];
    visitor.page.on("pageerror", (error) => visitor.problems.push(error.message));
    visitor.page.on("console", (message) => {
      // Chromium reports every answer with an error status, and what a restart
      // of the node interrupts; those are meant.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) visitor.problems.push(message.text());
    });
    return visitor;
  }

  goto(address) { return this.page.goto(this.site.url + address); }
  fill(label, text) { return this.page.getByLabel(label, { exact: true }).fill(text); }
  press(name) { return this.page.getByRole("button", { name, exact: true }).click(); }
  heading() { return this.page.getByRole("heading", { level: 1 }).textContent(); }
  path() { return new URL(this.page.url()).pathname; }

  // shows waits for a page with a heading and with texts: pages of script grow.
  async shows(heading, ...texts) {
    await this.page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor().catch(async () => {
      assert.equal(await this.heading(), heading, `at ${this.page.url()}`);
    });
    for (const text of texts) {
      await this.page.waitForFunction((wanted) => document.body.textContent.includes(wanted), text).catch(async () => {
        assert.fail(`${this.page.url()} does not say ${text}, but ${await this.page.textContent("body")}`);
      });
    }
  }

  // signIn takes a person through the sign-in that a page has asked for.
  async signIn(user = "admin") {
    await this.fill("Username", user);
    await this.press("Next");
    await this.fill("Password", this.site.passwords[user]);
    await this.press("Sign in");
    if ((await this.heading()) !== "Set a new password") return;
    await this.fill("New password", chosen);
    await this.fill("Confirm password", chosen);
    await this.press("Set new password");
    this.site.passwords[user] = chosen;
  }

  // inspect holds the page to the rules, in light and dark, on a phone and on a
  // desk: accessible (WCAG 2.2 AA), nothing cut off, what has the focus shows
  // it, nothing moves for those who want no motion, no error of script or
  // policy. smallest is the least height of what is touched, in pixels.
  async inspect(name, { smallest = 32 } = {}) {
    for (const [device, viewport] of Object.entries({ phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } })) {
      await this.page.setViewportSize(viewport);
      for (const colorScheme of ["light", "dark"]) {
        const where = `${name}, ${device}, ${colorScheme}`;
        await this.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        // Script that follows the scheme is told of it before the next frame.
        await this.page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(() => shown()))));
        await this.photograph(`${name}-${device}-${colorScheme}`);
        assert.deepEqual(await this.violations(), [], where);
        assert.deepEqual(await this.page.evaluate(tooSmall, smallest), [], `${where}: too small to touch`);
      }
      await this.fits(`${name}, ${device}`);
    }
    await this.page.setViewportSize({ width: 320, height: 640 }); // 1280 pixels at 400 % (WCAG 1.4.10)
    await this.fits(`${name}, 320 pixels`);
    await this.page.setViewportSize({ width: 1280, height: 800 });
    assert.deepEqual(await this.unmarked(), [], `${name}: has the focus and does not show it`);
    assert.deepEqual(await this.page.evaluate(moving), [], `${name}: moves although nobody wants that`);
    await this.page.emulateMedia({ reducedMotion: "no-preference" });
    assert.deepEqual(this.problems, [], name);
  }

  async photograph(name) {
    if (!screenshots) return;
    fs.mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });
  }

  // violations are what axe finds on the page as it is shown now.
  async violations() {
    if (!(await this.page.evaluate(() => "axe" in window))) await this.page.evaluate(axe.source);
    return this.page.evaluate(async (values) => {
      const { violations } = await window.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] });
      return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
    }, rules);
  }

  async fits(where) {
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${where}: ${wide} pixels too wide`);
  }

  // unmarked walks through the page with the Tab key, and returns what looks the
  // same with the focus as without it.
  async unmarked() {
    await this.page.evaluate(() => {
      document.activeElement?.blur();
      window.getSelection()?.removeAllRanges();
      window.walk = { seen: new Set(), last: undefined, unmarked: [] };
    });
    for (let i = 0; i < 60; i++) {
      await this.page.keyboard.press("Tab");
      if (await this.page.evaluate(walked)) break;
    }
    return this.page.evaluate(() => window.walk.unmarked);
  }
}

// tooSmall finds what is less high than can be touched.
function tooSmall(smallest) {
  return [...document.querySelectorAll("button, a.button, label:has(> [type=checkbox]), input:not([type=hidden], [type=checkbox], .away)")]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < smallest).map((e) => e.outerHTML);
}

// walked notes what has the focus now and looks at what had it before; true at
// the end of the walk.
function walked() {
  const { walk } = window;
  const active = document.activeElement === document.body ? null : document.activeElement;
  const look = (element) => {
    const looks = [];
    for (let e = element, up = 0; e && up < 3; e = e.parentElement, up++) {
      for (const pseudo of [undefined, "::before", "::after"]) {
        const s = getComputedStyle(e, pseudo);
        const outline = s.outlineStyle === "auto" || s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 ? `${s.outlineStyle} ${s.outlineWidth} ${s.outlineColor}` : "";
        looks.push(outline, s.boxShadow, pseudo && s.content !== "none" ? `${s.borderTopWidth} ${s.borderTopColor}` : "");
      }
    }
    return looks.join();
  };
  if (walk.last && walk.last.element !== active && look(walk.last.element) === walk.last.look) walk.unmarked.push(walk.last.element.outerHTML);
  if (!active || walk.seen.has(active)) return true;
  walk.seen.add(active);
  walk.last = { element: active, look: look(active) };
  return false;
}

// moving finds what still moves by itself or when it changes.
function moving() {
  const lasting = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
  return [...document.querySelectorAll("body *")]
    .filter((e) => { const s = getComputedStyle(e); return lasting(s.transitionDuration) || s.animationName !== "none" && lasting(s.animationDuration); })
    .map((e) => e.outerHTML.slice(0, 200));
}
