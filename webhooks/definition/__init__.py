"""Definitions: what a tool sends, and which command each delivery becomes. One YAML file a tool, in two forms."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from resolvers.webhooks.engine import NAMELESS
from webhooks.definition.listed import Definition, Webhook, read_listed
from webhooks.definition.parts import Acknowledge, Ignore, Label, Link, Part, Report, Resolve, Rule, Scope
from webhooks.definition.single import MAX_BYTES, SingleDefinition, parse_single, read_single
from webhooks.definition.words import ISSUE_TYPE_WORDS, SETTINGS, SEVERITY_WORDS, TAKEN_PATHS
from webhooks.yaml_reader import STANDARD_INPUT, DefinitionError, read_text, text_of_file

__all__ = [
    "ISSUE_TYPE_WORDS",
    "MAX_BYTES",
    "PREFIX",
    "SETTINGS",
    "SEVERITY_WORDS",
    "TAKEN_PATHS",
    "Acknowledge",
    "Definition",
    "DefinitionError",
    "Ignore",
    "Label",
    "Link",
    "Part",
    "Report",
    "Resolve",
    "Rule",
    "Scope",
    "Shipped",
    "SingleDefinition",
    "Webhook",
    "load",
    "load_all",
    "load_one",
    "ours",
    "parse_single",
]

OUR_DEFINITIONS = Path(__file__).parents[1] / "definitions"
# Where the webhooks of one definition are, each by its name.
PREFIX = "/api/v1/webhooks/"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Shipped:
    """The definitions of a directory, by name."""

    listed: tuple[Definition, ...]
    single: tuple[SingleDefinition, ...]

    @property
    def paths(self) -> dict[str, str]:
        """The definition of each path."""
        owners = {path: each.name for each in self.listed for path in each.paths}
        return owners | {PREFIX + each.name: each.name for each in self.single}


@lru_cache(maxsize=1)
def ours() -> Shipped:
    """The shipped ones, read once. Raises DefinitionError."""
    return load_all()


def load_all(directory: Path = OUR_DEFINITIONS) -> Shipped:
    """The definitions in a directory (`*.yaml`). Raises DefinitionError for the first that is wrong."""
    listed: list[Definition] = []
    single: list[SingleDefinition] = []
    owners: dict[str, Path] = {}
    for file in sorted(directory.glob("*.yaml")):
        definition = load_one(file, owners)
        if isinstance(definition, SingleDefinition):
            single.append(definition)
            owners[PREFIX + definition.name] = file
        else:
            listed.append(definition)
            owners |= dict.fromkeys(definition.paths, file)
    return Shipped(tuple(listed), tuple(single))


def load(directory: Path = OUR_DEFINITIONS) -> list[Definition]:
    """Those that list their paths."""
    return list(load_all(directory).listed)


def load_one(file: Path, owners: dict[str, Path] | None = None) -> Definition | SingleDefinition:
    """The definition of a file; `owners` are the files of paths that are taken. Raises DefinitionError."""
    text = text_of_file(file)
    reader = read_text(text, file)
    # What comes through a pipe has no name.
    name = NAMELESS if file == STANDARD_INPUT or file.is_fifo() else file.stem
    if not _NAME.fullmatch(name):
        raise reader.error(f"the file's name must be lower case words with hyphens, not {name!r}")
    owners = owners or {}
    if "webhooks" in reader.any_members():
        return read_listed(reader, file, owners)
    if owner := owners.get(PREFIX + name):
        raise reader.error(f"{PREFIX}{name} belongs to {owner.name} already")
    if len(text.encode()) > MAX_BYTES:
        raise reader.error(f"is longer than {MAX_BYTES:,} bytes")
    return read_single(reader, name, text, strict=True)
