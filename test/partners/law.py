#!/usr/bin/python3
"""An analyser that speaks IHE LAW: asks for the work of a tube (LAB-27), takes work orders (LAB-28) on its own listener or on
its own connection, sends results (LAB-29). Stricter than real ones: whatever deviates from the profile is a problem.

As a program: serves work orders and prints what it heard, one JSON line each.
"""

import argparse
import json
import sys
import threading
import time
import uuid

import mllp
from mllp import component, field

ALLOWED = {"NW": ["MSH", "PID?", "SPM", "SAC", "(ORC", "TQ1?", "OBR", "TCD?)"], "CA": ["MSH", "SPM", "SAC", "(ORC", "OBR)"],
           "DC": ["MSH", "SPM", "SAC", "ORC"]}


def structure_problems(names, pattern):
    """Whether the segments stand as `pattern` wants: X? may be missing, (…) repeats."""
    at, n, group = 0, 0, None
    while n < len(pattern):
        item = pattern[n]
        if item.startswith("("):
            group = n
        name, optional, end = item.strip("()?"), "?" in item, item.endswith(")")
        if at < len(names) and names[at] == name:
            at += 1
        elif not optional:
            return [f"segment {at + 1} is {names[at] if at < len(names) else 'missing'}, not {name}"]
        n += 1
        if end and at < len(names) and names[at] == pattern[group].strip("("):
            n = group
    return [] if at == len(names) else [f"segment {names[at]} has no place"]


