#!/usr/bin/python3
"""Identities as a hospital lives them: admitted, qualified, opposed, merged and split by ADT, while orders, results and reports go
on; each answer checked, and what left under the wrong identity found.

Wants SGLD = the program.
"""

import datetime
import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import mllp, scenario  # noqa: E402

import admission  # noqa: E402  (test/partners, on the path since harness)

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
SITE, ENTITY = "690000011", "690000001"
QUICK = {"delivery": {"lease": "5s", "poll": "500ms", "retry_delays": ["500ms", "1s"]}}


def order_of(number, visit=""):
    now = datetime.datetime.now().astimezone() - datetime.timedelta(minutes=40)
    return scenario.order(number, SITE, "IPP0001", "899900000025", [], ["GLU"], {"GLU": "5.10"}, now, "I" if visit else "N", visit)


class Identity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD, settings=QUICK)
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()
        cls.patient = scenario.patient_of("IPP0001")

    def tell(self, event, *segments, expect=("AA", [])):
        """One ADT, its answer checked: code and the places of its warnings."""
        control_id, message = admission.build(event, segments, ENTITY, SITE)
        with self.line.connect(SITE, "registration") as client:
            self.assertEqual(admission.send(client, control_id, message), expect, f"{event}\n{self.line.tail(5)}")
        return control_id, message

    def pid(self, ipp=None, **how):
        return admission.pid(self.patient, ENTITY, ipp, **how)

    def people(self):
        return dict(self.line.sql("select p.local_id, p.status || coalesce(' -> ' || s.local_id, '') from patient p "
                                  "left join patient s on s.id = p.merged_into"))

    def report(self, number, visit="", ipp=None):
        """An order, measured and signed; its letters when none of them is on its way any more."""
        order = order_of(number, visit)
        if ipp:
            order["patient"] = {**order["patient"], "ipp": ipp}
        self.line.register(order)
        self.line.measure(order)
        status, value = self.line.biologist(SITE).validate(order["filler"])
        self.assertEqual(status, 201, value)
        operator = self.line.api(harness.OPERATOR)

        def settled():
            letters = operator.letters(order["filler"])
            on_their_way = [letter for letter in letters if letter["state"] in ("due", "sending", "retry", "in_doubt")]
            return letters if letters and not on_their_way else None
        harness.wait_until(f"letters of {number}", settled, 60, 0.2)
        return order, {letter["channel"]: letter for letter in settled()}

    def documents(self, *arguments):
        return json.loads(self.line.run("identity", "documents", "--json", *arguments))

    def test_1_admitted_then_qualified(self):
        self.tell("A01", self.pid(stay="S1", with_ins=False, reliability="PROV"), admission.pv1("I", "CHIR^204^1"),
                  admission.zbe("M1", mllp.now()), admission.zfa("INO", mllp.now()))
        self.assertEqual(self.people(), {"IPP0001": "PROV"})
        self.tell("A31", self.pid())
        self.assertEqual(self.people(), {"IPP0001": "QUAL"})
        _, letters = self.report("E2E-ID-1", "S1")
        self.assertEqual(letters["DMP"]["state"], "accepted", letters)

    def test_2_opposed_at_discharge(self):
        self.tell("A01", self.pid(stay="S2"), admission.pv1("I", "CHIR^204^1"), admission.zfa("INO", mllp.now()))
        self.tell("A03", self.pid(stay="S2"), admission.pv1("I", "CHIR^204^1"), admission.zfa("IO", mllp.now()))
        _, letters = self.report("E2E-ID-2", "S2")
        self.assertEqual((letters["DMP"]["state"], letters["DMP"]["reason"]), ("not_applicable", "PATIENT_OPPOSED"))
        self.assertNotEqual(letters["MSS_CITIZEN"]["reason"], "PATIENT_OPPOSED", "the mailbox is another choice")

    def test_3_merged_and_the_documents_found(self):
        order, letters = self.report("E2E-ID-3", ipp="IPP9001")
        sent = {channel for channel, letter in letters.items() if letter["state"] in ("accepted", "delivered")}
        self.assertIn("DMP", sent)
        self.assertEqual(self.documents(), [])
        control_id, message = self.tell("A40", self.pid(), f"MRG|{admission.number('IPP9001', ENTITY)}")
        self.assertEqual(self.people()["IPP9001"], "QUAL -> IPP0001")
        found = self.documents()
        self.assertEqual({d["channel"] for d in found}, sent)
        self.assertTrue(all(d["order"] == order["filler"] and d["kind"] == "merged" and d["certain"] for d in found), found)
        # Said twice it changes nothing.
        with self.line.connect(SITE, "registration") as client:
            self.assertEqual(admission.send(client, control_id, message)[0], "AA")
        self.assertEqual(self.documents(), found)
        self.assertIn("wrong_identity_documents", json.loads(self.line.run("status", "--json"))["work_to_do"])
        changes = json.loads(self.line.run("identity", "changes", "--json"))
        self.assertEqual([c["kind"] for c in changes], ["merged"])
        # A person undoes it: the identity was not the wrong one.
        self.line.run("identity", "split", changes[0]["id"], "--why", "erreur d'identité levée")
        self.assertEqual(self.people()["IPP9001"], "QUAL")
        self.assertEqual(self.documents(), [])

    def test_4_refused_clearly(self):
        somebody = {**self.patient, "family": "AUTRE", "sex": "F" if self.patient["sex"] == "M" else "M"}
        self.tell("A31", admission.pid(somebody, ENTITY), expect=("AA", ["PID^1^5^1^1"]))
        self.assertEqual(self.people()["IPP0001"], "QUAL")
        self.tell("A40", self.pid(), expect=("AE", ["MRG^1"]))
        self.tell("A21", self.pid())
        self.assertEqual(json.loads(self.line.run("status", "--json"))["ignored_events"], {"A21": 1})
        with self.line.connect(SITE, "analyser") as client:
            control_id, message = admission.build("A28", [self.pid()], ENTITY, SITE, sender="AUTOMATE1")
            self.assertEqual(admission.send(client, control_id, message)[0], "AR", "an analyser says no identity")

    def test_5_no_name_in_the_log(self):
        log = self.line.log.read_text(errors="replace")
        for word in (self.patient["family"], self.patient["ins"], "IPP0001", "IPP9001"):
            self.assertNotIn(word, log)


if __name__ == "__main__":
    unittest.main()
