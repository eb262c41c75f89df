// What people do by mail: from the letter, which comes by a real mail server,
// to where its link leads.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { after, before, test } from "node:test";
import { Administrator } from "./api.mjs";
import { Site, Visitor, chosen, launch } from "./site.mjs";

const another = "Other-Vt8-kelp";

// MailServer is a mail server that wants TLS and a password.
class MailServer {
  static async start() {
    const server = new MailServer();
    server.dir = fs.mkdtempSync(path.join(os.tmpdir(), "atrium-mail-"));
    server.letters = [];
    const args = ["-username", "atrium", "-password", "s3cret"];
    const program = process.env.ATRIUM_MAIL_SINK;
    server.process = program
      ? spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] })
      : spawn("go", ["run", "../mailsink/serve", ...args], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = readline.createInterface({ input: server.process.stdout });
    const about = await new Promise((resolve, reject) => {
      server.process.once("exit", () => reject(new Error("the mail server stopped")));
      lines.once("line", (line) => resolve(JSON.parse(line)));
    });
    lines.on("line", (line) => server.letters.push(JSON.parse(line)));
    const ca = path.join(server.dir, "ca.pem"), password = path.join(server.dir, "password");
    fs.writeFileSync(ca, about.ca);
    fs.writeFileSync(password, "s3cret\n", { mode: 0o600 });
    server.flags = [
      "--smtp-host", "localhost", "--smtp-port", String(about.port), "--smtp-ca-file", ca,
      "--smtp-username", "atrium", "--smtp-password-file", password, "--smtp-from", "Atrium <no-reply@example.com>",
    ];
    return server;
  }

  // letter waits for the next letter to an address with a subject, and takes it.
  async letter(to, subject) {
    for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const i = this.letters.findIndex((l) => l.to === to && l.subject === subject);
      if (i < 0) continue;
      const [letter] = this.letters.splice(i, 1);
      assert.ok(letter.tls, "the letter came in the clear");
      assert.ok(letter.text && letter.html, "the letter has two forms");
      return letter;
    }
    throw new Error(`no letter to ${to} about ${subject}, but ${JSON.stringify(this.letters.map((l) => [l.to, l.subject]))}`);
  }

  stop() {
    this.process?.stdin.end();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

let site, browser, administrator, mail;
before(async () => {
  [mail, browser] = await Promise.all([MailServer.start(), launch()]);
  site = await Site.start(...mail.flags);
  administrator = new Administrator(site);
});
after(async () => { await browser?.close(); await site?.stop(); mail?.stop(); });

// open shows a letter in a browser, as a mail program does, and follows its link
// in the visitor's. With a name, the letter is inspected.
async function open(visitor, letter, label, name) {
  const program = await Visitor.arrive(browser, site);
  await program.page.setContent(letter.html);
  if (name) await program.inspect(`mail-${name}`);
  const link = await program.page.getByRole("link", { name: label, exact: true }).getAttribute("href");
  assert.ok(letter.text.includes(link), "the two forms have two links");
  assert.ok(link.startsWith(site.url + "/link/"), link);
  await program.context.close();
  for (let i = 0; i < 2; i++) await fetch(link); // as programs do that inspect mail
  await visitor.page.goto(link);
  return link;
}

async function call(operation, input) {
  return administrator.call(operation, { IdentityStoreId: (await administrator.instance()).IdentityStoreId, ...input }, "AWSIdentityStore", "identitystore");
}

// person adds a person without password.
async function person(name) {
  const { UserId } = await call("CreateUser", {
    UserName: name, DisplayName: "Robin New", Name: { GivenName: "Robin", FamilyName: "New" }, Emails: [{ Value: `${name}@example.com`, Primary: true }],
  });
  return UserId;
}

async function updatePassword(user, mode) {
  return administrator.call("UpdatePassword", { IdentityStoreId: (await administrator.instance()).IdentityStoreId, UserId: user, PasswordMode: mode });
}

async function choose(visitor, password) {
  await visitor.fill("New password", password);
  await visitor.fill("Confirm password", password);
  await visitor.press("Set new password");
  await visitor.page.getByText("Your password is set. Sign in with it.").waitFor();
}

// code is what an authenticator app with a secret shows, some steps from now.
function code(secret, steps = 0) {
  const bits = [...secret.replace(/\s/g, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const signedIn = (visitor) => visitor.page.waitForURL(`${site.url}/start`);

test("an invitation, from the mail to the portal with an authenticator app", async () => {
  await administrator.authentication({ MfaMode: "ALWAYS_ON", NoMfaSignInBehavior: "ALLOWED_WITH_ENROLLMENT" });
  const user = await person("robin");
  await updatePassword(user, "EMAIL");
  const letter = await mail.letter("robin@example.com", "You are invited to the AWS access portal");
  const robin = await Visitor.arrive(browser, site);
  const link = await open(robin, letter, "Accept invitation", "invitation");
  await robin.shows("Accept the invitation", "Welcome, Robin New", "robin");
  await robin.inspect("invitation");
  await choose(robin, chosen);
  await robin.fill("Password", chosen);
  await robin.press("Sign in");
  await robin.shows("Register MFA device");
  await robin.page.getByRole("link", { name: "Authenticator app" }).click();
  await robin.page.getByText("Show secret key").click();
  const secret = await robin.page.locator("details code").textContent();
  await robin.fill("Authenticator code", code(secret, -1));
  await robin.fill("Next authenticator code", code(secret));
  await robin.press("Assign MFA");
  await signedIn(robin);
  const notice = await mail.letter("robin@example.com", "An MFA device was registered");

  const late = await Visitor.arrive(browser, site);
  await late.page.goto(link);
  await late.shows("This link cannot be used", "The link was used already", "sign in with it");
  await late.inspect("link-used");

  await open(late, notice, "This wasn't me", "factor-added");
  await late.shows("This wasn't me", "robin");
  await late.inspect("this-wasnt-me");
  await robin.goto("/account/devices");
  await robin.shows("MFA devices"); // still signed in
  await late.press("This wasn't me");
  // It was the only device: a mailbox alone must not lead to another password.
  await late.shows("Your account is secured", "Ask an administrator");
  await robin.goto("/start");
  await robin.shows("Sign in", "Username"); // not any longer
});

test("a forgotten password, with a restart before the letter is sent", async () => {
  await administrator.authentication({ MfaMode: "DISABLED" });
  const sam = await Visitor.arrive(browser, site);
  await sam.goto("/start");
  await sam.signIn("sam.lee");
  await signedIn(sam);

  const visitor = await Visitor.arrive(browser, site);
  await visitor.goto("/start");
  await visitor.fill("Username", "sam.lee");
  await visitor.press("Next");
  await visitor.page.getByRole("link", { name: "Forgot password" }).click();
  await visitor.shows("Forgot password", "sam.lee");
  await visitor.inspect("forgot");
  await visitor.press("Send link");
  await visitor.shows("Check your mail", "sam.lee");
  await visitor.inspect("forgot-sent");
  await site.restart();
  const letter = await mail.letter("sam.lee@example.com", "Choose a new password");
  await open(visitor, letter, "Choose new password");
  await visitor.shows("Set a new password", "sam.lee");
  await choose(visitor, another);
  site.passwords["sam.lee"] = another;
  await visitor.fill("Password", another);
  await visitor.press("Sign in");
  await signedIn(visitor);
  const notice = await mail.letter("sam.lee@example.com", "Your password was changed");
  assert.ok(notice.text.includes("This wasn't me"));
  await sam.goto("/start");
  await sam.shows("Sign in", "Username");
});

test("a first password by a mailed code", async () => {
  await administrator.authentication({ MfaMode: "DISABLED", NoPasswordSignInBehavior: "EMAIL_OTP" });
  await person("kim");
  const kim = await Visitor.arrive(browser, site);
  await kim.goto("/start");
  await kim.fill("Username", "kim");
  await kim.press("Next");
  await kim.shows("Sign in", "Email me a code");
  await kim.inspect("password-or-code");
  await kim.press("Email me a code");
  await kim.shows("Enter the code", "kim");
  await kim.inspect("code");
  const letter = await mail.letter("kim@example.com", "Your code for the AWS access portal");
  const digits = letter.text.match(/^ +(\d{4} \d{4})$/m)[1];
  await kim.fill("Code", digits.replace(/./, (d) => String((Number(d) + 1) % 10)));
  await kim.press("Next");
  await kim.shows("Enter the code", "This code is not correct.");
  await kim.fill("Code", digits);
  await kim.press("Next");
  await kim.shows("Set a new password", "kim");
  await choose(kim, chosen);
  await kim.fill("Password", chosen);
  await kim.press("Sign in");
  await signedIn(kim);

  const nobody = await Visitor.arrive(browser, site);
  await nobody.goto("/start");
  await nobody.fill("Username", "nobody");
  await nobody.press("Next");
  await nobody.press("Email me a code");
  await nobody.shows("Enter the code", "nobody");
});

test("another address is verified, and an administrator resets by mail", async () => {
  const user = await administrator.user("admin");
  await call("UpdateUser", { UserId: user, Operations: [{ AttributePath: "emails", AttributeValue: [{ Value: "alex@example.org", Primary: true }] }] });
  const admin = await Visitor.arrive(browser, site);
  const letter = await mail.letter("alex@example.org", "Verify your email address");
  await open(admin, letter, "Verify address");
  await admin.shows("Verify your email address", "alex@example.org");
  await admin.inspect("verify-email");
  await admin.press("Verify address");
  await admin.shows("Your address is verified", "alex@example.org");
  const warning = await mail.letter("admin@example.com", "Your email address was changed");
  assert.ok(warning.text.includes("alex@example.org"));

  await admin.goto("/start");
  await admin.signIn("admin");
  await signedIn(admin);
  await updatePassword(user, "EMAIL");
  await admin.goto("/start");
  await admin.shows("Sign in", "Username");
  const reset = await mail.letter("alex@example.org", "Your password was reset");
  await open(admin, reset, "Choose new password");
  await choose(admin, another);
});

test("without a mail server, mail is shown on a page of the node", async () => {
  const alone = await Site.start();
  try {
    const owner = new Administrator(alone);
    const user = await owner.user("sam.lee");
    await owner.call("VerifyEmail", { IdentityStoreId: (await owner.instance()).IdentityStoreId, UserId: user });
    const sam = await Visitor.arrive(browser, alone);
    const shown = async () => {
      await sam.goto("/dev/mail");
      return sam.page.getByRole("heading", { name: "Verify your email address" }).count();
    };
    for (const end = Date.now() + 20_000; !(await shown()) && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 200));
    await sam.shows("Mail of this dev node", "sam.lee@example.com");
    await sam.inspect("dev-mail", { smallest: 24 });
    await sam.page.getByRole("link", { name: /^Open / }).first().click();
    await sam.page.getByRole("link", { name: "Verify address", exact: true }).click();
    await sam.shows("Verify your email address", "sam.lee@example.com");
    await sam.press("Verify address");
    await sam.shows("Your address is verified");
  } finally {
    await alone.stop();
  }
});
