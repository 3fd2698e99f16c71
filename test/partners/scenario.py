#!/usr/bin/python3
"""The people, sites and orders of the demonstration; prints them as JSON.

All invented, with test identities only (INS OID 1.2.250.1.213.1.4.10, right key). `orders` is the first round;
`order_after(n)` makes the n-th later one, always the same for the same n.
"""

import argparse
import datetime
import json
import random

import exams

INS_OID = "1.2.250.1.213.1.4.10"
IPP_OID = {"690000001": "1.2.250.1.99999.101", "690000002": "1.2.250.1.99999.102"}


def with_key(number):
    """The 13 characters of a test NIR with its key."""
    plain = number.replace("2A", "19").replace("2B", "18") if number[5:7] in ("2A", "2B") else number
    return number + f"{97 - int(plain) % 97:02d}"


ENTITIES = [
    {"finess_ej": "690000001", "name": "LABORATOIRE DES ALPES TEST", "kind": "town", "oid": "1.2.250.1.99999.1",
     "mail": "resultats@labo-alpes-test.mssante.fr", "reply_to": "secretariat@labo-alpes-test.mssante.fr",
     "certificates": "lab1"},
    {"finess_ej": "690000002", "name": "CENTRE HOSPITALIER TEST", "kind": "hospital", "oid": "1.2.250.1.99999.2",
     "mail": "resultats@ch-test.mssante.fr", "reply_to": "secretariat@ch-test.mssante.fr", "certificates": "lab2"},
]
SITES = [
    {"finess_et": "690000011", "finess_ej": "690000001", "name": "Site Centre",
     "street": "1 rue des Essais", "postcode": "69001", "city": "LYON", "phone": "+33400000011", "certificates": "site1"},
    {"finess_et": "690000012", "finess_ej": "690000001", "name": "Site Nord",
     "street": "22 avenue du Test", "postcode": "69004", "city": "LYON", "phone": "+33400000012", "certificates": "site2"},
    {"finess_et": "690000021", "finess_ej": "690000002", "name": "Laboratoire de biologie",
     "street": "3 place de l'Hôpital", "postcode": "69003", "city": "LYON", "phone": "+33400000021", "certificates": "site3"},
]
BIOLOGISTS = [
    {"rpps": "899900000017", "family": "BIOLOGISTE", "given": "CLAIRE", "profession": "10", "speciality": "SM03",
     "sites": ["690000011", "690000012"]},
    {"rpps": "899900000033", "family": "PHARMACIEN", "given": "HUGO", "profession": "21", "speciality": "G",
     "sites": ["690000021"]},
]
CORRESPONDENTS = [
    {"rpps": "899900000025", "family": "MEDECIN", "given": "PAUL", "title": "DR", "profession": "10", "speciality": "SM26",
     "mssante": "paul.medecin@medecin-test.mssante.fr"},
    {"rpps": "899900000041", "family": "CARDIOLOGUE", "given": "ANNE", "title": "DR", "profession": "10", "speciality": "SM04",
     "mssante": "anne.cardiologue@medecin-test.mssante.fr"},
    {"rpps": "899900000058", "family": "HOSPITALIER", "given": "MARC", "title": "DR", "profession": "10", "speciality": "SM26",
     "mssante": "marc.hospitalier@hopital-test.mssante.fr"},
    {"rpps": "899900000066", "family": "SANSBOITE", "given": "LUC", "title": "DR", "profession": "10", "speciality": "SM26",
     "mssante": ""},
]
PATIENTS = [
    {"ipp": "IPP0001", "ins": "279035121518989", "family": "PAT-TROIS", "given": "DOMINIQUE", "givens": "DOMINIQUE",
     "used_family": "", "birth": "19790328", "sex": "F", "birth_cog": "63220", "reliability": "VALI",
     "street": "28 Av de Breteuil", "postcode": "75007", "city": "PARIS"},
    {"ipp": "IPP0002", "ins": with_key("1620169123456"), "family": "PATBIO-DUBOIS", "given": "GERARD",
     "givens": "GERARD MARCEL", "used_family": "", "birth": "19620115", "sex": "M", "birth_cog": "69123",
     "reliability": "VALI", "street": "4 rue de l'Épreuve", "postcode": "69002", "city": "LYON"},
    {"ipp": "IPP0003", "ins": with_key("2850738185012"), "family": "PATBIO-D'ARC", "given": "HELENE",
     "givens": "HELENE ANNE MARIE", "used_family": "PATBIO-MARTIN", "birth": "19850722", "sex": "F", "birth_cog": "38185",
     "reliability": "PROV", "street": "17 chemin des Œillets", "postcode": "38000", "city": "GRENOBLE"},
    {"ipp": "IPP0004", "ins": with_key("154032A004033"), "family": "PATBIO-CASANOVA", "given": "ANGE",
     "givens": "ANGE TOUSSAINT", "used_family": "", "birth": "19540309", "sex": "M", "birth_cog": "2A004",
     "reliability": "VALI", "street": "9 cours du Test", "postcode": "20000", "city": "AJACCIO"},
    {"ipp": "IPP0005", "ins": with_key("2490942218077"), "family": "PATBIO-FERME", "given": "JEANNE",
     "givens": "JEANNE", "used_family": "", "birth": "19490930", "sex": "F", "birth_cog": "42218",
     "reliability": "VALI", "street": "2 impasse Close", "postcode": "42000", "city": "SAINT-ETIENNE"},
    {"ipp": "IPP0006", "ins": with_key("1910573065021"), "family": "PATBIO-SEUL", "given": "THEO",
     "givens": "THEO LOUIS", "used_family": "", "birth": "19910504", "sex": "M", "birth_cog": "73065",
     "reliability": "VALI", "street": "8 rue Isolée", "postcode": "73000", "city": "CHAMBERY"},
    {"ipp": "CH00007", "ins": with_key("2700101053044"), "family": "PATBIO-LIT", "given": "MARIE",
     "givens": "MARIE CLAUDE", "used_family": "", "birth": "19700117", "sex": "F", "birth_cog": "01053",
     "reliability": "VALI", "street": "5 rue du Séjour", "postcode": "01000", "city": "BOURG-EN-BRESSE"},
    {"ipp": "CH00008", "ins": with_key("1331126362009"), "family": "PATBIO-VIEUX", "given": "EMILE",
     "givens": "EMILE", "used_family": "", "birth": "19331102", "sex": "M", "birth_cog": "26362",
     "reliability": "VALI", "street": "11 rue du Parc", "postcode": "26000", "city": "VALENCE"},
]
CLOSED_DMP = ["IPP0005"]
SAMPLE = {"SER": "1", "BLD": "2", "PLAS": "3", "UR": "4"}