class Analyser(mllp.Listener):
    """name: MSH-3 and 4 of its messages; able: codes that it measures (None: any)."""

    def __init__(self, name=("LAW1", "LBM"), able=None, version="2.5.1", processing_id="P"):
        super().__init__()
        self.name, self.able, self.version, self.processing_id = name, able, version, processing_id
        self.steps = {}         # AWOS: {"specimen", "code", "state"}
        self.unknown = []       # specimens for which there is no work
        self.heard, self.problems = [], []
        self.silent = 0         # so many work orders are read and not answered: the connection is closed instead
        self.lock = threading.Lock()

    # -- LAB-28 -----------------------------------------------------------------------------------------------

    def take(self, block):
        """The answer to a work order; None: none is given."""
        with self.lock:
            self.heard.append(block)
            if self.silent:
                self.silent -= 1
                return None
            message = mllp.Message(block)
            problems = self.check(message)
            self.problems += problems
            control_id = field(message.first("MSH"), 10)
            lines = [self.header("ORL^O34^ORL_O42", "LAB-28"), f"MSA|{'AE' if problems else 'AA'}|{control_id}"]
            kind = field(message.first("ORC"), 1)
            if problems:
                lines.append(f"ERR||ORC^1|207^Application error^HL70357|E||||{problems[0]}")
            elif kind == "DC":
                self.unknown.append(self.specimen(message))
            else:
                lines += ["|".join(message.first("SPM")[:5]), "|".join(message.first("SAC")[:4])]
                lines += self.decide(message, kind)
            return mllp.join(lines)

    def decide(self, message, kind):
        lines = []
        orders = [s for s in message.segments if s[0] in ("ORC", "OBR")]
        for orc, obr in zip(orders[::2], orders[1::2]):
            awos, code = field(obr, 2), component(field(obr, 4), 1)
            known = self.steps.get(awos)
            if kind == "NW":
                good = known is None and (self.able is None or code in self.able)
                if known is None:
                    self.steps[awos] = {"specimen": self.specimen(message), "code": code, "state": "waiting" if good else "refused"}
                lines.append(f"ORC|{'OK' if good else 'UA'}|{awos}|||{'SC' if good else 'CA'}||||{mllp.now()}")
            else:
                good = known is not None and known["state"] == "waiting"
                if good:
                    known["state"] = "cancelled"
                lines.append(f"ORC|{'CR' if good else 'UC'}|{awos}|||{'CA' if good else 'IP'}||||{mllp.now()}")
        return lines

    @staticmethod
    def specimen(message):
        return mllp.subcomponent(component(field(message.first("SPM"), 2), 1), 1)

    def check(self, message):
        msh, spm, sac = message.first("MSH"), message.first("SPM"), message.first("SAC")
        wanted = {9: "OML^O33^OML_O33", 11: self.processing_id, 12: "2.5.1", 15: "NE", 16: "AL", 21: "LAB-28^IHE",
                  5: self.name[0], 6: self.name[1]}
        problems = [f"MSH-{n} is {field(msh, n)}, not {value}" for n, value in wanted.items() if field(msh, n) != value]
        problems += [f"MSH-{n} is empty" for n in (3, 4, 7, 10, 18) if not field(msh, n)]
        controls = {field(orc, 1) for orc in message.all("ORC")}
        if len(controls) != 1 or not controls <= set(ALLOWED):
            return problems + [f"ORC-1: {sorted(controls)}"]
        control = controls.pop()
        problems += structure_problems(message.names(), ALLOWED[control])
        if not self.specimen(message) or field(sac, 3) != self.specimen(message):
            problems.append("SPM-2 and SAC-3 do not name one tube")
        role = component(field(spm, 11), 1)
        if role != ("U" if control == "DC" else "P"):
            problems.append(f"SPM-11 is {role}")
        if control == "DC" and field(spm, 4) != '""':
            problems.append("SPM-4 of no work is not null")
        numbers = [field(obr, 2) for obr in message.all("OBR")]
        if len(set(numbers)) != len(numbers) or "" in numbers:
            problems.append("OBR-2 is no number of its own")
        problems += ["OBR-4 has no code" for obr in message.all("OBR") if not component(field(obr, 4), 1)]
        problems += ["TCD-1 is not OBR-4" for obr, tcd in zip(message.all("OBR"), message.all("TCD")) if field(obr, 4) != field(tcd, 1)]
        problems += [f"ORC-9 is {field(orc, 9)}" for orc in message.all("ORC") if len(field(orc, 9)) < 14]
        return problems

    # -- LAB-27 -----------------------------------------------------------------------------------------------

    def header(self, type_, profile, control_id=None):
        return "|".join(["MSH", "^~\\&", *self.name, "SGL", "LBM", mllp.now(), "", type_, control_id or uuid.uuid4().hex[:20],
                         self.processing_id, self.version, "", "", "NE" if type_.startswith(("QBP", "OUL")) else "",
                         "AL" if type_.startswith(("QBP", "OUL")) else "", "", "UNICODE UTF-8", "", "", f"{profile}^IHE"])

    def query(self, specimen=None, rack=None, control_id=None, tag=None):
        """(control id, query tag, message): the work of a tube, of a rack, or all of it."""
        control_id, tag = control_id or "Q" + uuid.uuid4().hex[:18], tag or uuid.uuid4().hex[:16]
        name = "WOS^Work Order Step^IHELAW" if specimen or rack else "WOS_ALL^Work Order Step All^IHELAW"
        qpd = f"QPD|{name}|{tag}" + (f"|{specimen}" if specimen else f"||{rack}|1" if rack else "")
        return control_id, tag, mllp.join([self.header("QBP^Q11^QBP_Q11", "LAB-27", control_id), qpd, "RCP|I||R^^HL70394"])

    @staticmethod
    def check_response(answer, control_id, tag):
        """(QAK-2, problems) of an RSP^K11."""
        if answer is None:
            return "", ["connection closed without an answer"]
        message = mllp.Message(answer)
        msh, msa, qak = message.first("MSH"), message.first("MSA"), message.first("QAK")
        problems = structure_problems(message.names(), ["MSH", "MSA", "QAK", "QPD"])
        if field(msh, 9) != "RSP^K11^RSP_K11":
            problems.append(f"MSH-9 is {field(msh, 9)}")
        if field(msa, 1) != "AA" or field(msa, 2) != control_id:
            problems.append(f"MSA is {field(msa, 1)} for {field(msa, 2)}")
        if field(qak, 1) != tag or field(message.first("QPD"), 2) != tag:
            problems.append("the query tag is another")
        return field(qak, 2), problems

    # -- LAB-29 -----------------------------------------------------------------------------------------------

    def results(self, values, with_tube=True, control_id=None):
        """(control id, message): OUL^R22 of {AWOS: (value, unit)}, all of one tube; without it, the AWOS alone says whose."""
        control_id = control_id or "R" + uuid.uuid4().hex[:18]
        tube = next(self.steps[awos]["specimen"] for awos in values)
        lines = [self.header("OUL^R22^OUL_R22", "LAB-29", control_id),
                 f"SPM|1|{tube if with_tube else ''}||SER^Serum^HL70487|||||||P^^HL70369", f"SAC|||{tube if with_tube else ''}"]
        for n, (awos, (value, unit)) in enumerate(values.items(), 1):
            code = self.steps[awos]["code"]
            lines += [f"OBR|{n}|{awos}||{code}^{code}^L", f"ORC|SC||||CM||||{mllp.now()}",
                      f"OBX|1|NM|{code}^{code}^L|1|{value}|{unit}^^UCUM|||||F|||||OPERATOR||ANALYSER^LAW|{mllp.now()}"]
            self.steps[awos]["state"] = "done"
        return control_id, mllp.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--application", default="LAW1")
    parser.add_argument("--facility", default="LBM")
    options = parser.parse_args()
    analyser = Analyser((options.application, options.facility))
    print(json.dumps({"port": analyser.listen(options.port)}), flush=True)
    told = 0
    while True:
        time.sleep(0.2)
        if len(analyser.heard) > told:
            told = len(analyser.heard)
            print(json.dumps({"heard": told, "steps": analyser.steps, "unknown": analyser.unknown, "problems": analyser.problems}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
