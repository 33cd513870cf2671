"""The log: JSON, a line an event, or lines for people on a terminal. What is secret never comes into it."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, TextIO
from urllib.parse import unquote

from sqlalchemy import make_url

from web.settings import Settings

# Of the request, or of the socket, that is being served.
REQUEST_ID: ContextVar[str] = ContextVar("request id", default="")

ROOMS = ("models", "resolvers", "schema", "webhooks", "web")
HIDDEN = "[hidden]"
# What others' words may hold of a request; our own lines name no header and no query.
_SECRETS = re.compile(
    r"""(?ix)
    ( [?&](?:token|api_key|access_token|code|state)=              # in an address
    | \b(?:authorization|x-api-key|cookie|set-cookie)["']?[\s,:=]+(?:b?["'])?(?:bearer\s+|basic\s+)?   # a header
    | \b(?:bearer|basic)\s+
    | ://[^\s:/@"']*:                                             # a password in an address
    )
    [^\s"'&]+?(?=[\s"'&@]|$)
    | \bigt_[\w-]+                                                # a token of ours
    """
)


def set_up(settings: Settings, stream: TextIO | None = None) -> None:
    """Sends the log of the process to `stream`, by default standard error."""
    import structlog
    from structlog.processors import JSONRenderer, TimeStamper, format_exc_info
    from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name

    stream = stream or sys.stderr
    for_people = stream.isatty()
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=True)]
        if for_people
        else [format_exc_info, JSONRenderer(ensure_ascii=False)]
    )
    known = passwords_of(settings)

    class Formatter(ProcessorFormatter):
        def format(self, record: logging.LogRecord) -> str:
            return without_secrets(super().format(record), known)

    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        Formatter(
            foreign_pre_chain=[
                TimeStamper(fmt="iso", utc=True, key="at"),
                add_log_level,
                add_logger_name,
                ExtraAdder(),
                _add_request_id,
            ],
            processors=[ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    # What libraries say at `debug` is about themselves, headers of requests among it.
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    for room in ROOMS:
        logging.getLogger(room).setLevel(level)


def _add_request_id(logger: object, method: str, event: Any) -> Any:
    if id := REQUEST_ID.get():
        event["request_id"] = id
    return event


def passwords_of(settings: Settings) -> tuple[str, ...]:
    """The secrets among the settings, passwords in addresses too: as they are, and as addresses and JSON have them."""
    found = {settings.bootstrap_token.get_secret_value(), settings.oidc_client_secret.get_secret_value()}
    found.update(settings.secret_keys)
    for url in (settings.database_url, settings.wakeups_url, settings.limits_url):
        password = make_url(url).password
        if password:
            spelled = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
            found |= {str(password), spelled, unquote(spelled)}
    found |= {json.dumps(word, ensure_ascii=False)[1:-1] for word in found}
    return tuple(sorted((word for word in found if word), key=len, reverse=True))


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """The text without tokens, headers that hold some, passwords in addresses, and the `known` ones."""
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return _SECRETS.sub(lambda found: f"{found[1] or ''}{HIDDEN}", text)
