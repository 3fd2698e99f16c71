#!/usr/bin/python3
"""sgld dies at every named step, and at random moments, and is started again: every acknowledged message is there, every
validated report ends accepted, once per letter (invariants I1, I3 to I6, I9, I11, I12).

Wants SGLD = the program. SGLD_KILLS: how many random moments (3), SGLD_HITS: up to which passage of each step (1),
SGLD_SEED: of the moments (told in the output).
"""

import http.client
import json
import os
import pathlib
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import analyser, registration, scenario  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
KILLS = int(os.environ.get("SGLD_KILLS", "3"))
HITS = int(os.environ.get("SGLD_HITS", "1"))
SEED = int(os.environ.get("SGLD_SEED", str(time.time_ns() % 1_000_000)))
SITE = "690000021"      # the hospital's: its reports take all four channels
GONE = (OSError, EOFError, http.client.HTTPException, TimeoutError, harness.Failed)
# Steps that only an empty database passes: a test of their own.
FRESH = {"migration_step_n"}


class Errand:
    """One order from registration to its last letter, as its correspondents drive it: each part is repeated, with the same
    bytes, until it was answered."""

    def __init__(self, line, number):
        self.line, self.number = line, number
        now = scenario.datetime.datetime.now().astimezone() - scenario.datetime.timedelta(minutes=40)
        accepted = {"dmp": "accepted", "patient": "accepted", "correspondents": "accepted", "dpi": "accepted"}
        self.order = scenario.order(number, SITE, "CH00007", "899900000058", [], ["GLU", "INR"], {"GLU": "5.10", "INR": "1.05"}, now,
                                    "I", "V" + number, accepted)
        self.oml = registration.build(self.order)
        self.results = analyser.messages_of(self.order)
        self.acknowledged = []      # (control id, sha256)
        self.signed = False

    def tell(self, kind, control_id, message, check):
        if any(control_id == known for known, _ in self.acknowledged):
            return None
        with self.line.connect(SITE, kind, timeout=30) as client:
            answer = client.exchange(message)
        if answer is None:
            raise harness.Failed("connection closed without an answer")
        problems = check(answer)
        if problems:
            raise AssertionError(f"{self.number}: {problems}")
        self.acknowledged.append((control_id, harness.sha256(message)))
        return answer

    def drive(self, limit=60.0):
        """As far as it goes; raises one of GONE when sgld went away."""
        answer = self.tell("registration", *self.oml, lambda a: registration.check_answer(a, self.oml[0], self.order))
        if answer:
            self.order["filler"] = harness.filler_of(answer)
        for control_id, message in self.results:
            self.tell("analyser", control_id, message, lambda a, c=control_id: analyser.check_answer(a, c)[1])
        if not self.signed:
            biologist = self.line.biologist(SITE)
            if not biologist.order(self.order["filler"])["reports"]:
                status, value = biologist.validate(self.order["filler"])
                if status != 201:
                    raise AssertionError(f"{self.number}: validation answered {status} {value}")
            self.signed = True
        operator = self.line.api(harness.OPERATOR)

        def ended():
            letters = operator.letters(self.order["filler"])
            return not harness.letters_problems(self.order, letters)

        harness.wait_until(f"letters of {self.number}", ended, limit, 0.15)


