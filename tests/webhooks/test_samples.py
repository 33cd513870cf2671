"""Every shipped definition does with its samples what it says."""

import pytest

from webhooks.definition import load_all
from webhooks.samples import run_listed_sample, run_sample

SHIPPED = load_all().single
LISTED = [(definition, webhook) for definition in load_all().listed for webhook in definition.webhooks]
SAMPLES = [(definition, sample) for definition in SHIPPED for sample in definition.samples]


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda each: each.name)
def test_every_definition_has_samples(definition):
    assert definition.samples


@pytest.mark.parametrize(("definition", "sample"), SAMPLES, ids=[f"{each.name}: {one.name}" for each, one in SAMPLES])
def test_what_comes_of_it(definition, sample):
    run = run_sample(definition, sample)
    assert run.differences == ()


@pytest.mark.parametrize(("definition", "webhook"), LISTED, ids=[webhook.path for _, webhook in LISTED])
def test_what_comes_of_those_of_a_path(definition, webhook):
    assert webhook.samples
    for sample in webhook.samples:
        assert run_listed_sample(definition, webhook, sample).differences == ()
