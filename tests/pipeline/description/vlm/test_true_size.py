"""The models of true size have as many weights as the published ones."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.store.catalogue.vlms import known_models

pytest.importorskip("torch", reason="run script/setup --prepare")

from tests.pipeline.description.vlm.true_size import empty_model, randomise
from tests.pipeline.description.vlm.true_size_configs import SIZES

pytestmark = pytest.mark.prepare

TOKENS = SimpleNamespace(convert_tokens_to_ids=lambda _: 7, pad_token_id=0, eos_token_id=1)


@pytest.mark.parametrize("name", SIZES)
def test_its_weights_take_what_the_catalogue_says_is_downloaded(name: str) -> None:
    entry = known_models()[name]
    model = empty_model(name, TOKENS, "meta")
    weights = dict(model.named_parameters())  # shared ones count once
    size = sum(values.numel() * values.element_size() for values in weights.values())
    assert size / 1e9 == pytest.approx(entry.download_gb, rel=0.02)
    assert model.num_parameters() / 1e9 == pytest.approx(entry.parameters_b, rel=0.03)


def test_random_weights_are_the_same_each_time_and_scales_are_one() -> None:
    torch = pytest.importorskip("torch")
    first, second = (torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.LayerNorm(8)) for _ in range(2))
    for model in (first, second):
        randomise(model)
    assert torch.equal(first[0].weight, second[0].weight)
    assert 0.01 < first[0].weight.std().item() < 0.03
    assert (first[1].weight == 1).all()
    assert (first[1].bias == 0).all()