class Crashes(unittest.TestCase):
    errands = []
    numbers = iter(range(2610001, 2699999))

    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}", file=sys.stderr)
        cls.line = harness.Line(SGLD, settings={"delivery": {"lease": "5s", "poll": "500ms", "retry_delays": ["500ms", "1s"],
                                                             "circuit_breaker_pause": "1s"}})
        cls.addClassCleanup(cls.line.close)
        cls.line.load()

    def errand(self):
        errand = Errand(self.line, str(next(self.numbers)))
        self.errands.append(errand)
        return errand

    def recover(self, errand):
        """Start again, without help, and end what was begun."""
        daemon = self.line.start()
        self.assertLess(daemon.ready_after, 30.0)
        try:
            errand.drive()
        except GONE as problem:
            self.fail(f"after recovery: {type(problem).__name__}: {problem}\n{self.line.tail()}")

    def test_1_an_undisturbed_errand_takes_its_time(self):
        self.line.start()
        began = time.monotonic()
        self.errand().drive()
        type(self).usual = time.monotonic() - began
        self.assertEqual(self.line.daemon.stop(), 0)

    def test_2_a_crash_at_every_named_step(self):
        names = self.line.run("version", "--failpoints").split("\n", 1)[1].split()
        self.assertGreater(len(names), 15)
        for name in names:
            if name in FRESH:
                continue
            for hit in range(1, HITS + 1):
                with self.subTest(failpoint=name, hit=hit):
                    self.crash_at(name, hit)

    def crash_at(self, name, hit):
        line = self.line
        if name == "lease_renew":       # passed only while a letter is on its way for long
            line.dmp.script({"times": 1, "do": "slow:7"})
        errand = self.errand()
        daemon = line.start(failpoint=f"{name}:{hit}")
        try:
            if daemon.ready is not None:
                errand.drive(20.0)
                for _ in range(40):     # later passages: the next look for leases and letters
                    if not daemon.alive():
                        break
                    time.sleep(0.1)
        except GONE:
            for _ in range(50):
                if not daemon.alive():
                    break
                time.sleep(0.1)
        died = not daemon.alive() and daemon.process.returncode == -9
        line.dmp.script()
        if daemon.alive():
            daemon.stop()
        else:
            daemon.kill()
        self.recover(errand)
        self.assertEqual(line.daemon.stop(), 0)
        # Later passages may not exist in so small a flow; the first one must.
        if hit == 1:
            self.assertTrue(died, f"{name} was never passed")

    def test_3_a_crash_while_the_first_schema_is_made(self):
        for hit in range(1, 3):
            with self.subTest(hit=hit), harness.Line(SGLD, partners=False, pki_folder=self.line.pki) as line:
                daemon = line.start(failpoint=f"migration_step_n:{hit}")
                self.assertIsNone(daemon.ready)
                self.assertEqual(daemon.process.returncode, -9)
                daemon.kill()
                line.start()
                line.load()
                self.assertEqual(line.daemon.stop(), 0)

    def test_4_kill_at_random_moments(self):
        generator = random.Random(SEED)
        for n in range(KILLS):
            after = generator.uniform(0.0, self.usual * 1.2)
            with self.subTest(seed=SEED, n=n, after=f"{after:.3f}"):
                errand = self.errand()
                daemon = self.line.start()
                timer = threading.Timer(after, daemon.process.kill)
                timer.start()
                try:
                    errand.drive()
                except GONE:
                    pass
                timer.join()
                daemon.kill()
                self.recover(errand)
                if n % 2:       # now and then the database dies too: kill -9 of everything
                    pids = [int(p.name) for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and self.is_server(p.name)]
                    self.assertTrue(pids)
                    self.line.daemon.process.kill()
                    for pid in pids:
                        try:
                            os.kill(pid, 9)
                        except ProcessLookupError:
                            pass
                    self.line.daemon.kill()
                    self.line.start()
                self.assertEqual(self.line.daemon.stop(), 0)

    def is_server(self, pid):
        """A process of this line's private PostgreSQL."""
        try:
            return os.readlink(f"/proc/{pid}/cwd").startswith(str(self.line.folder / "data"))
        except OSError:
            return False

    def test_5_nothing_was_lost_and_nothing_came_twice(self):
        line = self.line
        line.start()
        crashed = self.errands[1:]
        problems = []
        stored = {(control_id, digest) for control_id, digest in line.sql(
            "select control_id, encode(sha256, 'hex') from message where answer = 'AA'")}
        for errand in self.errands:
            if len(errand.acknowledged) != 1 + len(errand.results):
                problems.append(f"order {errand.number}: never acknowledged")
            for control_id, digest in errand.acknowledged:
                if (control_id, digest) not in stored:
                    problems.append(f"order {errand.number}: an acknowledged message is not in the database")
        # One message, one effect (I3); one validated version, one letter of each kind (I4).
        twice = line.sql("select o.number, r.code, count(*) from result r join lab_order o on o.id = r.order_id group by 1, 2 having count(*) > 1")
        problems += [f"order {number}: result {code} {count} times" for number, code, count in twice]
        versions = line.sql("select o.number, count(*) from report_version v join report_set s on s.id = v.set_id join lab_order o on o.id = s.order_id "
                            "group by 1 having count(*) > 1 or bool_or(v.state <> 'published')")
        problems += [f"order {number}: {count} report versions, or one not published" for number, count in versions]
        letters = line.api(harness.OPERATOR).letters()
        by_order = {}
        for letter in json.loads(line.run("letters", "list", "--json")):
            by_order.setdefault(letter["order"], []).append({**letter, "error_what": letter["error"]})
        self.assertTrue(letters)
        for errand in self.errands:
            problems += harness.letters_problems(errand.order, by_order.get(errand.order.get("filler"), []))
        reports, _ = line.export()
        numbers = [errand.order["filler"] for errand in self.errands if errand.order.get("filler") in reports]
        problems += [f"order {errand.number}: no report" for errand in self.errands if errand.order.get("filler") not in reports]
        problems += harness.dmp_problems(line, reports, numbers)
        problems += harness.dpi_problems(line, reports, numbers)
        problems += harness.mail_problems(line.mailboxes(), reports, [errand.order for errand in self.errands], crashes=1)
        self.assertEqual(problems, [], "\n".join(problems))
        self.assertGreater(len(crashed), 15)
        line.run("account", "--recount")
        line.run("audit")
        log = line.log.read_text(errors="replace")
        self.assertNotIn("Sanitizer", log)
        self.assertNotIn("runtime error", log)


if __name__ == "__main__":
    unittest.main()
