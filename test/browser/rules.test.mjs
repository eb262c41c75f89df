// What holds every page to the rules finds what breaks them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Visitor, launch } from "./site.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const page = (style, body) => `<!doctype html><html lang="en"><head><title>t</title><style>
  button { min-height: 40px; min-width: 40px; background: #fff; color: #000; border: 1px solid; }
  ${style}</style></head><body><main><h1>t</h1>${body}</main></body></html>`;

for (const [name, style, body, found] of [
  ["contrast", "p { color: #aaa; background: #fff }", "<p>text</p>", /color-contrast/],
  ["contrast in the dark only", "@media (prefers-color-scheme: dark) { p { color: #222; background: #000 } }", "<p>text</p>", /color-contrast/],
  ["contrast on phones only", "@media (max-width: 400px) { p { color: #aaa; background: #fff } }", "<p>text</p>", /color-contrast/],
  ["a picture without a name", "", '<img src="data:,">', /image-alt/],
  ["focus that is not seen", "button:focus-visible { outline: none }", "<button>a</button><button>b</button>", /has the focus and does not show it/],
  ["too wide for a small screen", "p { width: 340px }", "<p>text</p>", /320 pixels: \d+ pixels too wide/],
  ["motion that nobody wants", "p { animation: a 1s infinite } @keyframes a { from { opacity: 1 } to { opacity: .99 } }", "<p>text</p>", /moves although/],
  ["too small to touch", "button { min-height: 20px; padding: 0 }", "<button>a</button>", /too small to touch/],
]) {
  test(name, async () => {
    const visitor = await Visitor.arrive(browser, undefined);
    await visitor.page.setContent(page("", "<button>a</button><button>b</button><p>text</p>"));
    await visitor.inspect("well");
    await visitor.page.setContent(page(style, body));
    await assert.rejects(visitor.inspect("broken"), (error) => found.test(`${error.message} ${JSON.stringify(error.actual)}`));
    await visitor.context.close();
  });
}
