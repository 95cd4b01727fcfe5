"""The bundler: several files become one document, and what cannot be joined is named with its file."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from codegen.bundle import load
from codegen.errors import SpecError

ROOT = """
    openapi: 3.0.3
    info: {title: Notes, version: "1"}
    paths:
      /zoo: {$ref: "paths/notes.yaml#/zoo"}
      /ant: {$ref: "paths/notes.yaml#/ant"}
"""
PATHS = """
    zoo:
      get:
        x-sdk: zoo.get
        parameters: [{$ref: "../parameters.yaml#/Page"}]
        responses:
          200: {$ref: "../responses.yaml#/Fine"}
    ant:
      post:
        requestBody: {content: {application/json: {schema: {$ref: "../schemas/notes.yaml#/Note"}}}}
        responses:
          "204": {description: Done.}
"""
OTHERS = {
    "parameters.yaml": 'Page: {name: page, in: query, schema: {$ref: "schemas/notes.yaml#/Number"}}',
    "responses.yaml": """
        Fine:
          description: Fine.
          headers: {ETag: {$ref: "headers.yaml#/ETag"}}
          content:
            application/json:
              schema: {$ref: "schemas/notes.yaml#/Note"}
              examples: {small: {$ref: "examples.yaml#/Small"}}
    """,
    "headers.yaml": "ETag: {description: Version., schema: {type: string}}",
    "examples.yaml": 'Small: {value: {$ref: "just data", at: 2026-03-01T00:00:00Z}}',
    "schemas/notes.yaml": """
        Note:
          type: object
          properties:
            example: {$ref: "#/Number"}
            kind: {$ref: "kinds.yaml#/Kind"}
            alias: {$ref: "#/Alias"}
        Number: {type: integer, example: {$ref: data}}
        Alias: {$ref: "kinds.yaml#/Kind"}
    """,
    "schemas/kinds.yaml": "Kind: {type: string, enum: [on, off, yes]}",
}


def _write(folder: Path, **changed: str) -> Path:
    files = {"openapi.yaml": ROOT, "paths/notes.yaml": PATHS, **OTHERS, **changed}
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    return folder / "openapi.yaml"


def test_refs_into_other_files_become_components(tmp_path: Path) -> None:
    """Refs are followed from any file, through aliases, and data that looks like a ref is left alone."""
    document = load(_write(tmp_path))
    assert document == {
        "openapi": "3.0.3",
        "info": {"title": "Notes", "version": "1"},
        "paths": {
            "/zoo": {
                "get": {
                    "x-sdk": "zoo.get",
                    "parameters": [{"$ref": "#/components/parameters/Page"}],
                    "responses": {"200": {"$ref": "#/components/responses/Fine"}},
                }
            },
            "/ant": {
                "post": {
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}
                    },
                    "responses": {"204": {"description": "Done."}},
                }
            },
        },
        "components": {
            "schemas": {
                "Kind": {"type": "string", "enum": ["on", "off", "yes"]},
                "Note": {
                    "type": "object",
                    "properties": {
                        "example": {"$ref": "#/components/schemas/Number"},
                        "kind": {"$ref": "#/components/schemas/Kind"},
                        "alias": {"$ref": "#/components/schemas/Kind"},
                    },
                },
                "Number": {"type": "integer", "example": {"$ref": "data"}},
            },
            "responses": {
                "Fine": {
                    "description": "Fine.",
                    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/Note"},
                            "examples": {"small": {"$ref": "#/components/examples/Small"}},
                        }
                    },
                }
            },
            "parameters": {
                "Page": {"name": "page", "in": "query", "schema": {"$ref": "#/components/schemas/Number"}}
            },
            "examples": {"Small": {"value": {"$ref": "just data", "at": "2026-03-01T00:00:00Z"}}},
            "headers": {"ETag": {"description": "Version.", "schema": {"type": "string"}}},
        },
    }


def test_paths_keep_the_roots_order_and_components_are_sorted(tmp_path: Path) -> None:
    """The order of the document does not depend on the order of discovery."""
    document = load(_write(tmp_path))
    assert list(document["paths"]) == ["/zoo", "/ant"]
    assert list(document["components"]["schemas"]) == ["Kind", "Note", "Number"]


def test_the_folder_stands_for_its_root_file(tmp_path: Path) -> None:
    """A folder means its openapi.yaml."""
    assert load(_write(tmp_path).parent) == load(tmp_path / "openapi.yaml")


def test_components_of_the_root_stay(tmp_path: Path) -> None:
    """The root's own components are kept beside the hoisted ones."""
    root = ROOT + "    components: {schemas: {Own: {type: string}}, securitySchemes: {key: {type: http}}}\n"
    components = load(_write(tmp_path, **{"openapi.yaml": root}))["components"]
    assert components["schemas"]["Own"] == {"type": "string"}
    assert components["securitySchemes"] == {"key": {"type": "http"}}


