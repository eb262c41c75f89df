import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { Site, Visitor, chosen, launch } from "./site.mjs";

let site, browser;
before(async () => { [site, browser] = await Promise.all([Site.start(), launch()]); });
after(async () => { await browser?.close(); await site?.stop(); });

test("the first sign-in, page by page", async () => {
  const admin = await Visitor.arrive(browser, site);
  await admin.goto("/");
  await admin.shows("Sign in", "AWS access portal");
  await admin.inspect("username");
  await admin.fill("Username", "admin");
  await admin.press("Next");
  await admin.shows("Sign in", "admin", "Forgot password");
  await admin.inspect("password");
  await admin.fill("Password", "wrong");
  await admin.press("Sign in");
  await admin.shows("Sign in", "Your username or password is not correct.");
  assert.equal(await admin.page.getByLabel("Password", { exact: true }).inputValue(), "");
  await admin.inspect("password-wrong");
  await admin.fill("Password", site.passwords.admin);
  await admin.press("Sign in");
  await admin.shows("Set a new password");
  await admin.inspect("new-password");
  await admin.fill("New password", "Password1!");
  await admin.fill("Confirm password", "Password1!");
  await admin.press("Set new password");
  await admin.shows("Set a new password", "too easy to guess");
  await admin.inspect("new-password-refused");
  await admin.fill("New password", chosen);
  await admin.fill("Confirm password", chosen);
  await admin.press("Set new password");
  site.passwords.admin = chosen;

  await admin.shows("AWS access portal", "Alex Admin", "production", "111111111111");
  await admin.goto("/start/plain");
  await admin.shows("AWS access portal", "Signed in as Alex Admin", "production", "111111111111", "Administrator", "Auditor");
  await admin.page.locator("summary").first().click();
  await admin.inspect("plain-portal");
  await admin.page.setViewportSize({ width: 1280, height: 800 });
  await admin.press("Sign out");
  await admin.shows("You are signed out");
  await admin.inspect("signed-out");
  await admin.goto("/start");
  await admin.shows("Sign in");
});

test("a person sees their own accounts only", async () => {
  const sam = await Visitor.arrive(browser, site);
  await sam.goto("/start");
  await sam.signIn("sam.lee");
  await sam.shows("AWS access portal", "development", "222222222222", "Builder");
  const text = await sam.page.textContent("main");
  assert.ok(!text.includes("production") && !text.includes("Administrator"), text);
});

test("by keyboard alone", async () => {
  const admin = await Visitor.arrive(browser, site);
  const type = async (field, text) => {
    await admin.page.waitForFunction((id) => document.activeElement?.id === id, field); // the field takes the focus
    await admin.page.keyboard.type(text);
    await admin.page.keyboard.press("Enter");
  };
  await admin.goto("/start");
  await type("username", "admin");
  await type("password", site.passwords.admin);
  await admin.page.getByRole("heading", { level: 1, name: "AWS access portal" }).waitFor();
  await admin.shows("AWS access portal", "production");
  await admin.page.keyboard.press("Tab");
  assert.equal(await admin.page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await admin.page.keyboard.press("Enter");
  assert.equal(await admin.page.evaluate(() => document.activeElement.id), "content");
});

test("without script", async () => {
  const admin = await Visitor.arrive(browser, site, { javaScriptEnabled: false });
  await admin.goto("/start");
  await admin.signIn("admin");
  await admin.shows("AWS access portal", "production");
  assert.equal(await admin.page.getByRole("button", { name: "Copy" }).count(), 0);
});

test("the password can be shown, and is sent hidden", async () => {
  const admin = await Visitor.arrive(browser, site);
  await admin.goto("/start");
  await admin.fill("Username", "admin");
  await admin.press("Next");
  const field = admin.page.getByLabel("Password", { exact: true });
  await field.fill("secret");
  await admin.press("Show password");
  assert.equal(await field.getAttribute("type"), "text");
  await admin.press("Hide password");
  assert.equal(await field.getAttribute("type"), "password");
});

test("what the plain portal copies", async () => {
  const admin = await Visitor.arrive(browser, site);
  await admin.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await admin.goto("/start");
  await admin.signIn("admin");
  await admin.goto("/start/plain");
  await admin.page.locator("summary").first().click();
  const details = admin.page.locator("details[open]");
  await details.getByRole("button", { name: "Copy" }).first().click();
  await details.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await admin.page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /\n\[sso-session atrium\]\nsso_start_url = https:\/\/d-[0-9a-f]{10}\.awsapps\.com\/start\n/);
  assert.ok(copied.includes(`endpoint_url = ${site.url}`));
  assert.match(copied, /sso_account_id = 111111111111\nsso_role_name = Administrator/);
});

test("a sign-in goes on after a restart, in its own browser only", async () => {
  const [admin, thief] = await Promise.all([Visitor.arrive(browser, site), Visitor.arrive(browser, site)]);
  await thief.goto("/start");
  await admin.goto("/start");
  await site.restart();
  await admin.fill("Username", "admin");
  await admin.press("Next");
  await site.restart();
  await thief.goto(admin.path());
  await thief.shows("This sign-in has expired");
  await thief.inspect("expired");
  await admin.fill("Password", site.passwords.admin);
  await admin.press("Sign in");
  await admin.shows("AWS access portal");
  await site.restart();
  await admin.goto("/start");
  await admin.shows("AWS access portal", "Alex Admin");
});

test("too many wrong passwords", async () => {
  const guesser = await Visitor.arrive(browser, site);
  await guesser.goto("/start");
  await guesser.fill("Username", "nobody");
  await guesser.press("Next");
  for (let i = 0; i < 7; i++) {
    await guesser.fill("Password", "wrong");
    await guesser.press("Sign in");
  }
  await guesser.shows("Sign in", "There were too many tries. Wait");
  await guesser.inspect("throttled");
});

test("an address that does not exist", async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.goto("/nothing/here");
  await visitor.shows("Page not found");
  await visitor.inspect("not-found");
});

test("another site cannot frame or post", async () => {
  // On another port of the same host, so that the cookies come along.
  const evil = http.createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<iframe src="${site.url}/start"></iframe>
      <form method="post" action="${site.url}/signin/out"><input name="csrf" value="guess"><button>go</button></form>`);
  });
  await new Promise((resolve) => evil.listen(0, "localhost", resolve));
  const visitor = await Visitor.arrive(browser, site);
  await visitor.goto("/start");
  await visitor.signIn("admin");
  await visitor.page.goto(`http://localhost:${evil.address().port}/`);
  await visitor.page.waitForLoadState("networkidle");
  const framed = visitor.page.frames()[1];
  assert.match(framed.url(), /^chrome-error:/);
  await visitor.page.getByRole("button", { name: "go" }).click();
  await visitor.shows("This page is too old");
  visitor.problems.length = 0; // the refused frame
  await visitor.inspect("forged");
  await visitor.goto("/start");
  await visitor.shows("AWS access portal", "Alex Admin");
  evil.close();
});
