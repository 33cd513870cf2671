"""How much a command may bring. Lengths are in characters; what is a key in the tables stays below an index row."""

from datetime import timedelta

MAX_NAMESPACE_LENGTH = 253  # as Kubernetes has it, names of resources too
MAX_RESOURCE_TYPE_LENGTH = 100
MAX_RESOURCE_NAME_LENGTH = 253

MAX_TITLE_LENGTH = 500
MAX_DESCRIPTION_LENGTH = 65_536
MAX_SOURCE_LENGTH = 253
MAX_RUN_ID_LENGTH = 1_000
MAX_REASON_LENGTH = 4_000

# Of what is told beside issues. Ids are keys.
MAX_EXTERNAL_ID_LENGTH = 253
MAX_SYSTEM_LENGTH = 253
MAX_WORD_LENGTH = 100
MAX_DEPLOYED_CHANGES = 5_000

MAX_LINKS = 50
MAX_LINK_TITLE_LENGTH = 500
MAX_LINK_URL_LENGTH = 2_048

MAX_LABELS = 100
MAX_LABEL_NAME_LENGTH = 100
MAX_LABEL_VALUE_LENGTH = 500

MAX_FINGERPRINT_PARTS = 20
MAX_PART_NAME_LENGTH = 100
MAX_PART_VALUE_LENGTH = 500

MAX_IDS = 200  # of one command
MAX_IDEMPOTENCY_KEY_LENGTH = 255
IDEMPOTENCY_WINDOW = timedelta(hours=24)
MAX_REOPEN_WITHIN = timedelta(days=366)
# Clocks differ and zones are mistaken; a time beyond that would hide what really happens until it comes.
MAX_AHEAD = timedelta(days=1)
# As far as the clocks of senders differ; a time beyond that counts as now.
MAX_SKEW = timedelta(minutes=5)
