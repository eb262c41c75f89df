import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import type { Credentials } from "./client";
import { fill, remaining, settings } from "./keys";

const keys: Credentials = { accessKeyId: "ASIA234567ABCDEFGHIJ", secretAccessKey: "a+b/c=d_e-f", sessionToken: "AQAA+/==", expiration: 0 };
const bash =
  "export AWS_ACCESS_KEY_ID='{accessKeyId}'\nexport AWS_SECRET_ACCESS_KEY='{secretAccessKey}'\nexport AWS_SESSION_TOKEN='{sessionToken}'\nexport AWS_REGION=us-east-1\n";

// random is a small generator with a seed, so that a failure comes again.
function random(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

function word(next: (below: number) => number, alphabet: string, most: number): string {
  return Array.from({ length: 1 + next(most) }, () => alphabet[next(alphabet.length)]).join("");
}

const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-";

test("places are filled", () => {
  expect(fill(bash, keys)).toBe(
    "export AWS_ACCESS_KEY_ID='ASIA234567ABCDEFGHIJ'\nexport AWS_SECRET_ACCESS_KEY='a+b/c=d_e-f'\nexport AWS_SESSION_TOKEN='AQAA+/=='\nexport AWS_REGION=us-east-1\n",
  );
});

test("a real shell reads back what was pasted, whatever the credentials are", () => {
  const next = random(1);
  let script = "";
  let want = "";
  for (let i = 0; i < 200; i++) {
    const one = {
      accessKeyId: word(next, safe, 20),
      secretAccessKey: word(next, safe, 60),
      sessionToken: word(next, safe, 900),
      expiration: 0,
    };
    script += `${fill(bash, one)}printf '%s\\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN"\n`;
    want += `${one.accessKeyId}\n${one.secretAccessKey}\n${one.sessionToken}\n`;
  }
  expect(execFileSync("sh", { input: script, encoding: "utf8" })).toBe(want);
});

test("credentials that could mean something to a shell are refused", () => {
  const next = random(2);
  const hostile = "'\"`$\\!%^&|<>;(){}[]*?~# \t\n\r\0\u2018\u2019\u201a\u201b\u00e9\u2028";
  for (const member of ["accessKeyId", "secretAccessKey", "sessionToken"] as const) {
    expect(() => fill(bash, { ...keys, [member]: "" })).toThrow();
    for (const character of hostile) {
      const value = word(next, safe, 5) + character + word(next, safe, 5);
      expect(() => fill(bash, { ...keys, [member]: value }), JSON.stringify(value)).toThrow();
    }
  }
});

test("a value is not searched for places", () => {
  expect(() => fill(bash, { ...keys, accessKeyId: "{sessionToken}" })).toThrow();
});

test("other braces stay", () => {
  expect(fill("{other} {accessKeyId}", keys)).toBe("{other} ASIA234567ABCDEFGHIJ");
});

test("settings have no places", () => {
  expect(settings(bash)).toBe("export AWS_REGION=us-east-1\n");
});

test("the time that remains", () => {
  expect(remaining(10_000, 0)).toEqual({ hours: 0, minutes: 0, seconds: 10 });
  expect(remaining(4 * 3600_000 + 59_999, 0)).toEqual({ hours: 4, minutes: 0, seconds: 59 });
  expect(remaining(3661_000, 1000)).toEqual({ hours: 1, minutes: 1, seconds: 0 });
  expect(remaining(0, 5000)).toEqual({ hours: 0, minutes: 0, seconds: 0 });
});
