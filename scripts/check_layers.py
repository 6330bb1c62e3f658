#!/usr/bin/env python3
"""Holds the tree to docs/architecture.md: who may include whom, how long a file may be, what nothing is called.

The layer table of that page is the only copy of the rule. Checked against it are every #include "folder/..." under
src/, the USES of CMakeLists.txt, and the folders that exist. `--self-test` first breaks each rule in a made-up tree
and sees that it is noticed.
"""

import pathlib
import re
import sys
import tempfile

SOFT_LINES, HARD_LINES = 400, 800
VAGUE_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "misc"}
CODE = {".cpp", ".h", ".inc", ".py", ".sh", ".rs", ".cmake"}
CODE_FOLDERS = ("src", "tests", "bench", "scripts", "cmake")
SKIPPED = ("tests/data", "src/text/rust/target")

PAGE = "docs/architecture.md"
TABLE_HEAD = re.compile(r"\|\s*folder\s*\|\s*holds\s*\|\s*may include\s*\|\s*$")
NAME = re.compile(r"`([a-z_]+)`")
INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]*)"')
TARGET = re.compile(r"^ridgeline_folder\((\w+)(?:\s+USES\s+([\w\s]+))?\)", re.MULTILINE)


def read_layers(root):
    """{folder: [the folders it may include]} in the order of the page, and the complaints about the table itself."""
    layers, faults, inside = {}, [], False
    for number, line in enumerate((root / PAGE).read_text().splitlines(), 1):
        if TABLE_HEAD.match(line):
            inside = True
        elif inside and not line.startswith("|"):
            break
        elif inside and not line.startswith("|-"):
            first, _, allowed = [cell.strip() for cell in line.strip().strip("|").split("|")]
            (folder,) = NAME.findall(first)
            layers[folder] = NAME.findall(allowed)
            for name in layers[folder]:
                if name == folder or name not in layers:
                    faults.append(f"{PAGE}:{number}: `{folder}` may include `{name}`, which is not a row above it")
    if not layers:
        faults.append(f"{PAGE}: has no table headed | folder | holds | may include |")
    return layers, faults


def closure(layers, folder):
    """What `folder` may include: itself, and transitively what its row names."""
    reached, waiting = set(), [folder]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += layers.get(name, [])
    return reached


def check_folders(root, layers):
    present = {path.name for path in (root / "src").iterdir() if path.is_dir()}
    for name in sorted(present - layers.keys()):
        yield f"src/{name}: is not in the layer table of {PAGE}; add a row that says what it holds and may include"
    for name in sorted(layers.keys() - present):
        yield f"{PAGE}: the layer table names `{name}`, but there is no folder src/{name}"


def check_targets(root, layers):
    text = (root / "CMakeLists.txt").read_text()
    targets = {name: uses.split() for name, uses in TARGET.findall(text)}
    for name in sorted(targets.keys() ^ layers.keys()):
        yield f"CMakeLists.txt: ridgeline_folder({name}) and the layer table of {PAGE} must both exist"
    for name in sorted(targets.keys() & layers.keys()):
        if set(targets[name]) != set(layers[name]):
            found, expected = " ".join(targets[name]) or "nothing", " ".join(layers[name]) or "nothing"
            yield f"CMakeLists.txt: {name} USES {found}, but {PAGE} lets it include {expected}"


def check_includes(root, layers):
    source = root / "src"
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".cpp", ".h", ".inc"):
            continue
        parts = path.relative_to(source).parts
        # A file directly in src/ is a program; it wires together whatever the top layer may.
        folder = parts[0] if len(parts) > 1 else list(layers)[-1]
        allowed = closure(layers, folder)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            where = f'{path.relative_to(root)}:{number}: #include "{match[1]}"'
            target = match[1].split("/")[0]
            if target not in layers or not (source / match[1]).is_file():
                yield f"{where}: is not a file of src/; includes are written from src/, as in \"base/error.h\""
            elif target not in allowed:
                may = ", ".join(sorted(allowed - {folder})) or "nothing else"
                yield f"{where}: {folder} may include {may}, not {target} (layer table of {PAGE})"


def code_files(root):
    for folder in CODE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and path.suffix in CODE and not name.startswith(SKIPPED):
                yield path


