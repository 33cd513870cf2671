"""The settings as the audit tells of them: who reads it learns no secret."""

import logging
from hashlib import blake2b

from pydantic import SecretStr

from resolvers.access import AuditLog
from resolvers.errors import Unavailable
from web.logs import passwords_of, without_secrets
from web.settings import PREFIX, Settings

logger = logging.getLogger(__name__)


async def note_settings(audit: AuditLog, settings: Settings) -> None:
    """Has the audit tell of them, where they are others than it told last."""
    try:
        await audit.note_settings(_told(settings))
    except Unavailable as error:
        logger.warning("the audit does not know of the settings: %s", error)


def _told(settings: Settings) -> dict[str, str]:
    """Those that are not as they are by default, by the names of their variables.

    Of a secret only that it is set, with digits that are others once it is another.
    """
    fields = type(settings).model_fields
    values = {name: getattr(settings, name) for name in fields}
    known = passwords_of(settings)
    return {
        f"{PREFIX}{name.upper()}": without_secrets(_text(value), known)
        for name, value in values.items()
        if value != fields[name].get_default()
    }


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return f"set ({blake2b(value.get_secret_value().encode(), digest_size=2).hexdigest()})"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
