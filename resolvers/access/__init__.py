"""Who may come in: tokens and sessions, the keyring that knows them, and the audit of what is done to the doors."""

from resolvers.access.audit import AuditEntry, AuditLog
from resolvers.access.keyring import Keyring, Known
from resolvers.access.pages import Page, PageArguments, cursor_of, size_of
from resolvers.access.sessions import Sessions
from resolvers.access.signed_in import SessionRow, SignedIn
from resolvers.access.tokens import NewToken, TokenRow, Tokens

__all__ = [
    "AuditEntry",
    "AuditLog",
    "Keyring",
    "Known",
    "NewToken",
    "Page",
    "PageArguments",
    "SessionRow",
    "Sessions",
    "SignedIn",
    "TokenRow",
    "Tokens",
    "cursor_of",
    "size_of",
]
