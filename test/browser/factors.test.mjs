// Second factors: registered, asked for and looked after, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Administrator } from "./api.mjs";
import { Site, Visitor, launch, totp as code } from "./site.mjs";

let site, browser, administrator;
before(async () => {
  [site, browser] = await Promise.all([Site.start(), launch()]);
  administrator = new Administrator(site);
});
after(async () => { await browser?.close(); await site?.stop(); });

// key puts an authenticator into a visitor's browser.
async function key(visitor, options = {}) {
  visitor.cdp ??= await visitor.context.newCDPSession(visitor.page);
  await visitor.cdp.send("WebAuthn.enable");
  const { authenticatorId } = await visitor.cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "usb", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true, ...options,
    },
  });
  return {
    credentials: async () => (await visitor.cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    change: (credential) => visitor.cdp.send("WebAuthn.addCredential", { authenticatorId, credential }),
    remove: () => visitor.cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }),
  };
}

const useKey = "Use a security key or built-in authenticator";

// signedIn waits for the end of a sign-in.
const signedIn = (visitor) => visitor.page.waitForURL(`${site.url}/start`);

// signIn takes a visitor through user name and password.
async function signIn(visitor, user) {
  await visitor.goto("/start");
  await visitor.signIn(user);
}

// again signs a visitor out and in.
async function again(visitor, user) {
  await visitor.context.clearCookies({ name: /^(?!.*_trusted$)/ });
  await signIn(visitor, user);
}

test("an authenticator app, from its registration to signing in with it", async () => {
  await administrator.authentication({ MfaMode: "ALWAYS_ON", NoMfaSignInBehavior: "ALLOWED_WITH_ENROLLMENT" });
  const sam = await Visitor.arrive(browser, site);
  await signIn(sam, "sam.lee");
  await sam.shows("Register MFA device", "Authenticator app", "Security key", "Built-in authenticator");
  await sam.inspect("factors-register");
  await sam.page.getByRole("link", { name: "Authenticator app" }).click();
  await sam.shows("Set up the authenticator app", "Show secret key");
  await sam.inspect("factors-register-app");
  await sam.page.getByText("Show secret key").click();
  const secret = await sam.page.locator("details code").textContent();
  const codes = async (first, second) => {
    await sam.fill("Authenticator code", first);
    await sam.fill("Next authenticator code", second);
    await sam.press("Assign MFA");
  };
  await codes(code(secret), code(secret));
  await sam.shows("Set up the authenticator app", "These are not two codes in a row");
  assert.equal(await sam.page.locator("details code").textContent(), secret, "another secret for the second try");
  await sam.fill("Device name", "Sam's phone");
  await codes(code(secret, -1), code(secret));
  await signedIn(sam);

  await again(sam, "sam.lee");
  await sam.shows("Additional verification required", "Sam's phone");
  assert.equal(await sam.page.getByLabel("This is a trusted device").count(), 0, "trust where every sign-in is asked");
  await sam.inspect("factors-code");
  await sam.fill("MFA code", "000000");
  await sam.press("Sign in");
  await sam.shows("Additional verification required", "The MFA code is not correct, or was used already.");
  await sam.fill("MFA code", code(secret, 1));
  await sam.press("Sign in");
  await signedIn(sam);
});

test("keys, with and without resident credentials, and what another key may", async () => {
  await administrator.authentication({ MfaMode: "ALWAYS_ON", NoMfaSignInBehavior: "ALLOWED_WITH_ENROLLMENT" });
  const admin = await Visitor.arrive(browser, site);
  const resident = await key(admin, { transport: "internal" });
  await signIn(admin, "admin");
  await admin.page.getByRole("link", { name: "Built-in authenticator" }).click();
  await admin.shows("Register the built-in authenticator");
  await admin.inspect("factors-register-key");
  await admin.fill("Device name", "My laptop");
  await admin.press("Assign MFA");
  await signedIn(admin);
  assert.deepEqual((await resident.credentials()).map((c) => [c.isResidentCredential, c.rpId]), [[true, "localhost"]]);

  await again(admin, "admin");
  await admin.shows("Additional verification required", "My laptop");
  await admin.inspect("factors-key");
  await admin.press(useKey);
  await signedIn(admin);

  // A second one that stores nothing, registered by who is signed in.
  const [credential] = await resident.credentials();
  await resident.remove();
  const plain = await key(admin, { hasResidentKey: false, hasUserVerification: false, isUserVerified: false });
  await admin.goto("/account/devices");
  await admin.shows("MFA devices", "My laptop");
  await admin.page.getByRole("link", { name: "Register device" }).click();
  await admin.page.getByRole("link", { name: "Security key" }).click();
  await admin.fill("Device name", "Old key");
  await admin.press("Assign MFA");
  await admin.shows("MFA devices", "My laptop", "Old key");
  await admin.inspect("factors-devices");
  assert.deepEqual((await plain.credentials()).map((c) => c.isResidentCredential), [false]);
  await again(admin, "admin");
  await admin.press(useKey);
  await signedIn(admin);

  // A key that was never registered.
  await plain.remove();
  const foreign = await key(admin);
  await again(admin, "admin");
  await admin.press(useKey);
  await admin.page.getByText("The browser did not get an answer.").waitFor();
  await admin.inspect("factors-key-failed");

  // What may be a copy of the first: its counter is behind.
  await foreign.remove();
  const copy = await key(admin, { transport: "internal" });
  await copy.change({ ...credential, signCount: 0 });
  await admin.press(useKey);
  await admin.shows("Additional verification required", "This security key or authenticator could not be verified.");
});

