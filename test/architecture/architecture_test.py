#!/usr/bin/python3
"""The architecture, read from the sources: who includes whom (the table of lib/README.md), and expressions that g++ 12
miscompiles inside `co_await`. Both checks are first shown a planted fault, so that they can't pass by not looking.
"""

import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["lib", "hl7", "cda", "config", "daemon"]
THIRD_PARTY = [
    ("boost/asio", "Asio"), ("boost/beast", "Beast"), ("boost/json", "Boost.JSON"), ("boost/url", "Boost.URL"),
    ("boost/system", "Boost.System"), ("fmt/", "fmt"), ("openssl/", "OpenSSL"), ("spdlog/", "spdlog"), ("xercesc/", "Xerces-C"),
    ("libxml/", "libxml2"), ("xmlsec/", "xmlsec1"), ("gmime/", "GMime"), ("zip.h", "libzip"), ("curl/", "libcurl"),
    ("libpq-fe.h", "libpq"), ("toml++/", "toml++"), ("CLI/", "CLI11"), ("cairo", "cairo"), ("pango/", "pango"),
    ("fontconfig/", "pango"), ("qpdf/", "qpdf"), ("systemd/", "libsystemd"), ("sys/", "POSIX"), ("netinet/", "POSIX"),
    ("arpa/", "POSIX"), ("unistd.h", "POSIX"), ("fcntl.h", "POSIX"), ("poll.h", "POSIX"), ("pwd.h", "POSIX"), ("grp.h", "POSIX"),
    ("netdb.h", "POSIX"), ("iconv.h", "POSIX"), ("glib", "GLib"),
]

COMPILER = {"emmintrin.h"}  # of the processor, where it has it


# -- who includes whom ------------------------------------------------------------------------------------------

def targets_of(root):
    """{target: (folder, [files], [sgl targets it links])} of all CMakeLists.txt under the source folders."""
    targets = {}
    for folder in FOLDERS:
        for cmake in sorted((root / folder).rglob("CMakeLists.txt")):
            text = re.sub(r"#.*", "", cmake.read_text())
            for kind, name, body in re.findall(r"(sgl_library|add_executable|add_library)\s*\(\s*(\w+)([^()]*)\)", text):
                files, links, key = [], [], "SOURCES"
                for word in body.split():
                    if word in ("STATIC", "INTERFACE"):
                        continue
                    if word in ("SOURCES", "HEADERS", "DEPENDS", "PRIVATE_DEPENDS"):
                        key = word
                    elif key in ("SOURCES", "HEADERS") and "${" not in word:
                        files.append(cmake.parent / word)
                    elif word.startswith("sgl_"):
                        links.append(word)
                if kind == "add_executable":
                    for found in re.findall(rf"target_link_libraries\s*\(\s*{name}\b([^()]*)\)", text):
                        links += [w for w in found.split() if w.startswith("sgl_") and w not in ("sgl_build", "sgl_warnings")]
                targets[name] = (cmake.parent, files, links)
    return targets


def owners_of(root, targets):
    """{path relative to root: target}; a header that no target lists goes with its .cpp, else with its folder's first target."""
    owners = {str(f.relative_to(root)): name for name, (_, files, _) in targets.items() for f in files}
    first = {}
    for name, (folder, _, _) in targets.items():
        first.setdefault(folder, name)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            key = str(path.relative_to(root))
            if key not in owners:
                place = next((p for p in path.parents if p in first), None)
                owners[key] = owners.get(str(path.with_suffix(".cpp").relative_to(root))) or first.get(place, "")
    return owners


def table_of(text):
    """{target: (set of targets, set of third parties)} of the README's table, in its order."""
    rows = {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) == 4 and re.match(r"^`sgl\w*`$", cells[0]):
            words = lambda cell: {w.strip(" `") for w in cell.split(",") if w.strip(" `–")}
            rows[cells[0].strip("`")] = (words(cells[2]), words(cells[3]))
    return rows


def reach(table, name, seen=None):
    """All that `name` may include: what its row says, and what those may."""
    seen = set() if seen is None else seen
    for other in table.get(name, (set(), set()))[0]:
        if other not in seen:
            seen.add(other)
            reach(table, other, seen)
    return seen


def includes_of(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1) == '"', found.group(2)


def third_party_of(name):
    return next((label for prefix, label in THIRD_PARTY if name.startswith(prefix)), None)


