"""How senders show who they are: one small file a family."""

from webhooks.verification.reading import Way, parse
from webhooks.verification.request import NotVerified, SignedRequest, Verification
from webhooks.verification.sns import Fetch
from webhooks.verification.verifier import Verifier

__all__ = ["Fetch", "NotVerified", "SignedRequest", "Verification", "Verifier", "Way", "parse"]