def test_a_schema_that_contains_itself_is_bundled(tmp_path: Path) -> None:
    """Recursion is for the linter to refuse; the bundler must end."""
    kinds = 'Kind: {type: array, items: {$ref: "#/Kind"}}'
    document: dict[str, Any] = load(_write(tmp_path, **{"schemas/kinds.yaml": kinds}))
    assert document["components"]["schemas"]["Kind"]["items"] == {"$ref": "#/components/schemas/Kind"}


@pytest.mark.parametrize(
    ("changed", "where", "words"),
    [
        pytest.param(
            {"parameters.yaml": 'Page: {name: p, in: query, schema: {$ref: "#/Note"}}\nNote: {type: string}'},
            "schemas/notes.yaml#/Note",
            "parameters.yaml#/Note",
            id="two targets of one name",
        ),
        pytest.param(
            {"responses.yaml": 'Fine: {content: {a/b: {schema: {$ref: "schemas/gone.yaml#/X"}}}}'},
            "responses.yaml#/Fine/content/a~1b/schema",
            "schemas/gone.yaml#/X",
            id="no such file",
        ),
        pytest.param(
            {"parameters.yaml": 'Page: {schema: {$ref: "schemas/notes.yaml#/Nope"}}'},
            "parameters.yaml#/Page/schema",
            "Nope",
            id="no such entry",
        ),
        pytest.param(
            {"parameters.yaml": "Page: {schema: {$ref: schemas/notes.yaml}}"},
            "parameters.yaml#/Page/schema",
            "#/Name",
            id="a whole file",
        ),
        pytest.param(
            {"parameters.yaml": 'Page: {schema: {$ref: "https://example.com/x.yaml#/X"}}'},
            "parameters.yaml#/Page/schema",
            "#/Name",
            id="another host",
        ),
        pytest.param(
            {"schemas/kinds.yaml": 'Kind: {$ref: "#/Other"}\nOther: {$ref: "#/Kind"}'},
            "schemas/kinds.yaml#/Kind",
            "back to itself",
            id="a ref to itself",
        ),
        pytest.param(
            {"headers.yaml": 'ETag: {content: {a/b: {$ref: "#/X"}}}\nX: {}'},
            "headers.yaml#/ETag/content/a~1b",
            "cannot stand here",
            id="a ref where none can stand",
        ),
        pytest.param(
            {"headers.yaml": 'ETag: {content: {$ref: "#/X"}}\nX: {}'},
            "headers.yaml#/ETag/content",
            "cannot stand here",
            id="a ref in place of a map",
        ),
        pytest.param(
            {"headers.yaml": "ETag: {}\nETag: {}"}, "headers.yaml line 2", "twice", id="a key twice"
        ),
        pytest.param({"headers.yaml": "ETag: [}"}, "headers.yaml line 1", "not valid YAML", id="not YAML"),
        pytest.param({"openapi.yaml": "openapi: 3.0.3"}, "openapi.yaml", "`paths`", id="no paths"),
        pytest.param({"openapi.yaml": "[]"}, "openapi.yaml", "object", id="not an object"),
    ],
)
def test_what_cannot_be_joined_is_named(
    changed: dict[str, str], where: str, words: str, tmp_path: Path
) -> None:
    """Each error says in which file, and where in it."""
    with pytest.raises(SpecError) as caught:
        load(_write(tmp_path, **changed))
    assert caught.value.where == where
    assert words in str(caught.value)


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    """A folder without a root file is an error in words."""
    with pytest.raises(SpecError, match=r"openapi\.yaml: The file cannot be read: No such file"):
        load(tmp_path)
