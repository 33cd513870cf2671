"""TLS of our own: a certificate that is loaded anew when its files change."""

import asyncio
import logging
import ssl
from pathlib import Path

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class BadCertificate(Exception):
    """Certificate and key cannot be used; the message says why."""


class Certificate:
    """The certificate chain and its key, PEM files without a password. `context` is for who listens."""

    def __init__(self, certificate: str, key: str) -> None:
        """Raises BadCertificate."""
        self._certificate = Path(certificate)
        self._key = Path(key)
        self._seen = self._look()
        self.context = self._load()

    async def watch(self) -> None:
        """Loads what has changed, for new connections, until it is cancelled; what cannot be used changes nothing."""
        refused = None
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                found = self._look()
                if found == self._seen:
                    continue
                # By itself first: a context that refused a key has lost the one that it had.
                self._load()
                self.context.load_cert_chain(self._certificate, self._key)
            except (BadCertificate, OSError) as error:
                if str(error) != refused:
                    logger.warning("the certificate was not loaded anew, the one before serves on: %s", error)
                refused = str(error)
            else:
                self._seen, refused = found, None
                logger.info("the certificate was loaded anew")

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            # Without it OpenSSL asks for a password on the terminal.
            context.load_cert_chain(self._certificate, self._key, password=_none)
        except (OSError, ValueError) as error:
            raise BadCertificate(f"{self._certificate} and {self._key}: {error}") from None
        return context

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        """What tells that a file is another one, links followed."""
        try:
            stats = [path.stat() for path in (self._certificate, self._key)]
        except OSError as error:
            raise BadCertificate(f"{error.filename}: {error.strerror}") from None
        return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats)


def _none() -> str:
    raise ValueError("the key has a password")
