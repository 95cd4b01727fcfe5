"""Reading manifests: every shape they come in, and everything that is no manifest."""

import os
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from akmatori_server.kubernetes.manifests import (
    ManifestObject,
    Node,
    Problem,
    ProblemKind,
    read_manifests,
)
from akmatori_server.kubernetes.manifests.files import LARGEST_FILE
from akmatori_server.kubernetes.workloads import ContainerKind, read_workload

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"


BOMB = "a: &a [1,2,3,4,5,6,7,8]\n" + "".join(
    f"{name}: &{name} [{f'*{before},' * 8}]\n" for before, name in pairwise("abcdefghi")
)


def read(path: Path) -> tuple[list[ManifestObject], list[Problem]]:
    found = list(read_manifests([path]))
    objects = [item for item in found if isinstance(item, ManifestObject)]
    return objects, [item for item in found if isinstance(item, Problem)]


def read_text(
    folder: Path, text: str | bytes, name: str = "a.yaml"
) -> tuple[list[ManifestObject], list[Problem]]:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(folder)


def test_documents_of_a_file_with_their_lines(tmp_path: Path) -> None:
    text = "%YAML 1.1\n# first\n---\n" + POD % "a" + "---\n\n# nothing\n--- # second\n" + POD % "b" + "...\n"
    objects, problems = read_text(tmp_path, text)
    assert [(item.name, item.source.line) for item in objects] == [("a", 4), ("b", 11)]
    assert problems == []


def test_broken_document_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    text = POD % "a" + "---\nkind: [Pod\n---\n" + POD % "b" + "---\n  x: 1\n y: 2\n---\n" + POD % "c"
    objects, problems = read_text(tmp_path, text)
    assert [item.name for item in objects] == ["a", "b", "c"]
    assert [(item.kind, item.line) for item in problems] == [("unreadable", 5), ("unreadable", 12)]
    assert str(problems[0]).startswith(f"{tmp_path / 'a.yaml'}:5: This is not valid YAML")


def test_marker_inside_of_a_text_block_is_none_when_indented(tmp_path: Path) -> None:
    objects, problems = read_text(tmp_path, POD % "a" + "x: |\n  ---\n  kind: [\n")
    assert len(objects) == 1
    assert problems == []
    assert objects[0].body.get("x").text() == "---\nkind: [\n"


def test_lists_and_their_items(tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n"
        "- {apiVersion: example.com/v1, kind: Unknown, metadata: {name: b, namespace: n}}\nmetadata: {}\n"
        "---\nkind: PodList\napiVersion: v1\nitems: [{metadata: {name: c}}]\n"
        "---\nitems: []\nkind: List\napiVersion: v1\n"
    )
    objects, problems = read_text(tmp_path, text)
    assert [(item.kind, item.name, item.source.line) for item in objects] == [
        ("Pod", "a", 4),
        ("Unknown", "b", 7),
        ("Pod", "c", 12),
    ]
    assert problems == []


def test_items_of_another_kind_are_its_own(tmp_path: Path) -> None:
    objects, problems = read_text(tmp_path, "apiVersion: x/v1\nkind: Menu\nitems: [{kind: Soup}]\n")
    assert [item.kind for item in objects] == ["Menu"]
    assert problems == []


