"""A laboratory at work, for the browser: sgld, its partners, people of every role, and orders in every state.

Invented people of test/partners/scenario.py only. `World` starts it; `order()` brings one order in as the hospital and the
analyser would, `fill()` makes what the pages have to show.
"""

import datetime
import os
import pathlib
import sys

import browser
import harness
from harness import analyser, mllp, registration, scenario

sys.path.insert(0, str(harness.PARTNERS))

import exams  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
CENTRE, NORD, HOSPITAL = "690000011", "690000012", "690000021"
CLAIRE, HUGO, PAULE, LEA, SOPHIE, NOE, DIANE = ("claire.biologiste", "hugo.pharmacien", "paule.biologiste", "lea.technicienne",
                                                "sophie.secretaire", harness.OPERATOR, "diane.donnees")
USERS = f"""
[[user]]
login = "{PAULE}"
family = "REMPLACANTE"
given = "PAULE"
title = "DR"
rpps = "99900000074"
speciality = "G15_10/SM03"
speciality_label = "Médecin - Biologie médicale (SM)"
demonstration_password = "{harness.PASSWORD}"
roles = {{ biologist = ["{CENTRE}"] }}

[[user]]
login = "{SOPHIE}"
family = "SECRETAIRE"
given = "SOPHIE"
demonstration_password = "{harness.PASSWORD}"
roles = {{ secretary = ["{CENTRE}", "{NORD}"] }}

[[user]]
login = "{DIANE}"
family = "DONNEES"
given = "DIANE"
demonstration_password = "{harness.PASSWORD}"
roles = {{ dpo = ["{CENTRE}"] }}
"""
# Five more analytes, so that one order has twenty-five results.
MORE = [("CA", "2000-8", "Calcium", "mmol/L", 2, (2.20, 2.55)), ("PHOS", "14879-1", "Phosphate", "mmol/L", 2, (0.81, 1.45)),
        ("PROT", "2885-2", "Protéines", "g/L", 0, (64, 83)), ("ALB", "1751-7", "Albumine", "g/L", 0, (35, 52)),
        ("BILI", "14631-6", "Bilirubine", "umol/L", 0, (5, 21)), ("GGT", "2324-2", "Gamma-glutamyltransférase", "[IU]/L", 0, (10, 55)),
        ("MG", "2601-3", "Magnésium", "mmol/L", 2, (0.66, 1.07))]
PANEL_25 = ["NA", "K", "CL", "GLU", "CREA", "UREE", "CRP", "ALAT", "ASAT", "CHOL", "NFS", "INR", "TP", *(m[0] for m in MORE)]
VALUES_25 = {"NA": "140", "K": "4.2", "CL": "103", "GLU": "5.35", "CREA": "68", "UREE": "5.1", "CRP": "2.4", "ALAT": "22", "ASAT": "19",
             "CHOL": "1.81", "GB": "7.20", "GR": "4.61", "HB": "13.4", "HT": "40.2", "VGM": "87.2", "PLQ": "265", "INR": "1.02", "TP": "94",
             "CA": "2.31", "PHOS": "1.05", "PROT": "71", "ALB": "43", "BILI": "9", "GGT": "24", "MG": "0.84"}


def more_catalogue():
    header = next(line for line in (harness.CONFIG / "catalogue.sample.csv").read_text().splitlines() if line.startswith("site;"))
    lines = [header]
    for n, (code, loinc, label, unit, decimals, (low, high)) in enumerate(MORE):
        lines.append(f"*;{101 + n};{code};{loinc};{label};{label};18719-5;Biochimie;;numeric;{unit};{decimals};SER;Photométrie;{low}..{high};;;yes")
        entry = (code, loinc, f"{label} [Moles/Volume] Sérum/Plasma ; Numérique", "18719-5", unit, decimals, (low, high), "SER", "LOINC")
        if code not in exams.KIND:
            exams.NUMERIC.append(entry)
            exams.KIND[code], exams.LABEL[code], exams.SPECIMEN[code] = "numeric", label, "SER"
            exams.UNIT[code], exams.DECIMALS[code] = unit, decimals
    return "\n".join(lines) + "\n"


