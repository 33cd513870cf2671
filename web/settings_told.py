"""The settings as the audit tells of them: who reads it learns no secret."""

import logging
from hashlib import scrypt

from pydantic import SecretStr

from resolvers.access import AuditLog
from resolvers.errors import Unavailable
from web.logs import passwords_of, without_secrets
from web.settings import PREFIX, Settings

logger = logging.getLogger(__name__)


# Slow to guess by: some 50 milliseconds each.
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 8}


async def note_settings(audit: AuditLog, settings: Settings, identity: str) -> None:
    """Has the audit tell of them, where they are others than it told last; `identity` is that of the log."""
    try:
        await audit.note_settings(_told(settings, identity))
    except (Unavailable, ValueError) as error:
        # ValueError: of a system that has no scrypt.
        logger.warning("the audit does not know of the settings: %s", error)


def _told(settings: Settings, identity: str) -> dict[str, str]:
    """Those that are not as they are by default, by the names of their variables.

    Of a secret only that it is set, with digits that are others once it is another, and on another database.
    """
    fields = type(settings).model_fields
    values = {name: getattr(settings, name) for name in fields}
    known = passwords_of(settings)
    return {
        f"{PREFIX}{name.upper()}": without_secrets(_text(value, identity), known)
        for name, value in values.items()
        if value != fields[name].get_default()
    }


def _text(value: object, identity: str) -> str:
    if isinstance(value, SecretStr):
        # Not by a key of the server: once that is another, all secrets would seem to be others.
        return f"set ({scrypt(value.get_secret_value().encode(), salt=identity.encode(), **_SCRYPT).hex()})"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