def test_json_with_lines_and_without(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(
        '{"apiVersion": "v1",\n\t"kind": "Pod",\n\t"metadata": {"name": "\\ud83d\\ude00"}}'
    )
    objects, problems = read_text(
        tmp_path,
        '{"kind": "List",\n "apiVersion": "v1", "items": [\n  {"apiVersion": "v1", "kind": "Pod"}]}',
        "a.json",
    )
    assert [(item.kind, item.name, item.source.line) for item in objects] == [
        ("Pod", "", 3),
        ("Pod", "😀", 1),
    ]
    assert problems == []


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    text = POD % "a" + "x: &x {one: 1, two: 2}\ny: {<<: *x, two: 3}\nz: {<<: [{one: 4}, *x]}\n"
    ((found,), problems) = read_text(tmp_path, text)
    assert found.body.get("y").texts() == {"one": "1", "two": "3"}
    assert found.body.get("z").texts() == {"one": "4", "two": "2"}
    assert problems == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BOMB, "more than"),
        ("a: " + "[" * 5000 + "]" * 5000, "levels at most"),
        ("a: &a [*a]", "no value above"),
        ("a: *b", "no value above|undefined alias"),
        ("? [a]\n: b\n", "must be a text"),
        (b"a: \xff\xfe\n", "not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ('a: "', "not valid YAML"),
        ("image: {{ .Values.image }}\n", "helm template"),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_said_and_the_rest_is_read(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    objects, (problem, *others) = read_text(tmp_path, raw + b"\n---\n" + (POD % "after").encode())
    assert [item.name for item in objects] == ["after"]
    assert not others
    assert problem.kind is ProblemKind.UNREADABLE
    assert problem.line
    assert any(part in problem.message for part in sentence.split("|"))


def test_what_is_no_object_is_said(tmp_path: Path) -> None:
    objects, problems = read_text(tmp_path, "replicas: 3\n---\n- 1\n---\nkind: Pod\n---\ntext\n")
    assert objects == []
    assert [(item.kind, item.line) for item in problems] == [
        (ProblemKind.FOREIGN, line) for line in (1, 3, 5, 7)
    ]


def test_an_object_without_its_version_was_meant_to_be_one(tmp_path: Path) -> None:
    text = "kind: Deployment\nmetadata: {name: web}\n---\nkind: Menu\nmetadata: {name: lunch}\n"
    objects, (lost, menu) = read_text(tmp_path, text)
    assert objects == []
    assert (lost.kind, lost.line) == (ProblemKind.UNREADABLE, 1)
    assert "This Deployment has no apiVersion" in lost.message
    assert menu.kind is ProblemKind.FOREIGN


def test_what_is_excluded_is_not_read(tmp_path: Path) -> None:
    names = ("charts/web/templates/a.yaml", "templates/b.yaml", "web/templates.yaml", "web/c.yaml")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(POD % "a")
    for pattern, left in (
        ("templates", {2, 3}),
        ("charts/*/templates", {1, 2, 3}),
        ("./charts/", {1, 2, 3}),
        ("**/templates/**", {2, 3}),
        ("templates*", {3}),
        ("web/*.yaml", {0, 1}),
        ("/templates", {0, 2, 3}),
        ("nothing", {0, 1, 2, 3}),
    ):
        read_files = {
            str(one.source.file)
            for one in read_manifests([tmp_path], exclude=[pattern])
            if isinstance(one, ManifestObject)
        }
        assert read_files == {(tmp_path / names[index]).as_posix() for index in left}, pattern
    # What is named itself is read.
    assert len(list(read_manifests([tmp_path / names[3]], exclude=["c.yaml"]))) == 1


def test_names_that_repeat_are_doubtful(tmp_path: Path) -> None:
    ((found,), (problem,)) = read_text(tmp_path, POD % "a" + "kind: Job\n")
    assert (found.kind, problem.kind, problem.line) == ("Job", ProblemKind.DOUBTFUL, 4)


def test_tags_construct_nothing(tmp_path: Path) -> None:
    ((found,), problems) = read_text(
        tmp_path, POD % "a" + "x: !!python/object/apply:os.system ['true']\ny: !!bool 'true'\n"
    )
    assert found.body.get("x").each()[0].text() == "true"
    assert found.body.get("y").boolean() is True
    assert problems == []


def test_folders_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/z.yml", "b/a.JSON", "a.yaml", ".git/x.yaml", "b/readme.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(POD % Path(name).stem)
    objects, problems = read(tmp_path)
    assert [item.name for item in objects] == ["a", "a", "z"]
    assert problems == []


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.yaml").write_text(POD % "secret")
    (inside / "real.yaml").write_text(POD % "real")
    (inside / "file.yaml").symlink_to(outside / "secret.yaml")
    (inside / "folder").symlink_to(outside)
    (inside / "self.yaml").symlink_to(inside / "self.yaml")
    (inside / "within.yaml").symlink_to(inside / "real.yaml")
    objects, problems = read(inside)
    assert [item.name for item in objects] == ["real", "real"]
    assert sorted(Path(item.file).name for item in problems) == ["file.yaml", "folder", "self.yaml"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    _, problems = read(tmp_path)
    assert [item.message for item in problems] == [
        "The file has more than 256 MiB.",
        "This is not a regular file.",
    ]
    _, (problem,) = read(tmp_path / "missing.yaml")
    assert "No such file" in problem.message


def test_memory_does_not_grow_with_a_list(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        item = "- apiVersion: v1\n  kind: Pod\n  metadata: {name: x}\n  spec: {containers: [{name: a, image: b}]}\n"
        path = tmp_path / f"{count}.yaml"
        path.write_text("apiVersion: v1\nkind: List\nitems:\n" + item * count)
        tracemalloc.start()
        try:
            assert sum(isinstance(found, ManifestObject) for found in read_manifests([path])) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(600) < peak(100) * 1.2 + 50_000


def test_types_are_decided_by_who_asks() -> None:
    assert Node(1, scalar="yes", plain=True).boolean() is True
    assert Node(1, scalar="true").boolean() is None
    numbers = {"0": 0, "0x10": 16, "010": 8, "-1": -1, "1.0": 1, "1.5": None, "08": None, "x": None}
    assert {text: Node(1, scalar=text, plain=True).integer() for text in numbers} == numbers
    assert not Node(1, scalar="~", plain=True).exists
    assert Node(1, scalar="").exists


@pytest.mark.parametrize(
    ("kind", "version", "path"),
    [
        ("Pod", "v1", ""),
        ("ReplicationController", "v1", "template"),
        *((kind, "apps/v1", "template") for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
        ("Deployment", "extensions/v1beta1", "template"),
        ("Job", "batch/v1", "template"),
        ("CronJob", "batch/v1", "jobTemplate.spec.template"),
    ],
)
def test_workloads_of_every_kind(tmp_path: Path, kind: str, version: str, path: str) -> None:
    spec = "{containers: [{name: m}], ephemeralContainers: [{name: e}],"
    spec += " initContainers: [{name: i}, {name: s, restartPolicy: Always}]}"
    for step in reversed(path.split(".") if path else []):
        spec = (
            f"{{{step}: {spec if step == 'spec' else f'{{spec: {spec}}}' if step == 'template' else spec}}}"
        )
    ((found,), _) = read_text(
        tmp_path, f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {spec}\n"
    )
    workload = read_workload(found)
    assert workload is not None
    assert [(item.name, item.kind) for item in workload.containers] == [
        ("m", ContainerKind.MAIN),
        ("i", ContainerKind.INIT),
        ("s", ContainerKind.SIDECAR),
        ("e", ContainerKind.EPHEMERAL),
    ]


def test_kinds_of_others_are_no_workloads(tmp_path: Path) -> None:
    ((found,), _) = read_text(
        tmp_path, "apiVersion: example.com/v1\nkind: Deployment\nspec: {template: {}}\n"
    )
    assert read_workload(found) is None


PIECES = st.one_of(
    st.sampled_from(
        ["kind: Pod\n", "apiVersion: v1\n", "items:\n", "spec:\n", "containers: ", "metadata: ", "null"]
    ),
    st.sampled_from(
        ["---\n", "...\n", "&a ", "*a", "<<: ", "!!x ", "%YAML 9\n", "\t", "\ufeff", "\\ud800", "|\n"]
    ),
    st.sampled_from(["- ", "  ", "{", "}", "[", "]", '"', "? ", ": "]),
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.one_of(
        st.binary(max_size=200), st.lists(PIECES, max_size=30).map(lambda found: "".join(found).encode())
    )
)
def test_no_content_makes_the_reader_raise(tmp_path: Path, content: bytes) -> None:
    for name in ("a.yaml", "a.json"):
        path = tmp_path / name
        path.write_bytes(content)
        for found in read_manifests([path]):
            if isinstance(found, ManifestObject):
                read_workload(found)
            else:
                assert found.message.endswith(".")
