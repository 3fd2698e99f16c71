#!/usr/bin/python3
"""The database is slow or stands still while many connections push: nothing is acknowledged, memory stays bounded, the senders
are slowed; once it goes on, every message is acknowledged, once (fault F7, invariants I1, I3, I13).

Wants SGLD = the program. SGLD_SENDERS: how many connections (40).
"""

import os
import pathlib
import signal
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import mllp  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
SENDERS = int(os.environ.get("SGLD_SENDERS", "40"))
# AddressSanitizer keeps freed memory for a while: little of it here, so that the figures mean something.
os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=8"]))
LIMIT = 8_000_000       # intake.max_bytes
GROWTH = 150.0          # MB of resident memory; without a limit the senders' messages alone are more
SIZE = 9_000_000        # bytes of the large ones: more than the kernel holds between two sockets
LINK = '[[link]]\nname = "pressure"\nsite = "690000011"\nlistener = "centre"\n'


def oru(control_id, size=0):
    text = (f"MSH|^~\\&|P|L|SGL|LBM|20260314081500||ORU^R01|{control_id}|P|2.5.1\rPID|1||X1\rOBR|1|P1|T1|GLU\r"
            "OBX|1|NM|GLU||4.9|mmol/L|||||F\r").encode()
    return text + (b"NTE|1|L|" + b"x" * size + b"\r" if size else b"")


class Sender(threading.Thread):
    """Sends one message after the other, each until it is answered, on a connection of its own."""

    def __init__(self, test, number, size, count):
        super().__init__(daemon=True)
        self.test, self.number, self.size, self.count = test, number, size, count
        self.answered, self.problems, self.written = {}, [], 0
        self.start()

    def run(self):
        for n in range(self.count):
            control_id = f"P{self.number}N{n}"
            message = oru(control_id, self.size)
            for _ in range(20):
                try:
                    with mllp.Client("127.0.0.1", self.test.port, timeout=90) as client:
                        client.socket.settimeout(90)
                        client.send(message)
                        self.written += 1
                        answer = client.receive()
                except (OSError, TimeoutError) as problem:
                    self.problems.append(type(problem).__name__)
                    answer = None
                if answer is not None:
                    msa = mllp.Message(answer).first("MSA")
                    self.answered[control_id] = (mllp.field(msa, 1), mllp.field(msa, 2), time.monotonic())
                    break
                time.sleep(0.1)


class Pressure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD, partners=False, settings={
            "listener centre": {"max_connections_per_peer": 500, "max_connections": 500},
            "intake": {"max_bytes": LIMIT, "max_messages": 40}})
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.load_links(LINK)
        cls.line.start()
        cls.port = cls.line.daemon.ready["listeners"]["centre"]

    def servers(self):
        """The processes of the private PostgreSQL."""
        found = []
        for path in pathlib.Path("/proc").iterdir():
            if path.name.isdigit():
                try:
                    if os.readlink(path / "cwd").startswith(str(self.line.folder / "data")):
                        found.append(int(path.name))
                except OSError:
                    pass
        return found

    def stop_database(self):
        pids = self.servers()
        self.assertTrue(pids)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        self.addCleanup(self.go_on, pids)
        return pids

    @staticmethod
    def go_on(pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def assert_stored_once(self, senders):
        wanted = sorted(c for s in senders for c in s.answered)
        self.assertEqual(len(wanted), sum(s.count for s in senders), [s.problems for s in senders if s.problems][:5])
        self.assertEqual([a for s in senders for c, a in s.answered.items() if a[:2] != ("AA", c)], [])
        rows = self.line.sql("select control_id, count(*) from message where control_id like 'P%N%' group by 1")
        stored = dict(rows)
        self.assertEqual([c for c in wanted if stored.get(c) != "1"], [])

    def test_a_database_that_stands_still(self):
        warm = [Sender(self, 900 + n, SIZE, 1) for n in range(4)]       # what one message costs is no growth
        for sender in warm:
            sender.join(60)
        before = self.line.daemon.memory()
        pids = self.stop_database()
        stopped = time.monotonic()
        senders = [Sender(self, n, SIZE if n % 2 else 0, 1 if n % 2 else 3) for n in range(SENDERS)]
        highest = before
        while time.monotonic() < stopped + 6:
            highest = max(highest, self.line.daemon.memory())
            time.sleep(0.05)
        self.assertEqual([s.answered for s in senders if s.answered], [], "acknowledged while nothing can be stored")
        self.assertTrue(self.line.daemon.alive())
        self.assertTrue(any(s.size and s.written == 0 for s in senders), "nobody was slowed")
        self.go_on(pids)
        for sender in senders:
            sender.join(120)
            highest = max(highest, self.line.daemon.memory())
        print(f"memory {before:.0f} MB, at most {highest:.0f} MB; {SENDERS * SIZE // 2_000_000} MB were on their way", file=sys.stderr)
        self.assertLess(highest - before, GROWTH)
        self.assert_stored_once(senders)

    def test_blocks_that_never_end_do_not_shut_the_others_out(self):
        """Half blocks fill the room: whoever comes after still gets through, one at a time."""
        half = []
        for n in range(8):
            sock = socket.create_connection(("127.0.0.1", self.port), 10)
            self.addCleanup(sock.close)
            sock.setblocking(False)
            data, at = b"\x0b" + oru(f"HALF{n}", SIZE), 0
            end = time.monotonic() + 1
            while at < len(data) and time.monotonic() < end:
                try:
                    at += sock.send(data[at:at + 65536])
                except BlockingIOError:
                    time.sleep(0.01)
            half.append(sock)
        sender = Sender(self, 800, 0, 1)
        sender.join(80)     # at the latest when the half ones are cut (frame_timeout, 30 s)
        self.assert_stored_once([sender])
        self.assertLess(self.line.daemon.memory(), 1000)

    def test_z_nothing_was_said_that_must_not_be(self):
        log = self.line.log.read_text(errors="replace")
        self.assertNotIn("Sanitizer", log)
        self.assertNotIn("runtime error", log)


if __name__ == "__main__":
    unittest.main()
