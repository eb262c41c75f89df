// How fast the AWS access portal is on a slow phone: on what Chromium's
// developer tools call Fast 3G, with a processor four times slower.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Site, Visitor, launch } from "./site.mjs";

const budgets = { cold: 4000, warm: 1500 }; // milliseconds
// What may travel, in bytes: it is the same on every machine.
const most = { cold: 200_000, warm: 8_000 };
const tries = 3;
const slowdown = 4;

const network = { latency: 562.5, downloadThroughput: (1.6 * 1024 * 1024 * 0.9) / 8, uploadThroughput: (750 * 1024 * 0.9) / 8 };
// How often the network goes there and back: for the page, and for its files.
const ways = { cold: 2, warm: 1 };

let site, browser;
before(async () => { [site, browser] = await Promise.all([Site.start(), launch()]); });
after(async () => { await browser?.close(); await site?.stop(); });

// watch notes when a person can use the accounts: they are drawn, and the page
// has nothing else to do.
function watch() {
  new MutationObserver((_, observer) => {
    if (!document.querySelector(".accounts li")) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.interactive = performance.now(); }));
  }).observe(document, { childList: true, subtree: true });
}

test("the accounts are there in time", async (t) => {
  const admin = await Visitor.arrive(browser, site, { viewport: { width: 360, height: 740 } });
  await admin.goto("/start");
  await admin.signIn();
  await admin.shows("AWS access portal", "production");
  const { page } = admin;
  const devtools = await admin.context.newCDPSession(page);
  await page.addInitScript(watch);
  await devtools.send("Network.enable");
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  let bytes = 0;
  let requests = [];
  devtools.on("Network.requestWillBeSent", ({ request }) => requests.push(request.url.replace(site.url, "")));
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });

  // visit opens the portal, and says how long it took and what it took.
  const visit = async ({ slow }) => {
    await page.goto("about:blank");
    bytes = 0;
    requests = [];
    if (slow) {
      await devtools.send("Network.emulateNetworkConditions", { offline: false, ...network });
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
    }
    await admin.goto("/start");
    await page.waitForFunction(() => window.interactive, undefined, { timeout: 60_000 });
    const time = Math.round(await page.evaluate(() => window.interactive));
    const { metrics } = await devtools.send("Performance.getMetrics");
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: 1 });
    await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    // The processor's time that the page took, whatever else the machine did.
    return { time, work: Math.round(metrics.find(({ name }) => name === "TaskDuration").value * 1000), bytes, requests: requests.length };
  };
  const prepare = (kind) => kind === "cold" && devtools.send("Network.clearBrowserCache");

  for (const kind of ["cold", "warm"]) {
    let work = Number.POSITIVE_INFINITY;
    for (let i = 0; i < tries; i++) {
      await prepare(kind);
      work = Math.min(work, (await visit({ slow: false })).work);
    }
    let best;
    for (let i = 0; i < tries && !(best?.time <= budgets[kind]); i++) {
      await prepare(kind);
      const seen = await visit({ slow: true });
      // What it would take on a machine that has nothing else to do.
      seen.alone = Math.round(ways[kind] * network.latency + (1000 * seen.bytes) / network.downloadThroughput + slowdown * work);
      t.diagnostic(`${kind}: usable after ${seen.time} ms, alone ${seen.alone} ms; ${seen.bytes} bytes in ${seen.requests} requests, ${work} ms of work`);
      assert.ok(seen.bytes <= most[kind], `${kind}: ${seen.bytes} bytes for ${requests.join(" ")}`);
      assert.ok(seen.requests <= 8, `${kind}: ${requests.join(" ")}`);
      if (!best || seen.time < best.time) best = seen;
    }
    // A machine that does something else as well must not decide.
    const judged = Math.min(best.time, best.alone);
    assert.ok(judged <= budgets[kind], `${kind}: usable after ${judged} ms, not ${budgets[kind]}`);
  }
  assert.deepEqual(admin.problems, []);
});
