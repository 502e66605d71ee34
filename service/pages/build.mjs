// Builds the modules of the pages into ../motorgraph/web/static/bundle; with --check only says whether what is there matches.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { outlines } from "./outlines.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const BUNDLE = join(HERE, "../motorgraph/web/static/bundle");
const PUBLIC = "/static/bundle/";
const IGNORED = new Set(["node_modules"]);

/** The files that the bundle is made from, each by its path with slashes, in order. */
function sources(folder = HERE) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !IGNORED.has(entry.name) && !entry.name.startsWith("."))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sources(path) : [relative(HERE, path).split(sep).join("/")];
    })
    .sort();
}

/** SHA-256 over name, NUL, content, NUL of every source; bundle.py computes the same. */
function digest() {
  const hash = createHash("sha256");
  for (const name of sources()) hash.update(`${name}\0`).update(readFileSync(join(HERE, name))).update("\0");
  return hash.digest("hex");
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Every file of the bundle by name, the manifest among them. */
async function bundled() {
  const entries = readdirSync(join(HERE, "src/pages")).filter((name) => name.endsWith(".ts")).sort();
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: entries.map((name) => `src/pages/${name}`),
    outdir: BUNDLE,
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    assetNames: "[name]-[hash]",
    publicPath: PUBLIC,
    plugins: [outlines],
    write: false,
    metafile: true,
    logLevel: "warning",
  });
  const files = new Map(result.outputFiles.map((file) => [basename(file.path), file.contents]));
  const entered = Object.entries(result.metafile.outputs).filter(([, output]) => output.entryPoint?.startsWith("src/pages/"));
  const manifest = {
    sources: digest(),
    pages: Object.fromEntries(entered.map(([path, o]) => [basename(o.entryPoint, ".ts"), loaded(path, result.metafile)]).sort()),
    files: Object.fromEntries([...files].map(([name, content]) => [name, sha256(content)]).sort()),
  };
  files.set("manifest.json", Buffer.from(JSON.stringify(manifest, null, 1) + "\n"));
  return files;
}

/** A page's module, and the parts that it imports at once: a browser told of them need not find them one after the other. */
function loaded(path, metafile) {
  const found = new Set([path]);
  for (const name of found) {
    for (const { path: next, kind } of metafile.outputs[name].imports) if (kind === "import-statement") found.add(next);
  }
  return [...found].map((name) => basename(name));
}

function check(files) {
  const there = readdirSync(BUNDLE);
  const wrong = [...files].filter(([name, content]) => !there.includes(name) || !readFileSync(join(BUNDLE, name)).equals(Buffer.from(content)));
  const odd = [...wrong.map(([name]) => name), ...there.filter((name) => !files.has(name))];
  if (odd.length) {
    console.error(`The bundle does not match its sources (make bundle rebuilds it): ${odd.join(", ")}`);
    process.exit(1);
  }
}

function write(files) {
  rmSync(BUNDLE, { recursive: true, force: true });
  mkdirSync(BUNDLE, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(BUNDLE, name), content);
  for (const [name, content] of files) console.log(`${String(content.length).padStart(9)} ${name}`);
}

const files = await bundled();
if (process.argv.includes("--check")) check(files);
else write(files);
