#!/usr/bin/python3
"""The local examination codes that the demonstration's partners use; prints EXAMS.md.

LOINC codes are those of the French laboratory circuit list, or (source "LOINC") widely known ones whose check
digit is right; labels, decimals and ranges are ours, for tests only.
"""

import argparse

CHAPTERS = {"18719-5": "Biochimie", "18723-7": "Hématologie", "18720-3": "Hémostase, coagulation",
            "92893-7": "Sérologie virale", "18725-2": "Microbiologie"}

# code, LOINC, label, chapter, UCUM unit, decimals, (low, high) or {sex: (low, high)}, specimen, source
NUMERIC = [
    ("NA", "2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "18719-5", "mmol/L", 0, (136, 145), "SER", "LOINC"),
    ("K", "2823-3", "Potassium [Moles/Volume] Sérum/Plasma ; Numérique", "18719-5", "mmol/L", 1, (3.5, 5.1), "SER", "LOINC"),
    ("CL", "2075-0", "Chlorure [Moles/Volume] Sérum/Plasma ; Numérique", "18719-5", "mmol/L", 0, (98, 107), "SER", "LOINC"),
    ("GLU", "14749-6", "Glucose [Moles/Volume] Sérum/Plasma ; Numérique", "18719-5", "mmol/L", 2, (3.90, 6.10), "SER", "circuit"),
    ("CREA", "14682-9", "Créatinine [Moles/Volume] Sérum/Plasma ; Numérique", "18719-5", "umol/L", 0,
     {"F": (45, 84), "M": (59, 104)}, "SER", "circuit"),
    ("UREE", "22664-7", "Urée [Moles/Volume] Sérum/Plasma ; Numérique", "18719-5", "mmol/L", 1, (3.5, 8.0), "SER", "circuit"),
    ("CRP", "1988-5", "C Réactive protéine [Masse/Volume] Sérum/Plasma ; Numérique", "18719-5", "mg/L", 1, (None, 5.0), "SER", "circuit"),
    ("ALAT", "1743-4", "Alanine aminotransférase [Catalytique/Volume] Sérum/Plasma ; Numérique ; Avec phosphate de pyridoxal",
     "18719-5", "[IU]/L", 0, {"F": (10, 35), "M": (10, 50)}, "SER", "circuit"),
    ("ASAT", "30239-8", "Aspartate aminotransférase [Catalytique/Volume] Sérum/Plasma ; Numérique ; Avec phosphate de pyridoxal",
     "18719-5", "[IU]/L", 0, {"F": (10, 35), "M": (10, 50)}, "SER", "circuit"),
    ("CHOL", "2093-3", "Cholestérol [Masse/Volume] Sérum/Plasma ; Numérique", "18719-5", "g/L", 2, (1.50, 2.00), "SER", "circuit"),
    ("GB", "6690-2", "Leucocytes [Nombre/Volume] Sang ; Numérique ; Comptage automate", "18723-7", "10*9/L", 2, (4.00, 10.00), "BLD", "circuit"),
    ("GR", "789-8", "Érythrocytes [Nombre/Volume] Sang ; Numérique ; Comptage automate", "18723-7", "10*12/L", 2,
     {"F": (3.80, 5.80), "M": (4.50, 6.50)}, "BLD", "circuit"),
    ("HB", "718-7", "Hémoglobine [Masse/Volume] Sang ; Numérique", "18723-7", "g/dL", 1,
     {"F": (11.5, 16.0), "M": (13.0, 17.5)}, "BLD", "circuit"),
    ("HT", "4544-3", "Hématocrite [Fraction volumique] Sang ; Numérique ; Comptage automate", "18723-7", "%", 1,
     {"F": (37.0, 47.0), "M": (40.0, 54.0)}, "BLD", "circuit"),
    ("VGM", "30428-7", "Volume globulaire moyen [Volume d'entité] Erythrocytes ; Numérique ; Comptage automate",
     "18723-7", "fL", 1, (80.0, 100.0), "BLD", "circuit"),
    ("PLQ", "777-3", "Plaquettes [Nombre/Volume] Sang ; Numérique ; Comptage automate", "18723-7", "10*9/L", 0, (150, 400), "BLD", "circuit"),
    ("INR", "6301-6", "Temps de quick INR [Temps relatif] Plasma pauvre en plaquettes ; Numérique ; Coagulation",
     "18720-3", "1", 2, (0.80, 1.20), "PLAS", "circuit"),
    ("TP", "5894-1", "Temps de quick patient/témoin [Temps relatif] Plasma pauvre en plaquettes ; Numérique ; Coagulation",
     "18720-3", "%", 0, (70, 100), "PLAS", "LOINC"),
]
CODED = [
    ("AGHBS", "51659-1", "Hépatite B virus surface Ag [Présence/Seuil] Liquide biologique ; Qualitatif", "92893-7",
     {"POS": "Positif", "NEG": "Négatif"}, "NEG", "SER", "circuit"),
]
TEXT = [
    ("ASPU", "5767-9", "Aspect [Aspect] Urine ; Résultat nominal", "18725-2", "UR", "circuit"),
]
PANELS = {"NFS": ("Numération formule sanguine", ["GB", "GR", "HB", "HT", "VGM", "PLQ"])}

KIND = {**{e[0]: "numeric" for e in NUMERIC}, **{e[0]: "coded" for e in CODED}, **{e[0]: "text" for e in TEXT}}
LABEL = {e[0]: e[2].split(" [")[0] for e in NUMERIC + CODED + TEXT}
SPECIMEN = {**{e[0]: e[7] for e in NUMERIC}, **{e[0]: e[6] for e in CODED}, **{e[0]: e[4] for e in TEXT}, "NFS": "BLD"}
UNIT = {e[0]: e[4] for e in NUMERIC}
DECIMALS = {e[0]: e[5] for e in NUMERIC}


def range_of(code, sex):
    """(low, high), either may be None; (None, None) for what has no range."""
    for exam in NUMERIC:
        if exam[0] == code:
            return exam[6].get(sex, (None, None)) if isinstance(exam[6], dict) else exam[6]
    return None, None


def components(code):
    return PANELS[code][1] if code in PANELS else [code]


def loinc_key_is_right(code):
    """The mod 10 check digit of LOINC."""
    number, _, key = code.partition("-")
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value // 10 + value % 10
    return (10 - total % 10) % 10 == int(key)


def show_range(value):
    if isinstance(value, dict):
        return " ; ".join(f"{sex} {show_range(r)}" for sex, r in value.items())
    low, high = value
    return f"< {high}" if low is None else f"{low} - {high}"


def markdown():
    lines = ["# Examinations of the demonstration", "",
             "Made by `test/partners/exams.py`. The site's catalogue must carry exactly these local codes: the partners send",
             "nothing else (a vendor flavour changes where the code stands, not the code). Ranges are for adults, in the unit shown;",
             "`F`/`M` where they differ. Chapters are LOINC. Source `circuit`: the French laboratory circuit list; `LOINC`:",
             "code known elsewhere, check digit verified. LOINC is © Regenstrief Institute, Inc., used under its licence.", "",
             "## Numeric", "", "| Code | LOINC | French label | Chapter | UCUM | Decimals | Range | Specimen | Source |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for code, loinc, label, chapter, unit, decimals, limits, specimen, source in NUMERIC:
        lines.append(f"| `{code}` | {loinc} | {label} | {chapter} {CHAPTERS[chapter]} | `{unit}` | {decimals} | "
                     f"{show_range(limits)} | {specimen} | {source} |")
    lines += ["", "## Coded", "", "| Code | LOINC | French label | Chapter | Values | Usual | Specimen | Source |",
              "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for code, loinc, label, chapter, values, usual, specimen, source in CODED:
        shown = ", ".join(f"`{k}` {v}" for k, v in values.items())
        lines.append(f"| `{code}` | {loinc} | {label} | {chapter} {CHAPTERS[chapter]} | {shown} | `{usual}` | {specimen} | {source} |")
    lines += ["", "## Text", "", "| Code | LOINC | French label | Chapter | Specimen | Source |", "| --- | --- | --- | --- | --- | --- |"]
    for code, loinc, label, chapter, specimen, source in TEXT:
        lines.append(f"| `{code}` | {loinc} | {label} | {chapter} {CHAPTERS[chapter]} | {specimen} | {source} |")
    lines += ["", "## Panels", "", "| Code | Label | Members |", "| --- | --- | --- |"]
    for code, (label, members) in PANELS.items():
        lines.append(f"| `{code}` | {label} | {', '.join(f'`{m}`' for m in members)} |")
    lines += ["", "The code `XYZ99` is never in the catalogue: analysers use it to send an unknown examination.", ""]
    return "\n".join(lines)


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for exam in NUMERIC + CODED + TEXT:
        if not loinc_key_is_right(exam[1]):
            raise SystemExit(f"{exam[0]}: wrong check digit in {exam[1]}")
    print(markdown(), end="")


if __name__ == "__main__":
    main()