class World:
    def __init__(self, settings=None):
        self.line = harness.Line(SGLD, settings=settings)
        for name, text in (("more-users.toml", USERS), ("more-catalogue.csv", more_catalogue())):
            path = self.line.folder / "lab" / name
            path.write_text(text)
            self.line.laboratory.append(path)
        self.line.own()
        self.line.load()
        self.line.start()
        self.browser = browser.Browser(self.line.daemon.ready["web"])
        self.number = 2700000

    def close(self):
        if hasattr(self, "browser"):
            self.browser.close()
        self.line.close()

    def order(self, site=CENTRE, ipp="IPP0001", exams_=("NA", "K"), values=None, urgent=False, minutes=60, prescriber="899900000025",
              copies=(), results=True):
        """One order, and its results when `results`; gives what scenario.order() gives, with "filler", our number."""
        self.number += 1
        when = datetime.datetime.now().astimezone() - datetime.timedelta(minutes=minutes)
        order = scenario.order(str(self.number), site, ipp, prescriber, list(copies), list(exams_), dict(values or {}), when,
                               "I" if site == HOSPITAL else "N", f"V{self.number}" if site == HOSPITAL else "")
        control_id, message = registration.build(order)
        if urgent:
            message = message.replace(b"TQ1|1||||||||R", b"TQ1|1||||||||S")
        with self.line.connect(site, "registration") as client:
            answer = client.exchange(message)
        problems = registration.check_answer(answer, control_id, order)
        if problems:
            raise harness.Failed(f"order {order['number']}: {'; '.join(problems)}")
        order["filler"] = harness.filler_of(answer)
        if results:
            self.line.measure(order)
        return order

    def again(self, order, values):
        """The analyser corrects values of an order."""
        with self.line.connect(order["site"], "analyser") as client:
            for control_id, message in analyser.messages_of({**order, "values": values}, status="C"):
                code, problems = analyser.send(client, control_id, message)
                if code != "AA":
                    raise harness.Failed(f"corrected results of {order['number']}: {'; '.join(problems)}")

    def delivered(self, order, limit=90):
        """Waits until no letter of the order moves any more."""
        api = self.line.api(NOE)

        def still():
            letters = api.letters(order["filler"])
            return letters if letters and not any(x["state"] in harness.MOVING for x in letters) else None
        return harness.wait_until(f"letters of {order['filler']}", still, limit, 0.3)

    def sign(self, order, comment=""):
        status, value = self.line.biologist(order["site"]).validate(order["filler"], comment)
        if status != 201:
            raise harness.Failed(f"order {order['number']}: {status} {value}")

    def fill(self):
        """Orders in every state: signed and delivered, blocked, urgent and critical, partial, waiting, unknown, unmatched."""
        made = {}
        made["before"] = self.order(exams_=["NA", "K", "CREA"], values={"NA": "141", "K": "4.1", "CREA": "66"}, minutes=3000)
        made["blocked"] = self.order(NORD, "IPP0003", ["GLU"], {"GLU": "4.80"}, minutes=300)
        made["no_mailbox"] = self.order(CENTRE, "IPP0006", ["NFS"], {"GB": "7.80", "GR": "5.10", "HB": "15.2", "HT": "45.0", "VGM": "88.2", "PLQ": "231"},
                                        prescriber="899900000066", minutes=240)
        for name in ("before", "blocked", "no_mailbox"):
            self.sign(made[name], "Glycémie à contrôler à jeun." if name == "blocked" else "")
        made["urgent"] = self.order(exams_=["NA", "K", "CREA", "CRP"], values={"NA": "131", "K": "6.9", "CREA": "182", "CRP": "154.0"}, urgent=True,
                                    minutes=25, copies=["899900000041"])
        made["twenty_five"] = self.order(CENTRE, "IPP0002", PANEL_25, VALUES_25, minutes=90)
        made["waiting"] = self.order(NORD, "IPP0004", ["INR", "TP"], minutes=70, results=False)
        made["incomplete"] = self.order(NORD, "IPP0005", ["CREA", "UREE", "NFS"], {"CREA": "112", "UREE": "9.4"}, minutes=110)
        made["urines"] = self.order(CENTRE, "IPP0002", ["ASPU", "AGHBS"], {"ASPU": "Urines claires, jaune pâle, sans dépôt.", "AGHBS": "POS"}, minutes=130)
        made["hospital"] = self.order(HOSPITAL, "CH00007", ["NA", "K", "CREA", "CRP", "NFS", "INR"],
                                      {"NA": "131", "K": "5.6", "CREA": "97", "CRP": "154.0", "GB": "18.40", "GR": "3.55", "HB": "10.2", "HT": "31.0",
                                       "VGM": "87.3", "PLQ": "98", "INR": "1.12"}, minutes=60, prescriber="899900000058")
        for n in range(1, 9):
            later = scenario.order_after(n)
            made[f"later{n}"] = self.order(later["site"], later["patient"]["ipp"], later["examinations"], later["values"], minutes=40 + 13 * n,
                                           prescriber=later["prescriber"]["rpps"], urgent=n == 5)
        unknown = self.order(CENTRE, "IPP0006", ["GLU"], {"GLU": "5.20"}, minutes=80)
        lost = {**unknown, "number": "PERDU1", "specimens": {"SER": "TUBEPERDU"}}
        with self.line.connect(CENTRE, "analyser") as client:
            for order, codes in ((unknown, {"GLU": "5.20", "FERRITINE": "88"}), (lost, {"GLU": "5.90"})):
                control_id, message = analyser.build(order, list(codes), values=codes, with_patient=False, specimen=order["specimens"]["SER"])
                analyser.send(client, control_id, message)
        made["unknown"] = unknown
        for name in ("before", "blocked", "no_mailbox"):
            self.delivered(made[name])
        return made
