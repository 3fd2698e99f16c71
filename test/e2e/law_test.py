#!/usr/bin/python3
"""Work for analysers, whole: a scanned barcode gets its tests, the answers move the steps, the results find their order by the
step alone; unasked where the link says so; on our connection and on the analyser's; kill -9 in between (IHE LAW LAB-27 to 29,
hl7v2-lab 6.2 to 6.4).

Wants SGLD = the program.
"""

import os
import pathlib
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import mllp, scenario  # noqa: E402
import law  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
SITE = "690000012"
LINKS = '''
[[link]]
name = "law"
site = "690000012"
listener = "nord"
addresses = ["127.0.0.2"]
outgoing = { host = "127.0.0.1", port = %(law)d, answer_timeout = "3s" }
work_orders = "on-query"
codes = [{ theirs = "GLUC", ours = "GLU" }, { theirs = "CREA2", ours = "CREA" }, { theirs = "UREA", ours = "UREE" }]

[[link]]
name = "pushed"
site = "690000012"
listener = "nord"
addresses = ["127.0.0.3"]
outgoing = { host = "127.0.0.1", port = %(pushed)d, answer_timeout = "3s" }
work_orders = "push"
exams = ["CRP"]

[[link]]
name = "own-socket"
site = "690000012"
listener = "nord"
addresses = ["127.0.0.4"]
sockets = "one"
work_orders = "push"
exams = ["ALAT", "ASAT"]

[[link]]
name = "genexpert"
site = "690000012"
listener = "nord"
addresses = ["127.0.0.5"]
sockets = "one"
work_orders = "on-query"
codes = [{ theirs = "HBV", ours = "AGHBS" }]
'''


