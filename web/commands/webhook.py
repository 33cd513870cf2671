"""`issuegraph webhook`: definitions of webhooks, tried and shown."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from web.commands import Stop

if TYPE_CHECKING:
    from resolvers.webhooks.plan import Plan
    from web.commands import Commands
    from webhooks.definition import SingleDefinition


def add_to(commands: "Commands") -> None:
    """`issuegraph webhook test`, `list` and `show`."""
    webhook = commands.add_parser("webhook", help="definitions of webhooks: try one's samples, list them, show one")
    actions = webhook.add_subparsers(dest="action", required=True, metavar="action")
    test = actions.add_parser("test", help="try the samples of a definition, and tell what comes of each")
    test.add_argument("file", type=Path, help="the definition, a YAML file; - is standard input")
    test.set_defaults(run=_test)
    actions.add_parser("list", help="list the definitions that come with issuegraph").set_defaults(run=_list)
    show = actions.add_parser("show", help="print one of them, to copy and change")
    show.add_argument("name")
    show.set_defaults(run=_show)


def _test(arguments: Namespace) -> int:
    """Prints a line for each sample, and what came of it; 1 if one is not as expected, or there is none."""
    from webhooks.definition import DefinitionError, SingleDefinition, load_one
    from webhooks.samples import run_listed_sample, run_sample

    try:
        definition = load_one(arguments.file)
    except DefinitionError as error:
        raise Stop(str(error)) from None
    if isinstance(definition, SingleDefinition):
        runs = [run_sample(definition, sample) for sample in definition.samples]
    else:
        runs = [run_listed_sample(definition, each, sample) for each in definition.webhooks for sample in each.samples]
    if not runs:
        raise Stop(f"{arguments.file}: has no samples")
    failed = 0
    for run in runs:
        failed += bool(run.differences)
        print(f"{'FAILED' if run.differences else 'ok':6} {run.sample.name}")
        for plan in run.plans:
            print(_told(plan))
        for difference in run.differences:
            print(f"       {arguments.file}:{run.sample.line}: {difference}")
    print(f"{len(runs)} samples, {failed} failed")
    return 1 if failed else 0


def _told(plan: "Plan") -> str:
    from webhooks.outline import fields_of
    from webhooks.samples import action_of

    rule = f" by {plan.rule!r}" if plan.rule else ""
    lines = [f"       {plan.index}: {action_of(plan)}{rule}{f': {plan.message}' if plan.message else ''}"]
    if plan.command is not None:
        for name, value in fields_of(plan.command).items():
            lines.append(f"          {name}: {value if isinstance(value, str) else json.dumps(value)}")
    lines += [f"          notice: {notice}" for notice in plan.notices]
    return "\n".join(lines)


def _list(arguments: Namespace) -> None:
    for definition in _shipped():
        print(f"{definition.name:20} {definition.title}")


def _show(arguments: Namespace) -> None:
    definitions = {definition.name: definition for definition in _shipped()}
    if arguments.name not in definitions:
        raise Stop(f"there is no definition {arguments.name!r}; there are {', '.join(definitions)}")
    sys.stdout.write(definitions[arguments.name].text)


def _shipped() -> "tuple[SingleDefinition, ...]":
    from webhooks.definition import DefinitionError, ours

    try:
        return ours().single
    except DefinitionError as error:
        raise Stop(str(error)) from None
