#!/usr/bin/python3
"""Every message of the corpus on one TCP stream to a running sgld: at random sizes, byte by byte, cut at every byte, and with
kill -9 in between. Each gets the answer that the specification asks for, none is lost, none is applied twice
(hl7v2-lab 13.2, invariants I1 to I3).

Wants SGLD = the program, SGL_SHARED = the folder of the official material. SGLD_CORPUS_KILLS: how many kills (3),
SGLD_CORPUS_SECONDS: time for the cuts at every byte (15), SGLD_SEED.
"""

import json
import os
import pathlib
import random
import re
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
import oracle  # noqa: E402
from harness import mllp  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
KILLS = int(os.environ.get("SGLD_CORPUS_KILLS", "3"))
SECONDS = float(os.environ.get("SGLD_CORPUS_SECONDS", "15"))
SEED = int(os.environ.get("SGLD_SEED", str(time.time_ns() % 1_000_000)))
CORPUS = harness.SHARED / "hl7" / "corpus"
LINK = '''
[[link]]
name = "corpus"
site = "690000011"
listener = "centre"
processing_id = "P"
'''


class Entry:
    """One message of the corpus as it travels: its block, its bytes, what must be said to it."""

    def __init__(self, file, block, bytes_, header):
        self.file, self.block, self.bytes, self.header = file, block, bytes_, header
        self.result = oracle.outcome(header)
        self.said, self.later = oracle.decide(header, self.result)

    def expected(self):
        return (self.said, self.header.control_id) if self.said else None


def load():
    """[(file name, stream as it is sent, [Entry])] of the whole corpus."""
    files = []
    for path in sorted(CORPUS.glob("*.hl7")):
        data = path.read_bytes()
        reference = next((CORPUS / kind / (path.name + ".json") for kind in ("expected", "policy")
                          if (CORPUS / kind / (path.name + ".json")).exists()))
        messages = json.loads(reference.read_text())["messages"]
        stream = data if b"\x0b" in data else mllp.frame(data)
        pieces = [(block, message) for block in oracle.blocks_of(stream) for message in oracle.messages_of(block)]
        files.append((path.name, stream, pieces, messages))
    return files


def entries_of(name, pieces, messages):
    """Pairs what travels with its reference reading; a block without MSH has none: it is no HL7 (AE). None where they can't be
    paired."""
    if sum(b"MSH" in data for _, data in pieces) != len(messages):
        return None
    readings = iter(messages)
    return [Entry(name, block, data, oracle.from_reference(next(readings)) if b"MSH" in data else oracle.Header({}, [], ""))
            for block, data in pieces]


class Answers:
    """Reads the answers of one connection in the background."""

    def __init__(self, sock):
        self.socket, self.data, self.closed = sock, b"", False
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            try:
                chunk = self.socket.recv(65536)
            except OSError:
                chunk = b""
            with self.news:
                self.data += chunk
                self.closed = self.closed or not chunk
                self.news.notify_all()
            if not chunk:
                return

    def blocks(self):
        return oracle.blocks_of(self.data)

    def wait(self, count, limit):
        """The first `count` answers; fewer when the connection ended or the time is over."""
        end = time.monotonic() + limit
        with self.news:
            while True:
                have = self.data.count(b"\x1c\r")
                left = end - time.monotonic()
                if have >= count or self.closed or left <= 0:
                    return self.blocks()
                self.news.wait(left)


def said(block):
    """(MSA-1, MSA-2 as it stands) of an answer; its separators are those of the message."""
    text = block.decode("utf-8", "surrogateescape")
    separator = text[3]
    msa = next((s for s in text.split("\r") if s.startswith("MSA" + separator)), "MSA" + separator).split(separator)
    return (msa + ["", "", ""])[1], (msa + ["", "", ""])[2]


class Corpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not CORPUS.is_dir():
            if os.environ.get("CI") == "true":
                raise AssertionError("SGL_SHARED: the corpus is not there")
            raise unittest.SkipTest(f"SKIPPED: no corpus in {CORPUS}")
        print(f"seed {SEED}", file=sys.stderr)
        cls.random = random.Random(SEED)
        cls.line = harness.Line(SGLD, partners=False)
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.load_links(LINK)
        cls.line.start()
        cls.files = load()
        cls.entries, cls.unpaired = {}, []
        for name, _, pieces, messages in cls.files:
            found = entries_of(name, pieces, messages)
            if found is None:
                cls.unpaired.append(name)
            else:
                cls.entries[name] = found

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.line.daemon.ready["listeners"]["centre"]), timeout=60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.addCleanup(sock.close)
        return sock

    def stored(self):
        return {row[0] for row in self.line.sql("select encode(sha256(raw), 'hex') from message m join link l on l.id = m.link_id "
                                                "where l.name = 'corpus'")}

    def assert_nothing_twice(self):
        twice = self.line.sql("select control_id, count(*) from message group by link_id, sha256, control_id, type having count(*) > 1")
        self.assertEqual(twice, [], "stored twice")
        twice = self.line.sql("select message_id, position, code, count(*) from result group by message_id, position, code, run, value having count(*) > 1")
        self.assertEqual(twice, [], "applied twice")

    def whole_corpus(self):
        """[Entry] in the order of the files, and the stream that carries them."""
        names = [name for name, *_ in self.files if name in self.entries]
        stream = b"".join(stream for name, stream, *_ in self.files if name in self.entries)
        return [e for name in names for e in self.entries[name]], stream

    def test_0_the_oracle_reads_the_corpus(self):
        """What can't be paired with its reference is little, and known."""
        print(f"not paired: {', '.join(self.unpaired)}", file=sys.stderr)
        total = sum(len(e) for e in self.entries.values())
        print(f"{total} messages of {len(self.files)} files", file=sys.stderr)
        self.assertGreater(total, 300)
        for name in self.unpaired:      # a block without its end, or one that the reference reads from what is no message
            self.assertRegex(name, r"mllp|frame|batch|Batch|MSH|astm|parser|segments|bigmessage", name)

    def test_1_the_corpus_on_one_stream_at_random_sizes(self):
        entries, stream = self.whole_corpus()
        wanted = [(e, e.expected()) for e in entries if e.expected()]
        sock = self.connect()
        answers = Answers(sock)
        at = 0
        while at < len(stream):
            size = self.random.choice((1, 2, 3, 7, 31, 150, 1000, 1448, 5000, 65536, 200000))
            sock.sendall(stream[at:at + size])
            at += size
        got = [said(b) for b in answers.wait(len(wanted), 120)]
        for n, (entry, (code, control_id)) in enumerate(wanted):
            self.assertLess(n, len(got), f"no answer to {entry.file}; the log says\n{self.line.tail(5)}")
            self.assertEqual(got[n][0], code, f"{entry.file} {control_id}: answered {got[n]}")
            self.assertEqual(got[n][1].strip(), control_id.strip(), entry.file)
        sock.sendall(b"")
        self.assertEqual(len(answers.wait(len(wanted) + 1, 0.5)), len(wanted), "an answer that nobody asked for")
        sock.close()
        contents = {}
        for e in entries:
            contents.setdefault(oracle.content(e.bytes), e)
        missing = {oracle.sha256(e.bytes): e for e in contents.values()}
        harness.wait_until("all in the database", lambda: len(self.stored()) >= len(missing), 30, 0.5)
        stored = self.stored()
        lost = sorted({e.file for digest, e in missing.items() if digest not in stored})
        self.assertEqual(lost, [], "not in the database")
        self.assert_nothing_twice()

    def test_2_the_corpus_again_is_answered_as_before_and_stored_once(self):
        entries, stream = self.whole_corpus()
        wanted = [e.expected() for e in entries if e.expected()]
        before = len(self.line.sql("select id from message"))
        sock = self.connect()
        answers = Answers(sock)
        sock.sendall(stream)
        got = [said(b) for b in answers.wait(len(wanted), 120)]
        self.assertEqual([(c, i.strip()) for c, i in got], [(c, i.strip()) for c, i in wanted])
        self.assertEqual(len(self.line.sql("select id from message")), before)

    def small(self, most):
        """Single messages that are answered, smallest first."""
        found = [e for name in self.entries for e in self.entries[name]
                 if e.expected() and len(self.entries[name]) == 1 and len(e.bytes) <= most and e.header.separator == "^"
                 and re.match(rb"MSH\|[^|]*\|", e.bytes) and e.header.control_id]
        return sorted(found, key=lambda e: len(e.bytes))

    @staticmethod
    def renamed(entry, control_id):
        """The same message under another MSH-10."""
        fields = entry.bytes.split(b"|", 10)
        if len(fields) <= 10 or b"\r" in b"|".join(fields[:10]):
            return None
        fields[9] = control_id.encode()
        return b"|".join(fields)

    def test_3_small_messages_byte_by_byte(self):
        sock = self.connect()
        answers = Answers(sock)
        count, end = 0, time.monotonic() + SECONDS
        for n, entry in enumerate(self.small(1000)):
            message = self.renamed(entry, f"BYTE{n}")
            if message is None:
                continue
            for byte in mllp.frame(message):
                sock.sendall(bytes((byte,)))
            count += 1
            got = answers.wait(count, 30)
            self.assertEqual(len(got), count, f"{entry.file}: no answer\n{self.line.tail(5)}")
            self.assertEqual(said(got[-1]), (entry.said, f"BYTE{n}"), entry.file)
            if time.monotonic() > end:
                break
        print(f"{count} messages byte by byte", file=sys.stderr)
        self.assertGreater(count, 20)

    def test_4_small_messages_cut_at_every_byte(self):
        sock = self.connect()
        answers = Answers(sock)
        count, whole, end, sent = 0, 0, time.monotonic() + SECONDS, []
        for n, entry in enumerate(self.small(2000)):
            frame = mllp.frame(self.renamed(entry, "CUT000000") or b"")
            if len(frame) < 10:
                continue
            for cut in range(1, len(frame)):
                control_id = f"C{n:03}{cut:05}"
                message = self.renamed(entry, control_id)
                frame = mllp.frame(message)
                sock.sendall(frame[:cut])
                sock.sendall(frame[cut:])
                sent.append(message)
                count += 1
                got = answers.wait(count, 30)
                self.assertEqual(len(got), count, f"{entry.file} cut at {cut}: no answer\n{self.line.tail(5)}")
                self.assertEqual(said(got[-1]), (entry.said, control_id), f"{entry.file} cut at {cut}")
            whole += 1
            if time.monotonic() > end:
                break
            answers.data, count = b"", 0
        print(f"{len(sent)} cuts of {whole} messages", file=sys.stderr)
        stored = self.stored()
        self.assertEqual([m for m in sent if oracle.sha256(m) not in stored], [])
        self.assert_nothing_twice()

    def test_5_kill_at_random_while_the_corpus_comes(self):
        """A sender that repeats, with the same bytes, what was not answered."""
        entries = [e for name in self.entries if len(self.entries[name]) == 1 for e in self.entries[name] if e.expected() and e.bytes.startswith(b"MSH|")]
        acknowledged, kills, n = [], 0, 0
        work = [(n, k, self.renamed(e, f"K{n}X{k}")) for k in range(max(1, KILLS // 3)) for n, e in enumerate(entries)]
        work = [w for w in work if w[2] is not None]
        moments = sorted(self.random.sample(range(len(work)), min(KILLS, len(work))))
        client = None
        for at, (n, k, message) in enumerate(work):
            entry = entries[n]
            timer = None
            if kills < len(moments) and at >= moments[kills]:
                kills += 1
                timer = threading.Timer(self.random.uniform(0, 0.02), self.line.daemon.process.kill)
                timer.start()
            for _ in range(200):
                try:
                    if client is None:
                        client = mllp.Client("127.0.0.1", self.line.daemon.ready["listeners"]["centre"], timeout=30)
                    answer = client.exchange(message)
                except (OSError, TimeoutError):
                    answer = None
                if answer is not None:
                    break
                if client:
                    client.close()
                client = None
                if timer:
                    timer.join()
                if not self.line.daemon.alive():
                    self.line.daemon.kill()
                    self.line.start()
                time.sleep(0.05)
            self.assertIsNotNone(answer, f"{entry.file}: never answered")
            self.assertEqual(said(answer), (entry.said, f"K{n}X{k}"), entry.file)
            acknowledged.append(message)
            if timer:
                timer.join()
        if not self.line.daemon.alive():
            self.line.daemon.kill()
            self.line.start()
        self.assertEqual(kills, len(moments))
        stored = self.stored()
        self.assertEqual([m for m in acknowledged if oracle.sha256(m) not in stored], [], "acknowledged and lost")
        self.assert_nothing_twice()
        print(f"{len(acknowledged)} messages, {kills} kills", file=sys.stderr)

    def test_6_nothing_was_said_that_must_not_be(self):
        log = self.line.log.read_text(errors="replace")
        self.assertNotIn("Sanitizer", log)
        self.assertNotIn("runtime error", log)
        self.assertEqual(self.line.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
