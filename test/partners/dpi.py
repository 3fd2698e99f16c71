#!/usr/bin/python3
"""A hospital record (DPI) that receives CR-BIO documents in ORU^R01 over MLLP and checks them strictly.

Profile 2.1^CISIS_CDA_HL7_V2, or with --profile lab3 the results line by line (dpi_lines.py). Every block is answered AA, or AE/AR with ERR. Accepted messages are kept as
OUT/dpi/<n>-<MSH-10>.hl7 with the document beside them (.xml); refused ones as <n>-<MSH-10>.refused.hl7 with
their reasons (.txt). OUT/dpi.json tells all of it.

Faults (POST /script on the control port): AE, AR, slow:SECONDS, down (connections closed at once); nothing kept: silent,
close, garbage, wrong_id_only (answer for another message); kept, then: silent_after, close_after, garbage_after, wrong_id.
"""

import asyncio
import base64
import binascii
import hashlib
import os
import re
import threading

from lxml import etree

import common
import mllp
from dpi_lines import LineCheck
from mllp import component, field, repetitions, subcomponent

FAULTS = ["AE", "AR", "silent", "silent_after", "close", "close_after", "wrong_id", "wrong_id_only", "garbage", "garbage_after",
          "slow", "down"]
CDA = {"h": "urn:hl7-org:v3"}
INS_OIDS = {"1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"}
OID = re.compile(r"^[0-2](\.(0|[1-9][0-9]*))+$")
TIME = re.compile(r"^\d{14}(\.\d{1,4})?([+-]\d{4})?$")
DOCUMENT_TYPE = {"11502-2^CR d'examens biologiques^LN", "11502-2^CR d'examens biologiques^TRE_A05"}
ORDER_STATUS = {"NW": "F", "RO": "C", "CA": "D"}
METADATA = [
    ("MASQUE_PS", "Masqué aux professionnels de Santé"),
    ("INVISIBLE_PATIENT", "Document Non Visible par le patient"),
    ("INVISIBLE_REP_LEGAUX", "Non visible par les représentants Légaux du patient"),
    ("CONNEXION_SECRETE", "Connexion Secrete"),
    ("MODIF_CONF_CODE", "Modification Confidentiality Code"),
    ("DESTDMP", "Destinataire DMP"),
    ("DESTMSSANTEPS", "Destinataire (Professionnel de Santé, organisation ou BAL applicative)"),
    ("DESTMSSANTEPAT", "Destinataire Patient"),
    ("ACK_RECEPTION", "Accusé de réception"),
    ("ACK_LECTURE_MSS", "Accusé de lecture"),
]
MAIL_BODIES = [("CORPSMAIL_PS", "Corps du mail pour un PS"), ("CORPSMAIL_PATIENT", "Corps du mail pour le patient")]
YES_NO = {"Y^^expandedYes-NoIndicator": True, "N^^expandedYes-NoIndicator": False}
STRUCTURE = re.compile(r"^MSH PID PV1 ORC OBR( NTE)*( TQ1)?( OBX( PRT)*( NTE)*)+$")
ERROR_TEXT = {"100": "Segment sequence error", "101": "Required field missing", "102": "Data type error",
              "103": "Table value not found", "198": "Non-Conformant Cardinality", "199": "Other HL7 Error",
              "200": "Unsupported message type", "201": "Unsupported event code",
              "202": "Unsupported processing id", "203": "Unsupported version id", "204": "Unknown key identifier",
              "205": "Duplicate key identifier", "207": "Application error"}


class Refused(Exception):
    """The first reason for which a message cannot even be read further."""