def check_names(root):
    for folder in CODE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.stem.lower() in VAGUE_NAMES and not name.startswith(SKIPPED):
                yield f"{name}: `{path.stem}` says nothing about what is inside; name the thing"


def count_lines(path):
    return len(path.read_bytes().splitlines())


def check_lengths(root):
    for path in code_files(root):
        if count_lines(path) > HARD_LINES:
            yield f"{path.relative_to(root)}: {count_lines(path)} lines, more than {HARD_LINES}; split it by subject"


def long_files(root):
    for path in code_files(root):
        if SOFT_LINES < count_lines(path) <= HARD_LINES:
            yield f"warning: {path.relative_to(root)}: {count_lines(path)} lines; {SOFT_LINES} are the aim"


def check(root):
    layers, faults = read_layers(root)
    if not layers:
        return faults
    checks = (check_folders, check_targets, check_includes)
    faults += [fault for each in checks for fault in each(root, layers)]
    return faults + list(check_names(root)) + list(check_lengths(root))


# The made-up tree of the self-test: right as it stands.
GOOD = {
    PAGE: "# House\n\n| folder | holds | may include |\n|---|---|---|\n"
    "| `base` | b | - |\n| `ops` | o | `base` |\n| `cli` | c | `ops` |\n\n| folder | else |\n",
    "CMakeLists.txt": "ridgeline_folder(base)\nridgeline_folder(ops  USES base)\nridgeline_folder(cli USES ops)\n",
    "src/base/error.h": "#include <string>\n",
    "src/ops/add.h": '#include "base/error.h"\n',
    "src/cli/run.cpp": '#include "base/error.h"\n#include "ops/add.h"\n',
    "src/main.cpp": '#include "cli/run.cpp"\n',
}

# What is put into it (path, text), and the words that some complaint must then contain.
BREAKS = (
    ("src/base/up.h", '#include "ops/add.h"\n', "src/base/up.h:1: #include \"ops/add.h\": base may include nothing"),
    ("src/ops/x86/up.cpp", '\n  #  include "cli/run.cpp"\n', "src/ops/x86/up.cpp:2"),
    ("src/ops/bare.h", '#include "add.h"\n', "is not a file of src/"),
    ("src/ops/gone.h", '#include "base/gone.h"\n', "is not a file of src/"),
    ("src/attic/old.h", "\n", "src/attic: is not in the layer table"),
    ("src/base/util/x.h", "\n", "src/base/util: `util`"),
    ("tests/helpers.h", "\n", "tests/helpers.h: `helpers`"),
    ("src/ops/long.cpp", "\n" * (HARD_LINES + 1), "src/ops/long.cpp: 801 lines"),
    ("CMakeLists.txt", GOOD["CMakeLists.txt"].replace("USES base", "USES"), "ridgeline_folder(ops)"),
    ("CMakeLists.txt", GOOD["CMakeLists.txt"].replace("USES ops", "USES base"), "cli USES base"),
    (PAGE, GOOD[PAGE].replace("| - |", "| `ops` |"), "not a row above it"),
    (PAGE, GOOD[PAGE].replace("| `ops` | o | `base` |", "| `ops` | o | `base` |\n| `kv` | k | - |"), "no folder src/kv"),
    (PAGE, "# House\n", "has no table"),
)


def self_test():
    def faults_of(files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check(pathlib.Path(folder))

    missed = [f"complains about the good tree: {fault}" for fault in faults_of(GOOD)]
    for name, text, words in BREAKS:
        faults = faults_of({**GOOD, name: text})
        if not any(words in fault for fault in faults):
            missed.append(f"{name}: expected a complaint with '{words}', found {faults}")
    return missed


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    if sys.argv[1:] == ["--self-test"]:
        missed = self_test()
        if missed:
            sys.exit("check_layers self-test failed\n" + "\n".join(missed))
        print(f"check_layers: the self-test noticed each of {len(BREAKS)} broken rules")
    elif sys.argv[1:]:
        sys.exit("usage: check_layers.py [--self-test]")

    for warning in long_files(root):
        print(warning)
    faults = check(root)
    if faults:
        print("\n".join(faults), file=sys.stderr)
        sys.exit(f"check_layers: {len(faults)} broken rules")
    print("check_layers: the tree agrees with docs/architecture.md")


main()