def include_problems(root, table):
    targets = targets_of(root)
    owners = owners_of(root, targets)
    problems = [f"{name} has no row in lib/README.md" for name in targets if name not in table]
    problems += [f"lib/README.md has a row for {name}, which does not exist" for name in table if name not in targets]
    order = list(table)
    for name, (others, _) in table.items():
        problems += [f"lib/README.md: {name} stands above {other}: arrows only go down" for other in others
                     if other not in order or order.index(other) < order.index(name)]
    for name, (_, _, links) in targets.items():
        allowed = reach(table, name)
        problems += [f"CMake: {name} links {other}, which lib/README.md does not allow" for other in links if other not in allowed | {name}]
    for key, name in owners.items():
        allowed = reach(table, name) | {name}
        third = table.get(name, (set(), set()))[1]
        if not (root / key).exists():
            continue
        for number, ours, included in includes_of(root / key):
            where = f"{key}:{number}"
            if ours:
                if included not in owners:
                    problems.append(f"{where}: {included} is not a file of ours, seen from the root")
                elif owners[included] not in allowed:
                    problems.append(f"{where}: {name} may not include {included} of {owners[included]}")
            elif included in COMPILER:
                continue
            elif "/" in included or included.endswith((".h", ".hh", ".hpp")):
                label = third_party_of(included)
                if label is None:
                    problems.append(f"{where}: <{included}> belongs to no library that this test knows")
                elif label not in third:
                    problems.append(f"{where}: {name} may not use {label}")
                if included in ("boost/asio.hpp", "boost/beast.hpp"):
                    problems.append(f"{where}: include the narrow headers")
    return problems


# -- coroutine temporaries --------------------------------------------------------------------------------------