test("context-aware: who is trusted is asked again elsewhere", async () => {
  await administrator.authentication({ MfaMode: "CONTEXT_AWARE" });
  const trusting = await Visitor.arrive(browser, site);
  const own = await key(trusting);
  await administrator.authentication({ NoMfaSignInBehavior: "ALLOWED_WITH_ENROLLMENT" });
  await enroll(trusting, "admin");
  await again(trusting, "admin");
  await trusting.shows("Additional verification required");
  await trusting.page.getByLabel("This is a trusted device").check();
  await trusting.inspect("factors-trust");
  await trusting.press(useKey);
  await signedIn(trusting);
  await again(trusting, "admin");
  await signedIn(trusting); // not asked

  // The same cookies in another browser.
  const state = await trusting.context.storageState();
  const elsewhere = await Visitor.arrive(browser, site, {
    storageState: state, userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  });
  await again(elsewhere, "admin");
  await elsewhere.shows("Additional verification required");

  // Every sign-in, whatever was trusted.
  await administrator.authentication({ MfaMode: "ALWAYS_ON" });
  await again(trusting, "admin");
  await trusting.shows("Additional verification required");
  await administrator.authentication({ MfaMode: "DISABLED" });
  await again(trusting, "admin");
  await signedIn(trusting);

  // What a trusted browser may not: change what guards the account.
  await administrator.authentication({ MfaMode: "CONTEXT_AWARE" });
  await again(trusting, "admin");
  await signedIn(trusting);
  await trusting.goto("/account/devices");
  await trusting.shows("MFA devices", "Trusted devices", "Chrome on");
  await trusting.inspect("factors-devices-trusted");
  await trusting.page.getByRole("link", { name: "Register device" }).click();
  await trusting.shows("Verify that it is you");
  await trusting.inspect("factors-step-up");
  await trusting.press(useKey);
  await trusting.shows("Register MFA device");
  await trusting.goto("/account/devices");
  await trusting.press("Forget all trusted devices");
  await trusting.shows("MFA devices");
  await again(trusting, "admin");
  await trusting.shows("Additional verification required");
  await own.remove();
});

// enroll gives a user the visitor's key in the place of all other devices.
async function enroll(visitor, user) {
  const of = { IdentityStoreId: (await administrator.instance()).IdentityStoreId, UserId: await administrator.user(user) };
  for (const device of (await administrator.call("ListMfaDevicesForUser", of)).MfaDevices) {
    await administrator.call("DeleteMfaDeviceForUser", { ...of, DeviceId: device.DeviceId });
  }
  await again(visitor, user);
  await visitor.page.getByRole("link", { name: "Security key" }).click();
  await visitor.press("Assign MFA");
  await signedIn(visitor);
}

test("what happens to who has no device", async () => {
  const of = { IdentityStoreId: (await administrator.instance()).IdentityStoreId, UserId: await administrator.user("sam.lee") };
  const removed = await Visitor.arrive(browser, site);
  for (const device of (await administrator.call("ListMfaDevicesForUser", of)).MfaDevices) {
    await administrator.call("DeleteMfaDeviceForUser", { ...of, DeviceId: device.DeviceId });
  }
  await administrator.authentication({ MfaMode: "ALWAYS_ON", NoMfaSignInBehavior: "BLOCKED" });
  await signIn(removed, "sam.lee");
  await removed.shows("You cannot sign in", "Ask an administrator");
  await removed.inspect("factors-blocked");
  await administrator.authentication({ NoMfaSignInBehavior: "ALLOWED" });
  await again(removed, "sam.lee");
  await signedIn(removed);
  await administrator.authentication({ NoMfaSignInBehavior: "ALLOWED_WITH_ENROLLMENT" });
  await again(removed, "sam.lee");
  await removed.shows("Register MFA device");
  await administrator.authentication({ NoMfaSignInBehavior: "ALLOWED" });
});

