"""Skills over HTTP, on both databases: what is stored, what is on disk, what is refused."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from akmatori_server._generated.akmatori import stubs
from akmatori_server.pagination import PageRequest
from akmatori_server.skills.handlers import SkillHandlers
from tests.support.configured import Configured

PROMPT = "Look at load first.\n\n---\nSee [[escalation.md]].\n"


def create(client: httpx.Client, name: str = "linux-basics", **members: Any) -> httpx.Response:
    """Create a skill."""
    body = {"name": name, "description": "First look: a host", "prompt": PROMPT, **members}
    return client.post("/api/skills", json=body)


def actions(services: Configured) -> list[tuple[str, str]]:
    """Return what the audit trail holds, the oldest first."""
    entries = services.audit.page(PageRequest(size=200)).items
    return [(entry.action, entry.target) for entry in reversed(entries)]


def test_the_handlers_conform(services: Configured) -> None:
    """Mypy and pyright hold the class against the generated protocol here."""
    handlers: stubs.Skills = SkillHandlers(services.skills, services.scripts, services.sync)

    assert handlers


def test_a_skill_is_a_directory_in_the_open_format(client: httpx.Client, services: Configured) -> None:
    """Front matter, then the prompt byte for byte; for the owner only."""
    created = create(client, category="os")
    file = services.skills_dir / "linux-basics" / "SKILL.md"

    assert created.status_code == 201, created.text
    assert created.json()["prompt"] == PROMPT
    assert created.json()["enabled"] is True
    assert file.read_text() == (
        f"---\nname: linux-basics\ndescription: 'First look: a host'\n---\n\n{PROMPT}"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in file.parent.iterdir()) == ["SKILL.md"]
    got = client.get("/api/skills/linux-basics")
    assert got.json() == created.json()
    assert got.headers["ETag"] == created.headers["ETag"]
    assert actions(services) == [("skill:created", "skill:linux-basics")]


def test_a_skill_without_description_is_sound_too(client: httpx.Client, services: Configured) -> None:
    """The format wants one in the file; the API does not."""
    assert create(client, description=None).json()["description"] == ""
    assert "no description yet" in (services.skills_dir / "linux-basics/SKILL.md").read_text()
    assert client.post("/api/skills/sync").json()["changed"] == []
    assert client.get("/api/skills/linux-basics").json()["description"] == ""


def test_names_that_are_not_in_kebab_case_are_refused(client: httpx.Client, services: Configured) -> None:
    """And nothing is made on disk."""
    names = [
        "../x",
        "a/b",
        "A",
        "ä",
        "a--b",
        "-a",
        "a-",
        "1a",
        "a.b",
        "a b",
        "a\n",
        "\uff0e\uff0e",
        "a\u2044b",
    ]
    names.append("x" * 65)

    assert [create(client, name).status_code for name in names] == [400] * len(names)
    assert not services.skills_dir.exists() or [*services.skills_dir.glob("[!.]*")] == []


def test_a_taken_name_is_a_conflict(client: httpx.Client) -> None:
    """Also one that the product has taken."""
    create(client)

    for name in ("linux-basics", "sync", "incident-manager"):
        assert create(client, name).status_code == 409


def test_a_name_that_a_directory_has_is_a_conflict(client: httpx.Client, services: Configured) -> None:
    """Its files must not be overwritten; an empty directory is nobody's."""
    (services.skills_dir / "mine").mkdir(parents=True)
    (services.skills_dir / "mine" / "notes.txt").write_text("keep me")
    (services.skills_dir / "empty").mkdir()

    assert create(client, "mine").status_code == 409
    assert (services.skills_dir / "mine" / "notes.txt").read_text() == "keep me"
    assert create(client, "empty").status_code == 201


