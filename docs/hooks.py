"""What the site's builder cannot say in mkdocs.yml. Run by MkDocs; needs binwright installed, for the help texts.

`docs/index.md` is about the engine's index and keeps its path; the site's first page is `docs/home.md`. The page of the
command line is what `binwright VERB --help` prints. Measured figures come from the README and bench/results, so that
they stand in one place. Blocks that the tests do not run are captioned.
"""

import contextlib
import io
import json
import os
import re
import statistics
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

PUBLISHED = {"home.md": "index.md", "index.md": "engine-index.md"}
LINK = re.compile(r"(\]\((?:\.\./)*)(index|home)\.md")
UNRUN = re.compile(r"^```(sh|toml|yaml|ini|cython|c)$", re.MULTILINE)
SECTION = re.compile(r"^<!-- README: (?P<heading>.*) -->$", re.MULTILINE)
PEERS = "<!-- peers of packing -->"
ROOT = Path(__file__).parents[1]


def on_files(files, config):
    """Publish the two pages under their names on the site, and make the page of the command line."""
    for source in PUBLISHED:
        files.remove(files.get_file_from_path(source))
    for source, name in PUBLISHED.items():
        text = (Path(config.docs_dir) / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    files.append(File.generated(config, "reference/command-line.md", content=command_line()))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links to the two pages go where they are published; figures come in; what is not run says so."""
    moved = LINK.sub(lambda link: f"{link[1]}{PUBLISHED[link[2] + '.md']}", markdown)
    measured = SECTION.sub(lambda wanted: section_of_readme(wanted["heading"]), moved)
    if PEERS in measured:
        measured = measured.replace(PEERS, peers_of_packing())
    return blank_before_blocks(UNRUN.sub(r'```\1 title="not run by the tests"', measured))


def section_of_readme(heading: str) -> str:
    """What stands under a heading of the README, up to the next one of its level."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if f"\n## {heading}\n" not in text:
        raise PluginError(f"README.md has no section {heading!r}")
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0].strip()


def peers_of_packing() -> str:
    """A row for each solver, from the last run of bench/peers/packing/run.py."""
    lines = (ROOT / "bench/results/packing-peers.jsonl").read_text(encoding="utf-8").splitlines()
    by_peer: dict[str, list] = {}
    best: dict[str, int] = {}
    for run in map(json.loads, lines):
        by_peer.setdefault(run["peer"], []).append(run)
        counts = [best.get(run["instance"]), run["known"], run["bins"]]
        best[run["instance"]] = min(count for count in counts if count is not None)
    rows = ["| solver | instances | of them with the fewest bins known | proven by itself | median seconds |"]
    rows.append("|---|---:|---:|---:|---:|")
    for peer, runs in by_peer.items():
        found = sum(run["bins"] == best[run["instance"]] for run in runs)
        proven = sum(run["bins"] is not None and run["bound"] == run["bins"] for run in runs)
        seconds = statistics.median(run["seconds"] for run in runs)
        rows.append(f"| {peer} | {len(runs)} | {found} | {proven} | {seconds:.2f} |")
    return "\n".join(rows)


def blank_before_blocks(markdown: str) -> str:
    """A list or table may follow a paragraph directly on other sites; Python-Markdown wants an empty line between."""
    made: list[str] = []
    fenced = False
    for line in markdown.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        before = made[-1] if made else ""
        begins = re.match(r"([-*]|\d+\.) |\|", line)
        if begins and not fenced and before and not re.match(r" |[-*] |\d+\. |\|", before):
            made.append("")
        made.append(line)
    return "\n".join(made)


def command_line() -> str:
    """Every verb with its options, as the command itself prints them."""
    from binwright.cli.main import GROUPS, VERBS

    parts = ["# The command line\n\nWhat `--help` prints. The commands at work: [on the sample](../commands.md).\n"]
    for verb in VERBS:
        for words in [[verb, below] for below in GROUPS.get(verb, ())] or [[verb]]:
            parts.append(f"## binwright {' '.join(words)}\n\n```{{ .text }}\n{help_of(words)}```\n")
    return "\n".join(parts)


def help_of(words: list[str]) -> str:
    """The help text of one verb, 100 columns wide, without colours."""
    from binwright.cli.main import main

    printed = io.StringIO()
    os.environ.update(COLUMNS="100", NO_COLOR="1")
    with contextlib.redirect_stdout(printed):
        main([*words, "--help"])
    return printed.getvalue()
