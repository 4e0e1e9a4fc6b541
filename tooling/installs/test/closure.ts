import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly [key: string]: unknown;
}

export interface Closing {
  readonly registryUrl: string;
  /** An empty folder to work in. */
  readonly folder: string;
}

/**
 * Publishes what `packageFolder` needs from outside the house, as it is installed here, with all that it needs in
 * turn: the registry then knows everything, and nothing behind it is asked. Install scripts are left out. What is for
 * other machines, and so not installed, is there as an empty package.
 */
export async function publishClosure(
  packageFolder: string,
  done: Set<string>,
  closing: Closing,
): Promise<void> {
  const from = await realpath(packageFolder);
  const manifest = await readManifest(from);
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifest;
  const meta = manifest.peerDependenciesMeta ?? {};
  const peers = Object.keys(peerDependencies).filter((name) => meta[name]?.optional !== true);
  for (const name of new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers])) {
    const found = await findInstalled(name, from, manifest.name);
    if (found !== undefined) await publishInstalled(found, done, closing);
    else await publishStub(name, { ...optionalDependencies, ...dependencies }[name], done, closing);
  }
}

/** Publishes these packages, as `packageFolder` sees them installed, and all that they need. */
export async function publishTools(
  packageFolder: string,
  names: readonly string[],
  done: Set<string>,
  closing: Closing,
): Promise<void> {
  const from = await realpath(packageFolder);
  const { name: own } = await readManifest(from);
  for (const name of names) {
    const found = await findInstalled(name, from, own);
    if (found === undefined) throw new Error(`${own} has no ${name} installed`);
    await publishInstalled(found, done, closing);
  }
}

async function publishInstalled(found: string, done: Set<string>, closing: Closing): Promise<void> {
  const manifest = await readManifest(found);
  const key = `${manifest.name}@${manifest.version}`;
  if (done.has(key)) return;
  done.add(key);
  // The house's own packages are packed as they are published; here only what they need.
  if (!manifest.name.startsWith("@enginehouse/")) await publishFolder(found, manifest, closing);
  await publishClosure(found, done, closing);
}

async function publishStub(
  name: string,
  range: string | undefined,
  done: Set<string>,
  { registryUrl }: Closing,
): Promise<void> {
  const version = /\d+\.\d+\.\d+[\w.+-]*/.exec(range ?? "")?.[0];
  if (version === undefined || done.has(`${name}@${version}`)) return;
  done.add(`${name}@${version}`);
  await put(registryUrl, { name, version, os: ["none"] }, EMPTY);
}

/** Beside the package itself, as pnpm lays it out, or in a folder of its own. */
async function findInstalled(name: string, from: string, own: string): Promise<string | undefined> {
  for (const folder of [join(from, "node_modules"), from.slice(0, -own.length)]) {
    const found = await realpath(join(folder, name)).catch(() => undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function publishFolder(
  source: string,
  manifest: Manifest,
  { folder, registryUrl }: Closing,
): Promise<void> {
  const staged = await mkdtemp(join(folder, "stage-"));
  try {
    const inside = `${source}/node_modules`;
    await cp(source, join(staged, "package"), {
      recursive: true,
      dereference: true,
      filter: (path) => path !== inside,
    });
    const { scripts: _, devDependencies: __, ...published } = manifest;
    await writeFile(join(staged, "package", "package.json"), JSON.stringify(published));
    await promisify(execFile)("tar", ["-czf", "package.tgz", "package"], { cwd: staged });
    await put(registryUrl, published as Manifest, await readFile(join(staged, "package.tgz")));
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

/** As `npm publish` does it: one document with the tarball inside. */
async function put(registryUrl: string, manifest: Manifest, tarball: Uint8Array): Promise<void> {
  const { name, version } = manifest;
  const file = `${name.split("/").at(-1)}-${version}.tgz`;
  const sum = (algorithm: string, encoding: "hex" | "base64"): string =>
    createHash(algorithm).update(tarball).digest(encoding);
  const dist = {
    shasum: sum("sha1", "hex"),
    integrity: `sha512-${sum("sha512", "base64")}`,
    tarball: `${registryUrl}${name}/-/${file}`,
  };
  const data = Buffer.from(tarball).toString("base64");
  const reply = await fetch(`${registryUrl}${name.replace("/", "%2f")}`, {
    method: "PUT",
    headers: { "content-type": "application/json", authorization: "Bearer none" },
    body: JSON.stringify({
      _id: name,
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
      _attachments: {
        [file]: { content_type: "application/octet-stream", data, length: tarball.byteLength },
      },
    }),
  });
  if (!reply.ok)
    throw new Error(`${name}@${version} was not published: ${reply.status} ${await reply.text()}`);
  await reply.arrayBuffer();
}

/** A tarball with nothing in it. */
const EMPTY = gzipSync(Buffer.alloc(1_024));

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
}