RAW = re.compile(r'R"([^ ()\\\t\v\f\n]{0,16})\((?:.|\n)*?\)\1"')
QUIET = re.compile(r'//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'')


def bare(text):
    """The source with comments blanked and literals emptied, every line where it was."""
    keep_lines = lambda found: '""' + "\n" * found.group(0).count("\n")
    text = RAW.sub(keep_lines, text)
    return QUIET.sub(lambda m: ('""' if m.group(0)[0] == '"' else "0" if m.group(0)[0] == "'" else " ") + "\n" * m.group(0).count("\n"), text)


def closing(text, at):
    """The place after the bracket that closes the one at `at`."""
    depth, pairs = 0, {"(": ")", "[": "]", "{": "}"}
    for place in range(at, len(text)):
        if text[place] in pairs:
            depth += 1
        elif text[place] in pairs.values():
            depth -= 1
            if depth == 0:
                return place + 1
    return len(text)


LAMBDA = re.compile(r"\[([^\[\]]*)\]\s*(\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*(mutable\b|noexcept\b|\s)*(->\s*[\w:<>,&*\s]+?)?\s*\{")


# Nothing happens when one of these is destroyed twice: they hold numbers and views only.
TRIVIAL = re.compile(r"\b(?:\w+Id|Duration|Instant|Query|(?:std::chrono::)?(?:hours|minutes|seconds|milliseconds))\s*\{[^{}]*\}")


def coroutine_problems(text, where=""):
    """Broken forms (style 6) in what is awaited: braces, lambdas that capture by value, ?: that makes temporaries."""
    source, found, problems = bare(text), 1, []
    while found:
        source, found = TRIVIAL.subn(lambda m: "id" + "\n" * m.group(0).count("\n"), source)
    for awaited in re.finditer(r"\bco_await\b", source):
        line = source.count("\n", 0, awaited.start()) + 1
        at = awaited.end()
        while at < len(source):
            c = source[at]
            if c in ";)}]":
                break
            if c == "[":
                found = LAMBDA.match(source, at)
                if found:
                    captures = [x.strip() for x in found.group(1).split(",") if x.strip()]
                    if any(not x.startswith("&") and x != "this" for x in captures):
                        problems.append(f"{where}:{line}: a lambda that captures by value inside co_await")
                    at = closing(source, found.end() - 1)
                    continue
            if c == "{":
                problems.append(f"{where}:{line}: braces inside co_await: name the object first")
                at = closing(source, at)
                continue
            if c == "(":
                inner = source[at:closing(source, at)]
                problems += argument_problems(inner, where, line)
                at += len(inner)
                continue
            if c == "?":
                rest = re.split(r";", source[at:], maxsplit=1)[0]
                if re.search(r"[({]", rest):
                    problems.append(f"{where}:{line}: ?: with temporaries inside co_await")
            at += 1
    return sorted(set(problems))


def argument_problems(inner, where, line):
    """The same inside brackets; bodies of allowed lambdas are read by their own co_awaits."""
    problems, at = [], 0
    while at < len(inner):
        if inner[at] == "[":
            found = LAMBDA.match(inner, at)
            if found:
                captures = [x.strip() for x in found.group(1).split(",") if x.strip()]
                if any(not x.startswith("&") and x != "this" for x in captures):
                    problems.append(f"{where}:{line}: a lambda that captures by value inside co_await")
                at = closing(inner, found.end() - 1)
                continue
        if inner[at] == "{":
            problems.append(f"{where}:{line}: braces inside co_await: name the object first")
            at = closing(inner, at)
            continue
        if inner[at] == "?":
            branches = re.split(r",", inner[at:], maxsplit=1)[0]
            if re.search(r"\w\s*\(|\"\"", branches):
                problems.append(f"{where}:{line}: ?: with temporaries inside co_await")
        at += 1
    return problems


class Architecture(unittest.TestCase):
    def test_a_planted_include_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in FOLDERS:
                (root / name).mkdir()
            (root / "hl7" / "CMakeLists.txt").write_text("sgl_library(sgl_hl7 SOURCES a.cpp HEADERS a.hpp DEPENDS sgl_cda)")
            (root / "cda" / "CMakeLists.txt").write_text("sgl_library(sgl_cda SOURCES b.cpp HEADERS b.hpp)")
            (root / "hl7" / "a.cpp").write_text('#include "cda/b.hpp"\n#include <libpq-fe.h>\n#include <string>\n')
            for name in ("hl7/a.hpp", "cda/b.cpp", "cda/b.hpp"):
                (root / name).write_text("")
            table = {"sgl_hl7": (set(), set()), "sgl_cda": (set(), set())}
            found = include_problems(root, table)
            self.assertEqual(len(found), 3, found)
            self.assertIn("hl7/a.cpp:1: sgl_hl7 may not include cda/b.hpp of sgl_cda", found)
            self.assertIn("hl7/a.cpp:2: sgl_hl7 may not use libpq", found)
            self.assertEqual(include_problems(root, {"sgl_hl7": ({"sgl_cda"}, {"libpq"}), "sgl_cda": (set(), set())}), [])
            upward = include_problems(root, {"sgl_cda": (set(), set()), "sgl_hl7": ({"sgl_cda"}, {"libpq"})})
            self.assertEqual(len(upward), 1, upward)

    def test_includes_are_those_of_the_picture(self):
        table = table_of((ROOT / "lib" / "README.md").read_text())
        self.assertGreater(len(table), 15)
        problems = include_problems(ROOT, table)
        self.assertEqual(problems, [], "\n" + "\n".join(problems))

    def test_hl7_and_cda_know_nothing_of_each_other_nor_of_us(self):
        table = table_of((ROOT / "lib" / "README.md").read_text())
        self.assertEqual(reach(table, "sgl_hl7"), {"sgl_base"})
        self.assertEqual(reach(table, "sgl_cda"), {"sgl_base"})
        for pure in ("sgl_base", "sgl_domain", "sgl_interpret", "sgl_compose", "sgl_hl7", "sgl_cda"):
            used = set().union(table[pure][1], *(table[x][1] for x in reach(table, pure)))
            self.assertFalse(used & {"Asio", "Beast", "libpq", "libcurl"}, f"{pure} does no I/O")


class Coroutines(unittest.TestCase):
    BROKEN = [
        "co_await send(Letter{id, channel});",
        "co_await send({id, channel});",
        "auto x = co_await pool.query(q, std::vector<int>{1, 2});",
        "co_await pool.with([name](Tx& tx) { return 1; });",
        "co_await pool.with([=]() -> awaitable<void> { co_return; });",
        "co_await co_spawn(ex, [p = std::move(p)]() -> awaitable<void> { co_return; }, use_awaitable);",
        "co_await run(ready ? plan(1) : plan(2));",
        "co_await (ready() ? Plan{1} : Plan{});",
        'co_await say(ready ? "yes" : std::string());',
        "if (auto r = co_await f(\n    Thing{1}); !r) return;",
    ]
    FINE = [
        "Letter letter{id, channel};\nco_await send(std::move(letter));",
        "co_await pool.with([&](Tx& tx) { Letter x{1}; return x; });",
        "co_await pool.with([](Tx& tx) { return Letter{1}; });",
        "co_await pool.with([&a, this](Tx& tx) { return 1; });",
        "if (const auto x = co_await f(a, b[0]); !x) { co_return Error{Fault::missing, a, b}; }",
        "for (const auto& row : co_await rows(std::string(name))) { use({row}); }",
        "// co_await send(Letter{1});\nco_await f(\"{ ? [x] {\");",
        'co_await f(R"sql(select {1} ? 2)sql");',
        "const auto x = co_await f(n) ? 1 : 2;",
        "co_await f(later ? a : b);",
        "co_await pause(more ? Duration{milliseconds{20}} : poll);",
        "co_await act(domain::LetterId{*id}, now);",
        "while (!co_await done()) { x = {1}; }",
    ]

    def test_planted_samples_are_told_apart(self):
        for sample in self.BROKEN:
            self.assertTrue(coroutine_problems(sample), sample)
        for sample in self.FINE:
            self.assertEqual(coroutine_problems(sample), [], sample)

    def test_no_broken_temporaries_in_the_sources(self):
        problems, seen = [], 0
        for folder in FOLDERS + ["test"]:
            for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
                text = path.read_text(errors="replace")
                seen += text.count("co_await")
                problems += coroutine_problems(text, str(path.relative_to(ROOT)))
        self.assertGreater(seen, 100)
        self.assertEqual(problems, [], "\n" + "\n".join(problems))


if __name__ == "__main__":
    unittest.main()
