"""redis-py's RedisCluster writes, reads back and expires keys: redis_py_cluster.py PORT [KEYS].

Prints `N passed, N failed` and exits with 1 when anything failed. Every key counts three times:
written, read back, and seen to be gone after its time.
"""

import sys
import time

from redis.cluster import RedisCluster

PORT = int(sys.argv[1])
KEYS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
BATCH = 500
LIFETIME_MS = 1_500
EXPIRY_DEADLINE = 30.0

passed = failed = 0


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        if failed <= 10:
            print("FAILED:", what)


def batches(items):
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def pipelined(cluster, keys, add):
    """The replies for all keys, a pipeline a batch."""
    replies = []
    for batch in batches(keys):
        pipe = cluster.pipeline()
        for key in batch:
            add(pipe, key)
        replies += pipe.execute()
    return replies


def value(key):
    return ("value of " + key).encode()


cluster = RedisCluster(host="127.0.0.1", port=PORT)
check(len(cluster.get_primaries()) == 3, f"three primaries, not {cluster.get_primaries()}")
keys = [f"redis-py:{i}" for i in range(KEYS)]

# Half by single commands, half in pipelines.
single, piped = keys[: KEYS // 2], keys[KEYS // 2 :]
for key in single:
    check(cluster.set(key, value(key)) is True, f"SET {key}")
for key, reply in zip(piped, pipelined(cluster, piped, lambda p, k: p.set(k, value(k)))):
    check(reply is True, f"pipelined SET {key}: {reply}")

for key in piped:
    check(cluster.get(key) == value(key), f"GET {key}")
for key, reply in zip(single, pipelined(cluster, single, lambda p, k: p.get(k))):
    check(reply == value(key), f"pipelined GET {key}: {reply}")

# Every command family that a client has a wrapper for, on keys of one slot.
check(cluster.mset({"{tag}a": "1", "{tag}b": "2"}) is True, "MSET in one slot")
check(cluster.mget("{tag}a", "{tag}b") == [b"1", b"2"], "MGET in one slot")
check(cluster.mset_nonatomic({"x": "1", "y": "2", "z": "3"}) is not None, "MSET over slots")
check(cluster.mget_nonatomic("x", "y", "z") == [b"1", b"2", b"3"], "MGET over slots")
check(cluster.incrby("{tag}n", 41) == 41 and cluster.incr("{tag}n") == 42, "INCR")
check(cluster.append("{tag}s", "abc") == 3 and cluster.getrange("{tag}s", 1, 2) == b"bc", "APPEND, GETRANGE")
check(cluster.rename("{tag}a", "{tag}c") is True and cluster.exists("{tag}a") == 0, "RENAME")
check(sum(cluster.get_redis_connection(n).dbsize() for n in cluster.get_primaries()) >= KEYS, "DBSIZE")
found = set(cluster.scan_iter(match="redis-py:*", count=1000))
check(found == {k.encode() for k in keys}, f"SCAN finds all keys, not {len(found)}")
check(cluster.delete("x", "y", "z") == 3, "DEL over slots")

# Keys that expire: half with PEXPIRE, half with SET PX, all seen alive first.
for key, reply in zip(single, pipelined(cluster, single, lambda p, k: p.pexpire(k, 60_000))):
    check(reply in (1, True), f"PEXPIRE {key}: {reply}")
ttls = pipelined(cluster, single, lambda p, k: p.pttl(k))
check(all(0 < t <= 60_000 for t in ttls), "PTTL is in range")
for key, reply in zip(single, pipelined(cluster, single, lambda p, k: p.pexpire(k, LIFETIME_MS))):
    check(reply in (1, True), f"PEXPIRE {key}: {reply}")
for key, reply in zip(piped, pipelined(cluster, piped, lambda p, k: p.set(k, "short", px=LIFETIME_MS))):
    check(reply is True, f"SET PX {key}: {reply}")
deadline = time.monotonic() + EXPIRY_DEADLINE
left = keys
while left and time.monotonic() < deadline:
    replies = pipelined(cluster, left, lambda p, k: p.get(k))
    left = [k for k, reply in zip(left, replies) if reply is not None]
    time.sleep(0.05)
gone = set(keys) - set(left)
for key in keys:
    check(key in gone, f"{key} is still there {EXPIRY_DEADLINE} s after its time")
found = list(cluster.scan_iter(match="redis-py:*", count=1000))
check(not found, f"SCAN still finds {len(found)} expired keys")

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
