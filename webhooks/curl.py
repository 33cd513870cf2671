"""The line for a script that delivers `payload.json` to a webhook of a user's own."""

import re
import shlex
from collections.abc import Sequence
from urllib.parse import quote

from webhooks.head import Head
from webhooks.verification import Way
from webhooks.verification.buildkite import SIGNATURE as BUILDKITE
from webhooks.verification.buildkite import Buildkite
from webhooks.verification.signature import Hmac
from webhooks.verification.sns import Sns
from webhooks.verification.standard_webhooks import ID, SIGNATURE, TIMESTAMP, StandardWebhooks
from webhooks.verification.token import Basic, HeaderToken, QueryToken

# What is secret, or nobody here can know, comes from the script's environment.
TOKEN, SECRET, NAMESPACE = "$ISSUEGRAPH_TOKEN", "$ISSUEGRAPH_SECRET", "$ISSUEGRAPH_NAMESPACE"
_PAYLOAD = "payload.json"
_PLAIN = re.compile(r"[A-Za-z0-9 :=,._-]*", re.ASCII)
# The easiest first: what is shown as it is, in a header, in the address; then what is signed.
_ORDER = (HeaderToken, Basic, QueryToken, Hmac, StandardWebhooks, Buildkite, Sns)
_SET = "t=$(date +%s); "
_ENCODED = f'$(printf %s "{SECRET}" | od -An -vtx1 | tr -d "\\n" | tr -s " " "%")'
_KEY_BYTES = "-mac HMAC -macopt hexkey:$(printf %s {} | openssl base64 -d -A | od -An -vtx1 | tr -d ' \\n')"


def curl_of(head: Head, url: str, namespaces: Sequence[str], *, has_secrets: bool) -> str:
    """A line for a POSIX shell. Of Amazon SNS, whose signature nobody else can make, the line that publishes there."""
    place = [] if head.has_namespace else _place(namespaces)
    ways = sorted(head.ways, key=lambda way: _ORDER.index(type(way)))
    if not has_secrets or not ways:
        return _line(url, place, f'-H "Authorization: Bearer {TOKEN}"')
    return _shown(ways[0], url, place)


def _shown(way: Way, url: str, place: list[str]) -> str:
    if isinstance(way, Sns):
        return f'aws sns publish --topic-arn "{SECRET}" --message file://{_PAYLOAD}'
    if isinstance(way, QueryToken):
        return _line(url, [*place, f"{quote(way.parameter)}={_ENCODED}"])
    if isinstance(way, Basic):
        return _line(url, place, f'-u "issuegraph:{SECRET}"')
    if isinstance(way, HeaderToken):
        return _line(url, place, _header(way.header, way.prefix, SECRET))
    if isinstance(way, Hmac):
        return _signed(way, url, place)
    if isinstance(way, Buildkite):
        digest = _digest(f'printf %s. "$t"; cat {_PAYLOAD}', f'-sha256 -hmac "{SECRET}"', "hex")
        return _SET + _line(url, place, f'-H "{BUILDKITE}: timestamp=$t,signature={digest}"')
    key = _KEY_BYTES.format('"${ISSUEGRAPH_SECRET#whsec_}"')
    digest = _digest(f'printf %s.%s. "$t-$$" "$t"; cat {_PAYLOAD}', f"-sha256 {key}", "base64")
    return _SET + _line(url, place, f'-H "{ID}: $t-$$" -H "{TIMESTAMP}: $t" -H "{SIGNATURE}: v1,{digest}"')


def _signed(way: Hmac, url: str, place: list[str]) -> str:
    values = {"{body}": f"cat {_PAYLOAD}", "{timestamp}": 'printf %s "$t"', "{id}": 'printf %s "$t-$$"'}
    pieces = "; ".join(values.get(piece) or f"printf %s {shlex.quote(piece)}" for piece in way.signed)
    key = f'-hmac "{SECRET}"' if way.key == "raw" else _KEY_BYTES.format(f'"{SECRET}"')
    headers = [_header(way.header, way.prefix, _digest(pieces, f"-{way.algorithm} {key}", way.encoding))]
    if way.timestamp:
        headers.append(_header(way.timestamp, "", "$t"))
    if way.id:
        headers.append(_header(way.id, "", "$t-$$"))
    return (_SET if way.timestamp or way.id else "") + _line(url, place, *headers)


def _digest(pieces: str, options: str, encoding: str) -> str:
    to_text = (
        "openssl dgst -r {} | cut -d' ' -f1" if encoding == "hex" else "openssl dgst -binary {} | openssl base64 -A"
    )
    return f"$({{ {pieces}; }} | {to_text.format(options)})"


def _header(name: str, prefix: str, value: str) -> str:
    """`value` is for the shell to fill in, what stands before it is not."""
    return f'-H "{_text(f"{name}: {prefix}")}{value}"'


def _text(text: str) -> str:
    """As it is within double quotes of a shell."""
    return text if _PLAIN.fullmatch(text) else f'"{shlex.quote(text)}"'


def _place(namespaces: Sequence[str]) -> list[str]:
    """The query that says where, unless there is only one place."""
    names = [each for each in namespaces if "*" not in each]
    if len(names) == len(namespaces) == 1:
        return []
    return [f"namespace={quote(names[0]) if names else NAMESPACE}"]


def _line(url: str, query: Sequence[str], *shown: str) -> str:
    given = [*shown, "-H 'Content-Type: application/json'", f"--data-binary @{_PAYLOAD}"]
    address = url if not query else f"{url}?{'&'.join(query)}"
    quoted = shlex.quote(address) if _PLAIN_ADDRESS.fullmatch(address) else f'"{address}"'
    return f"curl --fail-with-body {' '.join(given)} {quoted}"


_PLAIN_ADDRESS = re.compile(r"[^\"$`\\!]*")