def address_of(patient):
    return patient["ins"] + "@patient.mssante.fr"


def mailboxes():
    """Every mailbox of the demonstration: laboratories, correspondents, patients."""
    boxes = []
    for entity in ENTITIES:
        boxes += [entity["mail"], entity["reply_to"]]
    boxes += [c["mssante"] for c in CORRESPONDENTS if c["mssante"]]
    boxes += [address_of(p) for p in PATIENTS]
    return [{"address": a, "password": "secret-" + a.split("@")[0]} for a in boxes]


def site_of(finess):
    return next(s for s in SITES if s["finess_et"] == finess)


def patient_of(ipp):
    return next(p for p in PATIENTS if p["ipp"] == ipp)


def correspondent_of(rpps):
    return next(c for c in CORRESPONDENTS if c["rpps"] == rpps)


def order(number, site, ipp, prescriber, copies, examinations, values, when, patient_class="N", visit="", expected=None):
    """One prescription. `values` maps each elementary code to what the analyser will find."""
    patient = patient_of(ipp)
    samples = {}
    for code in examinations:
        samples.setdefault(exams.SPECIMEN[code], f"{number}{SAMPLE[exams.SPECIMEN[code]]}")
    return {
        "number": number, "site": site, "finess_ej": site_of(site)["finess_ej"], "patient": patient,
        "prescriber": correspondent_of(prescriber), "copies": [correspondent_of(c) for c in copies],
        "examinations": examinations, "specimens": samples, "values": values, "patient_class": patient_class, "visit": visit,
        "collected_at": when.strftime("%Y%m%d%H%M%S%z"), "collector": {"rpps": "", "family": "INFIRMIERE", "given": "LEA"},
        "expected": expected or {},
    }