class Check:
    """Collects every problem of one message: (code of table 0357, location, text, detail of ERR-5)."""

    def __init__(self, expect_dest, processing_id):
        self.problems = []
        self.expect_dest = expect_dest
        self.processing_id = processing_id
        self.document = b""
        self.document_id = self.set_id = ""
        self.version = 0
        self.order = ""
        self.replaces = []
        self.author = ""      # 9-digit FINESS of the sender (SB)

    def wrong(self, code, location, text, detail=""):
        self.problems.append((str(code), location, text, detail))

    def need(self, condition, code, location, text, detail=""):
        if not condition:
            self.wrong(code, location, text, detail)
        return bool(condition)

    # -- message ------------------------------------------------------------------------------------------

    def run(self, data):
        if not data.startswith(b"MSH|^~\\&|"):
            self.wrong(100, "MSH^1", "message does not begin with MSH|^~\\&|")
            return
        if not self.need(b"\n" not in data, 199, "MSH^1", "line feed in the message: segments end with CR alone"):
            return
        if not self.need(data.endswith(b"\r"), 199, "MSH^1", "last segment does not end with CR"):
            return
        header = data.split(b"\r", 1)[0].split(b"|")
        charset = header[17] if len(header) > 17 else b""
        encodings = {b"UNICODE UTF-8": "utf-8", b"8859/15": "iso-8859-15"}
        if not self.need(charset in encodings, 103, "MSH^1^18", "MSH-18 is neither UNICODE UTF-8 nor 8859/15"):
            return
        try:
            message = mllp.Message(data, encodings[charset])
        except UnicodeDecodeError:
            self.wrong(102, "MSH^1^18", "bytes not valid in the announced charset")
            return
        self.header(message.first("MSH"))
        names = " ".join(message.names())
        if not self.need(STRUCTURE.match(names), 100, "MSH^1", f"structure {names}"):
            return
        self.orders(message)
        groups = self.groups(message)
        self.sequence(message)
        root = self.content(message, groups)
        self.visit(message.first("PV1"))
        self.patient(message.first("PID"), root)
        self.participants(groups)
        self.metadata(message, groups)

    def header(self, msh):
        for number in (3, 4, 5, 6, 7, 9, 10, 11, 12, 17, 18, 21):
            self.need(field(msh, number), 101, f"MSH^1^{number}", "required field missing")
        self.need(field(msh, 9) == "ORU^R01^ORU_R01", 200, "MSH^1^9", f"MSH-9 is {field(msh, 9)}")
        self.need(field(msh, 12) == "2.5", 203, "MSH^1^12", f"MSH-12 is {field(msh, 12)}")
        self.need(field(msh, 17) == "FRA", 103, "MSH^1^17", f"MSH-17 is {field(msh, 17)}")
        self.need(field(msh, 21) == "2.1^CISIS_CDA_HL7_V2", 103, "MSH^1^21", f"MSH-21 is {field(msh, 21)}")
        self.need(field(msh, 11) in ("P", "T", "D"), 103, "MSH^1^11", f"MSH-11 is {field(msh, 11)}")
        if self.processing_id:
            self.need(field(msh, 11) == self.processing_id, 202, "MSH^1^11", f"MSH-11 is {field(msh, 11)}")
        self.need(TIME.match(field(msh, 7)), 102, "MSH^1^7", "MSH-7 is not a time to the second")
        self.need(len(field(msh, 10)) <= 50, 102, "MSH^1^10", "MSH-10 too long")
        self.need(not field(msh, 15) and not field(msh, 16), 199, "MSH^1^15", "this profile has the original mode only")
        self.mode = field(msh, 11)

    def orders(self, message):
        orc, obr = message.first("ORC"), message.first("OBR")
        self.order = field(orc, 1)
        self.need(self.order in ORDER_STATUS, 103, "ORC^1^1", f"ORC-1 is {self.order}")
        self.need(field(obr, 4) in DOCUMENT_TYPE, 103, "OBR^1^4", f"OBR-4 is {field(obr, 4)}")
        self.need(field(obr, 1) == "1", 102, "OBR^1^1", "OBR-1 is not 1")
        for number in (2, 3):
            if field(orc, number) and field(obr, number):
                self.need(field(orc, number) == field(obr, number), 199, f"OBR^1^{number}",
                          f"ORC-{number} and OBR-{number} differ")

    def groups(self, message):
        """OBX with what follows each: [(obx, [prt], [nte])]."""
        found = []
        for segment in message.segments:
            if segment[0] == "OBX":
                found.append((segment, [], []))
            elif segment[0] == "PRT" and found:
                found[-1][1].append(segment)
            elif segment[0] == "NTE" and found:
                found[-1][2].append(segment)
        return found

    def sequence(self, message):
        for expected, obx in enumerate(message.all("OBX"), 1):
            self.need(field(obx, 1) == str(expected), 102, f"OBX^{expected}^1", f"OBX-1 is {field(obx, 1)}")

    # -- document -----------------------------------------------------------------------------------------

    def content(self, message, groups):
        obr = message.first("OBR")
        obx = groups[0][0]
        others = [g[0] for g in groups[1:] if field(g[0], 3) == field(obx, 3)]
        self.need(not others, 198, "OBX^2", "more than one document: profile 2.1 carries one")
        self.need(field(obx, 2) == "ED", 103, "OBX^1^2", f"OBX-2 of the document is {field(obx, 2)}")
        self.need(field(obx, 3) == field(obr, 4), 199, "OBX^1^3", "OBX-3 differs from OBR-4")
        expected = ORDER_STATUS.get(self.order)
        self.need(field(obx, 11) == expected, 207, "OBX^1^11",
                  f"OBX-11 {field(obx, 11)} does not go with ORC-1 {self.order}")
        parts = field(obx, 5).split("^")
        if not self.need(len(parts) == 5 and parts[:4] == ["", "TEXT", "XML", "Base64"], 102, "OBX^1^5",
                         "OBX-5 is not ^TEXT^XML^Base64^<data>"):
            return None
        self.document = strict_base64(parts[4])
        if not self.need(self.document, 102, "OBX^1^5^1^5", "base64 is not canonical"):
            return None
        try:
            root = etree.fromstring(self.document, etree.XMLParser(resolve_entities=False, no_network=True,
                                                                   huge_tree=True))
        except etree.XMLSyntaxError as problem:
            self.wrong(207, "OBX^1^5^1^5", f"the document is not XML: {problem.msg}", "906")
            return None
        if not self.need(root.tag == "{urn:hl7-org:v3}ClinicalDocument", 207, "OBX^1^5", "not a CDA", "906"):
            return None
        ids = root.xpath("h:id", namespaces=CDA)
        if self.need(len(ids) == 1 and OID.match(ids[0].get("root", "")) and not ids[0].get("extension"), 207,
                     "OBX^1^5", "ClinicalDocument/id is not one OID without extension", "906"):
            self.document_id = ids[0].get("root")
        code = root.find("h:code", CDA)
        self.need(code is not None and code.get("code") == "11502-2", 207, "OBX^1^5", "CDA code is not 11502-2", "906")
        set_id = root.find("h:setId", CDA)
        version = root.find("h:versionNumber", CDA)
        if self.need(set_id is not None and version is not None and (version.get("value") or "").isdigit(), 207,
                     "OBX^1^5", "setId and versionNumber required", "906"):
            self.set_id = (set_id.get("root") or "") + "^" + (set_id.get("extension") or "")
            self.version = int(version.get("value"))
        self.replaces = root.xpath("h:relatedDocument[@typeCode='RPLC']/h:parentDocument/h:id/@root", namespaces=CDA)
        if self.order == "NW":
            self.need(self.version <= 1 and not self.replaces, 207, "ORC^1^1",
                      "NW with a document that replaces another", "900")
        if self.order == "RO":
            self.need(self.version > 1 and self.replaces, 207, "ORC^1^1",
                      "RO with a document that replaces nothing", "900")
        return root

    # -- people -------------------------------------------------------------------------------------------

    def visit(self, pv1):
        kind = field(pv1, 2)
        self.need(kind in set("EIOPRBCN"), 103, "PV1^1^2", f"PV1-2 is {kind!r}")
        if kind in ("E", "I", "O", "R"):
            self.need(component(field(pv1, 19), 1), 101, "PV1^1^19", f"PV1-19 required when PV1-2 is {kind}")

    def patient(self, pid, root):
        identifiers = set()
        self.qualified = False
        has_ins = False
        for n, value in enumerate(repetitions(field(pid, 3)), 1):
            where = f"PID^1^3^{n}"
            authority = component(value, 4).split("&")
            kind = component(value, 5)
            if not self.need(len(authority) == 3 and authority[2] == "ISO" and OID.match(authority[1]), 102, where,
                             "PID-3.4 is not name&OID&ISO"):
                continue
            identifiers.add((authority[1], component(value, 1)))
            self.need(kind in ("INS", "PI"), 103, where, f"PID-3.5 is {kind}")
            self.need((kind == "INS") == (authority[1] in INS_OIDS), 103, where, "PID-3.5 and the authority disagree")
            if kind == "INS":
                has_ins = True
                self.need(ins_key_is_right(component(value, 1)), 207, where, "INS matricule with a wrong key", "905")
                self.need(subcomponent(component(value, 4), 1) in ("ASIP-SANTE-INS-NIR", "ASIP-SANTE-INS-NIA"), 103,
                          where, "namespace of the INS")
                test = authority[1] in ("1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11")
                self.need(test == (self.mode != "P"), 202, where, "test and real INS do not mix with MSH-11")
        self.need(identifiers, 101, "PID^1^3", "no identifier")
        reliability = repetitions(field(pid, 32))
        self.need("VALI" not in reliability or has_ins, 207, "PID^1^32", "VALI without an INS", "903")
        self.need("VALI" in reliability or not has_ins, 207, "PID^1^32", "INS of an identity not qualified", "905")
        self.qualified = has_ins and "VALI" in reliability
        name = next((r for r in repetitions(field(pid, 5)) if component(r, 7) == "L"), "")
        self.need(component(name, 1) and component(name, 2), 101, "PID^1^5", "no birth name (type L)")
        self.need(re.match(r"^\d{8}$", field(pid, 7)), 102, "PID^1^7", "birth date")
        self.need(field(pid, 8) in ("M", "F", "O", "U"), 103, "PID^1^8", f"PID-8 is {field(pid, 8)!r}")
        self.need(field(pid, 31) in ("N", "Y"), 101, "PID^1^31", "PID-31 missing")
        if has_ins:
            places = [component(r, 9) for r in repetitions(field(pid, 11)) if component(r, 7) == "BDL"]
            self.need(len(places) == 1 and re.match(r"^[0-9A-Za-z]{5}$", places[0]), 207, "PID^1^11",
                      "birth place (type BDL, INSEE code) required with an INS", "905")
        if root is None:
            return
        inside = {(i.get("root"), i.get("extension"))
                  for i in root.xpath("h:recordTarget/h:patientRole/h:id", namespaces=CDA)}
        self.need(identifiers == inside, 207, "PID^1^3", "PID-3 and recordTarget/patientRole/id are not identical",
                  "904")
        person = root.find("h:recordTarget/h:patientRole/h:patient", CDA)
        if self.need(person is not None, 207, "OBX^1^5", "the CDA has no patient", "906"):
            family = person.xpath("string(h:name/h:family[@qualifier='BR'])", namespaces=CDA)
            given = person.xpath("string(h:name/h:given[@qualifier='BR'])", namespaces=CDA)
            self.need(mllp.unescape(component(name, 1)) == (family or person.xpath("string(h:name/h:family)", namespaces=CDA)), 207,
                      "PID^1^5", "birth name differs from the CDA", "904")
            if given:
                self.need(mllp.unescape(component(name, 2)) == given, 207, "PID^1^5^1^2",
                          "first given name differs from the CDA", "904")
            birth = person.find("h:birthTime", CDA)
            self.need(birth is not None and (birth.get("value") or "")[:8] == field(pid, 7), 207, "PID^1^7",
                      "birth date differs from the CDA", "904")
            sex = person.find("h:administrativeGenderCode", CDA)
            if sex is not None and sex.get("code"):
                # HL7 table 0001 U (unknown) is UN in the CDA's AdministrativeGender.
                self.need(sex.get("code") == {"U": "UN"}.get(field(pid, 8), field(pid, 8)), 207, "PID^1^8", "sex differs from the CDA", "904")

    def participants(self, groups):
        for n, (_, prts, _) in enumerate(groups[1:], 2):
            self.need(not prts, 100, f"OBX^{n}", "PRT allowed only after the document")
        roles = []
        self.recipients = {"professional": 0, "patient": 0}
        labels = {"SB": "SB^Send by^participation", "RCT": "RCT^Results Copies To^participation",
                  "REPLY": "REPLY^Reply to^participation"}
        for n, prt in enumerate(groups[0][1], 1):
            where = f"PRT^{n}"
            role = component(field(prt, 4), 1)
            roles.append(role)
            self.need(field(prt, 2) == "UC", 103, where + "^2", f"PRT-2 is {field(prt, 2)}")
            self.need(field(prt, 4) == labels.get(role), 103, where + "^4", f"PRT-4 is {field(prt, 4)}")
            person, organisation, device, telecom = (field(prt, i) for i in (5, 8, 10, 15))
            if person:
                patient = component(person, 13) == "INS"
                oid = subcomponent(component(person, 9), 2)
                self.need(component(person, 1) and component(person, 13) in ("IDNPS", "RPPS", "INS"), 102,
                          where + "^5", "PRT-5 without number or type")
                self.need(oid in INS_OIDS if patient else oid == "1.2.250.1.71.4.2.1", 103, where + "^5^1^9",
                          "authority of PRT-5")
                if role == "RCT":
                    self.recipients["patient" if patient else "professional"] += 1
            elif role == "RCT":
                self.recipients["professional"] += 1
            if organisation:
                self.need(component(organisation, 7) in ("FINEJ", "FINEG", "IDNST", "UF", "SVR")
                          and component(organisation, 10)
                          and subcomponent(component(organisation, 6), 2) == "1.2.250.1.71.4.2.2", 102, where + "^8",
                          "PRT-8 without authority, type or number")
            if role == "SB":
                self.need(person or device, 101, where + "^5", "SB has neither person nor device")
                self.need(organisation, 101, where + "^8", "SB has no organisation")
                self.need(component(organisation, 7) in ("FINEJ", "FINEG", "IDNST"), 103, where + "^8^1^7",
                          "type of the sender's structure")
                self.author = component(organisation, 10)[-9:]
            elif role == "RCT":
                self.need(person or organisation or device, 101, where, "RCT names nobody")
            if role in ("RCT", "REPLY"):
                self.need(re.match(r"^\^\^X\.400\^[^@^]+@[^@^]+$", telecom), 101, where + "^15",
                          "PRT-15 is not ^^X.400^address")
        self.need(re.match(r"^SB( RCT)*( REPLY)?$", " ".join(roles)), 100, "PRT^1",
                  f"participants {' '.join(roles)}: SB, RCT..., REPLY wanted")

    # -- metadata -----------------------------------------------------------------------------------------

    def metadata(self, message, groups):
        rest = groups[1:]
        values = {}
        for n, (code, label) in enumerate(METADATA):
            where = f"OBX^{n + 2}"
            if not self.need(n < len(rest), 101, where, f"{code} missing"):
                return
            obx, _, notes = rest[n]
            self.need(field(obx, 2) == "CE", 103, where + "^2", f"OBX-2 of {code} is {field(obx, 2)}")
            if not self.need(field(obx, 3) == f"{code}^{label}^MetaDMPMSS", 103, where + "^3",
                             f"{field(obx, 3)} where {code}^{label}^MetaDMPMSS is due"):
                continue
            if self.need(field(obx, 5) in YES_NO, 103, where + "^5", f"{code} is {field(obx, 5)}"):
                values[code] = YES_NO[field(obx, 5)]
            self.need(field(obx, 11) == "F", 103, where + "^11", f"OBX-11 of {code}")
            if notes:
                self.need(code == "DESTMSSANTEPAT" and len(notes) == 1 and field(notes[0], 4) == "FIN", 100, where,
                          f"NTE after {code}")
        wanted = list(MAIL_BODIES)
        for n, (obx, _, notes) in enumerate(rest[len(METADATA):], len(METADATA) + 2):
            where = f"OBX^{n}"
            while wanted and field(obx, 3) != f"{wanted[0][0]}^{wanted[0][1]}^MetaDMPMSS":
                wanted.pop(0)
            if not self.need(wanted, 103, where + "^3", f"unexpected {field(obx, 3)}"):
                continue
            wanted.pop(0)
            parts = field(obx, 5).split("^")
            self.need(field(obx, 2) == "ED" and len(parts) == 5 and parts[:4] == ["", "TEXT", "", "Base64"]
                      and strict_base64(parts[4]), 102, where + "^5", "mail body is not ^TEXT^^Base64^<data>")
            self.need(not notes, 100, where, "NTE after a mail body")
        if len(values) != len(METADATA):
            return
        self.need(not (values["INVISIBLE_PATIENT"] and values["DESTMSSANTEPAT"]), 207, "OBX^9",
                  "hidden from the patient and mailed to the patient", "906")
        self.need(not values["DESTDMP"] or self.qualified, 207, "OBX^7", "DESTDMP without a qualified INS", "903")
        self.need(not values["DESTMSSANTEPS"] or self.recipients["professional"], 207, "OBX^8",
                  "DESTMSSANTEPS without a recipient", "906")
        self.need(not values["DESTMSSANTEPAT"] or self.recipients["patient"], 207, "OBX^9",
                  "DESTMSSANTEPAT without the patient as recipient", "906")
        if self.expect_dest == "none":
            for code in ("DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT"):
                self.need(not values[code], 207, "OBX", f"{code} = Y while the laboratory sends by itself", "906")


