from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"\bmake ([a-z]+)\b")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def pyproject() -> dict[str, dict[str, object]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    targets = [link.split("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_command_in_code_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    code = chain(re.findall(r"`([^`\n]+)`", text), re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL))
    assert set(COMMAND.findall("\n".join(code))) - targets == set()


def test_the_index_lists_every_decision() -> None:
    folder = ROOT / "docs" / "adr"
    records = {path.name for path in folder.glob("[0-9]*.md")}
    assert set(LINK.findall((folder / "README.md").read_text(encoding="utf-8"))) == records


def test_the_changelog_names_the_version_of_the_project() -> None:
    version = pyproject()["project"]["version"]
    assert str(version) in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_package_is_pinned_with_hashes_and_without_addresses() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    entries = [line for line in text.replace("\\\n", "").splitlines() if line and not line.startswith("#")]
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry
        assert HASH.search(entry), entry


def test_every_package_that_the_project_asks_for_is_pinned() -> None:
    project = pyproject()["project"]
    extras = project["optional-dependencies"]
    assert isinstance(extras, dict)
    assert isinstance(project["dependencies"], list)
    wanted = {re.split(r"[\[<>=~!; ]", line)[0] for line in chain(project["dependencies"], *extras.values())}
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    assert wanted - pinned == set()


def test_each_lint_rule_that_is_off_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    rules = re.findall(r'^    "[A-Z]{1,4}[0-9]*",.*$', text, re.MULTILINE)
    assert rules
    assert [line for line in rules if not re.search(r"# \S+ \S+", line)] == []


@pytest.mark.parametrize("folder", ["telephony_adapters", "dialer/agents", "dialer/service"])
def test_every_action_that_is_logged_stands_in_the_table_of_the_log(folder: str) -> None:
    log = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("\n## Log\n")[2].partition("\n## ")[0]
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py")))
    assert {action for action in re.findall(r'"action": "([a-z_.]+)"', code) if f"`{action}`" not in log} == set()


def test_continuous_integration_requires_the_components_that_it_installs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    serves = {"default-jre-headless": "kafka", "maven": "kafka", "sip-tester": "sipp", "baresip-core": "baresip"}
    serves |= {"kamailio-tls-modules": "kamailio", "debootstrap": "asterisk"}
    installed = {serves.get(name, name) for name in re.findall(r"missing\+=\(([\w-]+)\)", script)}
    assert {
        "chromium",
        "postgresql",
        "kafka",
        "mosquitto",
        "sipp",
        "baresip",
        "kamailio",
        "asterisk",
        "tshark",
    } <= installed
    required = set(re.search(r"DIALER_REQUIRE=(\S+)", script)[1].split(","))  # type: ignore[index]
    assert installed <= required
