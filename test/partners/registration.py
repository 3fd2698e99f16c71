#!/usr/bin/python3
"""The registration system: sends orders to the laboratory as OML^O21 (NW) over MLLP and checks the ORL^O22 answers.

ORDERS is a JSON list of orders as `scenario.py` makes them ("-" = standard input). Exit 0 when every order was
accepted (MSA AA and ORC OK for each examination).
"""

import argparse
import json
import sys
import uuid

import common
import exams
import mllp
import scenario
from mllp import component, escape, field


def xcn(person, kind="IDNPS"):
    """A professional; PRT/OBR-16 form of hl7v2-lab 9.6."""
    if not person.get("rpps"):
        return f"^{escape(person['family'])}^{escape(person['given'])}"
    return (f"{person['rpps']}^{escape(person['family'])}^{escape(person['given'])}^^^{person.get('title', '')}^^^"
            f"ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^{kind}")


def pid(order, with_ins=True):
    p = order["patient"]
    ipp_oid = scenario.IPP_OID[order["finess_ej"]]
    identifiers = [f"{p['ipp']}^^^IPP&{ipp_oid}&ISO^PI"]
    if p.get("ins") and with_ins:
        identifiers.insert(0, f"{p['ins']}^^^ASIP-SANTE-INS-NIR&{scenario.INS_OID}&ISO^INS")
    names = [f"{escape(p['family'])}^{escape(p['given'])}^{escape(p['givens'])}^^^^L"]
    if p.get("used_family"):
        names.append(f"{escape(p['used_family'])}^{escape(p['given'])}^^^^^D")
    addresses = [f"{escape(p['street'])}^^{escape(p['city'])}^^{p['postcode']}^FRA^H", f"^^^^^^BDL^^{p['birth_cog']}"]
    fields = [""] * 33
    fields[0], fields[1] = "PID", "1"
    fields[3], fields[5], fields[7], fields[8] = "~".join(identifiers), "~".join(names), p["birth"], p["sex"]
    fields[11] = "~".join(addresses)
    fields[18] = f"{order['visit'] or order['number']}^^^IPP&{ipp_oid}&ISO^AN"
    fields[31], fields[32] = "N", p["reliability"]
    return "|".join(fields)


def build(order, control_id=None, processing_id="T", sender="ENREG", receiver="SGLD", with_ins=True):
    """The OML^O21 of one order; gives (control id, message bytes)."""
    control_id = control_id or "E" + uuid.uuid4().hex[:18].upper()
    moment = mllp.now()
    lines = ["|".join(["MSH", "^~\\&", sender, order["finess_ej"], receiver, order["site"], moment, "", "OML^O21^OML_O21",
                       control_id, processing_id, "2.5", "", "", "", "", "FRA", "UNICODE UTF-8"]),
             pid(order, with_ins)]
    pv1 = [""] * 45
    pv1[0], pv1[1], pv1[2] = "PV1", "1", order["patient_class"]
    if order["visit"]:
        pv1[19] = f"{order['visit']}^^^IPP&{scenario.IPP_OID[order['finess_ej']]}&ISO^VN"
    lines.append("|".join(pv1).rstrip("|"))
    prescriber = xcn(order["prescriber"])
    copies = "~".join(xcn(c) for c in order["copies"])
    collector = xcn(order["collector"])
    for n, code in enumerate(order["examinations"], 1):
        placer = f"{order['number']}-{n:02d}"
        label = exams.PANELS[code][0] if code in exams.PANELS else exams.LABEL.get(code, code)
        orc = [""] * 18
        orc[0], orc[1], orc[2], orc[4], orc[9], orc[12] = "ORC", "NW", placer, order["number"], moment, prescriber
        lines.append("|".join(orc).rstrip("|"))
        lines.append("TQ1|1||||||||R")
        obr = [""] * 29
        obr[0], obr[1], obr[2], obr[4] = "OBR", str(n), placer, f"{code}^{escape(label)}^L"
        obr[7], obr[10], obr[16], obr[28] = order["collected_at"], collector, prescriber, copies
        lines.append("|".join(obr).rstrip("|"))
        kind = exams.SPECIMEN.get(code, "SER")
        spm = [""] * 19
        spm[0], spm[1], spm[2], spm[4] = "SPM", "1", order["specimens"].get(kind, order["number"]), f"{kind}^^HL70487"
        spm[17], spm[18] = order["collected_at"], moment
        lines.append("|".join(spm))
    return control_id, mllp.join(lines)


def check_answer(answer, control_id, order):
    """A list of problems; empty when the ORL^O22 accepts every examination."""
    if answer is None:
        return ["connection closed without an answer"]
    message = mllp.Message(answer)
    msh, msa = message.first("MSH"), message.first("MSA")
    problems = []
    if field(msh, 9) != "ORL^O22^ORL_O22":
        problems.append(f"MSH-9 is {field(msh, 9)}, not ORL^O22^ORL_O22")
    if field(msa, 1) != "AA":
        problems.append(f"MSA-1 is {field(msa, 1)} " + " ".join(field(e, 3) + " " + field(e, 2) for e in message.all("ERR")))
        return problems
    if field(msa, 2) != control_id:
        problems.append(f"MSA-2 is {field(msa, 2)}")
    if field(msh, 10) == "":
        problems.append("MSH-10 of the answer is empty")
    answered = {field(orc, 2): field(orc, 1) for orc in message.all("ORC")}
    for n in range(1, len(order["examinations"]) + 1):
        placer = f"{order['number']}-{n:02d}"
        got = next((v for k, v in answered.items() if component(k, 1) == placer), None)
        if got != "OK":
            problems.append(f"examination {placer}: ORC-1 is {got}")
    return problems


def send(client, order, control_id=None, **how):
    """Send one order on an open connection; gives (control id, problems, answer)."""
    control_id, message = build(order, control_id, **how)
    answer = client.exchange(message)
    return control_id, check_answer(answer, control_id, order), answer


def add_connection_arguments(parser):
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls-ca", help="PEM of the authority: connect over TLS")
    parser.add_argument("--tls-cert", help="PEM chain of the client")
    parser.add_argument("--tls-key")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds to wait for an answer (default 30)")


def connect(options):
    tls = mllp.client_context(options.tls_ca, options.tls_cert, options.tls_key) if options.tls_ca else None
    return mllp.Client(options.host, options.port, tls, options.timeout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_connection_arguments(parser)
    parser.add_argument("--processing-id", default="T", choices=["P", "T", "D"], help="MSH-11 (default T)")
    parser.add_argument("--print", action="store_true", help="print the messages, send nothing")
    parser.add_argument("orders", metavar="ORDERS")
    options = parser.parse_args()
    orders = json.load(sys.stdin) if options.orders == "-" else common.load_json(options.orders)
    if options.print:
        for order in orders:
            print(build(order, processing_id=options.processing_id)[1].decode().replace("\r", "\n"))
        return 0
    bad = 0
    with connect(options) as client:
        for order in orders:
            control_id, problems, _ = send(client, order, processing_id=options.processing_id)
            print(json.dumps({"order": order["number"], "control_id": control_id, "problems": problems}, ensure_ascii=False))
            bad += bool(problems)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
