import assert from "node:assert/strict";
import crypto from "node:crypto";
import http from "node:http";
import { after, before, test } from "node:test";
import { Administrator } from "./api.mjs";
import { Site, Visitor, launch } from "./site.mjs";

let site, browser;
before(async () => { [site, browser] = await Promise.all([Site.start(), launch()]); });
after(async () => { await browser?.close(); await site?.stop(); });

test("a device's link, from the code to its credentials", async () => {
  const client = await site.client();
  const device = await site.device(client);
  assert.equal((await site.poll(client, device)).error, "authorization_pending");
  const admin = await Visitor.arrive(browser, site);
  await admin.page.goto(device.verificationUriComplete);
  await admin.signIn("admin");
  await admin.shows("Authorization requested", device.userCode, "botocore-client-atrium", "not verified", "127.0.0.1");
  await admin.inspect("compare");
  await admin.press("Confirm and continue");
  await admin.shows("Allow botocore-client-atrium to access your data?", "You are signed in as admin.");
  await admin.inspect("consent");
  assert.equal((await site.poll(client, device)).error, "authorization_pending");
  await admin.press("Allow access");
  await admin.shows("Request approved");
  await admin.inspect("approved");
  const tokens = await site.poll(client, device);
  assert.equal(tokens.status, 200);
  assert.ok(tokens.accessToken && tokens.refreshToken);

  await admin.page.goto(device.verificationUriComplete);
  await admin.shows("This request has expired");
  await admin.inspect("gone");
});

test("a code that is typed, with a restart between any two pages", async () => {
  const client = await site.client();
  const device = await site.device(client);
  const admin = await Visitor.arrive(browser, site);
  await admin.page.goto(device.verificationUri);
  await site.restart();
  await admin.signIn("admin");
  await admin.shows("Authorize a device");
  await admin.inspect("device");
  await admin.page.getByLabel("Code").pressSequentially("bcdfghjk");
  assert.equal(await admin.page.getByLabel("Code").inputValue(), "BCDF-GHJK");
  await admin.press("Next");
  await admin.shows("Authorize a device", "This code is not known.");
  await admin.inspect("device-unknown");
  await admin.page.getByLabel("Code").fill(device.userCode.toLowerCase().replace("-", " "));
  await site.restart();
  await admin.press("Next");
  await admin.shows("Authorization requested", device.userCode);
  await site.restart();
  await admin.press("Confirm and continue");
  await site.restart();
  await admin.press("Allow access");
  await admin.shows("Request approved");
  await site.restart();
  assert.equal((await site.poll(client, device)).status, 200);
});

// typed follows the link of a request, which must not go on before its code was
// typed, and types it.
async function typed(visitor, device) {
  await visitor.page.goto(device.verificationUriComplete);
  if (await visitor.page.getByLabel("Username").count()) await visitor.signIn("admin");
  await visitor.shows("Authorize a device", "Type the code that your own terminal or device shows");
  assert.equal(await visitor.page.getByLabel("Code").inputValue(), "");
  assert.ok(!(await visitor.page.content()).includes(device.userCode), "the page shows the code that is to be typed");
  await visitor.page.getByLabel("Code").pressSequentially(device.userCode.replace("-", "").toLowerCase());
  await visitor.press("Next");
  await visitor.shows("Authorization requested", device.userCode);
}

test("a link that is not enough: its code has to be typed when the settings ask for it", async () => {
  const administrator = new Administrator(site);
  const mode = async (Mode) => administrator.call("UpdateSSOConfiguration", {
    InstanceArn: (await administrator.instance()).InstanceArn, ConfigurationType: "DEVICE_AUTHORIZATION",
    SsoConfiguration: { DeviceAuthorizationConfiguration: { Mode } },
  });
  await mode("TYPE_CODE");
  try {
    const client = await site.client();
    const device = await site.device(client);
    const admin = await Visitor.arrive(browser, site);
    await typed(admin, device);
    await admin.press("Confirm and continue");
    await admin.press("Allow access");
    await admin.shows("Request approved");
    assert.equal((await site.poll(client, device)).status, 200);
  } finally {
    await mode("ALLOW");
  }
});

test("a link that is not enough: its code has to be typed when somebody asks from elsewhere", async () => {
  await site.serve("--trusted-proxies", "127.0.0.1"); // whose word the client's address comes by
  try {
    const client = await site.client();
    const device = await site.device(client, { "X-Forwarded-For": "203.0.113.9" });
    const admin = await Visitor.arrive(browser, site);
    await typed(admin, device);
    await admin.shows("Authorization requested", "203.0.113.9, not your own address (127.0.0.1)");
    await admin.inspect("compare-elsewhere");
    await admin.press("Not my request");
    await admin.shows("Request denied", "tell your administrator");
    assert.equal((await site.poll(client, device)).error, "access_denied");
  } finally {
    await site.restart();
  }
});