def test_a_key_makes_a_create_happen_once(client: httpx.Client) -> None:
    """The repeat answers the same."""
    headers = {"Idempotency-Key": "k"}
    first, second = (
        client.post("/api/skills", json={"name": "a", "prompt": "p"}, headers=headers) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()


def test_an_update_changes_what_is_given(client: httpx.Client, services: Configured) -> None:
    """In the row and in the file; what others wrote into the front matter stays."""
    create(client)
    file = services.skills_dir / "linux-basics/SKILL.md"
    file.write_text(file.read_text().replace("---\n\n", "license: MIT\n---\n\n", 1))
    updated = client.put("/api/skills/linux-basics", json={"description": "new", "enabled": False})

    assert updated.status_code == 200, updated.text
    assert (updated.json()["description"], updated.json()["enabled"]) == ("new", False)
    assert updated.json()["prompt"] == PROMPT
    assert file.read_text() == f"---\nname: linux-basics\ndescription: new\nlicense: MIT\n---\n\n{PROMPT}"
    assert client.post("/api/skills/sync").json()["changed"] == []


def test_a_stale_update_is_refused(client: httpx.Client, services: Configured) -> None:
    """Also when the prompt was changed on disk since."""
    etag = create(client).headers["ETag"]
    first = client.put("/api/skills/linux-basics", json={"category": "x"}, headers={"If-Match": etag})
    stale = client.put("/api/skills/linux-basics", json={"category": "y"}, headers={"If-Match": etag})
    file = services.skills_dir / "linux-basics/SKILL.md"
    file.write_text(file.read_text() + "more")
    changed = client.put(
        "/api/skills/linux-basics", json={"category": "z"}, headers={"If-Match": first.headers["ETag"]}
    )

    assert [answer.status_code for answer in (first, stale, changed)] == [200, 409, 409]


def test_the_prompt_is_read_and_replaced(client: httpx.Client, services: Configured) -> None:
    """Byte for byte, whatever its line endings; left out it is cleared."""
    create(client)
    for prompt in ("\n\r\n x\r\n", "---\nname: else\n---\n", "ünï\u2028cödé 🚒", ""):
        assert client.put("/api/skills/linux-basics/prompt", json={"prompt": prompt}).json() == {
            "status": "ok"
        }
        assert client.get("/api/skills/linux-basics/prompt").json() == {"prompt": prompt}
    assert actions(services)[-1] == ("skill:prompt:updated", "skill:linux-basics")
    client.put("/api/skills/linux-basics/prompt", json={"prompt": "x"})
    client.put("/api/skills/linux-basics/prompt", json={})
    assert client.get("/api/skills/linux-basics").json()["prompt"] == ""


def test_a_deleted_skill_is_gone_from_the_disk(client: httpx.Client, services: Configured) -> None:
    """With everything in it; the name is free again."""
    create(client)
    client.put("/api/skills/linux-basics/scripts/a.sh", json={"content": "x"})

    assert client.delete("/api/skills/linux-basics").status_code == 204
    assert [path.name for path in services.skills_dir.iterdir()] == [".~lock"]
    assert client.delete("/api/skills/linux-basics").status_code == 404
    assert create(client).status_code == 201


def test_the_system_skill_is_fixed(client: httpx.Client) -> None:
    """It can be read and switched off, nothing else."""
    skill = client.get("/api/skills/incident-manager").json()
    path = "/api/skills/incident-manager"

    assert (skill["is_system"], skill["category"]) == (True, "system")
    assert "# Incident manager" in skill["prompt"]
    assert client.delete(path).status_code == 403
    assert client.put(f"{path}/prompt", json={"prompt": "x"}).status_code == 403
    assert client.put(path, json={"prompt": "x"}).status_code == 403
    assert client.put(f"{path}/tools", json={"tool_instance_ids": [1]}).status_code == 403
    assert client.put(f"{path}/scripts/a.sh", json={"content": ""}).status_code == 403
    assert client.delete(f"{path}/scripts").status_code == 403
    assert client.get(f"{path}/scripts").json()["scripts"] == []
    # What was read may be sent back.
    assert client.put(path, json={"prompt": skill["prompt"], "enabled": False}).json()["enabled"] is False


def test_tools_are_replaced_as_a_whole(client: httpx.Client) -> None:
    """Repeated ones count once, nothing given clears; an unknown one is refused, and nothing is changed."""
    create(client)
    path = "/api/skills/linux-basics/tools"
    both = client.put(path, json={"tool_instance_ids": [2, 1, 2]})
    tag = both.headers["ETag"]

    assert [tool["id"] for tool in both.json()["tools"]] == [1, 2]
    for unknown in ([77], [1, 77], [2, 1, 77, 2**53 - 1]):
        refused = client.put(path, json={"tool_instance_ids": unknown})
        assert refused.status_code == 400
        assert "there is no tool 77" in refused.text
    assert [tool["id"] for tool in client.get(path).json()] == [1, 2]
    assert client.get("/api/skills/linux-basics").headers["ETag"] == tag
    assert client.get(path, params={"per_page": 1}).json()["pagination"]["total"] == 2
    assert [t["id"] for t in client.get("/api/skills").json()[1]["tools"]] == [1, 2]
    assert client.put(path, json={}).json()["tools"] == []
    assert client.get(path).json() == []


def test_lists_are_bare_or_in_pages(client: httpx.Client) -> None:
    """The oldest first, system skills included."""
    for name in ("b", "a"):
        create(client, name)
    page = client.get("/api/skills", params={"page": 2, "per_page": 2}).json()

    assert [skill["name"] for skill in client.get("/api/skills").json()] == ["incident-manager", "b", "a"]
    assert [skill["name"] for skill in page["data"]] == ["a"]
    assert page["pagination"] == {"page": 2, "per_page": 2, "total": 3, "total_pages": 2}
    assert client.get("/api/skills", params={"page": 1000000}).json()["data"] == []


@pytest.mark.parametrize("name", ["unknown", "..%2f..%2fetc%00"])
def test_an_unknown_skill_is_not_found(client: httpx.Client, name: str) -> None:
    """By every operation, whatever the name looks like."""
    path = f"/api/skills/{name}"
    answers = [
        client.get(path),
        client.put(path, json={}),
        client.delete(path),
        client.get(f"{path}/prompt"),
        client.put(f"{path}/prompt", json={}),
        client.get(f"{path}/tools"),
        client.put(f"{path}/tools", json={}),
        client.get(f"{path}/scripts"),
        client.delete(f"{path}/scripts"),
        client.get(f"{path}/scripts/a.sh"),
        client.put(f"{path}/scripts/a.sh", json={}),
        client.delete(f"{path}/scripts/a.sh"),
    ]

    assert {answer.status_code for answer in answers} <= {400, 404}


def test_scripts_come_and_go(client: httpx.Client, services: Configured) -> None:
    """Written, replaced, listed by name, read, deleted one by one and all at once."""
    create(client)
    path = "/api/skills/linux-basics/scripts"
    saved = client.put(f"{path}/b.sh", json={"content": "one"})
    client.put(f"{path}/b.sh", json={"content": "ünö\r\n"})
    client.put(f"{path}/a.py", json={})
    client.put(f"{path}/.hidden.sh", json={"content": "h"})
    listed, script = client.get(path).json(), client.get(f"{path}/b.sh").json()

    assert saved.json() == {"success": True, "filename": "b.sh", "content": "one"}
    assert listed == {
        "skill_name": "linux-basics",
        "scripts_dir": str(services.skills_dir / "linux-basics/scripts"),
        "scripts": ["a.py", "b.sh"],
    }
    assert (script["content"], script["size"]) == ("ünö\r\n", 7)
    assert client.get(f"{path}/.hidden.sh").json()["content"] == "h"
    assert client.delete(f"{path}/a.py").status_code == 204
    assert client.delete(f"{path}/a.py").status_code == 404
    assert client.get(f"{path}/a.py").status_code == 404
    assert client.delete(path).json()["skill_name"] == "linux-basics"
    assert client.get(path).json()["scripts"] == []
    assert not list((services.skills_dir / "linux-basics/scripts").iterdir())
    assert client.post("/api/skills/sync").json()["changed"] == []


SCRIPT_NAMES = [
    "sh",
    "...",
    "a..sh",
    "%2e%2e",
    "..%2fa.sh",
    "%2e%2e%2fSKILL.md",
    "a%00.sh",
    "a%5cb.sh",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8fa.sh",
    "a.sh%0a",
    "a~.sh",
    "x" * 253 + ".sh",
]


def test_script_names_that_are_not_allowed(client: httpx.Client, services: Configured) -> None:
    """Nothing is read, written or deleted anywhere."""
    create(client)
    before = sorted(services.data.rglob("*"))

    for name in SCRIPT_NAMES:
        # As it stands: the client would bring some of them into another form.
        raw = f"/api/skills/linux-basics/scripts/{name}".encode()
        url = client.base_url.copy_with(raw_path=raw)
        answers = [client.get(url), client.put(url, json={"content": "x"}), client.delete(url)]
        assert {answer.status_code for answer in answers} <= {400, 404}, name
    assert sorted(services.data.rglob("*")) == before


def test_links_lead_nowhere(client: httpx.Client, services: Configured, tmp_path: Path) -> None:
    """Neither a linked script, nor a linked directory, nor a linked prompt is followed."""
    create(client)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.sh").write_text("secret")
    folder, path = services.skills_dir / "linux-basics", "/api/skills/linux-basics"
    (folder / "scripts").symlink_to(outside)

    assert client.get(f"{path}/scripts").json()["scripts"] == []
    assert client.get(f"{path}/scripts/secret.sh").status_code == 404
    assert client.put(f"{path}/scripts/secret.sh", json={"content": "x"}).status_code == 409
    assert client.delete(f"{path}/scripts/secret.sh").status_code in {404, 409}
    assert client.delete(f"{path}/scripts").status_code in {200, 409}
    (folder / "scripts").unlink()
    client.put(f"{path}/scripts/a.sh", json={"content": "a"})
    (folder / "scripts/linked.sh").symlink_to(outside / "secret.sh")
    assert client.get(f"{path}/scripts").json()["scripts"] == ["a.sh"]
    assert client.get(f"{path}/scripts/linked.sh").status_code == 404
    (folder / "SKILL.md").unlink()
    (folder / "SKILL.md").symlink_to(outside / "secret.sh")
    assert client.get(f"{path}/prompt").json() == {"prompt": ""}
    assert client.put(f"{path}/prompt", json={"prompt": "new"}).status_code == 200
    assert not (folder / "SKILL.md").is_symlink()
    # A linked skill directory as well.
    client.delete(path)
    (services.skills_dir / "linux-basics").symlink_to(outside)
    assert create(client).status_code == 409
    assert (outside / "secret.sh").read_text() == "secret"
    assert [entry.name for entry in outside.iterdir()] == ["secret.sh"]


def test_a_script_that_is_not_text_is_a_conflict(client: httpx.Client, services: Configured) -> None:
    """It would come back changed; it is listed, and can be deleted."""
    create(client)
    client.put("/api/skills/linux-basics/scripts/a.sh", json={"content": "x"})
    (services.skills_dir / "linux-basics/scripts/tool.bin").write_bytes(b"\xff\xfe\x00")

    assert client.get("/api/skills/linux-basics/scripts/tool.bin").status_code == 409
    assert client.get("/api/skills/linux-basics/scripts").json()["scripts"] == ["a.sh", "tool.bin"]
    assert client.delete("/api/skills/linux-basics/scripts/tool.bin").status_code == 204
