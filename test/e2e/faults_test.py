#!/usr/bin/python3
"""Two daemons on one database, and a disk that is full: nothing acknowledged is lost, nothing is sent twice.

Wants SGLD = the program. The disk is a small file system in memory, which only root can mount.
"""

import concurrent.futures
import copy
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import analyser, registration, scenario  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
SITE = "690000011"
QUICK = {"delivery": {"lease": "5s", "poll": "500ms", "retry_delays": ["500ms", "1s"]}}


def order_of(number):
    now = scenario.datetime.datetime.now().astimezone() - scenario.datetime.timedelta(minutes=40)
    accepted = {"dmp": "accepted", "patient": "accepted", "correspondents": "accepted"}
    return scenario.order(number, SITE, "IPP0001", "899900000025", [], ["GLU", "INR"], {"GLU": "5.10", "INR": "1.05"}, now, expected=accepted)


class TwoDaemons(unittest.TestCase):
    """Any number of daemons may serve one database (design D5)."""

    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD, settings={**QUICK, "daemon": {"name": "first"}})
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()
        cls.second = copy.copy(cls.line)
        cls.second.daemon = None
        cls.second.settings_file = cls.line.folder / "second.toml"
        cls.second.ready_file = cls.line.folder / "run" / "second.json"
        cls.second.log = cls.line.folder / "second.log"
        cls.second.log.touch()
        text = cls.line.settings_file.read_text()
        text = harness.with_settings(text, {"daemon": {"name": "second"}, "ready": {"file": cls.second.ready_file}})
        cls.second.settings_file.write_text(text)
        os.chmod(cls.second.settings_file, 0o644)
        cls.second.start()
        cls.addClassCleanup(lambda: cls.second.daemon.kill())
        cls.orders = []

    def until_taken(self, send):
        """As a sender does that got no answer."""
        def taken():
            try:
                send()
            except (harness.Failed, OSError, EOFError):
                return False
            return True
        harness.wait_until("an answer", taken, 40, 0.5)

    def errand(self, number, registers, measures, signs):
        """An order registered with one daemon, its results sent to another, signed at a third."""
        order = order_of(number)
        self.orders.append(order)
        self.until_taken(lambda: registers.register(order))
        self.until_taken(lambda: measures.measure(order))
        status, value = signs.biologist(SITE).validate(order["filler"])
        self.assertEqual(status, 201, value)

    def ended(self, line):
        operator = line.api(harness.OPERATOR)
        for order in self.orders:
            harness.wait_until(f"letters of {order['number']}",
                               lambda order=order: not harness.letters_problems(order, operator.letters(order["filler"])), 60, 0.2)

    def check(self, line):
        reports, _ = line.export()
        numbers = [order["filler"] for order in self.orders]
        problems = [f"order {number}: no report" for number in numbers if number not in reports]
        problems += harness.dmp_problems(line, reports, numbers)
        problems += harness.mail_problems(line.mailboxes(), reports, self.orders)
        self.assertEqual(problems, [], "\n".join(problems))

    def test_1_share_the_work_and_send_each_letter_once(self):
        for n in range(6):
            one, other = (self.line, self.second) if n % 2 else (self.second, self.line)
            self.errand(str(3610001 + n), one, other, one)
        self.ended(self.second)
        self.check(self.line)

    def test_2_a_message_sent_to_both_at_once_counts_once(self):
        order = order_of("3620001")
        self.line.register(order)
        control_id, message = analyser.messages_of(order)[0]

        def send(line):
            with line.connect(SITE, "analyser") as client:
                return analyser.check_answer(client.exchange(message), control_id)[0]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = [f.result() for f in [pool.submit(send, (self.line, self.second)[n % 2]) for n in range(8)]]
        self.assertEqual(set(codes), {"AA"})
        self.assertEqual(self.line.sql(f"select count(*) from message where control_id = '{control_id}'"), [("1",)])
        self.assertEqual(self.line.sql("select r.code, count(*) from result r join lab_order o on o.id = r.order_id "
                                       f"where o.number = '{order['filler']}' group by 1 having count(*) > 1"), [])

    def test_3_one_goes_on_when_the_other_dies(self):
        self.line.daemon.kill()     # the one that looks after the database server
        self.errand("3630001", self.second, self.second, self.second)
        self.ended(self.second)
        self.check(self.second)
        self.second.run("audit")
        self.line.start()           # and comes back beside it
        self.errand("3630002", self.line, self.second, self.line)
        self.ended(self.line)
        self.check(self.line)
        self.assertEqual(self.line.daemon.stop(), 0)
        self.assertEqual(self.second.daemon.stop(), 0)


class FullDisk(unittest.TestCase):
    """What can't be stored is not acknowledged (design D2)."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            print("SKIPPED: the full disk needs root to mount a small file system", file=sys.stderr)
            raise unittest.SkipTest("not root")
        cls.disk = pathlib.Path(tempfile.mkdtemp(prefix="sgld-disk-", dir="/tmp"))
        cls.addClassCleanup(os.rmdir, cls.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=0700", "tmpfs", str(cls.disk)], check=True)
        cls.addClassCleanup(subprocess.run, ["umount", str(cls.disk)], check=True)
        user = harness.service_user()
        os.chown(cls.disk, user.pw_uid, user.pw_gid)
        cls.line = harness.Line(SGLD, settings={"daemon": {"state_dir": cls.disk}}, partners=False)
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()

    def send(self, control_id, message, timeout=20.0):
        """The code answered; nothing when the connection ended without an answer."""
        try:
            with self.line.connect(SITE, "analyser", timeout) as client:
                answer = client.exchange(message)
        except (OSError, EOFError, TimeoutError):
            return None
        return analyser.check_answer(answer, control_id)[0] if answer else None

    def test_a_full_disk_stops_acknowledgements_and_loses_nothing(self):
        line = self.line
        orders = [order_of(str(3710001 + n)) for n in range(40)]
        for order in orders:
            line.register(order)
        filler = self.disk / "filler"
        acknowledged, refused = [], []
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
        for order in orders:        # what is allocated already may still take some
            for control_id, message in analyser.messages_of(order, obx_count=20):
                code = self.send(control_id, message)
                (acknowledged if code == "AA" else refused).append((control_id, message))
                self.assertIn(code, (None, "AA"), "no AE, no AR: the message is right")
            if len(refused) >= 3:
                break
        self.assertGreaterEqual(len(refused), 3, "the disk was not full enough")
        self.assertTrue(line.daemon.alive(), line.tail())
        filler.unlink()
        end = time.monotonic() + 60
        for control_id, message in refused:
            while self.send(control_id, message) != "AA":
                self.assertLess(time.monotonic(), end, f"not acknowledged after there was room again\n{line.tail()}")
                time.sleep(0.5)
            acknowledged.append((control_id, message))
        for control_id, message in acknowledged:
            self.assertEqual(line.sql("select encode(sha256, 'hex') from message where control_id = '" + control_id + "'"),
                             [(harness.sha256(message),)])
        # The same analysis twenty times in a message: twenty runs of it (hl7v2-lab 8.6), each kept once.
        self.assertEqual(line.sql("select count(*), count(distinct message_id) from result"),
                         [(str(20 * len(acknowledged)), str(len(acknowledged)))])
        line.run("audit")
        self.assertEqual(line.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
