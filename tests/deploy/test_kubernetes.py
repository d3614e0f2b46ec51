"""The manifests fit Kubernetes (its own schemas, strict) and the product (ports, paths, commands, files that exist)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from monitor import __version__
from monitor.cli.app import COMMANDS
from monitor.settings import check

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
SCHEMAS = json.loads(Path(__file__).with_name("kubernetes.schema.json").read_text())
KUBECTL = shutil.which("kubectl")
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())


def manifests() -> Iterator[dict[str, Any]]:
    """Every object of the folder."""
    for path in sorted(FOLDER.glob("*.yaml")):
        if path.name not in {"kustomization.yaml", "jobwire.yaml"}:
            yield from (one for one in yaml.safe_load_all(path.read_text()) if one)


def named(kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind by name."""
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] == kind}


DEPLOYMENTS = named("Deployment")


@pytest.mark.parametrize("one", [*manifests()], ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_each_manifest_fits_the_schema_of_its_kind(one: dict[str, Any]) -> None:
    """Strictly: a misspelt key, which a cluster would drop in silence, is an error."""
    name = SCHEMAS["kinds"][f"{one['apiVersion']} {one['kind']}"]
    jsonschema.validate(one, {"$ref": f"#/$defs/{name}", "$defs": SCHEMAS["$defs"]})


def test_the_schemas_do_catch_a_misspelt_key() -> None:
    """Otherwise the test above proves nothing."""
    wrong = json.loads(json.dumps(DEPLOYMENTS["jobwire-web"]))
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 30
    schema = {"$ref": f"#/$defs/{SCHEMAS['kinds']['apps/v1 Deployment']}", "$defs": SCHEMAS["$defs"]}
    with pytest.raises(jsonschema.ValidationError, match="terminationGracePeriod"):
        jsonschema.validate(wrong, schema)


def test_every_file_is_listed_and_the_image_is_this_version() -> None:
    """`kubectl apply -k` applies all of it; the example of a secret is for people."""
    there = {path.name for path in FOLDER.glob("*.yaml")}
    files = {*KUSTOMIZATION["resources"], *KUSTOMIZATION["configMapGenerator"][0]["files"]}
    assert there - files == {"kustomization.yaml", "secret.example.yaml"}
    assert KUSTOMIZATION["images"] == [{"name": "jobwire", "newTag": __version__}]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_run_with_as_little_as_they_need(name: str) -> None:
    """The profile `restricted` of Kubernetes, which the namespace demands, and a root that nobody writes."""
    pod = DEPLOYMENTS[name]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod["automountServiceAccountToken"]
    assert pod["terminationGracePeriodSeconds"] >= 20, "in-flight deliveries get ten seconds"
    assert container["args"][0] in {command for _, command, _, _ in COMMANDS}
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_selectors_budgets_and_mounts_meet(name: str) -> None:
    """What selects pods selects these, and what is mounted is defined."""
    spec = DEPLOYMENTS[name]["spec"]
    labels, pod = spec["template"]["metadata"]["labels"], spec["template"]["spec"]
    assert spec["selector"]["matchLabels"] == labels
    budget = named("PodDisruptionBudget")[name]["spec"]
    assert budget["selector"]["matchLabels"] == labels
    assert budget["minAvailable"] < spec["replicas"], "else no node could ever be drained"
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts == {"config": "/etc/jobwire", "secrets": "/run/secrets", "tmp": "/tmp"}  # noqa: S108 - a mount
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}


def test_the_page_is_probed_where_it_answers() -> None:
    """Paths and port are those of the product and of its config; the Service leads there."""
    web = DEPLOYMENTS["jobwire-web"]["spec"]["template"]
    (container,) = web["spec"]["containers"]
    config = yaml.safe_load((FOLDER / "jobwire.yaml").read_text())
    assert container["ports"] == [{"name": "http", "containerPort": int(config["web"]["listen"].split(":")[1])}]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "http"}
    service = named("Service")["jobwire"]["spec"]
    assert service["ports"][0]["targetPort"] == "http"
    assert service["selector"].items() <= web["metadata"]["labels"].items()


def test_config_and_example_secret_fit(tmp_path: Path) -> None:
    """Every file that the config names is a key of the secret, and the config is good with them."""
    secrets = named("Secret")["jobwire"]["stringData"] | {"store_key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
    text = (FOLDER / "jobwire.yaml").read_text()
    assert set(re.findall(r"\$\{file:/run/secrets/(\w+)\}", text)) == set(secrets) - {"store_url"}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value)
    path = tmp_path / "jobwire.yaml"
    path.write_text(text.replace("/run/secrets", str(tmp_path)))
    report = check(path, {"JOBWIRE_STORE_URL": secrets["store_url"]})
    assert [str(one) for one in (*report.problems, *report.warnings)] == []


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
def test_kustomize_builds_all_of_it(tmp_path: Path) -> None:
    """Every object in the namespace, the image with its tag, and the config file whole and under the name it has."""
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(FOLDER)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    built = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout)}
    assert built["ConfigMap", "jobwire"]["data"]["jobwire.yaml"] == (FOLDER / "jobwire.yaml").read_text()
    spaces = {one["metadata"].get("namespace") for (kind, _), one in built.items() if kind != "Namespace"}
    assert spaces == {built["Namespace", "jobwire"]["metadata"]["name"]}
    for name in DEPLOYMENTS:
        (container,) = built["Deployment", name]["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"jobwire:{__version__}"