def first_round(now=None):
    """The orders of the demonstration, with the state in which each letter must end."""
    now = now or datetime.datetime.now().astimezone()
    ago = lambda minutes: now - datetime.timedelta(minutes=minutes)
    accepted = {"dmp": "accepted", "patient": "accepted", "correspondents": "accepted"}
    return [
        order("2600001", "690000011", "IPP0001", "899900000025", ["899900000041"],
              ["NA", "K", "CL", "GLU", "CREA", "UREE", "CRP", "NFS"],
              {"NA": "140", "K": "4.2", "CL": "103", "GLU": "7.35", "CREA": "68", "UREE": "5.1", "CRP": "12.4", "GB": "11.20",
               "GR": "4.61", "HB": "13.4", "HT": "40.2", "VGM": "87.2", "PLQ": "265"}, ago(190), expected=accepted),
        order("2600002", "690000011", "IPP0002", "899900000025", [], ["CHOL", "ALAT", "ASAT", "AGHBS", "ASPU"],
              {"CHOL": "2.31", "ALAT": "28", "ASAT": "24", "AGHBS": "NEG", "ASPU": "Urines claires, jaune pâle, sans dépôt."},
              ago(160), expected=accepted),
        order("2600003", "690000012", "IPP0003", "899900000025", ["899900000041"], ["GLU", "NFS"],
              {"GLU": "4.80", "GB": "6.10", "GR": "4.20", "HB": "10.9", "HT": "33.5", "VGM": "79.8", "PLQ": "141"}, ago(150),
              expected={"dmp": "blocked", "patient": "blocked", "correspondents": "accepted"}),
        order("2600004", "690000012", "IPP0004", "899900000041", [], ["INR", "TP"], {"INR": "2.45", "TP": "31"}, ago(120),
              expected=accepted),
        order("2600005", "690000012", "IPP0005", "899900000025", [], ["CREA", "UREE"], {"CREA": "112", "UREE": "9.4"}, ago(100),
              expected={"dmp": "not_applicable", "patient": "accepted", "correspondents": "accepted"}),
        order("2600006", "690000011", "IPP0006", "899900000066", [], ["NFS"],
              {"GB": "7.80", "GR": "5.10", "HB": "15.2", "HT": "45.0", "VGM": "88.2", "PLQ": "231"}, ago(95),
              expected={"dmp": "accepted", "patient": "accepted", "correspondents": "blocked"}),
        order("2600007", "690000021", "CH00007", "899900000058", [], ["NA", "K", "CREA", "CRP", "NFS", "INR"],
              {"NA": "131", "K": "5.6", "CREA": "97", "CRP": "154.0", "GB": "18.40", "GR": "3.55", "HB": "10.2", "HT": "31.0",
               "VGM": "87.3", "PLQ": "98", "INR": "1.12"}, ago(60), "I", "V260007", {**accepted, "dpi": "accepted"}),
        order("2600008", "690000021", "CH00008", "899900000058", ["899900000025"], ["GLU", "UREE", "AGHBS"],
              {"GLU": "5.10", "UREE": "6.3", "AGHBS": "POS"}, ago(45), "I", "V260008", {**accepted, "dpi": "accepted"}),
    ]


def draw(generator, code, sex):
    """A plausible value: mostly inside the range, sometimes above or below."""
    if exams.KIND[code] == "coded":
        return generator.choices(["NEG", "POS"], [95, 5])[0]
    if exams.KIND[code] == "text":
        return generator.choice(["Urines claires.", "Urines légèrement troubles.", "Urines claires, jaune pâle."])
    low, high = exams.range_of(code, sex)
    low = 0 if low is None else low
    value = generator.gauss((low + high) / 2, (high - low) / 3.2)
    return f"{max(value, low / 3):.{exams.DECIMALS[code]}f}"


def order_after(n, now=None):
    """The n-th order of the living demonstration (n from 1)."""
    generator = random.Random(n)
    now = now or datetime.datetime.now().astimezone()
    site = generator.choice(SITES)
    hospital = site["finess_ej"] == "690000002"
    patient = generator.choice([p for p in PATIENTS if p["ipp"].startswith("CH") == hospital])
    wanted = generator.choice([["NA", "K", "CL", "CREA", "UREE"], ["NFS", "CRP"], ["GLU", "CHOL", "ALAT", "ASAT"],
                               ["INR", "TP"], ["NFS", "NA", "K", "CREA", "CRP"], ["AGHBS", "ALAT", "ASAT"]])
    values = {c: draw(generator, c, patient["sex"]) for e in wanted for c in exams.components(e)}
    prescriber = "899900000058" if hospital else generator.choice(["899900000025", "899900000041"])
    return order(f"27{n:05d}", site["finess_et"], patient["ipp"], prescriber, [], wanted, values,
                 now - datetime.timedelta(minutes=40), "I" if hospital else "N", f"V27{n:05d}" if hospital else "")


def everything():
    return {"entities": ENTITIES, "sites": SITES, "biologists": BIOLOGISTS, "correspondents": CORRESPONDENTS,
            "patients": PATIENTS, "mailboxes": mailboxes(), "ins_oid": INS_OID, "ipp_oid": IPP_OID,
            "closed_dmp": [patient_of(i)["ins"] for i in CLOSED_DMP], "orders": first_round()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", help="only one part: orders, mailboxes, sites...")
    parser.add_argument("--order", type=int, metavar="N", help="the n-th later order alone")
    options = parser.parse_args()
    value = order_after(options.order) if options.order else everything()
    if options.part:
        value = value[options.part]
    print(json.dumps(value, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
