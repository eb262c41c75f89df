import { expect, test } from "vitest";
import { judge } from "./destination";

const origin = "https://sso.example.com";
const listed = ["https://console.example.com", "https://console.example.com:8443"];
const of = (asked: string) => judge(asked, origin, listed);

test("pages of this server", () => {
  for (const asked of ["/start", "/console/home?region=us-east-1#x", `${origin}/x`, "/", "https://SSO.example.com:443/x", "/..//x"]) {
    expect(of(asked).kind, asked).toBe("own");
  }
});

test("an own page stays on this server, however it is written", () => {
  for (const asked of [`${origin}//evil.example/x`, `${origin}/\\evil.example`, "/.//evil.example", "/%2f/evil.example"]) {
    const judged = of(asked);
    expect(judged.kind === "own" && new URL(judged.address, origin).origin, asked).toBe(origin);
    expect(judged.kind === "own" && judged.address.startsWith(`${origin}/`), asked).toBe(true);
  }
});

test("listed hosts", () => {
  expect(of("https://console.example.com/s3?x=1")).toEqual({
    kind: "listed",
    address: "https://console.example.com/s3?x=1",
    host: "console.example.com",
  });
  expect(of("https://console.example.com:8443/").kind).toBe("listed");
});

test("all other hosts are named as they are", () => {
  const hosts: Record<string, string> = {
    "https://evil.example/": "evil.example",
    "//evil.example/x": "evil.example",
    "/\\evil.example": "evil.example",
    "/\t/evil.example": "evil.example",
    "https:evil.example": "evil.example",
    "https://console.example.com.evil.example/": "console.example.com.evil.example",
    "https://console.example.com:9443/": "console.example.com:9443",
    "https://sso.example.com:8443/": "sso.example.com:8443",
    "https://xn--80ak6aa92e.com/": "xn--80ak6aa92e.com",
    "https://\u0430pple.com/": "xn--pple-43d.com",
    " https://evil.example": "evil.example",
  };
  for (const [asked, host] of Object.entries(hosts)) {
    const judged = of(asked);
    expect(judged, asked).toMatchObject({ kind: "elsewhere", host });
  }
});

test("what no browser should be sent to", () => {
  for (const asked of [
    "",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "blob:https://sso.example.com/x",
    "http://evil.example/",
    "http://sso.example.com/",
    "ftp://sso.example.com/",
    "file:///etc/passwd",
    "https://console.example.com@evil.example/",
    "https://user:secret@console.example.com/",
    "https://user@sso.example.com/",
    "x.example",
    "start",
    "https://",
    "https:///",
    "about:blank",
  ]) {
    expect(of(asked).kind, asked).toBe("refused");
  }
});

test("a development server without TLS has pages too", () => {
  expect(judge("/x", "http://localhost:8484", []).kind).toBe("own");
  expect(judge("http://localhost:8484/x", "http://localhost:8484", []).kind).toBe("own");
  expect(judge("http://127.0.0.1:8484/x", "http://localhost:8484", []).kind).toBe("refused");
});
