"""Manifests: YAML and JSON files, read as a stream of objects with their file and lines."""

from akmatori_server.kubernetes.manifests.files import ManifestFile, find_files, read_file, read_manifests
from akmatori_server.kubernetes.manifests.nodes import MISSING, Node, json_node
from akmatori_server.kubernetes.manifests.objects import ManifestObject, Problem, ProblemKind, Source

__all__ = [
    "MISSING",
    "ManifestFile",
    "ManifestObject",
    "Node",
    "Problem",
    "ProblemKind",
    "Source",
    "find_files",
    "json_node",
    "read_file",
    "read_manifests",
]
