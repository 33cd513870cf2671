"""Documents that whoever runs the server trusts: a manifest of them, asked for by their ids."""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import orjson
from graphql import GraphQLError

from resolvers.errors import RequestError
from web.graphql_request import GraphQLRequest

_ID = re.compile(r"sha256:[0-9a-f]{64}")


class ManifestError(ValueError):
    """A manifest cannot be used; the message says why."""


def read_manifest(path: str) -> dict[str, str]:
    """The documents of a JSON file by their ids: `{"sha256:<hex>": "document"}`. Raises ManifestError."""
    try:
        found = orjson.loads(Path(path).read_bytes())
    except OSError as error:
        raise ManifestError(f"cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise ManifestError(f"is not JSON: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ManifestError("must be one JSON object of documents by their ids")
    for id, text in found.items():
        if not _ID.fullmatch(id) or id != id_of(text):
            raise ManifestError(f"has the id {id[:80]!r} for a document whose id is {id_of(text)}")
    return found


def id_of(text: str) -> str:
    """The id of a document."""
    return f"sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


class TrustedDocuments:
    """By id. `only`: no other document is taken."""

    def __init__(self, by_id: Mapping[str, str] | None = None, *, only: bool = False) -> None:
        self._by_id = by_id or {}
        self._only = frozenset(self._by_id.values()) if only else None

    def text_of(self, request: GraphQLRequest) -> str:
        """The document that is asked for. Raises RequestError: not known, not trusted, or not the one of the id."""
        id, query = request.document_id, request.query
        if id is None:
            assert query is not None
            if self._only is not None and query not in self._only:
                raise _untrusted()
            return query
        text = self._by_id.get(id)
        if query is None or query == text:
            if text is None:
                raise _not_found()
            return text
        if id_of(query) != id:
            raise _other_document()
        if self._only is not None:
            raise _untrusted()
        return query


def _not_found() -> RequestError:
    # The words that Apollo's clients look for.
    return RequestError([GraphQLError("PersistedQueryNotFound", extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})])


def _untrusted() -> RequestError:
    message = "Only trusted documents are taken here, and this is none"
    return RequestError([GraphQLError(message, extensions={"code": "QUERY_NOT_IN_SAFELIST"})])


def _other_document() -> RequestError:
    return RequestError([GraphQLError("The id is not that of the document")])
