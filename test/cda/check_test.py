#!/usr/bin/env python3
"""`sgld check`: verdicts on the official examples (those that are wrong are listed here with the reason), on our golden
documents, on XDM archives, on hostile files; its exit codes and its JSON."""
import base64
import datetime
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from xml.etree import ElementTree

SGLD = os.environ["SGLD"]
SHARED = os.environ.get("SGL_SHARED", "../shared")
EXAMPLES = SHARED + "/ans/examples/"
HL7 = SHARED + "/hl7/ans-examples/"
GOLDEN = ["test/golden/cr_bio_rich/cr_bio.xml", "test/golden/cr_bio_without_ins/cr_bio.xml", "test/golden/cr_bio_sparse/cr_bio.xml"]

# Official examples that the official rules accept.
RIGHT = [EXAMPLES + "BIO-CR-BIO_2021.01_Auto-Presentable.xml", EXAMPLES + "BIO-CR-BIO_2021.01_CDA-R2-Niveau-1.xml",
         EXAMPLES + "BIO-CR-BIO_2021.01_Microbiologie_V1.xml"]
# Official examples that are wrong: exactly these errors, each with the reason.
WRONG = {
    HL7 + "v2.1-segur2-oru-bio-init-n3.cda.xml": {
        "a family name of the patient is qualified BR or CL",  # SP, abandoned in 2023: the official header rules reject it too
        "the pointer leads nowhere",  # #Polynucleaires-neutrophiles and #doc1 are not in the narrative
    },
    # The N3 inside the message of the replacement example.
    "rplc": {
        "a family name of the patient is qualified BR or CL",  # SP
        "a structured CR-BIO declares 1.2.250.1.213.1.1.1.55, with 2023.01 or 2024.01 after 2021.01",  # none declared
        "a version after the first names the document it replaces",  # version 2 without relatedDocument
        "a performing laboratory has identifier, name, telecom, address and practice setting",  # official ModelesDeContenusCDA
        "the type of specimen is of another code system",  # BLD and UR of 5.129; the value set has them in 18.311
        "the pointer leads nowhere",
    },
}
failures = []


