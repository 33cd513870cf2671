"""An identity provider of the tests' own, without a network."""

import base64
import hashlib
import hmac
import json
import time
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

NAME = "https://sso.example.com/realms/ci"
CLIENT_ID = "issuegraph"
CLIENT_SECRET = "s3cret/with:odd%characters"
GRANTS = "platform=all:*;team-a=read:team-a,respond:team-a;cn=qa,ou=groups=read:qa-*"


def new_key(kid):
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


def public_of(key):
    return key.as_dict(private=False)


class FakeIssuer:
    """Signs tokens, and answers as a provider does. `asked` counts requests by path; `down` answers with 500."""

    def __init__(self):
        self.key = new_key("first")
        self.published = [public_of(self.key)]
        self.asked = {}
        self.down = False
        self.metadata = {
            "issuer": NAME,
            "authorization_endpoint": f"{NAME}/authorize",
            "token_endpoint": f"{NAME}/token",
            "userinfo_endpoint": f"{NAME}/userinfo",
            "jwks_uri": f"{NAME}/keys",
        }
        self.codes = {}
        self.userinfo = {}
        routes = [
            Route("/realms/ci/.well-known/openid-configuration", self._discover),
            Route("/realms/ci/keys", self._keys),
            Route("/realms/ci/token", self._token, methods=["POST"]),
            Route("/realms/ci/userinfo", self._userinfo),
        ]
        self.app = Starlette(routes=routes)

    def client(self, *_):
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self._answer))

    async def _answer(self, scope, receive, send):
        if scope["type"] == "http":
            name = scope["path"].rpartition("/")[2]
            self.asked[name] = self.asked.get(name, 0) + 1
            if self.down:
                await JSONResponse({}, 500)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def sign(self, claims, *, key=None, header=None):
        key = key or self.key
        header = {"alg": "ES256", "kid": key.kid, "typ": "JWT"} | (header or {})
        header = {name: value for name, value in header.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        return jws.serialize_compact(header, json.dumps(claims), key, registry=registry)

    def sign_with_secret(self, claims, secret, kid):
        """With what both sides would have to know (HS256)."""
        parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": kid}, claims)]
        signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
        digest = hmac.digest(secret, signed, "sha256")
        return (signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()

    def claims(self, **more):
        """Ada's, of team-a; None takes one away."""
        now = int(time.time())
        claims = {
            "iss": NAME,
            "sub": "u-1",
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "preferred_username": "ada",
            "groups": ["team-a", "others"],
        } | more
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **more):
        return self.sign(self.claims(**more))

    def rotate(self, kid):
        """From now on, another key alone is good."""
        self.key = new_key(kid)
        self.published = [public_of(self.key)]

    def approve(self, location, **more):
        """What the browser comes back with, from the address that it was sent to; `more` changes the ID token."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = (asked, self.token(**{"nonce": asked["nonce"], **more}))
        return {"code": code, "state": asked["state"], "iss": NAME}

    async def _discover(self, request):
        return JSONResponse(self.metadata)

    async def _keys(self, request):
        return JSONResponse({"keys": self.published})

    async def _token(self, request):
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        basic = "issuegraph:s3cret%2Fwith%3Aodd%25characters"
        is_known = (
            request.headers.get("authorization") == f"Basic {base64.b64encode(basic.encode()).decode()}"
            or form.get("client_secret") == CLIENT_SECRET
        )
        asked, token = self.codes.pop(form["code"], (None, None))
        if asked is None or not is_known:
            return JSONResponse({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        assert form["redirect_uri"] == asked["redirect_uri"]
        return JSONResponse({"id_token": token, "access_token": "for-userinfo", "token_type": "Bearer"})

    async def _userinfo(self, request):
        assert request.headers["authorization"] == "Bearer for-userinfo"
        return JSONResponse(self.userinfo)


def rsa_key(kid):
    return RSAKey.generate_key(2048, {"kid": kid})
