#!/usr/bin/python3
"""`sgld hl7 dump` against the reference reader `hl7-to-json`: the whole corpus, odd messages, and corpus messages damaged at
random from a seed. Both whole documents must be equal (`--strict`): separators, segments, escapes, envelope, framing,
character set, anomalies.
   SGLD=build/asan/daemon/sgld test/hl7/dump_test.py [--rounds N] [--seed N]
"""

import argparse
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("SGL_SHARED", ROOT.parent / "shared"))
SGLD = os.environ.get("SGLD", str(ROOT / "build/asan/daemon/sgld"))
ROUNDS, SEED = 1500, 20261122
MSH = b"MSH|^~\\&|A|B|C|D|20261121||ORU^R01|1|P|2.5"


def load_tool():
    loader = importlib.machinery.SourceFileLoader("hl7_to_json", str(SHARED / "tools/hl7-to-json"))
    spec = importlib.util.spec_from_loader("hl7_to_json", loader)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def dump(inputs):
    """One document for each of the inputs {name: bytes}."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for name, data in inputs.items():
            path = pathlib.Path(folder, name)
            path.write_bytes(data)
            names.append(str(path))
        run = subprocess.run([SGLD, "hl7", "dump", *names], stdout=subprocess.PIPE, check=True, timeout=600)
    text, at, decoder = run.stdout.decode("utf-8"), 0, json.JSONDecoder()
    documents = {}
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        documents[document["file"]] = document
        at += 1
    return documents


def header(charset=b"", end=b"\r"):
    return MSH + b"||||||" + charset + end


ODD = {
    "nothing": b"",
    "blanks": b" \r\n\t",
    "bare_msh": b"MSH",
    "msh_and_separator": b"MSH|",
    "msh_and_component": b"MSH|^",
    "three_letters": b"MSH|^~\\&|A\rPID\rOBX\r",
    "no_encoding_characters": b"MSH||A|B\rPID|1^2~3&4\r",
    "letters_as_separators": b"MSHxabcdexAxBxxxxxacb\rPIDx1a2b3d4\r",
    "same_separator_twice": b"MSH|^^\\&|A|B^C\rPID|1^2^^3&4\r",
    "seven_encoding_characters": b"MSH|^~\\&#$%|A|B^C\rPID|1^2$3\r",
    "separators_outside_ascii": "MSH¦§~\\&¦A¦B§C&D¦é§\rPID¦1§2~3¦§é\\F\\\\S\\\r".encode(),
    "separators_outside_ascii_8859": "MSH¦§~\\&¦A¦B§C&D¦é§\rPID¦1§2~3¦§é\\F\\\\S\\\r".encode("latin-1"),
    "nul_as_separator": b"MSH|\0~\\&|A\0B\rPID|1\0" + b"2^3\r",
    "other_separators_outside_ascii_in_each": "".join(f"MSH{a}{b}{c}{d}{e}{a}A{a}{b}x{c}\rPID{a}1{b}2{c}3\r" for a, b, c, d, e in ("¡¢£¤¥", "¦§¨©ª", "«¬®¯°", "±²³´µ")).encode(),
    "nul_alone_beside_nul_as_separator": MSH + b"\nOBX|C\n\rMSH\r\0\n^~\\&|A\nOBX|C\n\rMSH\r\0\n",
    "blank_as_separator": b"MSH|^~\\ |A|a b^c\rPID|1^ 2\r",
    "other_separator_in_second": MSH + b"\rPID|1\rMSH#^~\\&#A\rPID#1\r",
    "lower_case_name": MSH + b"\rpid|1\rObx|2\r",
    "digit_first": MSH + b"\r1PD|1\rP1D|2\rPI1|3\r",
    "nuls_inside": MSH + b"\rPID|a\0b|\0\rOBX|1\0\0\0",
    "controls": MSH + b"\rPID|\x01\x02\x1b\x7f|\"quoted\"|\b\f\t\r",
    "controls_escaped": header(b"8859/1") + b"PID|\\X00\\|\\X1B\\|\\X80\\|\\X0000\\|\\X0080\\|\\X9F\\|\\XE9\\\r",
    "hexadecimal": header(b"UNICODE UTF-8") + b"PID|\\XC3A9\\|\\XE9\\|\\X81\\|\\XC281\\|\\X00E9\\|\\X0041\\|\\X41\\|\\X4\\|\\X\\|\\xc3\\|\\X0d0A\\|\\XE282AC\\\r",
    "hexadecimal_ascii": header(b"ASCII") + b"PID|\\XC3A9\\|\\X81\\|\\XC281\\\r",
    "hexadecimal_8859-15": header(b"8859/15") + b"PID|\\XA4\\|\\X80\\|\xa4\r",
    "formatting": MSH + b"\rOBX|\\.br\\|\\.BR\\|\\.sp\\|\\.sp3\\|\\.sp+3\\|\\.sp-3\\|\\.sp \t2\\|\\.sk5\\|\\.sk\\|\\.in+4\\|\\.ti-4\\|\\.fi\\|\\.nf\\|\\.ce\\|\\.ce3\\|\\.brx\\|\\.sp3x\\|\\.xx\\|\\.b\\|\\.sp-\\|\\.sp120\\\r",
    "escapes": MSH + b"\rOBX|\\F\\|\\S\\|\\T\\|\\R\\|\\E\\|\\P\\|\\H\\a\\N\\|\\f\\|\\Z01\\|\\C2842\\|\\M242E\\|\\\\|\\\\\\|\\|a\\|a\\F|\\F\\F\\|\\F\\\\S\\|\\E\\F\\E\\|\\Fx\\S\\\r",
    "escapes_without_subcomponent": b"MSH|^~\\|A\rOBX|\\T\\|\\F\\|\\P\\\r",
    "escapes_without_escape": b"MSH|^~|A\rOBX|\\T\\|\\F\\|\\P\\\r",
    "escapes_in_header": MSH + b"\\T\\||\\F\\\r",
    "truncation": b"MSH|^~\\&#|A\rPID|abc#|\\P\\|a#b\r",
    "nulls": MSH + b"\rPID|\"\"|\"\"^\"\"|^\"\"|\"|\"\"\"\r",
    "empty_ends": MSH + b"\rPID|1|^^|~~|&&|^~&|a^^~^b&&~~||\rOBX||||\r",
    "only_separators": MSH + b"\r" + b"PID" + b"|^~&" * 300 + b"\r",
    "crlf": MSH + b"\r\nPID|1\r\n\r\nOBX|2\r\n",
    "lfcr": MSH + b"\n\rPID|1\n\rOBX|2\n\r",
    "mixed": MSH + b"\nPID|1\rOBX|2\r\nNTE|3\n",
    "lf_as_data": MSH + b"\rOBX|a\nb\nNTE|x\ny\r\nz\rNTE|2\n\nNTE|3\n\n\nt\r",
    "lf_then_blank_header": MSH + b"\rOBX|a\n  \tNTE|x\n   y\n\r",
    "lf_only_continuation": MSH + b"\nOBX|a\nb\n\n  c\n\0\nNTE|x\n",
    "lf_after_bare_name": MSH + b"\rNTE\nfoo\rNTE\nPID|1\rNT\n",
    "continuations": MSH + b"\rfoo\rOBX|a\rfoo\rbar\rOBX|b\r foo\r",
    "indented": b"  \t" + MSH + b"\r PID|1\r\t\tOBX|2\r",
    "text_before": b"hello\rworld\n" + MSH + b"\rPID|1\r",
    "text_before_with_name": b"xMSHy\rworld\r" + MSH + b"\rPID|1\r",
    "text_before_lf": b"hello\nworld\n" + MSH + b"\nPID|1\n",
    "segments_before": b"PID|1\rOBX|2\r" + MSH + b"\rPID|1\r",
    "no_msh": b"PID|1\rOBX|2\r",
    "bom": b"\xef\xbb\xbf" + MSH + b"\rPID|1\r",
    "bom_in_frame": b"\x0b\xef\xbb\xbf" + MSH + b"\rPID|1\r\x1c\r",
    "bom_twice": b"\xef\xbb\xbf\xef\xbb\xbf" + MSH + b"\rPID|1\r",
    "bom_alone": b"\xef\xbb\xbf",
    "frames": b"\x0b" + MSH + b"\rPID|1\r\x1c\r\x0b\x1c\r\x0b \r\n\x1c\r noise\x0b" + MSH + b"\rPID|2\r\x1c",
    "frame_without_end": b"\x0b" + MSH + b"\rPID|1\r",
    "frame_in_frame": b"\x0b" + MSH + b"\rPI\x0b" + MSH + b"\rPID|1\r\x1c\r",
    "frame_without_begin": MSH + b"\rPID|1\r\x1c\r" + MSH + b"\rPID|2\r\x1c\r",
    "bare_then_frame": MSH + b"\rPID|1\r\x1c\r\x0b" + MSH + b"\rPID|2\r\x1c\r",
    "noise_then_frame": b"noise\r\x0b" + MSH + b"\rPID|2\r\x1c\r",
    "end_alone": b"\x1c\r",
    "begin_alone": b"\x0b",
    "message_over_two_frames": b"\x0b" + MSH + b"\rPID|1\r\x1c\r\x0bOBX|1\r\x1c\r",
    "charsets_of_two_frames": b"\x0b" + header(b"8859/1") + b"PID|\xe9\r\x1c\r\x0b" + MSH + b"\rPID|\xe9\xa4\r\x1c\r",
    "batch": b"FHS|^~\\&|X\rBHS|^~\\&|X^Y\r" + MSH + b"\rPID|1\r" + MSH + b"\rBTS|2|c~d\rFTS|1\r",
    "batch_without_messages": b"FHS|^~\\&|X\rBHS|^~\\&|X\rBTS|0\rFTS|1\r",
    "batch_of_other_separators": b"FHS#$%*@#X$Y\rBHS#$%*@#X@Z\rMSH#$%*@#A$B\rBTS#1$2\rFTS#1\r",
    "batch_between": MSH + b"\rPID|1\rBTS|1\rOBX|1\rPID|2\rBHS|^~\\&\rOBX|3\r" + MSH + b"\rOBX|4\r",
    "header_over_lines": b"PID|\rMSH\r\nab\\\t\xd8\xa9X\n\nH|\\&MSH\r|4\r",
    "batch_bare_names": b"FHS\rBHS\rMSH\rBTS\rFTS\r",
    "batch_indented": b" FHS|^~\\&\r BHS|^~\\&\r " + MSH + b"\r BTS|1\r",
    "utf-8_undeclared": MSH + "\rPID|Léa|œ€|😀\r".encode(),
    "8859-1_undeclared": MSH + "\rPID|Léa\r".encode("latin-1"),
    "1252_undeclared": MSH + b"\rPID|\x80\x81\x9c\r",
    "utf-8_declared_wrongly": header(b"8859/1") + "PID|Léa\r".encode(),
    "8859-1_declared_wrongly": header(b"UNICODE UTF-8") + "PID|Léa\r".encode("latin-1"),
    "1252_declared_8859": header(b"8859/1") + b"PID|\x80 \x81\r",
    "ascii_declared_wrongly": header(b"ASCII") + "PID|Léa\r".encode(),
    "1252_declared": header(b"WINDOWS-1252") + b"PID|\x80\x9c\r",
    "1252_declared_undefined": header(b"cp1252") + b"PID|\x80\x81\r",
    "unknown_set": header(b"KLINGON") + b"PID|Lea\r",
    "unknown_set_high": header(b"KLINGON") + b"PID|L\xe9a\r",
    "set_with_repetitions": header(b" 8859/15 ~UNICODE") + b"PID|\xa4\r",
    "set_with_components": header(b"8859/15^x~y") + b"PID|\xa4\r",
    "set_outside_ascii": header(b"8859/\xe9") + b"PID|\xa4\r",
    "overlong_utf-8": header(b"UTF-8") + b"PID|\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\r",
    **{f"8859-{n}": header(b"8859/%d" % n) + b"PID|" + bytes(range(0xA0, 0x100)) + b"|\xe9\\XE9\\\r" for n in range(1, 10)},
    "8859-2_with_c1": header(b"8859/2") + b"PID|\x80\x9f\xe9\r",
    "8859-9_ascii": header(b"8859/9") + b"PID|LEA\\XE9\\\r",
    "cp1250": header(b"CP1250") + b"PID|\x80\xe9\x9f\r",
    "other_sets": header(b"BIG-5") + b"PID|LEA\r",
    "big5": header(b"BIG-5") + "PID|王小明|體|~\r".encode("big5"),
    "big5_wrongly": header(b"BIG-5") + b"PID|\x80L\xe9a\r",
    "gb18030": header(b"GB 18030-2000") + "PID|王小明|10⁹/L µ|é|😀\\XCDF5\\\r".encode("gb18030"),
    "gb18030_wrongly": header(b"GB 18030-2000") + b"PID|L\xe9\r",
    "shift_jis": header(b"ISO IR14") + "PID|山田|ｱ|~\\E\\|表\r".encode("shift_jis"),
    "iso_2022_jp": header(b"ISO IR87") + "PID|山田|a\r".encode("iso2022_jp"),
    "iso_2022_jp_unknown_set": header(b"ISO IR87") + b"PID|\x1b$1121|a\r",
    "iso_2022_jp_unknown_set_among_kanji": header(b"ISO IR87") + b"PID|\x1b$B;3ED\x1b(I1|a\r",
    "iso_2022_jp_escape_of_no_set": header(b"ISO IR87") + b"PID|\x1bZ|a\r",
    "iso_2022_jp_wrongly": header(b"ISO IR87") + "PID|Léa\r".encode(),
    "long_line": MSH + b"\rOBX|" + b"x" * 200000 + b"\r",
    "astm": b"\x05\x02H|\\^&|||ASTM\r\x03\x04",
    "continuation_segments": MSH + b"||c\rOBX|a\rADD|b||c\rDSC|d\r",
}

TOKENS = [b"|", b"^", b"~", b"&", b"\\", b"\r", b"\n", b"\r\n", b"\n\n", b"\x0b", b"\x1c", b"\x1c\r", b"\0", b"\t", b" ", b"\"\"", b"#",
          b"\\F\\", b"\\.br\\", b"\\X41\\", b"\\XE9\\", b"\\X00E9\\", b"\\.sp3\\", b"\\Z1\\", b"\\E\\", b"\xe9", b"\xc3\xa9", b"\x80", b"\xa4",
          b"MSH|^~\\&|", b"\rMSH|^~\\&|Z|\r", b"MSH", b"\rMSH\r", b"FHS|^~\\&|", b"\rBHS|^~\\&|b\r", b"\rBTS|3\r", b"\rFTS|1\r", b"\rPID|", b"\nPID|",
          b"\r PID|", b"\n\tOBX|1", b"\rADD|x\r", b"\xef\xbb\xbf", b"\xe2\x82\xac", b"OBX", b"1"]
CHARSETS = [b"", b"ASCII", b"8859/1", b"8859/15", b"UNICODE UTF-8", b"UTF8", b"unicode", b"WINDOWS-1252", b"foo", b"8859/1~UNICODE UTF-8", b" 8859/15", b"8859/2", b"8859/7", b"CP1250", b"GB 18030-2000", b"ISO IR87"]
ENCODINGS = [b"^~\\&", b"^~\\&#", b"^~\\", b"^~", b"^", b"", b"^~\\\\&", b"$%*@", b"^^\\&", b"&~\\^", b"^~\"&", b"\xa6~\\&"]


def damaged(pick, messages):
    data = bytearray(pick.choice(messages))
    if pick.random() < 0.2:
        data += pick.choice(messages)
    data = bytearray(bytes(data)[:20000])
    if pick.random() < 0.25:
        fields = bytes(data).split(b"\r", 1)[0].split(b"|")
        if len(fields) > 2:
            rest = bytes(data)[len(b"|".join(fields)):]
            fields += [b""] * (18 - len(fields))
            fields[17] = pick.choice(CHARSETS)
            data = bytearray(b"|".join(fields) + rest)
    if pick.random() < 0.2:
        data = bytearray(bytes(data).replace(b"^~\\&", pick.choice(ENCODINGS), 1))
    if pick.random() < 0.1:
        data = bytearray(bytes(data).replace(b"\r", pick.choice([b"\n", b"\r\n", b"\n\r"])))
    if pick.random() < 0.05:
        data = bytearray(bytes(data).replace(b"|", pick.choice([b"#", b"\xa7", b";"])))
    for _ in range(pick.choice([0, 1, 1, 2, 3, 8, 30])):
        at = pick.randrange(len(data) + 1)
        what = pick.random()
        if what < 0.6:
            data[at:at] = pick.choice(TOKENS)
        elif what < 0.75:
            del data[at:at + pick.choice([1, 1, 2, 5, 40])]
        elif what < 0.9 and at < len(data):
            data[at] = pick.randrange(256)
        else:
            data[at:at] = data[at:at + pick.randrange(60)]
    return bytes(data)


class Dump(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        if not (SHARED / "tools/hl7-to-json").exists():
            if os.environ.get("CI") == "true":
                raise AssertionError(f"official test material is missing: {SHARED}")
            raise unittest.SkipTest(f"official test material is missing: {SHARED}")
        cls.tool = load_tool()

    def compare(self, name, data, got):
        want = json.loads(json.dumps(self.tool.read(data, name)))
        if not self.tool.same(want, got, True):
            self.fail(f"{name}: {self.tool.first_difference(want, got)}\n{data[:2000]!r}")

    def test_corpus_as_agreed_by_independent_parsers_and_by_policy(self):
        corpus = SHARED / "hl7/corpus"
        files = {path.name: path.read_bytes() for path in corpus.glob("*.hl7")}
        got = dump(files)
        self.assertEqual(len(got), len(files))
        counts = {}
        for kind in ("expected", "policy"):
            for path in sorted((corpus / kind).glob("*.json")):
                want = json.loads(path.read_text("utf-8"))
                name = want["file"]
                self.assertTrue(self.tool.same(want, got[name], True), f"{name}: {self.tool.first_difference(want, got[name])}")
                counts[kind] = counts.get(kind, 0) + 1
        self.assertGreaterEqual(counts["expected"], 265)
        self.assertGreaterEqual(counts["policy"], 8)

    def test_the_comparing_tool_itself_says_equal(self):
        path = SHARED / "hl7/corpus/expected"
        want = sorted(path.glob("*escapes*.json"))[0]
        name = json.loads(want.read_text("utf-8"))["file"]
        with tempfile.NamedTemporaryFile("wb", suffix=".json") as mine:
            mine.write(subprocess.run([SGLD, "hl7", "dump", str(SHARED / "hl7/corpus" / name)], stdout=subprocess.PIPE, check=True).stdout)
            mine.flush()
            run = subprocess.run([sys.executable, str(SHARED / "tools/hl7-to-json"), "--compare", str(want), mine.name], stdout=subprocess.PIPE)
        self.assertEqual(run.returncode, 0, run.stdout)

    def test_national_examples(self):
        for path in sorted((SHARED / "hl7/ans-examples").iterdir()):
            with self.subTest(path.name):
                self.compare(path.name, path.read_bytes(), dump({path.name: path.read_bytes()})[path.name])

    def test_odd_messages(self):
        got = dump(ODD)
        for name, data in ODD.items():
            with self.subTest(name):
                self.compare(name, data, got[name])

    def test_messages_damaged_at_random(self):
        pick = random.Random(SEED)
        messages = [path.read_bytes() for path in sorted((SHARED / "hl7/corpus").glob("*.hl7"))] + list(ODD.values())
        done = 0
        while done < ROUNDS:
            batch = {f"seed-{SEED}-{done + i}": damaged(pick, messages) for i in range(min(300, ROUNDS - done))}
            got = dump(batch)
            for name, data in batch.items():
                self.compare(name, data, got[name])
            done += len(batch)

    def test_standard_input_and_a_file_that_is_not_there(self):
        run = subprocess.run([SGLD, "hl7", "dump", "-"], input=header(), stdout=subprocess.PIPE, check=True)
        self.compare("-", header(), json.loads(run.stdout))
        run = subprocess.run([SGLD, "hl7", "dump", "/nowhere/at/all.hl7"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((run.returncode, run.stdout), (1, b""))
        self.assertIn(b"can't be read", run.stderr)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--seed", type=int, default=SEED)
    given, rest = options.parse_known_args()
    ROUNDS, SEED = given.rounds, given.seed
    unittest.main(argv=[sys.argv[0], *rest])
