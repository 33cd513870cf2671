"""How often each route was answered how, and in what time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from starlette.routing import Route, WebSocketRoute

from web.asgi import Scope

OTHER = "other"
# What came of it by the first digit of the status; 0 is a client that went away first.
OUTCOMES = {0: "gone", 1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}


class RouteCounts:
    """Counts answers by route, not by path: there are as many routes as there are, and any number of paths."""

    def __init__(self) -> None:
        self._by_path: dict[str, str] = {}
        self._by_endpoint: dict[object, str] = {}
        # By route and status.
        self._counts: dict[tuple[str, int], _Counted] = {}

    def know(self, routes: Iterable[Route | WebSocketRoute]) -> None:
        """From now on, their answers are counted by their names."""
        for route in routes:
            if not isinstance(route, Route):
                continue
            name = route.path.rstrip("/") or "/"
            if route.param_convertors:
                self._by_endpoint.setdefault(route.endpoint, name)
            else:
                self._by_path[route.path] = name

    def route_of(self, scope: Scope) -> str:
        """The name of the route that has answered."""
        return self._by_path.get(scope["path"]) or self._by_endpoint.get(scope.get("endpoint"), OTHER)

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """A request was answered; `status` 0: it was not, as the client went away."""
        name = self.route_of(scope)
        counted = self._counts.get((name, status))
        if counted is None:
            counted = self._counts[name, status] = _Counted()
        counted.times += 1
        counted.seconds += seconds

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        """Route, outcome, and how often."""
        folded: Counter[tuple[str, str]] = Counter()
        for (name, status), counted in self._counts.items():
            folded[name, OUTCOMES[status // 100]] += counted.times
        for (name, outcome), times in folded.items():
            yield name, outcome, times

    @property
    def seconds(self) -> dict[str, float]:
        """By route, how long all of its answers took together."""
        seconds: defaultdict[str, float] = defaultdict(float)
        for (name, _), counted in self._counts.items():
            seconds[name] += counted.seconds
        return dict(seconds)


class _Counted:
    __slots__ = ("seconds", "times")

    def __init__(self) -> None:
        self.times = 0
        self.seconds = 0.0
