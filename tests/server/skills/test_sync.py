"""What is done in the skills directory by hand, and what `POST /api/skills/sync` makes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx

from akmatori_server.pagination import PageRequest
from tests.support.configured import Configured


def put_on_disk(services: Configured, name: str, text: str | None = None) -> Path:
    """Make a directory with a prompt file, as a person would."""
    folder = services.skills_dir / name
    folder.mkdir(parents=True, exist_ok=True)
    default = f"---\nname: {name}\ndescription: Made by hand.\nlicense: MIT\n---\nDo it.\n"
    (folder / "SKILL.md").write_text(default if text is None else text)
    return folder


def sync(client: httpx.Client) -> dict[str, object]:
    """Synchronise, and return what was found."""
    answer = client.post("/api/skills/sync")
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    assert body.pop("status") == "ok"
    return body


def test_nothing_to_do(client: httpx.Client) -> None:
    """Twice in a row, and without a directory."""
    expected = {
        "message": "Skills synced: 0 added, 0 changed, 0 missing, 0 skipped.",
        "added": [],
        "changed": [],
        "missing": [],
        "skipped": [],
    }

    assert sync(client) == expected
    assert sync(client) == expected


def test_new_changed_and_missing_are_told_apart(client: httpx.Client, services: Configured) -> None:
    """And the second time nothing is new or changed, while what is missing stays so."""
    for name in ("changed", "missing", "kept", "script"):
        client.post("/api/skills", json={"name": name, "description": "d", "prompt": "p"})
    put_on_disk(services, "fresh")
    put_on_disk(services, "changed")
    shutil.rmtree(services.skills_dir / "missing")
    (services.skills_dir / "script" / "scripts").mkdir()
    (services.skills_dir / "script" / "scripts" / "a.sh").write_text("x")
    first, second = sync(client), sync(client)

    assert (first["added"], first["changed"], first["missing"]) == (
        ["fresh"],
        ["changed", "script"],
        ["missing"],
    )
    assert (second["added"], second["changed"], second["missing"]) == ([], [], ["missing"])
    fresh, changed = client.get("/api/skills/fresh").json(), client.get("/api/skills/changed").json()
    assert (fresh["description"], fresh["prompt"], fresh["enabled"]) == ("Made by hand.", "Do it.\n", True)
    assert (changed["description"], changed["prompt"]) == ("Made by hand.", "Do it.\n")
    assert client.get("/api/skills/missing").json()["prompt"] == ""
    audited = [entry.action for entry in services.audit.page(PageRequest()).items]
    assert audited.count("skill:synced") == 1


def test_a_missing_skill_comes_back(client: httpx.Client, services: Configured) -> None:
    """When its files are put back, or it is written anew."""
    client.post("/api/skills", json={"name": "a", "prompt": "p"})
    client.put("/api/skills/a/tools", json={"tool_instance_ids": [1]})
    shutil.rmtree(services.skills_dir / "a")
    assert sync(client)["missing"] == ["a"]
    client.put("/api/skills/a/prompt", json={"prompt": "again"})

    assert sync(client)["missing"] == []
    assert client.get("/api/skills/a").json()["prompt"] == "again"
    assert [tool["id"] for tool in client.get("/api/skills/a/tools").json()] == [1]


NO_SKILLS = [
    ("Bad Name", None, "kebab"),
    ("sync", None, "taken"),
    ("incident-manager", None, "taken"),
    ("plain", "no front matter", "front matter"),
    ("open", "---\nname: open\ndescription: d\n", "front matter"),
    ("other", "---\nname: else\ndescription: d\n---\n", "not the directory's"),
    ("blank", "---\nname: blank\ndescription: ' '\n---\n", "needs a name and a description"),
    ("list", "---\n- a\n---\n", "mapping"),
    ("numbers", "---\n1: a\n---\n", "keys"),
    ("broken", "---\nname: [\n---\n", "not valid YAML"),
    ("python", "---\nname: !!python/object/apply:os.getcwd []\n---\n", "not valid YAML"),
    ("bomb", "---\nname: bomb\na: &a [x]\nb: [*a, *a]\n---\n", "not valid YAML"),
    ("dates", "---\nname: dates\nd: 2026-13-45\n---\n", "not valid YAML"),
    ("long", "---\nname: long\ndescription: " + "d" * 1025 + "\n---\n", "1024"),
    ("nul", "---\nname: nul\ndescription: d\n---\n\x00", "NUL"),
]


def test_what_cannot_be_a_skill_is_skipped_with_the_reason(
    client: httpx.Client, services: Configured
) -> None:
    """And stops no other."""
    for name, text, _ in NO_SKILLS:
        put_on_disk(services, name, text)
    put_on_disk(services, "sound")
    found = sync(client)

    assert found["added"] == ["sound"]
    assert isinstance(found["skipped"], list)
    reasons = {one["name"]: one["reason"] for one in found["skipped"]}
    assert reasons.keys() == {name for name, _, _ in NO_SKILLS}
    assert [name for name, _, reason in NO_SKILLS if reason not in reasons[name]] == []


def test_links_files_and_other_encodings_are_skipped(
    client: httpx.Client, services: Configured, tmp_path: Path
) -> None:
    """A link could show files of anywhere as a prompt."""
    outside = put_on_disk(services, "outside")
    outside = outside.rename(tmp_path / "linked")
    (services.skills_dir / "linked").symlink_to(outside)
    (services.skills_dir / "file.md").write_text("x")
    put_on_disk(services, "half").joinpath("SKILL.md").unlink()
    (services.skills_dir / "half" / "SKILL.md").symlink_to(outside / "SKILL.md")
    put_on_disk(services, "latin").joinpath("SKILL.md").write_bytes(b"---\nname: latin\n---\n\xe9")
    (services.skills_dir / "empty").mkdir()
    (services.skills_dir / ".git").mkdir()
    found = sync(client)

    assert isinstance(found["skipped"], list)
    assert [one["name"] for one in found["skipped"]] == ["empty", "file.md", "half", "latin", "linked"]
    assert found["added"] == []


def test_a_known_skill_that_is_broken_on_disk_is_reported(client: httpx.Client, services: Configured) -> None:
    """Its row stays, and nothing of the file is hidden."""
    client.post("/api/skills", json={"name": "a", "description": "d", "prompt": "p"})
    put_on_disk(services, "a", "oops")
    found = sync(client)

    assert (found["changed"], found["missing"]) == ([], [])
    assert isinstance(found["skipped"], list)
    assert [one["name"] for one in found["skipped"]] == ["a"]
    assert client.get("/api/skills/a").json()["description"] == "d"
    assert client.get("/api/skills/a/prompt").json() == {"prompt": "oops"}


def test_references_and_assets_stay(client: httpx.Client, services: Configured) -> None:
    """The format's other directories are neither read nor touched by the API, and go with the skill."""
    folder = put_on_disk(services, "full")
    for name in ("references", "assets"):
        (folder / name).mkdir()
        (folder / name / "x.md").write_text(name)
    sync(client)
    client.put("/api/skills/full/prompt", json={"prompt": "new"})

    assert (folder / "assets" / "x.md").read_text() == "assets"
    assert "license: MIT" in (folder / "SKILL.md").read_text()
    client.delete("/api/skills/full")
    assert not folder.exists()


def test_starting_takes_over_what_was_done_meanwhile(services: Configured) -> None:
    """As the operation does."""
    put_on_disk(services, "fresh")

    assert services.sync.recover().added == ("fresh",)
    assert services.skills.get("fresh").prompt == "Do it.\n"
