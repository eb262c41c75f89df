// A person who has a keyboard only, from the first sign-in with a new
// authenticator app to allowing an application.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Administrator } from "./api.mjs";
import { Site, Visitor, chosen, launch, totp } from "./site.mjs";

let site, browser;
before(async () => { [site, browser] = await Promise.all([Site.start(), launch()]); });
after(async () => { await browser?.close(); await site?.stop(); });

// reach presses Tab until what is called name has the focus.
async function reach(visitor, name) {
  const passed = [];
  for (let i = 0; i < 40; i++) {
    await visitor.page.keyboard.press("Tab");
    const focused = await visitor.page.evaluate(() => {
      const e = document.activeElement;
      return (e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.querySelector("strong")?.textContent ?? e.textContent).trim();
    });
    if (focused === name) return;
    passed.push(focused);
  }
  assert.fail(`Tab does not lead to ${name}, but to ${passed.join(", ")}`);
}

test("signing in, an authenticator app and an application by keyboard alone", async () => {
  await new Administrator(site).authentication({ MfaMode: "ALWAYS_ON", NoMfaSignInBehavior: "ALLOWED_WITH_ENROLLMENT" });
  const visitor = await Visitor.arrive(browser, site);
  const { keyboard } = visitor.page;
  const has = (id) => visitor.page.waitForFunction((wanted) => document.activeElement?.id === wanted, id);
  const enter = async (text) => {
    await keyboard.type(text);
    await keyboard.press("Enter");
  };
  const press = async (name) => {
    await reach(visitor, name);
    await keyboard.press("Enter");
  };
  const signIn = async (password) => {
    await visitor.goto("/start");
    await has("username");
    await enter("sam.lee");
    await has("password");
    await enter(password);
  };

  await signIn(site.passwords["sam.lee"]);
  await visitor.shows("Set a new password");
  await has("password");
  await keyboard.type(chosen);
  await reach(visitor, "Confirm password");
  await enter(chosen);

  await visitor.shows("Register MFA device");
  await press("Authenticator app");
  await visitor.shows("Set up the authenticator app");
  await press("Show secret key");
  const secret = await visitor.page.locator("details code").innerText();
  await reach(visitor, "Authenticator code");
  await keyboard.type(totp(secret, -1));
  await reach(visitor, "Next authenticator code");
  await enter(totp(secret));
  await visitor.shows("AWS access portal");
  await press("Sign out");
  await visitor.shows("You are signed out");

  await signIn(chosen);
  await visitor.shows("Additional verification required");
  await has("code");
  await enter(totp(secret, 1));
  await visitor.shows("AWS access portal");

  const client = await site.client();
  const device = await site.device(client);
  await visitor.page.goto(device.verificationUri);
  await visitor.shows("Authorize a device");
  await has("user_code");
  await enter(device.userCode.replace("-", ""));
  await visitor.shows("Authorization requested");
  await press("Confirm and continue");
  await visitor.shows("Allow botocore-client-atrium to access your data?");
  await press("Allow access");
  await visitor.shows("Request approved");
  assert.equal((await site.poll(client, device)).status, 200);
});
