// ioredis' Cluster writes, reads back and expires keys: node ioredis_cluster.mjs PORT [KEYS].
//
// RINGSLOT_NODE_MODULES names the node_modules directory that has ioredis. Prints `N passed, N failed`
// and exits with 1 when anything failed.

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const modules = process.env.RINGSLOT_NODE_MODULES;
const Redis = createRequire(resolve(modules ?? "node_modules", "x.js"))("ioredis");

const PORT = Number(process.argv[2]);
const KEYS = Number(process.argv[3] ?? 10_000);
const BATCH = 500;
const LIFETIME_MS = 1_500;
const EXPIRY_DEADLINE_MS = 30_000;

let passed = 0;
let failed = 0;

function check(ok, what) {
  if (ok) {
    passed += 1;
  } else {
    failed += 1;
    if (failed <= 10) console.log("FAILED:", what);
  }
}

const cluster = new Redis.Cluster([{ host: "127.0.0.1", port: PORT }]);
cluster.on("error", (error) => check(false, `cluster error ${error}`));
await new Promise((ready, broken) => {
  cluster.once("ready", ready);
  setTimeout(() => broken(new Error("not ready after 20 s")), 20_000).unref();
});

const value = (key) => `value of ${key}`;

// ioredis pipelines take keys of one node only, so keys that should share a pipeline share a slot's
// node: it tells which by its own slot table.
const slotOf = createRequire(resolve(modules ?? "node_modules", "x.js"))("cluster-key-slot");

async function pipelined(keys, add) {
  const byNode = new Map();
  for (const key of keys) {
    const node = cluster.slots[slotOf(key)][0];
    if (!byNode.has(node)) byNode.set(node, []);
    byNode.get(node).push(key);
  }
  const replies = new Map();
  for (const nodeKeys of byNode.values()) {
    for (let start = 0; start < nodeKeys.length; start += BATCH) {
      const batch = nodeKeys.slice(start, start + BATCH);
      const pipeline = cluster.pipeline();
      for (const key of batch) add(pipeline, key);
      const results = await pipeline.exec();
      results.forEach(([error, reply], i) => replies.set(batch[i], error ?? reply));
    }
  }
  return replies;
}

check(cluster.nodes("master").length === 3, `three primaries, not ${cluster.nodes("master").length}`);
const keys = Array.from({ length: KEYS }, (_, i) => `ioredis:${i}`);
const single = keys.slice(0, KEYS / 2);
const piped = keys.slice(KEYS / 2);

// Many at once on each connection: replies must come back in order.
await Promise.all(single.map(async (key) => check((await cluster.set(key, value(key))) === "OK", `SET ${key}`)));
for (const [key, reply] of await pipelined(piped, (p, k) => p.set(k, value(k)))) {
  check(reply === "OK", `pipelined SET ${key}: ${reply}`);
}
await Promise.all(piped.map(async (key) => check((await cluster.get(key)) === value(key), `GET ${key}`)));
for (const [key, reply] of await pipelined(single, (p, k) => p.get(k))) {
  check(reply === value(key), `pipelined GET ${key}: ${reply}`);
}

check((await cluster.mset("{tag}a", 1, "{tag}b", 2)) === "OK", "MSET in one slot");
check(JSON.stringify(await cluster.mget("{tag}a", "{tag}b")) === '["1","2"]', "MGET in one slot");
check((await cluster.incrby("{tag}n", 41)) === 41 && (await cluster.incr("{tag}n")) === 42, "INCR");
check((await cluster.append("{tag}s", "abc")) === 3, "APPEND");
const binary = Buffer.from([0, 1, 13, 10, 255]);
await cluster.set("binary", binary);
check(binary.equals(await cluster.getBuffer("binary")), "a binary value");
try {
  await cluster.mset("a", 1, "b", 2);
  check(false, "MSET over slots is refused");
} catch (error) {
  check(/CROSSSLOT/.test(error.message), `MSET over slots: ${error.message}`);
}
const found = new Set();
for (const node of cluster.nodes("master")) {
  let cursor = "0";
  do {
    const [next, batch] = await node.scan(cursor, "MATCH", "ioredis:*", "COUNT", 1000);
    batch.forEach((key) => found.add(key));
    cursor = next;
  } while (cursor !== "0");
}
check(found.size === KEYS, `SCAN finds all keys, not ${found.size}`);

for (const [key, reply] of await pipelined(single, (p, k) => p.pexpire(k, LIFETIME_MS))) {
  check(reply === 1, `PEXPIRE ${key}: ${reply}`);
}
for (const [key, reply] of await pipelined(piped, (p, k) => p.set(k, "short", "PX", LIFETIME_MS))) {
  check(reply === "OK", `SET PX ${key}: ${reply}`);
}
const deadline = Date.now() + EXPIRY_DEADLINE_MS;
let left = keys;
while (left.length > 0 && Date.now() < deadline) {
  left = [...(await pipelined(left, (p, k) => p.get(k)))].filter(([, reply]) => reply !== null).map(([key]) => key);
  await sleep(50);
}
const still = new Set(left);
for (const key of keys) check(!still.has(key), `${key} is still there after its time`);

console.log(`${passed} passed, ${failed} failed`);
cluster.disconnect();
process.exit(failed ? 1 : 0);
