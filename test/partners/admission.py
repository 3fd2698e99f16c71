#!/usr/bin/python3
"""The hospital's admission and its identity server: tells the laboratory who its patients are, by ADT of IHE PAM France (2.11) over
MLLP, and checks the acknowledgements.

EVENT IPP: one event for a patient of scenario.py, to --port. Exit 0 when it was answered AA without any warning.
"""

import argparse
import sys
import uuid

import mllp
import registration
import scenario
from mllp import field

STRUCTURES = {"A05": "ADT_A05", "A28": "ADT_A05", "A31": "ADT_A05", "A40": "ADT_A39", "A47": "ADT_A30", "A24": "ADT_A24",
              "A37": "ADT_A37", "A03": "ADT_A03", "A11": "ADT_A09", "A13": "ADT_A01"}


def number(ipp, entity):
    return f"{ipp}^^^IPP&{scenario.IPP_OID[entity]}&ISO^PI"


def pid(patient, entity, ipp=None, stay="", reliability=None, with_ins=True, said=""):
    """PID of a patient of scenario.py; `said`: PID-33."""
    as_order = {"patient": patient, "finess_ej": entity, "visit": stay, "number": ""}
    fields = registration.pid(as_order, with_ins).split("|")
    if ipp:
        fields[3] = fields[3].replace(f"{patient['ipp']}^^^IPP", f"{ipp}^^^IPP")
    if not stay:
        fields[18] = ""
    if reliability is not None:
        fields[32] = reliability
    fields.append(said)
    return "|".join(fields)


def pv1(patient_class, place, stay=""):
    fields = [""] * 20
    fields[0], fields[1], fields[2], fields[3] = "PV1", "1", patient_class, place
    return "|".join(fields).rstrip("|")


def zbe(movement, start, action="INSERT", historic=False, event="", nature="HMS"):
    return f"ZBE|{movement}^GAM^1.2.250.1.99999.3^ISO|{start}||{action}|{'Y' if historic else 'N'}|{event}|^^^^^^UF^^^3105|^^^^^^UF^^^3106|{nature}"


def zfa(decision, when):
    """The decision about the feeding of the DMP: INO informed and not opposed, IO opposed, NA not asked."""
    return f"ZFA|ACTIF|{when}|||||||{decision}|{when}|IC|{when}"


def build(event, segments, entity, site, moment=None, control_id=None, processing_id="T", sender="ENREG"):
    """One ADT message; gives (control id, bytes)."""
    control_id = control_id or "H" + uuid.uuid4().hex[:18].upper()
    moment = moment or mllp.now()
    lines = ["|".join(["MSH", "^~\\&", sender, entity, "SGLD", site, moment, "", f"ADT^{event}^{STRUCTURES.get(event, 'ADT_A01')}",
                       control_id, processing_id, "2.5^FRA^2.11", "", "", "", "", "FRA", "UNICODE UTF-8", "", "",
                       "2.11^IHE_FRANCE-2.11-PAM"]),
             f"EVN||{moment}"] + list(segments)
    return control_id, "".join(line + "\r" for line in lines).encode()


def send(client, control_id, message):
    """(MSA-1, [ERR-2 of each warning or error]) of the answer; ValueError when it answers something else."""
    answer = mllp.Message(client.exchange(message))
    msa = answer.first("MSA")
    if field(msa, 2) != control_id:
        raise ValueError(f"the answer is to {field(msa, 2)}, not to {control_id}")
    if not field(answer.first("MSH"), 9).startswith("ACK^"):
        raise ValueError(f"an ADT is answered by an ACK, not by {field(answer.first('MSH'), 9)}")
    return field(msa, 1), [field(err, 2) for err in answer.all("ERR")]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("event")
    options.add_argument("ipp")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--entity", default="690000001")
    options.add_argument("--site", default="690000011")
    wish = options.parse_args()
    segments = [pid(scenario.patient_of(wish.ipp), wish.entity)]
    control_id, message = build(wish.event, segments, wish.entity, wish.site)
    with mllp.Client("127.0.0.1", wish.port) as client:
        code, warnings = send(client, control_id, message)
    print(code, *warnings)
    return 0 if code == "AA" and not warnings else 1


if __name__ == "__main__":
    sys.exit(main())
