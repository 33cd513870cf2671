"""Server-Sent Events, distinct connections mode, as the npm package graphql-sse speaks it.

Batches of events carry their position as `id:`, so a browser that comes back resumes by `Last-Event-ID` by itself.
"""

from web.result_stream import Format


def _event(text: str, position: str | None) -> str:
    named = "" if position is None else f"id: {position}\n"
    return f"event: next\n{named}data: {text}\n\n"


SERVER_SENT_EVENTS = Format(
    content_type="text/event-stream; charset=utf-8",
    opening="",
    sign=":\n\n",
    end="event: complete\ndata:\n\n",
    result=_event,
)