class From(mllp.Client):
    """A client that speaks from one of this machine's loopback addresses."""

    def __init__(self, source, port, timeout=20.0):
        self.timeout, self._buffer = timeout, b""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Law(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.law, cls.pushed = law.Analyser(("LAW1", "LBM")), law.Analyser(("", ""))
        cls.law.name, cls.pushed.name = ("", ""), ("", "")     # the links name no sender: MSH-5 and 6 are empty
        ports = {"law": cls.law.listen(), "pushed": cls.pushed.listen()}
        cls.addClassCleanup(cls.law.close)
        cls.addClassCleanup(cls.pushed.close)
        cls.line = harness.Line(SGLD, partners=False, settings={"listener nord": {"allow": ["127.0.0.0/28"]}})
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.load_links(LINKS % ports)
        cls.line.start()
        cls.count = 0

    def setUp(self):
        self.revive()

    def revive(self):
        if not self.line.daemon.alive():
            self.line.daemon.kill()
            self.line.start()

    def speak(self, source):
        client = From(source, self.line.daemon.ready["listeners"]["nord"])
        self.addCleanup(client.close)
        return client

    def order(self, *exams):
        """A registered order; its tube of serum."""
        type(self).count += 1
        now = scenario.datetime.datetime.now().astimezone() - scenario.datetime.timedelta(minutes=30)
        order = scenario.order(f"31{self.count:05}", SITE, "IPP0002", "899900000025", [], list(exams), {}, now)
        self.line.register(order)
        return order, order["specimens"]["SER"]

    def ask(self, tube, analyser=None, source="127.0.0.2"):
        analyser = analyser or self.law
        control_id, tag, query = analyser.query(tube)
        status, problems = analyser.check_response(self.speak(source).exchange(query), control_id, tag)
        self.assertEqual(problems, [])
        return status

    def told(self, tube, analyser=None):
        return {s["code"]: (awos, s["state"]) for awos, s in (analyser or self.law).steps.items() if s["specimen"] == tube}

    def states(self, tube, link="law"):
        return dict(self.line.sql("select a.analyte, a.state from awos a join link l on l.id = a.link_id "
                                  f"where l.name = '{link}' and a.specimen_number = '{tube}'"))

    def until(self, what, condition, limit=20):
        harness.wait_until(what, condition, limit, 0.1)

    # -- the profile --------------------------------------------------------------------------------------------

    def test_a_scanned_barcode_gets_its_tests_and_its_results_come_home(self):
        order, tube = self.order("GLU", "CREA", "NA")
        self.assertEqual(self.ask(tube), "OK")
        self.until("accepted", lambda: self.states(tube) == {"GLU": "accepted", "CREA": "accepted"})
        told = self.told(tube)
        self.assertEqual(sorted(told), ["CREA2", "GLUC"], "what it measures, in its own words; sodium is not for it")
        # Nothing but the AWOS says whose these are.
        control_id, results = self.law.results({told["GLUC"][0]: ("5.10", "mmol/L"), told["CREA2"][0]: ("68", "umol/L")}, with_tube=False)
        answer = mllp.Message(self.speak("127.0.0.2").exchange(results))
        self.assertEqual(mllp.field(answer.first("MSA"), 1), "AA", answer.segments)
        rows = self.line.sql("select r.code, r.value, r.state, o.number from result r join message m on m.id = r.message_id "
                             f"join lab_order o on o.id = r.order_id where m.control_id = '{control_id}' order by r.code")
        self.assertEqual(rows, [("CREA2", "68", "raw", order["filler"]), ("GLUC", "5.10", "raw", order["filler"])])
        # What has a result is not asked for again.
        before = len(self.law.heard)
        self.ask(tube)
        self.until("no more work", lambda: tube in self.law.unknown)
        self.assertEqual(len(self.law.heard), before + 1)
        self.assertEqual(self.law.problems, [])

    def test_a_tube_that_nobody_knows_gets_a_negative_answer(self):
        self.assertEqual(self.ask("NOBODY1"), "OK", "the query is answered, the work is a message of its own")
        self.until("negative answer", lambda: "NOBODY1" in self.law.unknown)
        self.assertEqual(self.law.problems, [])

    def test_a_rack_is_not_known_here(self):
        control_id, tag, query = self.law.query(rack="R7")
        self.assertEqual(self.law.check_response(self.speak("127.0.0.2").exchange(query), control_id, tag), ("NF", []))

    def test_what_the_analyser_cannot_do_is_work_for_a_person(self):
        order, tube = self.order("GLU", "UREE")
        self.law.able = {"GLUC"}
        try:
            self.ask(tube)
            self.until("answered", lambda: self.states(tube) == {"GLU": "accepted", "UREE": "refused"})
        finally:
            self.law.able = None
        items = self.line.sql("select w.kind from work_item w join lab_order o on o.id = w.order_id "
                              f"where o.number = '{order['filler']}' and w.kind like 'work_%'")
        self.assertEqual(items, [("work_refused",)])
        # Scanned again: the refused one gets a new number, the accepted one is told again under its own.
        first = self.told(tube)
        self.ask(tube)
        self.until("asked again", lambda: [s["state"] for s in self.law.steps.values() if s["specimen"] == tube].count("waiting") == 2)
        self.until("accepted", lambda: sorted(self.line.sql(f"select analyte, state from awos where specimen_number = '{tube}'"))
                   == [("GLU", "accepted"), ("UREE", "accepted"), ("UREE", "refused")])
        self.assertEqual(self.told(tube)["GLUC"], first["GLUC"])

    def test_kill_between_the_query_and_the_answer_loses_nothing(self):
        for n in range(3):
            order, tube = self.order("GLU", "CREA")
            heard = len(self.law.heard)
            self.law.silent = 1
            self.ask(tube)
            self.until("it was told", lambda: len(self.law.heard) > heard)
            self.line.daemon.kill()
            self.line.start()
            self.until("accepted", lambda: self.states(tube) == {"GLU": "accepted", "CREA": "accepted"}, 90)
            told = [b for b in self.law.heard[heard:] if tube.encode() in b]
            self.assertGreaterEqual(len(told), 2)
            self.assertEqual(len(set(told)), 1, "the same bytes, the same MSH-10")
            self.assertEqual(self.line.sql(f"select count(*) from awos where specimen_number = '{tube}'"), [("2",)])

    def test_kill_at_any_moment_after_the_query_gives_the_work_once(self):
        """A sender that repeats its query, with the same bytes, until it is answered."""
        for delay in (0.0, 0.003, 0.01, 0.03, 0.1):
            order, tube = self.order("GLU", "UREE")
            control_id, tag, query = self.law.query(tube)
            killed = self.line.daemon.process
            killer = timer = threading.Timer(delay, killed.kill)
            answer = None
            for _ in range(100):
                try:
                    client = self.speak("127.0.0.2")
                    if timer:
                        timer.start()
                        timer = None
                    answer = client.exchange(query)
                except (OSError, TimeoutError):
                    pass
                if answer is not None:
                    break
                self.revive()
                time.sleep(0.05)
            self.assertEqual(self.law.check_response(answer, control_id, tag), ("OK", []))
            killer.join()
            killed.wait(30)
            self.revive()
            self.until("accepted", lambda: self.states(tube) == {"GLU": "accepted", "UREE": "accepted"}, 90)
            self.assertEqual(self.line.sql(f"select count(*) from awos where specimen_number = '{tube}'"), [("2",)], delay)

    # -- unasked, and taken back --------------------------------------------------------------------------------

    def test_a_registered_order_is_pushed_where_the_link_says_so_and_taken_back_when_cancelled(self):
        order, tube = self.order("CRP", "GLU")
        self.until("pushed", lambda: self.states(tube, "pushed") == {"CRP": "accepted"})
        self.assertEqual(self.states(tube), {}, "the other analyser asks first")
        self.line.sql(f"update lab_order set state = 'cancelled', closed_at = now() where number = '{order['filler']}' and site_id = "
                      f"(select id from site where finess = '{SITE}')")
        self.until("cancelled", lambda: self.states(tube, "pushed") == {"CRP": "cancelled"})
        self.assertEqual(self.told(tube, self.pushed)["CRP"][1], "cancelled")
        self.assertEqual(self.pushed.problems, [])

    def test_a_restart_forgets_no_order_to_push(self):
        self.line.daemon.kill()
        self.line.start()
        orders = []
        for _ in range(5):
            orders.append(self.order("CRP")[1])
        self.line.daemon.kill()
        self.line.start()
        for tube in orders:
            self.until("pushed", lambda tube=tube: self.states(tube, "pushed") == {"CRP": "accepted"}, 90)

    def test_work_goes_out_on_the_analysers_own_connection(self):
        analyser = law.Analyser(("", ""))
        client = self.speak("127.0.0.4")
        order, tube = self.order("ALAT", "ASAT")
        client.send(analyser.take(client.receive(15)))
        self.until("accepted", lambda: self.states(tube, "own-socket") == {"ALAT": "accepted", "ASAT": "accepted"})
        self.assertEqual(analyser.problems, [])
        told = self.told(tube, analyser)
        _, results = analyser.results({told["ALAT"][0]: ("28", "U/L")})
        self.assertEqual(mllp.field(mllp.Message(client.exchange(results)).first("MSA"), 1), "AA", "the same connection goes on")

    def test_genexpert_gets_its_orders_in_the_answer(self):
        order, tube = self.order("AGHBS")
        query = mllp.join(["MSH|^~\\&|GX^GeneXpert^1.0||LIS||20260314081500||QBP^Z03^QBP_Z03|662f16|P|2.5", f"QPD|Z03^HOST QUERY|662f16||{tube}", "RCP|I"])
        client = self.speak("127.0.0.5")
        answers = [mllp.Message(client.exchange(query)) for _ in range(2)]
        for answer in answers:      # a repeat hears the same
            self.assertEqual(answer.names(), ["MSH", "MSA", "QAK", "QPD", "PID", "ORC", "OBR", "TQ1", "SPM"])
            self.assertTrue(mllp.field(answer.first("MSH"), 9).startswith("RSP^Z02"))
            self.assertEqual(mllp.field(answer.first("QAK"), 2), "OK")
            self.assertEqual(mllp.field(answer.first("OBR"), 4), "HBV")
            self.assertEqual(mllp.field(answer.first("OBR"), 2), mllp.field(answers[0].first("OBR"), 2))
        self.assertEqual(self.states(tube, "genexpert"), {"AGHBS": "accepted"})
        none = mllp.Message(client.exchange(query.replace(b"662f16", b"662f17").replace(tube.encode(), b"NOBODY2")))
        self.assertEqual(none.names(), ["MSH", "MSA", "QAK", "QPD"])
        cancel = mllp.join(["MSH|^~\\&|GX^GeneXpert^1.0||LIS||20260314081500||QCN^J01^QCN_J01|UDC0|P|2.5|||AL|NE", "QID|662f16|N/D"])
        self.assertEqual(mllp.field(mllp.Message(client.exchange(cancel)).first("MSA"), 1), "CA")

    def test_a_link_that_gives_no_work_says_so(self):
        client = mllp.Client("127.0.0.1", self.line.daemon.ready["listeners"]["centre"])
        self.addCleanup(client.close)
        analyser = law.Analyser(("AUTOMATE1", "690000001"), processing_id="T")
        answer = mllp.Message(client.exchange(analyser.query("X1")[2]))
        self.assertEqual(mllp.field(answer.first("MSA"), 1), "AR")

    def test_z_nothing_was_said_that_must_not_be(self):
        log = self.line.log.read_text(errors="replace")
        self.assertNotIn("Sanitizer", log)
        self.assertNotIn("runtime error", log)
        self.assertEqual(harness.canary_problems([("log", log)], harness.canaries()), [])
        self.assertEqual(self.law.problems + self.pushed.problems, [])


if __name__ == "__main__":
    unittest.main()
