import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Site, Visitor, chosen, launch } from "./site.mjs";

const another = "Quiet-Harbour-31";

let site, browser;
before(async () => { [site, browser] = await Promise.all([Site.start(), launch()]); });
after(async () => { await browser?.close(); await site?.stop(); });

// signedIn is admin in a new browser, at a page.
async function signedIn(address) {
  const admin = await Visitor.arrive(browser, site);
  await admin.goto(address);
  await admin.signIn("admin");
  return admin;
}

test("the account, and another password", async () => {
  const admin = await signedIn("/account");
  await admin.shows("Your account", "Alex Admin", "admin@example.com", "Change password", "Where you are signed in");
  await admin.inspect("account");
  const elsewhere = await signedIn("/start");

  await admin.page.getByRole("link", { name: "Change password" }).click();
  await admin.shows("Change password");
  await admin.inspect("change-password");
  assert.ok(await admin.page.getByLabel("Sign out everywhere else").isChecked());
  await admin.fill("Current password", "wrong");
  await admin.fill("New password", another);
  await admin.fill("Confirm password", another);
  await admin.press("Change password");
  await admin.shows("Change password", "The current password is not correct.");
  assert.equal(await admin.page.getByLabel("Current password", { exact: true }).inputValue(), "");
  await admin.inspect("change-password-wrong");

  await admin.fill("Current password", chosen);
  await admin.fill("New password", another);
  await admin.fill("Confirm password", another);
  await admin.press("Change password");
  await admin.shows("Password changed");
  await admin.inspect("password-changed");
  site.passwords.admin = another;
  await elsewhere.goto("/start");
  await elsewhere.shows("Sign in");
  await elsewhere.signIn("admin");
  assert.equal(elsewhere.path(), "/start");
});

test("sessions, one by one and all at once", async () => {
  const admin = await signedIn("/account/sessions");
  const phone = await Visitor.arrive(browser, site, {
    userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
  });
  await phone.goto("/account/sessions");
  await phone.signIn("admin");
  await phone.shows("Where you are signed in", "Safari on iPhone");

  await admin.goto("/account/sessions");
  await admin.shows("Where you are signed in", "Chrome on Linux this browser", "Safari on iPhone", "127.0.0.1", "Sign out of all other sessions", "Sign out everywhere");
  await admin.inspect("sessions");
  await admin.page.getByRole("button", { name: /^End the session of Safari on iPhone/ }).click();
  await admin.page.getByRole("button", { name: /Safari/ }).waitFor({ state: "detached" });
  await phone.goto("/account");
  await phone.shows("Sign in");

  const other = await signedIn("/start");
  await admin.goto("/account/sessions");
  await admin.press("Sign out everywhere");
  await admin.shows("You are signed out");
  for (const visitor of [admin, other]) {
    await visitor.goto("/account");
    await visitor.shows("Sign in");
  }
});

test("what applications may do, until their access is removed", async () => {
  const admin = await signedIn("/start");
  const client = await site.client();
  const tokens = [];
  for (let i = 0; i < 2; i++) {
    const device = await site.device(client);
    await admin.page.goto(device.verificationUriComplete);
    await admin.press("Confirm and continue");
    await admin.press("Allow access");
    await admin.shows("Request approved");
    tokens.push((await site.poll(client, device)).accessToken);
  }
  const status = async (token) => (await fetch(`${site.url}/assignment/accounts`, { headers: { "x-amz-sso_bearer_token": token } })).status;
  assert.deepEqual(await Promise.all(tokens.map(status)), [200, 200]);
  await admin.goto("/account/sessions");
  await admin.shows("Where you are signed in", "botocore-client-atrium", "not verified", "see the AWS accounts and roles", "It holds a refresh token");
  await admin.inspect("sessions-programs");
  const remove = admin.page.getByRole("button", { name: /^Remove the access of botocore-client-atrium/ });
  assert.equal(await remove.count(), 2);
  await remove.first().click(); // the newest
  await admin.page.waitForFunction(() => document.querySelectorAll('[name="program"]').length === 1);
  assert.deepEqual(await Promise.all(tokens.map(status)), [200, 401]);

  const elsewhere = await signedIn("/start");
  await admin.press("Sign out of all other sessions");
  await admin.shows("Where you are signed in", "You are signed out everywhere else.");
  assert.equal(await remove.count(), 0);
  assert.equal(await status(tokens[0]), 401);
  await elsewhere.goto("/account");
  await elsewhere.shows("Sign in");
});

test("signing out clears what the browser has kept, and no more", async () => {
  const admin = await signedIn("/account");
  await admin.page.evaluate(() => { localStorage.setItem("left", "behind"); sessionStorage.setItem("left", "behind"); });
  const known = async () => (await admin.context.cookies()).filter((cookie) => cookie.name.endsWith("_known")).map((cookie) => cookie.value);
  const before = await known();
  assert.equal(before.length, 1);
  await admin.press("Sign out");
  await admin.shows("You are signed out");
  assert.deepEqual(await admin.page.evaluate(() => [localStorage.getItem("left"), sessionStorage.getItem("left")]), [null, null]);
  assert.deepEqual(await known(), before);
  assert.deepEqual((await admin.context.cookies()).filter((cookie) => /ssoins-[0-9a-f]+$/.test(cookie.name)), []);
  await admin.page.goBack();
  assert.ok(!(await admin.page.textContent("body")).includes("admin@example.com"), "going back shows the account");
});

test("a page that is left open shows nothing once its session's time has come", async () => {
  const admin = await Visitor.arrive(browser, site);
  await admin.page.clock.install();
  await admin.goto("/account");
  await admin.signIn("admin");
  await admin.shows("Your account", "admin@example.com");
  await admin.context.setOffline(true); // the server need not be there
  await admin.page.clock.fastForward("08:00:05");
  await admin.page.waitForFunction(() => !document.body.textContent.includes("admin@example.com"));
});
