// What the tests share: a node with sample data, and a browser whose pages are
// held to the rules for every page.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

export const chosen = "Vt7-kelp-Moon";

const program = process.env.ATRIUM_PROGRAM ?? "../../bin/atrium";
// What axe looks at: both layouts and both colour schemes, not each with each.
const axe = ["phone light", "desk dark"];

let inspections = 0; // of which one combination is judged

const screenshots = process.env.ATRIUM_SCREENSHOTS;

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
  async call(address, body) {
    const response = await fetch(this.url + address, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
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
  async device(client) {
    const device = await this.call("/device_authorization", { ...client, startUrl: `${this.url}/start` });
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
  // desk: accessible (WCAG 2.2 AA), nothing cut off, no error of script or
  // policy. smallest is the least height of what is touched, in pixels. once
  // judges one combination only, in turn: for many views of the same frame.
  async inspect(name, { smallest = 32, once = false } = {}) {
    const judged = once ? [axe[inspections++ % axe.length]] : axe;
    for (const colorScheme of ["light", "dark"]) {
      for (const [device, viewport] of Object.entries({ phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } })) {
        const where = `${name}, ${device}, ${colorScheme}`;
        if (!screenshots && !judged.includes(`${device} ${colorScheme}`)) continue;
        await this.page.emulateMedia({ colorScheme });
        await this.page.setViewportSize(viewport);
        if (screenshots) {
          fs.mkdirSync(screenshots, { recursive: true });
          await this.page.waitForTimeout(300); // what moves comes to rest
          await this.page.screenshot({ path: path.join(screenshots, `${name}-${device}-${colorScheme}.png`), fullPage: true });
        }
        if (judged.includes(`${device} ${colorScheme}`)) {
          const { violations } = await new AxeBuilder({ page: this.page })
            .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
          assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`), [], where);
        }
        const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${where}: ${wide} pixels too wide`);
        const small = await this.page.evaluate((smallest) => [...document.querySelectorAll("button, a.button, label:has(> [type=checkbox]), input:not([type=hidden], [type=checkbox], .away)")]
          .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < smallest).map((e) => e.outerHTML), smallest);
        assert.deepEqual(small, [], `${where}: too small to touch`);
      }
    }
    assert.deepEqual(this.problems, [], name);
  }
}
