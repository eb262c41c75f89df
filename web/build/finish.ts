// What is done with the files once they are built: they are held to budgets,
// and compressed as far as can be, because they are sent more often than built.
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import type { Manifest, Plugin } from "vite";

// Budgets are in bytes, after compression with brotli.
export interface Budgets {
  // What the accounts need before a person can use them.
  first: number;
  // What one part that is loaded later adds to that.
  later: number;
}

export function finish(budgets: Budgets): Plugin {
  let dir = "";
  return {
    name: "atrium-finish",
    apply: "build",
    configResolved(config) {
      dir = path.resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      const manifestFile = path.join(dir, "manifest.json");
      if (!fs.existsSync(manifestFile)) return; // the build has failed already
      const manifest = JSON.parse(fs.readFileSync(manifestFile, "utf8")) as Manifest;
      const sizes = compress(dir);
      const report = measure(manifest, sizes);
      fs.rmSync(manifestFile);
      fs.writeFileSync(path.join(dir, "sizes.json"), `${JSON.stringify(report, null, 1)}\n`);
      for (const [name, size] of Object.entries(report)) {
        const budget = name === "first" ? budgets.first : budgets.later;
        console.log(`${name}: ${size} bytes of ${budget}`);
        if (size > budget)
          throw new Error(`${name} has grown to ${size} bytes, more than its budget of ${budget}: load less, or load it later`);
      }
    },
  };
}

const text = [".js", ".css", ".svg"];

// compress writes a .br and a .gz beside every file, and returns the sizes of
// the former by file.
function compress(dir: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const name of fs.readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const file = path.join(dir, name);
    if (!text.includes(path.extname(name))) continue;
    const content = fs.readFileSync(file);
    const brotli = zlib.brotliCompressSync(content, {
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length },
    });
    fs.writeFileSync(`${file}.br`, brotli);
    fs.writeFileSync(`${file}.gz`, zlib.gzipSync(content, { level: 9 }));
    sizes.set(name.split(path.sep).join("/"), brotli.length);
  }
  return sizes;
}

// measure adds up what the first view and each later part load.
export function measure(manifest: Manifest, sizes: Map<string, number>): Record<string, number> {
  const files = (key: string, seen = new Set<string>()): Set<string> => {
    const out = new Set<string>();
    const chunk = manifest[key];
    if (chunk === undefined || seen.has(key)) return out;
    seen.add(key);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) out.add(file);
    for (const imported of chunk.imports ?? []) for (const file of files(imported, seen)) out.add(file);
    return out;
  };
  const total = (names: Iterable<string>) => [...names].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const entries = Object.keys(manifest).filter((key) => manifest[key]?.isEntry);
  const first = new Set(entries.flatMap((key) => [...files(key)]));
  const report: Record<string, number> = { first: total(first) };
  for (const [key, chunk] of Object.entries(manifest)) {
    if (!chunk.isDynamicEntry) continue;
    report[chunk.name ?? key] = total([...files(key)].filter((file) => !first.has(file)));
  }
  return report;
}
