"""What a hospital record that integrates values wants of LAB-3 ORU^R01, line by line (hl7v2-lab 7.1, 8 and 11).

Written from the specification. Keeps what each order holds, so that a correction or withdrawal of something it has never
received is refused.
"""

import re

import mllp
from mllp import component, field, repetitions, subcomponent

TIME = re.compile(r"^\d{8}(\d{4}(\d{2})?)?([+-]\d{4})?$")
NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?$")
RANGE = re.compile(r"^([+-]?\d+(\.\d+)?-[+-]?\d+(\.\d+)?|(<|<=|>|>=)[+-]?\d+(\.\d+)?)$")
STRUCTURE = re.compile(r"^MSH PID PV1( ORC OBR( NTE)*( OBX( NTE)*)+( SPM)*)+$")
SECTIONS = {"CH", "HM", "MB", "SR", "VR", "TX", "BG", "IMM", "CG", "LAB"}
FLAGS = {"", "N", "A", "H", "L", "HH", "LL"}
COMPARATORS = {"<", "<=", ">", ">="}


class LineCheck:
    """Collects every problem of one message: (code of table 0357, location, text, detail)."""

    def __init__(self, processing_id, held):
        self.problems = []
        self.processing_id = processing_id
        self.held = held          # (placer, filler, code) -> status and value of what was taken before
        self.taken = {}
        self.document = b""
        self.document_id = self.set_id = ""
        self.version = 0
        self.order = "RE"
        self.replaces = []

    def need(self, condition, code, location, text):
        if not condition:
            self.problems.append((str(code), location, text, ""))
        return bool(condition)

    def run(self, data):
        if not self.need(data.startswith(b"MSH|^~\\&|") and b"\n" not in data and data.endswith(b"\r"), 199, "MSH^1",
                         "not segments that end with CR"):
            return
        try:
            message = mllp.Message(data, "utf-8")
        except UnicodeDecodeError:
            self.need(False, 102, "MSH^1^18", "bytes not valid in the announced charset")
            return
        self.header(message.first("MSH"))
        names = " ".join(message.names())
        if not self.need(STRUCTURE.match(names), 100, "MSH^1", f"structure {names}"):
            return
        self.patient(message.first("PID"))
        orc = obr = None
        orders = lines = 0
        for segment in message.segments:
            if segment[0] == "ORC":
                orc = segment
            elif segment[0] == "OBR":
                obr, orders, lines = segment, orders + 1, 0
                statuses = []
                self.request(orc, obr, orders)
            elif segment[0] == "OBX":
                lines += 1
                statuses.append(field(segment, 11))
                self.result(obr, segment, lines)
            elif segment[0] == "SPM":
                self.specimen(segment)
            if segment[0] in ("OBX", "OBR"):
                self.whole(obr, statuses)

    def header(self, msh):
        self.need(field(msh, 9) == "ORU^R01^ORU_R01", 200, "MSH^1^9", f"MSH-9 is {field(msh, 9)}")
        self.need(field(msh, 12) == "2.5", 203, "MSH^1^12", f"MSH-12 is {field(msh, 12)}")
        self.need(field(msh, 18) == "UNICODE UTF-8", 103, "MSH^1^18", "MSH-18")
        self.need(not field(msh, 15) and not field(msh, 16), 199, "MSH^1^15", "LTW has the original mode only")
        self.need(TIME.match(field(msh, 7)), 102, "MSH^1^7", "MSH-7 is not a time")
        self.need(field(msh, 10), 101, "MSH^1^10", "MSH-10")
        if self.processing_id:
            self.need(field(msh, 11) == self.processing_id, 202, "MSH^1^11", f"MSH-11 is {field(msh, 11)}")

    def patient(self, pid):
        for identifier in repetitions(field(pid, 3)):
            self.need(component(identifier, 1) and subcomponent(component(identifier, 4), 2), 101, "PID^1^3",
                      "identifier without number or assigning authority")
            self.need(component(identifier, 5) in ("INS", "PI"), 103, "PID^1^3^1^5", "type of identifier")
        self.need(any(component(i, 5) == "PI" for i in repetitions(field(pid, 3))), 101, "PID^1^3", "no PI")
        self.need(component(field(pid, 5), 1), 101, "PID^1^5", "no name")
        self.need(re.match(r"^\d{4}(\d{2}(\d{2})?)?$", field(pid, 7)), 102, "PID^1^7", "birth date")

    def request(self, orc, obr, number):
        where = f"OBR^{number}"
        self.need(field(orc, 1) == "RE", 103, f"ORC^{number}^1", f"ORC-1 is {field(orc, 1)}")
        self.need(field(orc, 5) in ("CM", "A", "IP", "CA"), 103, f"ORC^{number}^5", f"ORC-5 is {field(orc, 5)}")
        self.need(field(obr, 1) == str(number), 102, where + "^1", f"OBR-1 is {field(obr, 1)}")
        self.need(field(obr, 3), 101, where + "^3", "no filler order number")
        for n in (2, 3):
            self.need(field(orc, n) == field(obr, n), 199, f"{where}^{n}", f"ORC-{n} and OBR-{n} differ")
        code = field(obr, 4)
        self.need(component(code, 1) and component(code, 2) and component(code, 3), 101, where + "^4",
                  "OBR-4 without code, text and system")
        for n in (5, 6, 8, 12, 13, 14, 15, 27):
            self.need(not field(obr, n), 198, f"{where}^{n}", f"LAB-3 forbids OBR-{n}")
        self.need(field(obr, 25) in ("S", "I", "R", "P", "F", "C", "X"), 103, where + "^25", f"OBR-25 is {field(obr, 25)}")
        self.need(TIME.match(field(obr, 22)), 101, where + "^22", "OBR-22 comes with OBR-25")
        self.need(field(obr, 24) in SECTIONS, 103, where + "^24", f"OBR-24 is {field(obr, 24)}")

    def whole(self, obr, statuses):
        if not statuses:
            return
        status = field(obr, 25)
        if any(s in ("C", "D", "W") for s in statuses):
            self.need(status == "C", 207, "OBR^1^25", "OBR-25 is C when a result is corrected or withdrawn")
        if status == "X":
            self.need(all(s == "X" for s in statuses), 207, "OBR^1^25", "OBR-25 X with results")

    def result(self, obr, obx, number):
        where = f"OBX^{number}"
        self.need(field(obx, 1) == str(number), 102, where + "^1", f"OBX-1 is {field(obx, 1)}")
        code = field(obx, 3)
        self.need(component(code, 1) and component(code, 2) and component(code, 3) == "L", 101, where + "^3",
                  "OBX-3 without local code, text and system")
        if component(code, 4):
            self.need(re.match(r"^\d{1,5}-\d$", component(code, 4)) and component(code, 6) == "LN", 103, where + "^3",
                      "the alternate triplet is not LOINC")
        for n in (9, 10, 12):
            self.need(not field(obx, n), 198, f"{where}^{n}", f"LAB-3 forbids OBX-{n}")
        status = field(obx, 11)
        if not self.need(status in ("F", "C", "X", "D", "W", "P"), 103, where + "^11", f"OBX-11 is {status}"):
            return
        kind, value = field(obx, 2), field(obx, 5)
        if status in ("X", "D", "W"):
            self.need(not value, 207, where + "^5", f"a value with OBX-11 {status}")
        elif kind == "NM":
            self.need(NUMBER.match(value), 102, where + "^5", "NM is no number with a point")
        elif kind == "SN":
            self.need(component(value, 1) in COMPARATORS and NUMBER.match(component(value, 2)), 102, where + "^5", "SN")
        elif kind == "CWE":
            self.need(component(value, 2), 101, where + "^5", "coded value without text")
            self.need(not component(value, 1) or component(value, 3), 101, where + "^5^1^3", "code without system")
        else:
            self.need(kind in ("ST", "TX") and value, 102, where + "^2", f"OBX-2 is {kind!r}")
        unit, limits = field(obx, 6), field(obx, 7)
        self.need(not unit or component(unit, 3) == "UCUM", 103, where + "^6", "unit without UCUM")
        self.need(not limits or RANGE.match(limits), 102, where + "^7", f"OBX-7 {limits!r} can't be computed with")
        self.need(field(obx, 8) in FLAGS, 103, where + "^8", f"OBX-8 is {field(obx, 8)}")
        self.need(TIME.match(field(obx, 19)), 101, where + "^19", "no time of the analysis")
        performer = field(obx, 23)
        self.need(component(performer, 1) and component(performer, 10) and
                  component(performer, 7) in ("FINEG", "IDNST"), 101, where + "^23", "no performing laboratory")
        key = (field(obr, 2), field(obr, 3), component(code, 1))
        before = self.held.get(key)
        if status in ("C", "D", "W"):
            self.need(before, 204, where + "^11", f"OBX-11 {status} of a result that never came")
        else:
            # A snapshot repeats what is here, and goes on from provisional to final; another value is a correction.
            same = before is not None and (before[0] == "P" or before == (status, value))
            self.need(before is None or same, 205, where + "^11", "a result that is here already, and no correction")
        self.taken[key] = (status, value)

    def specimen(self, spm):
        self.need(component(field(spm, 2), 1) or component(field(spm, 2), 2), 101, "SPM^1^2", "specimen without number")
        self.need(component(field(spm, 11), 1) == "P", 103, "SPM^1^11", "specimen that is not a patient's")
        self.need(not field(spm, 17) or TIME.match(field(spm, 17)), 102, "SPM^1^17", "SPM-17")