def strict_base64(text):
    """The bytes, or b"" when the text is not canonical base64 with padding."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
    return data if base64.b64encode(data).decode() == text else b""


def ins_key_is_right(matricule):
    if not re.match(r"^\d{5}[0-9AB][0-9AB]?\d+$", matricule) or len(matricule) != 15:
        return False
    number, key = matricule[:13], matricule[13:]
    number = number.replace("2A", "19", 1) if number[5:7] == "2A" else number
    number = number.replace("2B", "18", 1) if number[5:7] == "2B" else number
    return number.isdigit() and key.isdigit() and 97 - int(number) % 97 == int(key)


class Dpi:
    def __init__(self, options):
        self.options = options
        self.records = common.Records(options.out, "dpi")
        self.faults = common.Faults(FAULTS)
        self.lock = threading.Lock()
        self.answered = {}    # MSH-10 -> (sha256 of the message, code, problems)
        self.documents = {}   # document id -> {"set", "version", "state", "author", "sha256"}
        self.results = {}     # lab3: (placer, filler, code) -> OBX-11 and OBX-5
        self.last = {}        # set id -> document id of its latest version
        self.counts = {"received": 0, "accepted": 0, "refused": 0, "repeated": 0, "unreadable": 0}
        self.messages = []
        self.counter = 0
        self.report()

    def state(self):
        with self.lock:
            return {"counts": dict(self.counts), "messages": list(self.messages),
                    "documents": {k: dict(v) for k, v in self.documents.items()}}

    def report(self):
        common.write_json(os.path.join(self.options.out, "dpi.json"), self.state())

    def answer(self, message, code, problems, control_id=None):
        self.counter += 1
        msh = message.first("MSH") if message else ["MSH"] + [""] * 21
        lines = ["|".join(["MSH", "^~\\&", field(msh, 5), field(msh, 6), field(msh, 3), field(msh, 4), mllp.now(), "",
                           "ACK^R01^ACK", f"DPI{os.getpid()}{self.counter:06d}", field(msh, 11) or "P", "2.5",
                           "", "", "", "", "FRA", "UNICODE UTF-8"]),
                 f"MSA|{code}|{control_id if control_id is not None else field(msh, 10)}"]
        if code != "AA":
            for number, location, text, detail in problems:
                err5 = f"{detail}^{mllp.escape(text)}^applicationErrorCondition" if detail else ""
                lines.append(f"ERR||{location}|{number}^{ERROR_TEXT[number]}^messageErrorCondition|E|{err5}||"
                             f"{mllp.escape(text)}")
        return mllp.join(lines)

    def check(self, data):
        if self.options.profile == "lab3":
            check = LineCheck(self.options.processing_id, self.results)
        else:
            check = Check(self.options.expect_dest, self.options.processing_id)
        check.run(data)
        return check

    def versions(self, check):
        """What only the history can tell: the latest version is replaced or deleted, once."""
        if check.problems or self.options.profile == "lab3":
            return
        known = self.documents.get(check.document_id)
        last = self.last.get(check.set_id)
        latest = self.documents.get(last, {})
        if check.order in ("RO", "CA") and latest:
            check.need(latest["author"] == check.author, 207, "PRT^1^8", "asked by another organisation than the author's", "901")
        if check.order == "NW":
            check.need(not known and not last, 207, "OBX^1^5", "document or set already received", "900")
        elif check.order == "RO":
            check.need(not known, 207, "OBX^1^5", "document already received", "900")
            check.need(last and last in check.replaces, 207, "OBX^1^5", "does not replace the latest version", "900")
            check.need(latest.get("state") != "deleted", 207, "OBX^1^5", "replaces what was deleted", "900")
        elif check.need(known, 207, "OBX^1^5", "deletes a document that was never received", "900"):
            check.need(last == check.document_id, 207, "OBX^1^5", "deletes what is not the latest version", "900")
            check.need(known["state"] != "deleted", 207, "OBX^1^5", "deletes what was deleted already", "900")
            check.need(known["sha256"] == hashlib.sha256(check.document).hexdigest(), 207, "OBX^1^5",
                       "a deletion carries the bytes of the version that it deletes", "906")

    def receive(self, data):
        """Check and keep one message; gives (message, code, problems)."""
        try:
            message = mllp.Message(data, "utf-8" if b"8859/15" not in data[:400] else "iso-8859-15")
        except UnicodeDecodeError:
            message = mllp.Message(data, "iso-8859-15")
        control = field(message.first("MSH"), 10)
        digest = hashlib.sha256(data).hexdigest()
        with self.lock:
            self.counts["received"] += 1
            if control and control in self.answered:
                former = self.answered[control]
                if former[0] == digest:
                    self.counts["repeated"] += 1
                    self.report_unlocked()
                    return message, former[1], former[2]
                problems = [("207", "MSH^1^10", "control id already used for other bytes", "906")]
                self.keep(message, data, control, "AE", problems, None, digest)
                return message, "AE", problems
            check = self.check(data)
            self.versions(check)
            code = "AE" if check.problems else "AA"
            if not check.problems and self.options.profile == "lab3":
                self.answered[control] = (digest, code, check.problems)
                self.results.update(check.taken)
            elif not check.problems:
                self.answered[control] = (digest, code, check.problems)
                state = "deleted" if check.order == "CA" else "current"
                for replaced in check.replaces if check.order == "RO" else []:
                    if replaced in self.documents:
                        self.documents[replaced]["state"] = "replaced"
                self.documents[check.document_id] = {"set": check.set_id, "version": check.version, "state": state, "author": check.author,
                                                     "sha256": hashlib.sha256(check.document).hexdigest()}
                self.last[check.set_id] = check.document_id
            self.keep(message, data, control, code, check.problems, check, digest)
            return message, code, check.problems

    def keep(self, message, data, control, code, problems, check, digest):
        number = self.records.number()
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", control)[:60] or "sans-id"
        entry = {"n": number, "control_id": control, "code": code, "sha256": digest,
                 "problems": [list(p) for p in problems]}
        if code == "AA":
            self.counts["accepted"] += 1
            path = self.records.save(number, f"-{safe}.hl7", data)
            if check.document:
                self.records.save(number, f"-{safe}.xml", check.document)
            entry.update(document_id=check.document_id, set_id=check.set_id, version=check.version, order=check.order)
        else:
            self.counts["refused"] += 1
            path = self.records.save(number, f"-{safe}.refused.hl7", data)
            self.records.save(number, f"-{safe}.refused.txt",
                              "\n".join(" ".join(x for x in p if x) for p in problems) + "\n")
        entry["file"] = path.name
        self.messages.append(entry)
        self.report_unlocked()

    def report_unlocked(self):
        common.write_json(os.path.join(self.options.out, "dpi.json"),
                          {"counts": self.counts, "messages": self.messages, "documents": self.documents})

    async def serve(self, reader, writer):
        try:
            if self.faults.next(only={"down"}):
                return
            while True:
                try:
                    data = await mllp.read_block(reader)
                except ValueError as problem:
                    self.counts["unreadable"] += 1
                    common.say(f"dpi: {problem}")
                    return
                if data is None:
                    return
                fault = self.faults.next()
                verb, _, argument = fault.partition(":")
                if verb in ("close", "down"):
                    return
                if verb == "slow":
                    await asyncio.sleep(float(argument or 5))
                if verb in ("AE", "AR"):
                    message = mllp.Message(data, "utf-8")
                    problems = [(argument or "207", "MSH^1", "scripted refusal", "906")]
                    out = self.answer(message, verb, problems)
                elif verb == "silent":
                    continue
                elif verb in ("garbage", "wrong_id_only"):
                    out = (b"MSH|\x00\xff~no answer at all\r" if verb == "garbage"
                           else self.answer(mllp.Message(data, "utf-8"), "AA", [], "AUTRE-MESSAGE"))
                else:
                    message, code, problems = await asyncio.get_running_loop().run_in_executor(
                        None, self.receive, data)
                    if verb == "close_after":
                        return
                    if verb == "silent_after":
                        continue
                    out = self.answer(message, code, problems, "AUTRE-MESSAGE" if verb == "wrong_id" else None)
                    if verb == "garbage_after":
                        out = b"MSH|\x00\xff~no answer at all\r"
                writer.write(mllp.frame(out))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def listen(dpi, context, port):
    return await asyncio.start_server(dpi.serve, "127.0.0.1", port, ssl=context, limit=mllp.MAX)


def main():
    parser = common.server_arguments(__doc__, "partners-out")
    parser.add_argument("--tls-cert", help="PEM chain: listen over TLS")
    parser.add_argument("--tls-key")
    parser.add_argument("--tls-ca", help="PEM of the authority: a client certificate is then required")
    parser.add_argument("--processing-id", choices=["P", "T", "D"], help="the only MSH-11 accepted")
    parser.add_argument("--profile", choices=["cda", "lab3"], default="cda",
                        help="cda: the document; lab3: the results line by line (dpi_lines.py)")
    parser.add_argument("--expect-dest", choices=["none", "any"], default="none",
                        help="none: DESTDMP, DESTMSSANTEPS, DESTMSSANTEPAT must be N (default)")
    options = parser.parse_args()
    dpi = Dpi(options)
    if options.script:
        dpi.faults.set(common.load_json(options.script))
    context = None
    if options.tls_cert:
        context = mllp.server_context(options.tls_cert, options.tls_key, options.tls_ca)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(listen(dpi, context, options.port))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    control = common.Control(dpi.faults, dpi.state, port=options.control_port)
    common.announce(options.ready, {"partner": "dpi", "port": server.sockets[0].getsockname()[1],
                                    "control_port": control.port, "tls": bool(context), "pid": os.getpid()})
    common.wait_for_end()


if __name__ == "__main__":
    main()
