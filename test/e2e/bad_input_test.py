#!/usr/bin/python3
"""What must not harm: doubtful identities, unknown codes, mixed-up, broken, repeated, endless and huge messages. A clear
answer at its coordinate, bounded memory, nothing lost, nothing shown or sent that the rules forbid. Wants SGLD = the program.
"""

import os
import pathlib
import re
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import analyser, mllp, registration, scenario  # noqa: E402
from mllp import field  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
SITE = "690000011"
# AddressSanitizer keeps freed memory for a while: little of it here, so that the figures mean something.
os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=8"]))
GROWTH = 120.0     # MB that any one input may add at most
NUMBERS = iter(range(2605001, 2605999))


def new_order(ipp="IPP0001", examinations=("GLU",), values=None, site=SITE):
    now = scenario.datetime.datetime.now().astimezone() - scenario.datetime.timedelta(minutes=30)
    return scenario.order(str(next(NUMBERS)), site, ipp, "899900000025", [], list(examinations), values or {"GLU": "4.90"}, now)


class Answer:
    """What sgld said: code (MSA-1), errors [(location, code, severity)]."""

    def __init__(self, data):
        message = mllp.Message(data)
        self.code = field(message.first("MSA"), 1)
        self.control_id = field(message.first("MSA"), 2)
        self.filler = harness.filler_of(data)
        self.errors = [(field(e, 2), field(e, 3).split("^")[0], field(e, 4)) for e in message.all("ERR")]


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD, partners=False)
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()
        cls.api = cls.line.biologist(SITE)

    def ask(self, message, kind="analyser"):
        with self.line.connect(SITE, kind) as client:
            data = client.exchange(message)
        self.assertIsNotNone(data, "an answer")
        return Answer(data)

    def kept(self, control_id):
        """(state, answer, size, bytes kept, sha256) of the messages with that MSH-10."""
        return self.line.sql("select state, answer, size, length(raw), encode(sha256, 'hex') from message "
                             f"where control_id = '{control_id}' order by id")

    def work(self, control_id):
        return {row[0] for row in self.line.sql("select w.kind from work_item w join message m on m.id = w.message_id "
                                                f"where m.control_id = '{control_id}'")}

    def assert_kept(self, control_id, message, answer):
        rows = self.kept(control_id)
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0][1:], (answer, str(len(message)), str(len(message)), harness.sha256(message)))

    # -- identity -------------------------------------------------------------------------------------------

    def plan(self, order):
        """{channel: (state, reason)} that would hold if it were signed now."""
        draft = self.api.order(order["filler"])["draft"]
        return {x["channel"]: (x["state"], x["reason"]) for x in draft["letters"]}

    def test_an_unqualified_ins_blocks_dmp_and_patient(self):
        order = new_order("IPP0003")
        self.line.register(order)
        self.line.measure(order)
        plan = self.plan(order)
        self.assertEqual(plan["DMP"], ("blocked", "INS_NOT_QUALIFIED"))
        self.assertEqual(plan["MSS_CITIZEN"], ("blocked", "INS_NOT_QUALIFIED"))
        self.assertEqual(plan["MSS_PRO"][0], "due")

    def test_an_ins_with_a_wrong_key_never_counts_as_qualified(self):
        order = new_order("IPP0006")
        ins = order["patient"]["ins"]
        order["patient"] = {**order["patient"], "ipp": "IPP9001", "ins": ins[:13] + f"{(int(ins[13:]) + 1) % 97:02d}"}
        control_id, message = registration.build(order)
        answer = self.ask(message, "registration")
        self.assertEqual(answer.code, "AA")
        order["filler"] = answer.filler
        self.assertTrue([e for e in answer.errors if e[0].startswith("PID^1^3")], answer.errors)
        self.assertIn("ins_invalid", self.work(control_id))
        self.line.measure(order)
        self.assertEqual(self.plan(order)["DMP"][0], "blocked")
        self.assertEqual(self.plan(order)["MSS_CITIZEN"][0], "blocked")

    def test_an_analyser_never_sets_an_identity(self):
        order = new_order("IPP0003")
        self.line.register(order)
        _, message = analyser.build(order)
        text = message.decode().replace("PID|1||IPP0003^^^IPP^PI|", f"PID|1||IPP0003^^^IPP^PI~{order['patient']['ins']}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS|")
        self.assertIn("ISO^INS", text)
        self.ask(text.encode())
        patient = self.api.order(order["filler"])["patient"]
        self.assertNotEqual(patient["identity_status"], "QUAL")

    def test_an_analyser_registers_no_order(self):
        order = new_order()
        _, message = registration.build(order, sender="AUTOMATE1")
        answer = self.ask(message)
        self.assertEqual(answer.code, "AR")
        found = self.line.sql(f"select count(*) from lab_order where placer_group = '{order['number']}'")
        self.assertEqual(found, [("0",)])

    def test_who_claims_to_be_another_sender_is_refused(self):
        order = new_order()
        self.line.register(order)
        _, message = analyser.build(order, sender="INCONNU")
        answer = self.ask(message)
        self.assertEqual((answer.code, answer.errors[0][0][:7]), ("AR", "MSH^1^3"))
        self.assertEqual(self.api.order(order["filler"])["results"], [])

    # -- content --------------------------------------------------------------------------------------------

    def test_an_unknown_code_is_kept_and_becomes_work_to_do(self):
        order = new_order()
        self.line.register(order)
        control_id, message = analyser.build(order, codes=["GLU", "XYZ99"], values={"GLU": "4.90", "XYZ99": "7"})
        answer = self.ask(message)
        self.assertEqual(answer.code, "AA")
        self.assertTrue([e for e in answer.errors if e[0].startswith("OBX^2^3") and e[2] == "W"], answer.errors)
        self.assert_kept(control_id, message, "AA")
        self.assertIn("unknown_code", self.work(control_id))
        shown = self.api.order(order["filler"])
        self.assertEqual([(r["code"], r["known"]) for r in shown["results"] if r["code"] == "XYZ99"], [("XYZ99", False)])
        self.assertEqual([r["local_code"] for r in shown["draft"]["results"]], ["GLU"])

    def test_a_result_of_no_known_order_is_kept_and_becomes_work_to_do(self):
        order = new_order()
        control_id, message = analyser.build(order)
        self.assertEqual(self.ask(message).code, "AA")
        self.assert_kept(control_id, message, "AA")
        self.assertTrue(self.work(control_id))

    def test_two_patients_in_a_message_are_never_mixed(self):
        first, second = new_order("IPP0001"), new_order("IPP0002")
        self.line.register(first)
        self.line.register(second)
        control_id, one = analyser.build(first)
        _, two = analyser.build(second)
        message = one + two[two.index(b"PID|"):]
        answer = self.ask(message)
        self.assertEqual(answer.code, "AA")
        self.assertTrue([e for e in answer.errors if e[0].startswith("PID^2")], answer.errors)
        self.assert_kept(control_id, message, "AA")
        self.assertIn("two_patients", self.work(control_id))
        for order in (first, second):
            shown = self.api.order(order["filler"])
            draft = shown["draft"]
            self.assertEqual(draft["results"] if draft else [], [], "nothing of it can be signed")

    def test_a_broken_segment_is_answered_at_its_place(self):
        order = new_order()
        self.line.register(order)
        control_id, message = analyser.build(order)
        broken = message.replace(b"\rOBR|1|", b"\rOB", 1).replace(b"\rOBX|1|", b"\rOB\x01", 1)
        answer = self.ask(broken)
        self.assertEqual(answer.code, "AE")
        self.assertEqual(answer.control_id, control_id)
        self.assertTrue(answer.errors and answer.errors[0][0], answer.errors)
        self.assertEqual(self.kept(control_id)[0][0], "rejected")
        self.assertEqual(self.api.order(order["filler"])["results"], [])

    def test_a_message_without_results_is_answered_ae(self):
        order = new_order()
        control_id, message = analyser.build(order)
        answer = self.ask(message[:message.index(b"\rOBR|") + 1])
        self.assertEqual(answer.code, "AE")
        self.assertTrue(answer.errors)

    def test_a_reused_control_id_is_another_message_and_a_repeat_is_none(self):
        order = new_order(examinations=("GLU", "UREE"), values={"GLU": "4.90", "UREE": "5.0"})
        self.line.register(order)
        control_id = "REUSED1"
        _, one = analyser.build(order, codes=["GLU"], control_id=control_id)
        _, two = analyser.build(order, codes=["UREE"], control_id=control_id)
        for message in (one, two, one, two):
            answer = self.ask(message)
            self.assertEqual((answer.code, answer.control_id), ("AA", control_id))
        self.assertEqual(sorted(row[4] for row in self.kept(control_id)), sorted([harness.sha256(one), harness.sha256(two)]))
        self.assertEqual(sorted(r["code"] for r in self.api.order(order["filler"])["results"]), ["GLU", "UREE"])

    def test_a_repeated_order_hears_its_number_again(self):
        order = new_order()
        _, message = registration.build(order)
        first, again = self.ask(message, "registration"), self.ask(message, "registration")
        self.assertEqual((first.code, again.code), ("AA", "AA"))
        self.assertTrue(first.filler)
        self.assertEqual(again.filler, first.filler)

    def test_a_stale_screen_is_refused(self):
        order = new_order(examinations=("GLU", "UREE"), values={"GLU": "4.90"})
        self.line.register(order)
        self.line.measure(order)
        seen = self.api.order(order["filler"])
        order["values"] = {"UREE": "5.0"}
        self.line.measure(order)
        wish = {"row_version": seen["row_version"], "results": [r["id"] for r in seen["draft"]["results"]]}
        status, _ = self.api.call("POST", f"/api/v1/orders/{seen['id']}/validation", wish)
        self.assertEqual(status, 409)
        self.assertEqual(self.api.order(order["filler"])["reports"], [])

    def test_who_is_no_biologist_does_not_sign(self):
        order = new_order()
        self.line.register(order)
        self.line.measure(order)
        seen = self.api.order(order["filler"])
        wish = {"row_version": seen["row_version"], "results": [r["id"] for r in seen["draft"]["results"]]}
        technician = self.line.api("lea.technicienne")
        status, _ = technician.call("POST", f"/api/v1/orders/{seen['id']}/validation", wish)
        self.assertEqual(status, 403)
        stranger = self.line.api("hugo.pharmacien")     # of another legal entity
        status, _ = stranger.call("POST", f"/api/v1/orders/{seen['id']}/validation", wish)
        self.assertIn(status, (403, 404))
        self.api.token, token = "0" * 64, self.api.token
        try:
            status, _ = self.api.call("POST", f"/api/v1/orders/{seen['id']}/validation", wish)
        finally:
            self.api.token = token
        self.assertEqual(status, 403)

    # -- quantity -------------------------------------------------------------------------------------------

    def test_a_hundred_thousand_segments_are_refused_in_bounded_memory(self):
        order = new_order()
        self.line.register(order)
        control_id, message = analyser.build(order)
        head, obx = message[:message.index(b"\rOBX|") + 1], message[message.index(b"\rOBX|") + 1:message.index(b"\rSPM|") + 1]
        endless = head + b"".join(obx.replace(b"OBX|1|", b"OBX|%d|" % n, 1) for n in range(1, 100001))
        self.assertLess(len(endless), 10_000_000, "below the size limit: the count is what is refused")
        before = self.line.daemon.memory()
        answer = self.ask(endless)
        self.assertEqual(answer.code, "AR")
        self.assertEqual(answer.control_id, control_id)
        self.assertEqual(answer.errors[0][1], "104", answer.errors)
        self.assertLess(self.line.daemon.memory() - before, GROWTH)
        self.assertEqual(self.kept(control_id)[0][0], "rejected")
        self.assertEqual(self.api.order(order["filler"])["results"], [])

    def test_fifty_megabytes_are_cut_and_their_beginning_is_kept(self):
        order = new_order()
        control_id, message = analyser.build(order)
        huge = message[:-1] + b"|" + b"A" * 50_000_000 + b"\r"
        before, highest = self.line.daemon.memory(), 0.0
        with self.line.connect(SITE, "analyser") as client:
            sent = threading.Event()

            def push():
                try:
                    client.socket.sendall(mllp.frame(huge))
                except OSError:
                    pass
                sent.set()

            threading.Thread(target=push, daemon=True).start()
            answer, closed, data = None, False, b""
            end = time.monotonic() + 30
            client.socket.settimeout(0.2)
            while time.monotonic() < end and not closed:
                highest = max(highest, self.line.daemon.memory())
                try:
                    chunk = client.socket.recv(65536)
                except socket.timeout:
                    continue
                except OSError:
                    closed = True
                    break
                closed = not chunk
                data += chunk
            self.assertTrue(closed, "the connection is closed")
            found = re.search(rb"\x0b(.*?)\x1c\r", data, re.S)
            self.assertIsNotNone(found, "an answer before the end")
            answer = Answer(found.group(1))
        self.assertEqual((answer.code, answer.control_id), ("AR", control_id))
        self.assertTrue(answer.errors)
        self.assertLess(highest - before, GROWTH)
        (state, said, size, kept, _), = self.kept(control_id)
        self.assertEqual((state, said, kept), ("rejected", "AR", "65536"))
        self.assertGreater(int(size), 10_000_000)
        raw = self.line.sql(f"select encode(substr(raw, 1, 100), 'hex') from message where control_id = '{control_id}'")[0][0]
        self.assertEqual(bytes.fromhex(raw), huge[:100])
        self.assertTrue(self.work(control_id))
        self.line.register(order)       # and the line still works
        self.line.measure(order)

    def test_a_slow_or_silent_peer_disturbs_nobody(self):
        clients = [self.line.connect(SITE, "analyser") for _ in range(10)]
        try:
            for client in clients:
                client.send_raw(b"\x0bMSH|^~\\&|AUTOMATE1|")
            order = new_order()
            began = time.monotonic()
            self.line.register(order)
            self.line.measure(order)
            self.assertLess(time.monotonic() - began, 10)
        finally:
            for client in clients:
                client.close()

    def test_frames_in_any_pieces_are_answered_one_by_one(self):
        order = new_order()
        self.line.register(order)
        messages = [analyser.build(order) for _ in range(20)]
        data = b"".join(mllp.frame(m) for _, m in messages)
        with self.line.connect(SITE, "analyser") as client:
            for at in range(0, len(data), 1009):
                client.send_raw(data[at:at + 1009])
            answers = [Answer(client.receive()) for _ in messages]
        self.assertEqual([(a.code, a.control_id) for a in answers], [("AA", control_id) for control_id, _ in messages])


if __name__ == "__main__":
    unittest.main()
