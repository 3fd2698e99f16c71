"""What the laboratory's specification asks for as answer to a message (hl7v2-lab 3.1 to 3.4), written from its tables and not
from sgld. Messages are read by the reference reading that comes with the corpus, or by the few lines below.
"""

import hashlib
import re

# What this version of sgld takes (hl7v2-lab 3.3: the rest is AR). Types and events of section 1.
RESULTS = {("ORU", "R01"), ("ORU", "R30"), ("ORU", "R31"), ("ORU", "R32"), ("OUL", "R22"), ("OUL", "R23"), ("OUL", "R24")}
ORDERS = {("OML", "O21"), ("OML", "O33"), ("OML", "O35"), ("ORM", "O01")}
# Table 0155.
WHEN = {"AL": lambda good: True, "NE": lambda good: False, "ER": lambda good: not good, "SU": lambda good: good}
# Messages that bring something of their own, even when somebody put an MSA into them.
OWN = {"ORU", "OUL", "OML", "ORM", "ADT", "MDM", "SSU", "QBP", "QCN", "VXU", "BAR", "DFT"}


class Header:
    """MSH of one message and what segments follow; fields of the first repetition, components by number."""

    def __init__(self, fields, segments, control_id=None):
        self._fields = fields       # {number: raw text}
        self.segments = segments    # names, in order
        self.control_id = self.raw(10) if control_id is None else control_id

    def raw(self, number):
        return self._fields.get(number, "")

    def component(self, number, which=1):
        parts = self.raw(number).split("~")[0].split(self.separator)
        return parts[which - 1] if len(parts) >= which else ""

    @property
    def separator(self):
        return (self.raw(2) or "^")[0]


def from_reference(message):
    """A Header of one entry of `messages` in the corpus' expected JSON."""
    encoding = message["separators"]
    fields = {1: encoding["field"]}
    for number, field in enumerate(message["segments"][0]["fields"], 1):
        if number == 2:
            fields[2] = field[0][0][0]
        elif number > 2:
            fields[number] = (encoding["repetition"] or "~").join(
                (encoding["component"] or "^").join((encoding["subcomponent"] or "&").join(c) for c in r) for r in field)
    return Header(fields, [s["id"] for s in message["segments"]], message["control_id"])


def outcome(header, processing_id="P", order_source=False):
    """AA, AE or AR: what becomes of the message on a link that takes this MSH-11 (3.3, 3.5)."""
    kind, event = header.component(9, 1), header.component(9, 2)
    if is_answer(header):
        return "AA"         # an acknowledgement is no request: kept, and answered in its accept part alone
    if not kind:
        return "AE"
    if not header.component(12).startswith("2."):
        return "AR"
    processing = header.component(11)
    if processing and processing != processing_id and not (processing == "Q" and kind == "ORU"):
        return "AR"
    if (kind, event) in ORDERS:
        return "AA" if order_source else "AR"
    if (kind, event) not in RESULTS:
        return "AR"
    if header.raw(14).strip():
        return "AA"         # a part of a report: kept for a person
    # A result wants OBR and OBX (3.3).
    return "AA" if "OBR" in header.segments and "OBX" in header.segments else "AE"


def is_answer(header):
    return "MSA" in header.segments and header.component(9) not in OWN


def decide(header, result):
    """(code said at once or None, code of a message of its own later or None): decision table 3.2."""
    accept, application = header.raw(15).strip(), header.raw(16).strip()
    good = result == "AA"
    outside = [v for v in (accept, application) if v and v not in WHEN]
    if (not accept and not application) or outside:
        return (None, None) if is_answer(header) else (result, None)
    accept, application = accept or "NE", application or "NE"
    wants_application = WHEN[application](good) and not is_answer(header)
    if accept == "NE":
        return (result if wants_application else None), None
    said = "C" + result[1] if WHEN[accept](good) else None
    return said, (result if wants_application else None)


# -- bytes ------------------------------------------------------------------------------------------------------

def blocks_of(stream):
    """The complete MLLP blocks of a stream (2.1): from VT to FS; a VT inside starts anew; blank blocks are nothing."""
    blocks, inside = [], None
    for byte in stream:
        if byte == 0x0B:
            inside = bytearray()
        elif byte == 0x1C and inside is not None:
            if bytes(inside).strip(b" \t\r\n"):
                blocks.append(bytes(inside))
            inside = None
        elif inside is not None:
            inside.append(byte)
    return blocks


ENVELOPE = re.compile(rb"(?:^|(?<=[\r\n]))[ \t]*(MSH|FHS|BHS|BTS|FTS)(?=[^A-Za-z0-9 \r\n]|[\r\n]|$)")


def messages_of(block):
    """What sgld has to keep of a block: the block itself, or each message of a batch (3.7)."""
    marks = [(m.start(), m.group(1)) for m in ENVELOPE.finditer(block)]
    names = [name for _, name in marks]
    if names.count(b"MSH") <= 1 and not {b"FHS", b"BHS"} & set(names):
        return [block]
    ends = [at for at, _ in marks[1:]] + [len(block)]
    return [block[at:end] for (at, name), end in zip(marks, ends) if name == b"MSH"]


def content(message):
    """From MSH to the last CR: two messages with the same content and key are one (2.5). What follows that CR and is not
    blank is the end of the message all the same."""
    first, last = max(message.find(b"MSH"), 0), message.rfind(b"\r")
    ends = last >= first and not message[last:].strip(bytes(range(33)))
    return message[first:last + 1] if ends else message[first:]


def lawful(data):
    """The bytes as they may be kept: without race, religion and ethnic group, PID-10, 17 and 22 (hl7v2-lab 9.2)."""
    start = data.find(b"MSH")
    if start < 0 or start + 3 >= len(data):
        return data
    separator = data[start + 3:start + 4]

    def segment(text):
        if not re.match(rb"PID" + re.escape(separator), text.lstrip(b" \t")):
            return text
        fields = text.split(separator)
        return separator.join(b"" if n in (10, 17, 22) else field for n, field in enumerate(fields))
    return data[:start] + b"".join(segment(part) for part in re.split(rb"([\r\n])", data[start:]))


def sha256(data):
    """Of what is kept of a message."""
    return hashlib.sha256(lawful(data)).hexdigest()
