import { afterEach, beforeEach, expect, test, vi } from "vitest";

const page = (token: string, first = "null") => ({
  querySelector: (meta: string) => ({ content: meta.includes("csrf") ? token : first }),
});
const answer = (status: number, body: unknown, headers = {}) => new Response(JSON.stringify(body), { status, headers });

let client: typeof import("./client");
const fetched = vi.fn<typeof fetch>();

beforeEach(async () => {
  vi.resetModules();
  vi.stubGlobal("document", page("t0ken"));
  vi.stubGlobal("fetch", fetched);
  client = await import("./client");
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  fetched.mockReset();
});

test("pages of a list are asked for one after another", async () => {
  fetched.mockResolvedValueOnce(answer(200, { accountList: [{ accountId: "1" }], nextToken: "n" }));
  fetched.mockResolvedValueOnce(answer(200, { accountList: [{ accountId: "2" }] }));
  const pages = [];
  for await (const page of client.accounts()) pages.push(page.map((a) => a.accountId));
  expect(pages).toEqual([["1"], ["2"]]);
  expect(fetched.mock.calls.map(([, init]) => JSON.parse(String(init?.body)).nextToken)).toEqual([undefined, "n"]);
  expect(fetched.mock.calls[0]?.[1]?.headers).toMatchObject({ "X-Atrium-Csrf": "t0ken" });
});

test("what came along with the page is used once", async () => {
  vi.stubGlobal("document", page("t0ken", '{"DescribePortal":{"region":"along"}}'));
  fetched.mockResolvedValueOnce(answer(200, { region: "later" }));
  expect((await client.describePortal()).region).toBe("along");
  expect((await client.describePortal()).region).toBe("later");
});

test("failures say what can be done", async () => {
  fetched.mockRejectedValueOnce(new TypeError("no network"));
  await expect(client.roles("1")).rejects.toBeInstanceOf(client.ConnectionError);
  fetched.mockResolvedValueOnce(new Response("<html>a proxy's page</html>", { status: 502 }));
  await expect(client.roles("1")).rejects.toBeInstanceOf(client.ConnectionError);
  fetched.mockResolvedValueOnce(answer(401, { __type: "UnauthorizedException" }));
  await expect(client.roles("1")).rejects.toBeInstanceOf(client.SignedOutError);
  fetched.mockResolvedValueOnce(answer(403, { __type: "InvalidCsrfTokenException" }));
  await expect(client.roles("1")).rejects.toBeInstanceOf(client.StalePageError);
  fetched.mockResolvedValueOnce(answer(403, { __type: "ForbiddenException", message: "No access" }));
  await expect(client.roles("1")).rejects.toThrow("No access");
});

test("an answer without whole credentials is none", async () => {
  fetched.mockResolvedValueOnce(answer(200, { roleCredentials: { accessKeyId: "ASIA", secretAccessKey: "s", expiration: 1 } }));
  await expect(client.credentials("1", "r")).rejects.toThrow();
});

test("a session is over once an answer says so, or when its time has come", async () => {
  const events = new Map<string, () => void>();
  vi.stubGlobal("document", {
    ...page("t0ken"),
    addEventListener: (name: string, handler: () => void) => events.set(name, handler),
    removeEventListener: (name: string) => events.delete(name),
  });
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
  const ended = vi.fn<(error: Error) => void>();
  let stop = client.whenOver(Date.parse("2026-01-01T00:15:00Z"), ended);
  vi.advanceTimersByTime(15 * 60_000 - 1000);
  expect(ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  expect(ended.mock.calls[0]?.[0]).toBeInstanceOf(client.SignedOutError);
  stop();
  expect(events.size).toBe(0);

  ended.mockReset();
  stop = client.whenOver(Date.parse("2026-01-01T08:00:00Z"), ended);
  vi.setSystemTime(Date.parse("2026-01-01T09:00:00Z")); // the machine has slept
  events.get("visibilitychange")?.();
  expect(ended).toHaveBeenCalledTimes(1);
  stop();

  ended.mockReset();
  stop = client.whenOver(undefined, ended);
  for (const [status, code] of [
    [401, "UnauthorizedException"],
    [403, "InvalidCsrfTokenException"],
  ] as const) {
    fetched.mockResolvedValueOnce(answer(status, { __type: code }));
    await client.roles("1").catch(() => {});
  }
  fetched.mockResolvedValueOnce(answer(403, { __type: "ForbiddenException" }));
  await client.roles("1").catch(() => {});
  expect(ended).toHaveBeenCalledTimes(2);
  stop();
  fetched.mockResolvedValueOnce(answer(401, { __type: "UnauthorizedException" }));
  await client.roles("1").catch(() => {});
  expect(ended).toHaveBeenCalledTimes(2);
});

test("time is the server's when the clocks differ, and this machine's when they do not", async () => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00.700Z"), toFake: ["Date"] });
  fetched.mockResolvedValueOnce(answer(200, {}, { Date: "Thu, 01 Jan 2026 00:00:00 GMT" }));
  await client.describePortal();
  expect(client.now()).toBe(Date.now());
  fetched.mockResolvedValueOnce(answer(200, {}, { Date: "Thu, 01 Jan 2026 01:00:00 GMT" }));
  await client.describePortal();
  expect(client.now()).toBe(Date.parse("2026-01-01T01:00:00Z"));
});
