#!/usr/bin/python3
"""An analyser (or its middleware): sends ORU^R01 results over MLLP and checks the acknowledgements.

Flavours: plain (2.5.1, everything in its place), v23, v231, v24 (no SPM: OBR-3 holds the tube), astm (code in
OBX-3.4), edan (code in OBX-4, unrounded OBX-12), arrows (flags as arrows, numbers in ST), comma (decimal comma), noflags.
The log (--log FILE, JSON lines) keeps control id, SHA-256, time and code of each acknowledgement; `--resend LOG`
sends the very same bytes again from it.
"""

import argparse
import base64
import hashlib
import json
import random
import sys
import time
import uuid

import common
import exams
import mllp
import registration
from mllp import escape, field

FLAVOURS = {"plain": "2.5.1", "v23": "2.3", "v231": "2.3.1", "v24": "2.4", "v25": "2.5", "astm": "2.5.1", "edan": "2.4",
            "arrows": "2.3.1", "comma": "2.5.1", "noflags": "2.5.1"}


def flag_of(code, value, sex):
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        return {"POS": "A"}.get(value, "")
    low, high = exams.range_of(code, sex)
    if low is not None and number < low:
        return "L"
    if high is not None and number > high:
        return "H"
    return "N"


def observation(n, code, value, sex, flavour, moment, status="F"):
    """One OBX."""
    kind = exams.KIND.get(code, "numeric")
    unit = exams.UNIT.get(code, "")
    unit = "" if unit == "1" else unit
    low, high = exams.range_of(code, sex)
    limits = "" if high is None else (f"<{high}" if low is None else f"{low}-{high}")
    flag = flag_of(code, value, sex) if kind != "text" else ""
    label = escape(exams.LABEL.get(code, code))
    obx = [""] * 20
    obx[0], obx[1], obx[2] = "OBX", str(n), {"numeric": "NM", "coded": "CE", "text": "TX"}[kind]
    obx[3], obx[5], obx[6], obx[7], obx[8], obx[11], obx[14] = (
        f"{code}^{label}^L", escape(value), escape(unit), limits, flag, status, moment)
    if kind == "coded":
        obx[5] = f"{value}^{escape(dict(exams.CODED[0][4]).get(value, value))}^L"
    if flavour == "astm":
        obx[3] = f"^^^{code}^{label}"
    elif flavour == "edan":
        obx[3], obx[4], obx[11] = "0", code, "F"
        if kind == "numeric":
            obx[12], obx[13] = f"{value}{'' if '.' in value else '.'}00013^{escape(unit)}", flag if flag != "N" else ""
            obx[8] = {"N": "0", "L": "2", "H": "1"}.get(flag, "0")
    elif flavour == "arrows":
        obx[2] = "ST"
        obx[8] = {"H": "↑", "L": "↓", "N": ""}.get(flag, flag)
    elif flavour == "comma":
        obx[5] = obx[5].replace(".", ",") if kind == "numeric" else obx[5]
        obx[2] = "ST" if kind == "numeric" else obx[2]
    elif flavour == "noflags":
        obx[7] = obx[8] = ""
    if flavour in ("v23", "v231"):
        obx[14] = moment[:14]
    return "|".join(obx).rstrip("|")


