"""A whole namespace, for a tenant that leaves: handed out, and removed."""

from resolvers.tenant.erase import Counted, Erase, Erased, count
from resolvers.tenant.export import Export, Exported, NothingThere

__all__ = ["Counted", "Erase", "Erased", "Export", "Exported", "NothingThere", "count"]