test("a request that is not the person's own", async () => {
  const client = await site.client({ clientName: "<b>AWS</b> <script>document.title='x'</script>" });
  const device = await site.device(client);
  const admin = await Visitor.arrive(browser, site);
  await admin.page.goto(device.verificationUriComplete);
  await admin.signIn("admin");
  await admin.shows("Authorization requested", "<b>AWS</b> <script>document.title='x'</script>");
  assert.match(await admin.page.title(), /^Authorization requested/);
  await admin.press("Not my request");
  await admin.shows("Request denied", "tell your administrator");
  await admin.inspect("denied");
  assert.equal((await site.poll(client, device)).error, "access_denied");
});

// callback listens where a client waits for the browser, and returns the
// address to send it to and what comes there.
function callback(host) {
  return new Promise((resolve, reject) => {
    const server = http.createServer();
    server.once("error", reject);
    server.listen(0, host, () => {
      const name = host.includes(":") ? `[${host}]` : host;
      const arrived = new Promise((done) => server.once("request", (request, response) => {
        response.end("done");
        server.close();
        done(new URL(request.url, "http://client").searchParams);
      }));
      resolve({ uri: `http://${name}:${server.address().port}/oauth/callback`, registered: `http://${name}/oauth/callback`, arrived });
    });
  });
}

async function authorize(host, decide) {
  const back = await callback(host);
  const client = await site.client({
    grantTypes: ["authorization_code", "refresh_token"], redirectUris: [back.registered], issuerUrl: `${site.url}/start`,
  });
  const codeVerifier = crypto.randomBytes(48).toString("base64url");
  const query = new URLSearchParams({
    response_type: "code", client_id: client.clientId, redirect_uri: back.uri, state: crypto.randomUUID(),
    code_challenge_method: "S256", scopes: "sso:account:access",
    code_challenge: crypto.createHash("sha256").update(codeVerifier).digest("base64url"),
  });
  const admin = await Visitor.arrive(browser, site);
  await admin.goto(`/authorize?${query}`);
  await admin.signIn("admin");
  await admin.shows("Allow botocore-client-atrium to access your data?", new URL(back.uri).host);
  await decide(admin);
  const answer = await back.arrived;
  assert.equal(answer.get("state"), query.get("state"));
  assert.deepEqual(admin.problems, []);
  return { answer, exchange: { ...client, grantType: "authorization_code", redirectUri: back.uri, codeVerifier, code: answer.get("code") } };
}

test("an application on this machine", async () => {
  const { exchange } = await authorize("127.0.0.1", async (admin) => {
    await admin.inspect("consent-application");
    await admin.press("Allow access");
  });
  const tokens = await site.call("/token", exchange);
  assert.equal(tokens.status, 200, JSON.stringify(tokens));
  assert.equal((await site.call("/token", exchange)).error, "invalid_grant");
});

test("an application on this machine that is denied", async () => {
  const { answer } = await authorize("127.0.0.1", (admin) => admin.press("Deny access"));
  assert.equal(answer.get("error"), "access_denied");
  assert.equal(answer.get("code"), null);
});

test("an application that listens on IPv6", async (t) => {
  let result;
  try {
    result = await authorize("::1", (admin) => admin.press("Allow access"));
  } catch (error) {
    if (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT") return t.skip("this machine has no IPv6");
    throw error;
  }
  assert.ok(result.answer.get("code"));
});

test("a request that cannot go on says so on a page", async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.goto("/authorize?client_id=nobody");
  await visitor.shows("This request cannot go on");
  await visitor.inspect("request-refused");
});

test("signing out takes what was allowed with it", async () => {
  const client = await site.client();
  const device = await site.device(client);
  const admin = await Visitor.arrive(browser, site);
  await admin.page.goto(device.verificationUriComplete);
  await admin.signIn("admin");
  await admin.press("Confirm and continue");
  await admin.press("Allow access");
  const { refreshToken } = await site.poll(client, device);
  const refresh = () => site.call("/token", { ...client, grantType: "refresh_token", refreshToken });
  assert.equal((await refresh()).status, 200);
  await admin.goto("/start");
  await admin.press("Sign out");
  await admin.shows("You are signed out");
  assert.equal((await refresh()).error, "invalid_grant");
});
