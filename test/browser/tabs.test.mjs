// Two tabs, the back button, pages that are loaded again, forms that are sent
// twice, a browser that keeps no cookies.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Administrator } from "./api.mjs";
import { Site, Visitor, chosen, launch } from "./site.mjs";

let site, browser;
before(async () => {
  [site, browser] = await Promise.all([Site.start(), launch()]);
  await new Administrator(site).authentication({ MfaMode: "DISABLED" });
});
after(async () => { await browser?.close(); await site?.stop(); });

// tab opens another tab of a visitor's browser.
async function tab(visitor) {
  const other = Object.assign(Object.create(Visitor.prototype), visitor);
  other.page = await visitor.context.newPage();
  return other;
}

test("two tabs that both wait for the password", async () => {
  const first = await Visitor.arrive(browser, site);
  await first.goto("/account/sessions");
  await first.fill("Username", "sam.lee");
  await first.press("Next");
  await first.page.reload();
  const second = await tab(first);
  await second.goto("/account/password");
  await second.fill("Username", "sam.lee");
  await second.press("Next");
  await second.shows("Sign in", "sam.lee");
  await first.fill("Password", site.passwords["sam.lee"]);
  await first.press("Sign in");
  await first.shows("Set a new password");
  await first.page.reload();
  await first.fill("New password", chosen);
  await first.fill("Confirm password", chosen);
  await first.press("Set new password");
  await first.shows("Where you are signed in");
  await second.fill("Password", "whatever");
  await second.press("Sign in");
  await second.shows("Change password");

  // Back to the steps that are over, and to a form of a session that has ended.
  await first.page.goBack();
  await first.page.waitForURL(/\/(start|account)/);
  await second.press("Sign out");
  await second.shows("You are signed out");
  await second.page.goBack();
  await second.page.waitForLoadState();
  if ((await second.heading()) === "Change password") { // the browser had kept the page
    await second.fill("Current password", chosen);
    await second.fill("New password", "Other-kelp-Moon-8");
    await second.fill("Confirm password", "Other-kelp-Moon-8");
    await second.page.getByRole("button", { name: "Change password" }).click();
  }
  await second.shows("Sign in", "Username");
  await second.fill("Username", "sam.lee");
  await second.press("Next");
  await second.fill("Password", chosen); // which was not changed
  await second.press("Sign in");
  await second.shows("Change password");
  assert.deepEqual(first.problems, []);
});

test("a form that is sent twice", async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.goto("/account");
  await visitor.fill("Username", "sam.lee");
  await visitor.page.evaluate(() => { for (let i = 0; i < 2; i++) HTMLFormElement.prototype.submit.call(document.querySelector("form[action^='/signin']")); });
  await visitor.shows("Sign in", "Password");
  await visitor.fill("Password", chosen);
  await visitor.page.evaluate(() => { for (let i = 0; i < 2; i++) HTMLFormElement.prototype.submit.call(document.querySelector("form[action$='/password']")); });
  await visitor.page.waitForURL(/\/(account|start)$/);
});

test("a browser that keeps no cookies is told so", async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.goto("/signin");
  await visitor.context.clearCookies();
  await visitor.fill("Username", "sam.lee");
  await visitor.press("Next");
  await visitor.shows("This page is too old", "Cookies have to be allowed");
});
