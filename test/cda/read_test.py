#!/usr/bin/env python3
"""`sgld cda read` loses nothing: every attribute and every text of the official examples and of our golden documents is found
in its JSON (this reader of XML is Python's, so one misunderstanding can't live on both sides). Hostile files are refused."""
import glob
import hashlib
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

SGLD = os.environ["SGLD"]
SHARED = os.environ.get("SGL_SHARED", "../shared")
CDA = "{urn:hl7-org:v3}"
# What the place in the tree says, or what repeats a code.
STRUCTURE = {"classCode", "moodCode", "determinerCode", "contextControlCode", "contextConductionInd", "typeCode",
             "codeSystemName", "codeSystemVersion", "{http://www.w3.org/2001/XMLSchema-instance}type",
             "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"}


def strings(value, out):
    if isinstance(value, dict):
        for each in value.values():
            strings(each, out)
    elif isinstance(value, list):
        for each in value:
            strings(each, out)
    elif isinstance(value, str):
        out.add(value)
        out.update(value.split("\n"))
    elif isinstance(value, bool):
        out.add("true" if value else "false")
    return out


def plain(text):
    return re.sub(r"[\s|/]+", " ", text).strip()


def lost(root, said, words):
    """What stands in the document and not in the JSON."""
    missing = []

    def walk(element, path, narrative):
        name = element.tag.replace(CDA, "")
        here = path + "/" + name
        narrative = narrative or (name == "text" and path.endswith("/section"))
        if not narrative and name != "templateId":
            for key, value in element.attrib.items():
                if key in STRUCTURE or value in said:
                    continue
                if key == "value" and name == "reference" and value.lstrip("#") in said:
                    continue
                if name in ("reference",):
                    continue  # what it points to is said
                if name == "code" and value in ("48767-8", "SPRECEIVE", "2.16.840.1.113883.6.1", "LOINC", "Commentaire",
                                                "1.3.5.1.4.1.19376.1.5.3.2", "completed") or key == "displayName" and \
                        value.startswith(("Commentaire", "Echantillon", "Échantillon", "Specimen")):
                    continue  # the model's field says it
                if name == "statusCode" and path.endswith("/act"):
                    continue
                missing.append(f"{here}/@{key}={value[:60]}")
        for text in [element.text or ""] + [child.tail or "" for child in element]:
            text = plain(text)
            if not text or text in words:
                continue
            if element.attrib.get("representation") == "B64":
                continue  # its hash is compared
            missing.append(f"{here}: {text[:60]}")
        for child in element:
            walk(child, here, narrative)

    walk(root, "", False)
    return missing


def read(name):
    done = subprocess.run([SGLD, "cda", "read", name], capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def hostile(failures):
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    start = b'<ClinicalDocument xmlns="urn:hl7-org:v3">'
    end = b"</ClinicalDocument>"
    section = b"<component><structuredBody><component><section><text>%s</text></section></component></structuredBody></component>"
    cases = {
        "dtd": (head + b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + start + b"&e;" + end, "DOCTYPE"),
        "bomb": (head + b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>' + start + b"&b;" + end, "DOCTYPE"),
        "entity": (head + start + b"&e;" + end, "well-formed"),
        "deep": (head + start + b"<a>" * 1_000_000, "too deeply"),
        "wide": (head + start + b"<a/>" * 200_001 + end, "too many elements"),
        "large": (head + start + b" " * (20 * 1024 * 1024) + end, "too large"),
        "script": (head + start + section % b"<script>alert(1)</script>" + end, "active content"),
        "html": (head + start + section % b'<x:iframe xmlns:x="http://www.w3.org/1999/xhtml" src="http://x"/>' + end,
                 "active content"),
        "handler": (head + start + section % b'<content onclick="x()">a</content>' + end, "handler"),
        "link": (head + start + section % b'<linkHtml href=" java&#10;script:x()">a</linkHtml>' + end, "runs code"),
        "encoding": (b'<?xml version="1.0" encoding="UTF-7"?>' + start + end, "encoding"),
        "bytes": (head + start + b"\xff" + end, "UTF-8"),
        "other": (head + b"<html/>", "not a ClinicalDocument"),
        "empty": (b"", "well-formed"),
        "cut": (head + start, "well-formed"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, (content, expected) in cases.items():
            path = os.path.join(folder, name + ".xml")
            with open(path, "wb") as file:
                file.write(content)
            code, out, err = read(path)
            if code != 1 or out or expected not in err:
                failures.append(f"hostile {name}: {code} {out[:100]} {err[:300]}")


def main():
    failures = []
    hostile(failures)
    names = sorted(glob.glob("test/golden/cr_bio_*/cr_bio.xml"))
    official = sorted(glob.glob(SHARED + "/ans/examples/*.xml") + glob.glob(SHARED + "/hl7/ans-examples/*.cda.xml"))
    if not official:
        print(f"SKIPPED: the official examples, nothing in {SHARED}")
        if os.environ.get("CI") == "true":
            failures.append("CI has no official examples")
    for name in names + official + sys.argv[1:]:
        code, out, err = read(name)
        if code != 0:
            failures.append(f"{name}: {err}")
            continue
        document = json.loads(out)
        said = strings(document, set())
        words = plain(" ".join(sorted(said, key=len)))
        root = tree.parse(name).getroot()
        if root.tag != CDA + "ClinicalDocument":
            root = root.find(".//" + CDA + "ClinicalDocument")
        failures += [f"{name}: lost {each}" for each in lost(root, said, words)]
        media = [e for e in root.iter() if e.attrib.get("representation") == "B64"]
        hashes = {hashlib.sha256(base64.b64decode("".join((e.text or "").split()))).hexdigest() for e in media}
        if hashes != {f["sha256"] for f in document.get("files", [])}:
            failures.append(f"{name}: the files inside differ")
        if document.get("rest"):
            failures.append(f"{name}: not understood: {document['rest'][:5]}")
    print(f"{len(names + official)} documents read, nothing lost" if not failures else "\n".join(failures))
    return 1 if failures else 0


sys.exit(main())