def build(order, codes=None, flavour="plain", control_id=None, processing_id="T", obx_count=None, values=None,
          specimen=None, status="F", with_patient=True, sender="AUTOMATE1"):
    """The ORU^R01 of what one tube gives; gives (control id, message bytes).

    codes: elementary codes (default: all of the order that the specimen serves). obx_count repeats or cuts the list
    to have exactly that many OBX (load tests; repeated codes are sent as they are).
    """
    control_id = control_id or "A" + uuid.uuid4().hex[:18].upper()
    values = values or order["values"]
    sex = order["patient"]["sex"]
    wanted = codes or list(values)
    if specimen is None:
        kind = exams.SPECIMEN.get(wanted[0], next(iter(order["specimens"])))
        specimen = order["specimens"].get(kind, order["number"])
    if obx_count:
        wanted = (wanted * (obx_count // len(wanted) + 1))[:obx_count]
    version = FLAVOURS[flavour]
    old = version in ("2.3", "2.3.1", "2.4")
    moment = mllp.now(zone=not old)
    charset = "UNICODE UTF-8" if version != "2.3" else "8859/1"
    lines = ["|".join(["MSH", "^~\\&", sender, order["finess_ej"], "SGLD", order["site"], moment, "",
                       "ORU^R01" if old else "ORU^R01^ORU_R01", control_id, processing_id, version, "", "", "", "", "FRA",
                       charset])]
    if with_patient:
        p = order["patient"]
        identifier = f"{p['ipp']}" if old else f"{p['ipp']}^^^IPP^PI"
        lines.append(f"PID|1||{identifier}||{escape(p['family'])}^{escape(p['given'])}||{p['birth']}|{p['sex']}")
    else:
        lines.append("PID|1")
    obr = [""] * 26
    obr[0], obr[1], obr[2], obr[3] = "OBR", "1", order["number"], specimen
    obr[4] = f"{wanted[0]}^{escape(exams.LABEL.get(wanted[0], wanted[0]))}^L"
    obr[7], obr[25] = order["collected_at"][:14] if old else order["collected_at"], status
    if not old:
        lines.append(f"ORC|RE|{order['number']}|{specimen}")
    lines.append("|".join(obr))
    for n, code in enumerate(wanted, 1):
        lines.append(observation(n, code, values.get(code, "1"), sex, flavour, moment, status))
    if not old:
        lines.append(f"SPM|1|{specimen}||{exams.SPECIMEN.get(wanted[0], 'SER')}^^HL70487")
    text = "".join(line + "\r" for line in lines)
    return control_id, text.encode("latin-1" if version == "2.3" and flavour == "v23" else "utf-8", "replace")


def messages_of(order, flavour="plain", **how):
    """One message per tube, as analysers do: [(control id, bytes)]."""
    tubes = {}
    for code in order["values"]:
        tubes.setdefault(exams.SPECIMEN[code], []).append(code)
    return [build(order, codes, flavour, **how) for codes in tubes.values()]


def check_answer(answer, control_id):
    """(code, problems): code is MSA-1, or "" when there was none."""
    if answer is None:
        return "", ["connection closed without an answer"]
    message = mllp.Message(answer, "utf-8" if b"UNICODE" in answer[:200] else "latin-1")
    msh, msa = message.first("MSH"), message.first("MSA")
    problems = []
    if not field(msh, 9).startswith("ACK^R01"):
        problems.append(f"MSH-9 is {field(msh, 9)}")
    if field(msa, 2) != control_id:
        problems.append(f"MSA-2 is {field(msa, 2)}, not {control_id}")
    if not field(msh, 10):
        problems.append("MSH-10 of the answer is empty")
    if field(msa, 1) != "AA":
        problems.append(f"MSA-1 is {field(msa, 1)} " + " ".join(field(e, 3) + " " + field(e, 2) for e in message.all("ERR")))
    return field(msa, 1), problems


class Log:
    """What was acknowledged, one JSON line each, with the bytes so that they can be sent again."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None

    def add(self, control_id, message, code, problems):
        entry = {"control_id": control_id, "sha256": hashlib.sha256(message).hexdigest(), "code": code,
                 "acknowledged_at": time.time() if code else None, "problems": problems,
                 "bytes": base64.b64encode(message).decode()}
        if self.file:
            self.file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self.file.flush()
        return entry


def send(client, control_id, message, log=None):
    """Send and check one message; gives (code, problems)."""
    try:
        answer = client.exchange(message)
    except (TimeoutError, ConnectionError) as problem:
        code, problems = "", [str(problem)]
    else:
        code, problems = check_answer(answer, control_id)
    if log:
        log.add(control_id, message, code, problems)
    return code, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    registration.add_connection_arguments(parser)
    parser.add_argument("--flavour", choices=sorted(FLAVOURS) + ["random"], default="plain")
    parser.add_argument("--obx", type=int, metavar="N", help="exactly N OBX per message")
    parser.add_argument("--processing-id", default="T", choices=["P", "T", "D"], help="MSH-11 (default T)")
    parser.add_argument("--unknown", action="store_true", help="add a code that is in no catalogue")
    parser.add_argument("--log", metavar="FILE", help="append what was acknowledged")
    parser.add_argument("--resend", metavar="LOG", help="send again the bytes of that log instead of ORDERS")
    parser.add_argument("--print", action="store_true", help="print the messages, send nothing")
    parser.add_argument("orders", metavar="ORDERS", nargs="?", help='JSON list of orders ("-" = standard input)')
    options = parser.parse_args()
    if not options.orders and not options.resend:
        parser.error("ORDERS or --resend wanted")
    messages = []
    if options.resend:
        with open(options.resend, encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                messages.append((entry["control_id"], base64.b64decode(entry["bytes"])))
    else:
        orders = json.load(sys.stdin) if options.orders == "-" else common.load_json(options.orders)
        for order in orders:
            flavour = random.choice(sorted(FLAVOURS)) if options.flavour == "random" else options.flavour
            if options.unknown:
                messages.append(build(order, ["XYZ99"], flavour, processing_id=options.processing_id,
                                      specimen=next(iter(order["specimens"].values()))))
            messages += messages_of(order, flavour, processing_id=options.processing_id, obx_count=options.obx)
    if options.print:
        for _, message in messages:
            print(message.decode("utf-8", "replace").replace("\r", "\n"))
        return 0
    log, bad = Log(options.log), 0
    with registration.connect(options) as client:
        for control_id, message in messages:
            code, problems = send(client, control_id, message, log)
            print(json.dumps({"control_id": control_id, "code": code, "problems": problems}, ensure_ascii=False))
            bad += bool(problems)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