def sgld(*arguments, stdin=None):
    done = subprocess.run([SGLD, *arguments], capture_output=True, input=stdin or b"", check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def expect(holds, what):
    if not holds:
        failures.append(what)


def check(*arguments):
    code, out, err = sgld("check", "--json", *arguments)
    return code, [json.loads(line) for line in out.splitlines()], err


def errors(answer):
    return {f["what"] for f in answer["findings"] if f["severity"] == "error"}


def official(folder):
    if not os.path.exists(RIGHT[0]):
        print(f"SKIPPED: the official examples, nothing in {SHARED}")
        expect(os.environ.get("CI") != "true", "CI has no official examples")
        return
    for name in RIGHT:
        code, answers, _ = check(name)
        expect(code == 0 and answers[0]["accepted"], f"{name}: {errors(answers[0])}")
        code, _, _ = check("--production", name)
        expect(code == 1, f"{name}: a test INS in production is accepted")
        code, _, _ = check("--ours", name)
        expect(code == 1, f"{name}: taken for one of ours")
    message = open(HL7 + "v2.1-oru-bio-rplc-n1n3.er7", "rb").read()
    inside = [base64.b64decode(m.group(0)) for m in re.finditer(rb"[A-Za-z0-9+/]{2000,}={0,2}", message)]
    wrong = dict(WRONG)
    wrong[os.path.join(folder, "rplc.xml")] = wrong.pop("rplc")
    with open(os.path.join(folder, "rplc.xml"), "wb") as file:
        file.write(next(each for each in inside if b"structuredBody" in each))
    for name, reasons in wrong.items():
        code, answers, _ = check(name)
        expect(code == 1, f"{name}: accepted")
        expect(errors(answers[0]) == reasons, f"{name}: {errors(answers[0]) ^ reasons}")


def ours(folder):
    for name in GOLDEN:
        code, answers, _ = check("--ours", name)
        expect(code == 0 and answers[0]["accepted"] and answers[0]["ours"], f"{name}: {errors(answers[0])}")
    code, answers, _ = check(*GOLDEN)
    expect(code == 0 and len(answers) == 3, "three documents, three answers")
    code, out, _ = sgld("check", GOLDEN[0])
    expect(code == 0 and "accepté" in out and "CR-BIO 2024.01, N3" in out, out)
    text = open(GOLDEN[0], "rb").read().decode()
    bad = os.path.join(folder, "bad.xml")
    with open(bad, "w", encoding="utf-8") as file:
        file.write(text.replace('extension="279035121518989"', 'extension="279035121518988"', 1))
    code, out, _ = sgld("check", bad)
    expect(code == 1 and "REFUSÉ" in out and "/ClinicalDocument/recordTarget/patientRole/id" in out
           and "INS" in out and "control key" in out, out)
    expect("279035121518988" not in out and "PAT-TROIS" not in out, "the report shows data of the patient")
    # Inside a signature; a document on standard input.
    body = text[text.index("<ClinicalDocument"):]
    signed = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Object>' + body + "</ds:Object></ds:Signature>"
    code, out, _ = sgld("check", "-", stdin=signed.encode())
    expect(code == 0 and "signature (non vérifiée)" in out, out)


def ring3(folder):
    """The official kit, run by the program itself."""
    kit = SHARED + "/ans"
    if not os.path.exists(kit + "/schematrons"):
        print(f"SKIPPED: the official rules, nothing in {SHARED}")
        expect(os.environ.get("CI") != "true", "CI has no official rules")
        return
    official = ("--ring", "3", "--kit", kit)
    code, answers, err = check(*official, *GOLDEN, *RIGHT)
    expect(code == 0 and len(answers) == 6, f"{err} {[errors(a) for a in answers]}")
    for answer in answers:
        level1 = answer["kind"].endswith("N1")
        expect(answer["ring"] == 3 and len(answer["ran"]) == (3 if level1 else 4), f"{answer['ran']}")
        expect(any("StructurationMinimale" in each for each in answer["not_run"]), "what was not run is said")
    text = open(GOLDEN[0], "rb").read().decode()
    bad = os.path.join(folder, "official.xml")
    with open(bad, "w", encoding="utf-8") as file:
        file.write(text.replace("2.16.840.1.113883.5.83", "2.16.840.1.113883.5.84"))
    code, answers, _ = check(*official, bad)
    found = [f for f in answers[0]["findings"] if f["part"] == "official"]
    expect(code == 1 and found and all(f["family"] and f["pattern"] and f["where"].startswith("/ClinicalDocument") for f in found), f"{found}")
    code, out, _ = sgld("check", *official, bad)
    expect(code == 1 and "règles officielles, CR-BIO 2024.01" in out and "NON appliquées" in out and "PAT-TROIS" not in out, out)
    # The same finding, declared a defect of the kit.
    defects = os.path.join(folder, "defects.toml")
    with open(defects, "w", encoding="utf-8") as file:
        for pattern in {f["pattern"] for f in found}:
            file.write(f'[[defect]]\npattern = "{pattern}"\nreason = "a test"\n')
    code, answers, _ = check(*official, "--kit-defects", defects, bad)
    expect(not [f for f in answers[0]["findings"] if f["part"] == "official"] and len(answers[0]["of_the_kit"]) == len(found), f"{answers}")
    code, _, err = sgld("check", *official, "--kit-defects", os.path.join(folder, "absent.toml"), bad)
    expect(code == 2 and "can't be read" in err, err)
    code, answers, _ = check(*official, "-")  # empty
    expect(code == 1 and not answers[0]["accepted"], "an empty document")


def metadata(*files):
    """METADATA.XML (spec/mssante.md 4.2) of (name, bytes): what is said of the CDA is read from its header."""
    header = ElementTree.fromstring(open(GOLDEN[0], "rb").read())
    hl7 = "{urn:hl7-org:v3}"
    ins = header.find(f"{hl7}recordTarget/{hl7}patientRole/{hl7}id")
    patient = f'{ins.get("extension")}^^^&amp;{ins.get("root")}&amp;ISO^NH'
    local = datetime.datetime.strptime(header.find(hl7 + "effectiveTime").get("value"), "%Y%m%d%H%M%S%z")
    created = local.astimezone(datetime.timezone.utc).strftime("%Y%m%d%H%M%S")
    slot = lambda name, value: f'<r:Slot name="{name}"><r:ValueList><r:Value>{value}</r:Value></r:ValueList></r:Slot>'
    external = lambda scheme, value: f'<r:ExternalIdentifier identificationScheme="urn:uuid:{scheme}" value="{value}"/>'
    objects = (f'<r:RegistryPackage id="set">{slot("submissionTime", created)}'
               '<r:Classification classificationScheme="urn:uuid:aa543740-bdda-424e-8c96-df4873be8500" nodeRepresentation="26"/>'
               + external("6b5aea1a-874d-4603-a4bc-96a0a7b38446", patient) + external("554ac39e-e3fe-47fe-b233-965d2a147832", "1.2")
               + external("96fdda7c-d067-4183-912e-bf5ee74998a8", "1.2.3") + "</r:RegistryPackage>"
               '<r:Classification classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd" classifiedObject="set"/>')
    for number, (name, content) in enumerate(files):
        objects += (f'<r:ExtrinsicObject id="d{number}" mimeType="text/xml" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">'
                    + slot("creationTime", created) + slot("hash", hashlib.sha1(content).hexdigest().upper()) + slot("languageCode", "fr-FR")
                    + slot("size", len(content)) + slot("URI", name)
                    + '<r:Classification classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983" nodeRepresentation="11502-2">'
                    + slot("codingScheme", "2.16.840.1.113883.6.1") + "</r:Classification>"
                    + external("58a6f841-87b3-4a3e-92fd-a8ffeff98427", patient)
                    + external("2e82c1f6-a085-4c72-9da3-8640a32e42ab", header.find(hl7 + "id").get("root")) + "</r:ExtrinsicObject>"
                    '<r:Association associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" sourceObject="set" '
                    f'targetObject="d{number}"/>')
    return ('<l:SubmitObjectsRequest xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
            f"<r:RegistryObjectList>{objects}</r:RegistryObjectList></l:SubmitObjectsRequest>").encode()


def archives(folder):
    document = open(GOLDEN[0], "rb").read()
    both = [("DOC0001.XML", document), ("DOC0002.PDF", b"%PDF-")]

    def made(members):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)
        path = os.path.join(folder, "some.zip")
        with open(path, "wb") as file:
            file.write(buffer.getvalue())
        return path

    code, answers, _ = check("--ours", made([("INDEX.HTM", "x"), ("IHE_XDM/SUBSET01/METADATA.XML", metadata(*both)),
                                             ("IHE_XDM/SUBSET01/DOC0001.XML", document),
                                             ("IHE_XDM/SUBSET01/DOC0002.PDF", "%PDF-")]))
    expect(code == 0 and [a["member"] for a in answers] == ["IHE_XDM/SUBSET01/DOC0001.XML"], f"{answers}")
    named = [("A.XML", document), ("B.XML", b"<b/>")]
    code, answers, _ = check(made([("IHE_XDM/SUBSET01/METADATA.XML", metadata(*named))] + [("IHE_XDM/SUBSET01/" + n, c) for n, c in named]))
    expect(code == 1 and [a["accepted"] for a in answers] == [True, False], f"one of two is wrong: {answers}")
    # The metadata of another document, and none at all.
    code, answers, _ = check(made([("IHE_XDM/SUBSET01/METADATA.XML", metadata(("DOC0001.XML", document + b" "))),
                                   ("IHE_XDM/SUBSET01/DOC0001.XML", document)]))
    expect(code == 1 and [a["accepted"] for a in answers] == [False, True], f"{answers}")
    expect({f["what"] for f in answers[0]["findings"]} == {"the hash is not that of the file", "the size is not that of the file"}
           and all(f["where"].startswith("IHE_XDM/SUBSET01/METADATA.XML/SubmitObjectsRequest/") for f in answers[0]["findings"]), f"{answers[0]}")
    code, answers, _ = check(made([("IHE_XDM/SUBSET01/DOC0001.XML", document)]))
    expect(code == 1 and "no METADATA.XML" in str(answers[0]), f"{answers}")
    for members, expected in (([("INDEX.HTM", "x")], "no CDA document"), ([("../x", "x")], "leads elsewhere"),
                              ([("a.xml", " " * 30_000_000)], "inflates too much"),
                              ([("a.zip", open(made([("b", "x")]), "rb").read())], "inside the archive")):
        code, answers, _ = check(made(members))
        expect(code == 1 and expected in str(answers), f"{expected}: {answers}")
    with open(os.path.join(folder, "cut.zip"), "wb") as file:
        file.write(open(made([("a", "x")]), "rb").read()[:-8])
    code, answers, _ = check(os.path.join(folder, "cut.zip"))
    expect(code == 1 and "no zip archive" in str(answers), f"{answers}")


def usage(folder):
    expect(sgld("check")[0] == 2, "check without file")
    code, _, err = sgld("-c", os.path.join(folder, "absent.toml"), "check", "--ring", "3", GOLDEN[0])
    expect(code == 2 and "--kit FOLDER" in err, err)
    code, _, err = sgld("check", "--ring", "3", "--kit", folder, GOLDEN[0])
    expect(code == 2 and "IHE.sch" in err, err)
    expect(sgld("check", "--ring", "4", GOLDEN[0])[0] == 2, "there is no ring 4")
    code, _, err = sgld("check", os.path.join(folder, "absent.xml"))
    expect(code == 1 and "can't be read" in err, err)
    code, answers, _ = check("-")  # empty
    expect(code == 1 and not answers[0]["accepted"], "an empty document")


with tempfile.TemporaryDirectory() as temporary:
    official(temporary)
    ours(temporary)
    ring3(temporary)
    archives(temporary)
    usage(temporary)
print("\n".join(failures) or "sgld check: all verdicts as expected")
sys.exit(1 if failures else 0)
