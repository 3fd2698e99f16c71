"""A hospital that requests examinations and hears what becomes of them (IHE LTW LAB-2): takes OML^O21 of the laboratory, gives
its own numbers for what was added (NA) and says OK to what was cancelled. Stricter than real ones: whatever deviates is a problem.
"""

import threading
import uuid

import mllp
from law import structure_problems
from mllp import component, field

STRUCTURE = ["MSH", "PID", "PV1", "(ORC", "TQ1", "OBR", "SPM?)"]


class Requester(mllp.Listener):
    """placers: the numbers of its own that it ordered by."""

    def __init__(self, placers, processing_id="T"):
        super().__init__()
        self.placers, self.processing_id = set(placers), processing_id
        self.given = {}         # the laboratory's number of what it added: ours
        self.ended = {}         # our number of what is not done: why
        self.heard, self.problems = [], []
        self.silent = 0         # so many messages are read and not answered: the connection is closed instead
        self.lock = threading.Lock()

    def take(self, block):
        with self.lock:
            self.heard.append(block)
            if self.silent:
                self.silent -= 1
                return None
            message = mllp.Message(block)
            problems = self.check(message)
            lines = [] if problems else [self.line(orc) for orc in message.all("ORC")]
            self.problems += problems
            code = "AE" if problems else "AA"
            head = ["|".join(["MSH", "^~\\&", "GAP", "HOPITAL", "SGLD", "LBM", mllp.now(), "", "ORL^O22^ORL_O22", uuid.uuid4().hex[:20],
                              self.processing_id, "2.5", "", "", "", "", "", "UNICODE UTF-8"]),
                    f"MSA|{code}|{field(message.first('MSH'), 10)}"]
            if problems:
                head.append(f"ERR||ORC^1|207^Application error^HL70357|E||||{problems[0]}")
            return mllp.join(head + lines)

    def line(self, orc):
        ours, theirs = component(field(orc, 2), 1), component(field(orc, 3), 1)
        if field(orc, 1) == "SN":
            number = self.given.setdefault(theirs, f"GAP-{len(self.given) + 1}")
            return f"ORC|NA|{number}|{theirs}"
        self.ended[ours] = component(field(orc, 16), 2)
        return f"ORC|OK|{ours}|{theirs}"

    def check(self, message):
        msh = message.first("MSH")
        problems = [f"MSH-{n} is {field(msh, n)}" for n, value in
                    {9: "OML^O21^OML_O21", 11: self.processing_id}.items() if field(msh, n) != value]
        problems += [f"MSH-{n} is empty" for n in (3, 4, 7, 10, 18) if not field(msh, n)]
        problems += structure_problems(message.names(), STRUCTURE)
        for orc, obr in zip(message.all("ORC"), message.all("OBR")):
            control, ours, theirs = field(orc, 1), component(field(orc, 2), 1), component(field(orc, 3), 1)
            problems += [f"ORC-{n} and OBR-{n} differ" for n in (2, 3) if field(orc, n) != field(obr, n)]
            if not theirs:
                problems.append("no number of the laboratory")
            if not component(field(obr, 4), 1) or not component(field(obr, 4), 2):
                problems.append("OBR-4 without code and text")
            if control == "SN" and (ours or field(orc, 5) != "SC"):
                problems.append("SN with a number of ours, or not scheduled")
            elif control == "OC" and (ours not in self.placers or field(orc, 5) != "CA" or field(obr, 25) != "X"):
                problems.append(f"OC of {ours or 'nothing'}: not ours, or not cancelled")
            elif control not in ("SN", "OC"):
                problems.append(f"ORC-1 is {control}")
        return problems
