"""`binwright stack report`: one page that needs no network, says what the other commands say, and escapes its input."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from binwright.stack import report
from binwright.stack.audit_result import AuditResult
from binwright.stack.finding import Finding, Ref
from binwright.stack.join import join

SAMPLE = Path(__file__).parents[2] / "examples" / "club-sandwich"


class Page(HTMLParser):
    """Tags that are open, every attribute that could load something, and the text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.words, self.rects = [], [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "rect":
            self.rects += 1
        if tag not in ("meta", "rect", "line"):
            self.open.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "srcset", "xlink:href", "action")]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in ("meta", "rect", "line"):
            self.open.pop()

    def handle_endtag(self, tag):
        if tag == "rect":
            return
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def page(command, tmp_path):
    def made(path):
        file = tmp_path / "report.html"
        ended = command("stack", "report", str(path), "-o", str(file))
        assert (ended.code, ended.err) == (0, "")
        assert re.fullmatch(rf"{file}: \d+ KiB\n", ended.out)
        return file.read_text()

    return made


def test_words_are_words(page):
    """Kinds are no identifiers, and what breaks is not said twice."""
    words = Page(page(SAMPLE)).words
    assert "medium · stale label" in words
    assert "Quorum build/kube-system/etcd" in words
    assert any(one.startswith("budget: PodDisruptionBudget ") for one in words)
    assert "what the repairs move" in words
    assert not [one for one in words if "were not looked for" in one]


def test_hosts_of_unknown_size_are_not_drawn(page, tmp_path):
    """A dump of the first day: nodes, pods, servers and flavors, and nothing about hosts."""
    for path in ("clusters/shop/nodes.json", "clusters/shop/pods.json", "clouds/north/servers.json"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLE / path, tmp_path / path)
    shutil.copy(SAMPLE / "clouds" / "north" / "flavors.json", tmp_path / "clouds" / "north")
    parsed = Page(page(tmp_path))
    assert "How large 64 of 64 hosts are, no file tells; they are not drawn." in parsed.words
    assert (parsed.open, parsed.rects) == ([], 0)
    assert "hosts whose loss breaks something" in parsed.words


def test_repairs_that_were_not_looked_for_are_said():
    finding = Finding("spread", "high", (Ref("k", "Deployment", "web"),), 3, 2, "why", sought=False)
    result = AuditResult(join({}, {}), [finding], [])
    assert "not looked for of the last 1 findings" in report._not_sought(result)


def test_the_page_stands_alone_and_is_sound(page):
    text = page(SAMPLE)
    parsed = Page(text)
    assert parsed.open == []
    assert parsed.loads == []
    assert [word for word in ("http", "@import", "url(", "<script") if word in text] == []
    wanted = ('name="viewport"', "prefers-color-scheme: dark", "@media print")
    assert [word for word in wanted if word not in text] == []
    assert parsed.rects > 800  # every host, every server, what its pods request


def test_it_says_what_the_audit_says(page, command):
    text = " ".join(Page(page(SAMPLE)).words)
    for finding in json.loads(command("stack", "audit", str(SAMPLE), "-o", "json").out)["findings"]:
        assert finding["id"] in text
        assert finding["evidence"] in text
    assert "60 of 61" in text
    assert "1 cloud, 6 clusters, 72 physical hosts, 398 servers, 178 nodes, 1,677 pods." in text


def test_it_draws_what_is_free_sold_used_and_idle(page, command):
    text = page(SAMPLE)
    for kind in ("free", "server", "other", "pods", "idle"):
        assert text.count(f'class="{kind}"') > 50, kind
    total = json.loads(command("stack", "ledger", str(SAMPLE), "-o", "json").out)["totals"]["cpu"]
    share = total["reclaimable"] * 100 // total["physical"]
    assert f"{share} %</b>of the CPU is sold and idle" in text
    assert "sold and idle, to be had again at risk 0.01" in text


def test_before_and_after_are_two_audits(page):
    rows = re.findall(r"<tr><td>([^<]+)</td><td class=\"n\">(\d+)</td><td class=\"n\">(\d+)</td></tr>", page(SAMPLE))
    assert ("hazards", "4", "2") in rows
    assert ("claimed spreads that hold", "60", "61") in rows
    assert ("quorums that one host takes down", "1", "0") in rows


def test_a_name_that_is_markup_stays_text(page, tmp_path):
    copy = tmp_path / "sandwich"
    shutil.copytree(SAMPLE, copy)
    file = copy / "clouds" / "north" / "servers.json"
    file.write_text(file.read_text().replace('"office-mail-16"', '"<script>alert(1)</script>"'))
    text = page(copy)
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_clean_part_has_no_before_and_after(page):
    text = page(SAMPLE / "clusters" / "under")
    assert "None found." in text
    assert "Before and after" not in text


def test_the_page_can_go_to_standard_output(command):
    ended = command("stack", "report", str(SAMPLE / "clusters" / "under"), "-o", "-", "--title", "A <title>")
    assert ended.out.startswith("<!doctype html>")
    assert "<h1>A &lt;title&gt;</h1>" in ended.out
