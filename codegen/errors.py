"""The one error of this package: a specification that cannot be used."""

from __future__ import annotations


class SpecError(Exception):
    """A specification cannot be read or bundled; says where and, in one sentence, why."""

    def __init__(self, where: str, sentence: str) -> None:
        super().__init__(f"{where}: {sentence}")
        self.where = where
        self.sentence = sentence
