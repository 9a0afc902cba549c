#!/usr/bin/env python3
"""Writes redis_7_0.txt: what a redis-server 7.0 answers to DUMP, for values of every encoding and size.

    redis-server --port 7961 --save '' --enable-debug-command local & ./make_payloads.py 7961 > redis_7_0.txt

Each line: name, type, encoding, number of elements, CRC-64 of the contents, payload. The contents are
the elements, each after its length in four bytes, little-endian; scores as doubles; in the order of a list or
stream, else sorted. Runs against 127.0.0.1 and flushes it.
"""
import random
import socket
import struct
import sys

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x95AC9329AC4BC9B5 if byte & 1 else 0)
    TABLE.append(byte)


def crc64(data):
    crc = 0
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc


def joined(items):
    return b"".join(struct.pack("<I", len(item)) + item for item in items)


def encoded(word):
    return word if isinstance(word, bytes) else str(word).encode()


class Client:
    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port)).makefile("rwb")

    def __call__(self, *words):
        self.stream.write(b"*%d\r\n" % len(words))
        for word in map(encoded, words):
            self.stream.write(b"$%d\r\n%s\r\n" % (len(word), word))
        self.stream.flush()
        return self.reply()

    def reply(self):
        kind, rest = (line := self.stream.readline())[:1], line[1:-2]
        if kind == b"-":
            raise SystemExit(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest


def contents(run, kind):
    if kind == b"string":
        return 1, [run("GET", "k")]
    if kind == b"list":
        items = run("LRANGE", "k", 0, -1)
        return len(items), items
    if kind == b"set":
        items = run("SMEMBERS", "k")
        return len(items), sorted(items)
    if kind == b"hash":
        flat = run("HGETALL", "k")
        pairs = sorted(zip(flat[::2], flat[1::2]))
        return len(pairs), [word for pair in pairs for word in pair]
    if kind == b"zset":
        flat = run("ZRANGE", "k", 0, -1, "WITHSCORES")
        pairs = sorted((member, struct.pack("<d", float(score))) for member, score in zip(flat[::2], flat[1::2]))
        return len(pairs), [word for pair in pairs for word in pair]
    entries = run("XRANGE", "k", "-", "+")
    return len(entries), [word for at, fields in entries for word in [at, *fields]]


def values():
    """Names and the commands that make them."""
    seed = random.Random(7)
    noise = lambda size: bytes(seed.randrange(256) for _ in range(size))
    words = lambda size: b" ".join(seed.choice([b"slot", b"node", b"epoch", b"shard", b"replica"]) for _ in range(size))

    def one(name, *words):
        return name, [words]

    for text in ["", "hello", 123, -128, 127, 128, -32768, 32768, -1000, 100000, -2147483648, 2147483648]:
        yield one(f"string:{text}", "SET", "k", text)
    yield one("string:embstr44", "SET", "k", "e" * 44)
    for size in [20, 21, 60, 63, 64, 300, 16383, 16384, 70000]:
        yield one(f"string:same{size}", "SET", "k", b"a" * size)
    for size in [40, 400, 20000]:
        yield one(f"string:noise{size}", "SET", "k", noise(size))
    yield one("string:words", "SET", "k", words(500))
    yield one("string:long_words", "SET", "k", words(5000))
    yield one("string:binary", "SET", "k", bytes(range(256)) * 4)

    yield one("list:small", "RPUSH", "k", "a", 1, "hello")
    yield one("list:empty_element", "RPUSH", "k", "", "")
    ints = [0, 127, 128, -1, 4095, -4096, 4096, 32767, -32768, 32768, 8388607, -8388608, 8388608, 2**31 - 1,
            -(2**31), 2**31, 2**63 - 1, -(2**63), 2**63]
    yield one("list:integers", "RPUSH", "k", *ints)
    lengths = [1, 63, 64, 127, 128, 4095]
    yield one("list:strings", "RPUSH", "k", *[noise(size) for size in lengths])
    yield one("list:back_lengths", "RPUSH", "k", *["s" * size for size in [125, 126, 127, 4095, 4096, 7000]])
    yield one("list:several_nodes", "RPUSH", "k", *[words(40) for _ in range(120)])
    yield one("list:large_element", "RPUSH", "k", "before", noise(9000), "after")
    plain = ["DEBUG", "QUICKLIST-PACKED-THRESHOLD", "1K"]
    packed = ["DEBUG", "QUICKLIST-PACKED-THRESHOLD", "0"]
    yield "list:plain_node", [plain, ["RPUSH", "k", "before", noise(2000), "after"], packed]
    yield "list:only_plain", [plain, ["RPUSH", "k", noise(1200), "p" * 10000], packed]
    yield one("list:many", "RPUSH", "k", *range(3000))

    yield one("set:intset16", "SADD", "k", 1, 2, 300, -5)
    yield one("set:intset32", "SADD", "k", 1, 70000, -70000)
    yield one("set:intset64", "SADD", "k", 1, 2**40, -(2**63))
    yield one("set:intset_full", "SADD", "k", *range(0, 512 * 3, 3))
    yield one("set:small", "SADD", "k", "a", "b", 1)
    yield one("set:integers", "SADD", "k", *range(513))
    yield one("set:many", "SADD", "k", *[f"member:{at}" for at in range(700)])
    yield one("set:long", "SADD", "k", noise(500), words(200))

    yield one("hash:small", "HSET", "k", "f", "v", "n", 10)
    yield one("hash:empty", "HSET", "k", "", "")
    yield one("hash:listpack_full", "HSET", "k", *[word for at in range(512) for word in (f"f{at}", at * at)])
    yield one("hash:table", "HSET", "k", *[word for at in range(513) for word in (f"field:{at}", f"value:{at}")])
    yield one("hash:long_value", "HSET", "k", "f", "v" * 65)
    yield one("hash:long_field", "HSET", "k", noise(100), 1, "g", 2)

    scores = [0, "-0", 1, -1, 2.5, 1e20, 1e-7, "inf", "-inf", 3.0000000000000004, 2**53, -0.1]
    yield one("zset:small", "ZADD", "k", 1, "a", 2.5, "b")
    yield one("zset:scores", "ZADD", "k", *[word for at, score in enumerate(scores) for word in (score, f"m{at}")])
    yield one("zset:integers", "ZADD", "k", *[word for at in range(20) for word in (at * 1000, at)])
    yield one("zset:listpack_full", "ZADD", "k", *[word for at in range(128) for word in (at / 8, f"member:{at}")])
    yield one("zset:skiplist", "ZADD", "k", *[word for at in range(200) for word in (at % 17 / 3, f"member:{at}")])
    yield one("zset:long_member", "ZADD", "k", "-inf", "m" * 65, 1.5, "x")

    yield "stream:small", [["XADD", "k", "1-1", "f", "v"], ["XADD", "k", "2-1", "f", "w"]]
    yield "stream:empty", [["XGROUP", "CREATE", "k", "g", "$", "MKSTREAM"]]
    yield "stream:emptied", [["XADD", "k", "5-1", "f", "v"], ["XDEL", "k", "5-1"]]
    entries = [["XADD", "k", f"{1000 + at}-{at % 3}", "temperature", at, "place", f"p{at % 7}"] for at in range(250)]
    mixed = [["XADD", "k", f"{2000 + at}-0", f"f{at % 5}", "x" * at, "n", -at] for at in range(60)]
    yield "stream:nodes", entries
    yield "stream:fields", mixed
    yield "stream:deleted", entries + [["XDEL", "k", *[f"{1000 + at}-{at % 3}" for at in range(0, 200, 3)]]]
    yield "stream:trimmed", entries + [["XTRIM", "k", "MAXLEN", "=", 30], ["XSETID", "k", "9000-1"]]
    yield "stream:groups", entries + [
        ["XGROUP", "CREATE", "k", "g", 0],
        ["XGROUP", "CREATE", "k", "other", "1100-1", "ENTRIESREAD", 100],
        ["XGROUP", "CREATECONSUMER", "k", "g", "idle"],
        ["XREADGROUP", "GROUP", "g", "c1", "COUNT", 20, "STREAMS", "k", ">"],
        ["XREADGROUP", "GROUP", "g", "c2", "COUNT", 100, "STREAMS", "k", ">"],
        ["XACK", "k", "g", "1001-1", "1030-0"],
        ["XREADGROUP", "GROUP", "other", "c1", "COUNT", 3, "STREAMS", "k", ">"],
        ["XCLAIM", "k", "g", "c1", 0, "1050-2", "RETRYCOUNT", 70],
    ]
    yield "hyperloglog", [["PFADD", "k", *range(50)]]


def main():
    run = Client(int(sys.argv[1]))
    for name, commands in values():
        run("FLUSHALL")
        for command in commands:
            run(*command)
        kind = run("TYPE", "k")
        count, items = contents(run, kind)
        print(name, kind.decode(), run("OBJECT", "ENCODING", "k").decode(), count, f"{crc64(joined(items)):016x}",
              run("DUMP", "k").hex())


main()