// letter waits for a letter with a text, and returns what is found there.
const read = new Set();
async function letter(pattern) {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const list = await (await fetch(`${site.url}/dev/mail`)).text();
    for (const [, address, text] of list.matchAll(/href="(\/dev\/mail\/[^"]+)"[^]*?<pre[^>]*>([^]*?)<\/pre>/g)) {
      if (read.has(address)) continue;
      read.add(address);
      const found = text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)).replaceAll("&amp;", "&").match(pattern);
      if (found) return found[0];
    }
  }
  throw new Error(`no letter has ${pattern}`);
}

test("a code by mail, and the link to register a device", async () => {
  const of = { IdentityStoreId: (await administrator.instance()).IdentityStoreId, UserId: await administrator.user("sam.lee") };
  await administrator.authentication({ MfaMode: "ALWAYS_ON", NoMfaSignInBehavior: "EMAIL_OTP" });
  const sam = await Visitor.arrive(browser, site);
  await again(sam, "sam.lee");
  await sam.shows("Additional verification required", "s•••@example.com");
  await sam.inspect("factors-email-code");
  await letter(/\b\d{4}\s\d{4}\b/);
  await sam.fill("Verification code", "00000000");
  await sam.press("Sign in");
  await sam.shows("Additional verification required", "The code is not correct, or cannot be used any more.");
  await sam.press("Send a new code");
  const sent = await letter(/\b\d{4}\s\d{4}\b/);
  await sam.fill("Verification code", sent);
  await sam.press("Sign in");
  await signedIn(sam);

  await administrator.authentication({ NoMfaSignInBehavior: "BLOCKED" });
  await administrator.call("StartVirtualMfaDeviceRegistration", of);
  const link = await letter(/(?<=Register device:\n)http\S+\/link\/\S+/);
  await key(sam);
  await sam.context.clearCookies();
  await sam.page.goto(link);
  await sam.page.locator("main form button").click();
  await sam.fill("Password", site.passwords["sam.lee"]);
  await sam.press("Sign in");
  await sam.page.getByRole("link", { name: "Security key" }).click();
  await sam.press("Assign MFA");
  await sam.shows("MFA devices", "Security key");

  // An administrator takes the device: what it opened ends.
  const [device] = (await administrator.call("ListMfaDevicesForUser", of)).MfaDevices;
  await administrator.call("DeleteMfaDeviceForUser", { ...of, DeviceId: device.DeviceId });
  await sam.goto("/account/devices");
  await sam.shows("Sign in");
  await administrator.authentication({ NoMfaSignInBehavior: "ALLOWED" });
});

test("devices are renamed and removed by who may", async () => {
  await administrator.authentication({ MfaMode: "ALWAYS_ON", NoMfaSignInBehavior: "ALLOWED_WITH_ENROLLMENT" });
  const sam = await Visitor.arrive(browser, site);
  await key(sam);
  await enroll(sam, "sam.lee");
  await sam.goto("/account/devices");
  await sam.page.getByText("Rename", { exact: true }).click();
  await sam.fill("Device name", "Sam's <key>");
  await sam.press("Save name");
  await sam.shows("MFA devices", "Sam's <key>");
  await administrator.authentication({ NoMfaSignInBehavior: "ALLOWED" });
  await administrator.ownDevices(false);
  await sam.goto("/account/devices");
  await sam.shows("MFA devices", "Your administrator looks after MFA devices.");
  assert.equal(await sam.page.getByText("Remove", { exact: true }).count(), 0);
  await administrator.ownDevices(true);
  await sam.goto("/account/devices");
  await sam.page.getByText("Remove", { exact: true }).click();
  await sam.inspect("factors-devices-remove");
  await sam.press("Remove Sam's <key>");
  await sam.shows("MFA devices", "You have not registered any.");
  await again(sam, "sam.lee");
  await signedIn(sam);
  await administrator.authentication({ MfaMode: "CONTEXT_AWARE", NoMfaSignInBehavior: "ALLOWED" });
});
