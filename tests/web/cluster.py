"""A Kubernetes API server of the tests' own, without a network."""

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

OWN_TOKEN = "token-of-our-service-account"


class FakeCluster:
    """`users` by token; `roles` hold (username, verb, namespace), "" for all. `asked` lists the reviews by kind."""

    def __init__(self):
        self.users = {}
        self.roles = set()
        self.namespaces = ["team-a", "team-b", "other"]
        self.audiences = None
        self.down = False
        self.asked = []
        self.selectors = []
        routes = [
            Route("/apis/authentication.k8s.io/v1/tokenreviews", self._token, methods=["POST"]),
            Route("/apis/authorization.k8s.io/v1/subjectaccessreviews", self._access, methods=["POST"]),
            Route("/api/v1/namespaces", self._namespaces),
        ]
        self.app = Starlette(routes=routes)

    def client(self, *_):
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self._answer))

    def add(self, token, name, *roles, **more):
        """A user; roles are `verb namespace`, or `verb` for everywhere."""
        self.users[token] = {"username": name, "groups": ["system:authenticated"], **more}
        for role in roles:
            verb, _, namespace = role.partition(" ")
            self.roles.add((name, verb, namespace))

    async def _answer(self, scope, receive, send):
        if self.down:
            await JSONResponse({}, 500)(scope, receive, send)
        elif (b"authorization", f"Bearer {OWN_TOKEN}".encode()) not in scope["headers"]:
            await JSONResponse({}, 401)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _token(self, request):
        review = await request.json()
        assert (review["apiVersion"], review["kind"]) == ("authentication.k8s.io/v1", "TokenReview")
        self.asked.append(("token", review["spec"]["token"], review["spec"].get("audiences")))
        user = self.users.get(review["spec"]["token"])
        status = {"authenticated": True, "user": user} if user else {"error": "invalid token"}
        if self.audiences is not None:
            status["audiences"] = self.audiences
        return JSONResponse({**review, "status": status}, 201)

    async def _access(self, request):
        review = await request.json()
        assert (review["apiVersion"], review["kind"]) == ("authorization.k8s.io/v1", "SubjectAccessReview")
        spec = review["spec"]
        what = spec["resourceAttributes"]
        assert (what["group"], what["resource"]) == ("issuegraph.dev", "issues")
        assert spec["groups"] == ["system:authenticated"]
        self.asked.append(("access", what["verb"], what["namespace"]))
        wanted = {(spec["user"], what["verb"], ""), (spec["user"], what["verb"], what["namespace"])}
        return JSONResponse({**review, "status": {"allowed": not self.roles.isdisjoint(wanted)}}, 201)

    async def _namespaces(self, request):
        self.selectors.append(request.query_params.get("labelSelector"))
        names = self.namespaces[: int(request.query_params["limit"])]
        return JSONResponse({"items": [{"metadata": {"name": name}} for name in names]})
