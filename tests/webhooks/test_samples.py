"""Every shipped definition does with its samples what it says."""

import pytest

from webhooks.definition import load_all
from webhooks.samples import run_sample

SHIPPED = load_all().single
SAMPLES = [(definition, sample) for definition in SHIPPED for sample in definition.samples]


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda each: each.name)
def test_every_definition_has_samples(definition):
    assert definition.samples


@pytest.mark.parametrize(("definition", "sample"), SAMPLES, ids=[f"{each.name}: {one.name}" for each, one in SAMPLES])
def test_what_comes_of_it(definition, sample):
    run = run_sample(definition, sample)
    assert run.differences == ()
