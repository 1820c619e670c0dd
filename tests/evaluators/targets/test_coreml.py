"""Core ML: the conversion is real, on any system; Apple's own calls, which need a Mac, are a stand-in."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import evaluators
from evaluators.counts.formula import total
from evaluators.graphs import mil_graph
from evaluators.latency import coreml
from search_spaces import PAPER, Architecture
from search_spaces.common.errors import UsageError
from tests.evaluators.targets import stand_in_apple
from tests.networks import CORNERS, WHOLE, random_networks

S = PAPER["next-vit-s"]
SAMPLES = {**PAPER, **WHOLE, **{f"random {number}": each for number, each in enumerate(random_networks(10))}}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def program(architecture: Architecture, resolution: int = 64, precision: str = "fp16") -> Counter[str]:
    """Converts, saves, reads the package back, and returns its operators with the specification checked."""
    import coremltools

    model = mil_graph.convert(
        architecture, mil_graph.random_weights(), resolution=resolution, precision=precision, batch=2
    )
    spec = model.get_spec()
    assert spec.specificationVersion == 7, "iOS 16"
    (images,), (logits,) = spec.description.input, spec.description.output
    assert list(images.type.multiArrayType.shape) == [2, 3, resolution, resolution]
    assert list(logits.type.multiArrayType.shape) == [2, 1000]
    assert (images.name, logits.name) == ("images", "logits")
    main = spec.mlProgram.functions["main"]
    operations = main.block_specializations[main.opset].operations
    wanted = coremltools.proto.MIL_pb2.DataType.Value("FLOAT16" if precision == "fp16" else "FLOAT32")
    computed = [each for each in operations if each.type in ("conv", "linear", "matmul")]
    assert computed
    assert {each.outputs[0].type.tensorType.dataType for each in computed} == {wanted}
    return Counter(each.type for each in operations if each.type not in ("const", "cast"))


QUICK = ("next-vit-s", *WHOLE, "random 0")
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in SAMPLES if name not in QUICK]


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_an_architecture_converts_operator_by_operator(name: str) -> None:
    architecture = SAMPLES[name]
    attending = sum(block.attention_channels > 0 for row in architecture.blocks for block in row)
    functions = total(architecture, 64).functions
    found = program(architecture)
    assert found["softmax"] == attending
    assert found["matmul"] == 2 * attending
    assert found["linear"] == 4 * attending + 1
    assert (found["relu"], found["gelu"]) == (functions["relu"], functions["gelu"])
    assert found["layer_norm"] == functions["layer"]
    scales = 2 * str(architecture).count("P")  # coremltools makes a batch norm of a group norm's scale and shift
    assert found["batch_norm"] == (architecture.normalization == "batch") + scales, "every other one is merged"


def test_full_precision_stays_full() -> None:
    assert program(CORNERS["half"], precision="fp32")["conv"] > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_operators_are_those_of_a_converted_torch_network() -> None:
    import coremltools
    import torch

    from search_spaces.nextvit.network import NextViT

    network = NextViT(S).eval().reparameterize()
    exported = torch.export.export(network, (torch.zeros(1, 3, 64, 64),)).run_decompositions({})
    converted = coremltools.convert(
        exported, minimum_deployment_target=coremltools.target.iOS16, skip_model_load=True
    ).get_spec()
    main = converted.mlProgram.functions["main"]
    theirs = Counter(each.type for each in main.block_specializations[main.opset].operations)
    ours = program(S)
    for kind in ("conv", "linear", "relu", "softmax", "concat"):
        assert ours[kind] == theirs[kind], kind


def test_given_weights_reach_the_package(tmp_path: Path) -> None:
    """A convolution's weights, read back from the package, are the ones that were given."""
    given: dict[str, np.ndarray] = {}

    def weights(name: str, shape: tuple[int, ...]) -> np.ndarray:
        given[name] = np.random.default_rng(len(given)).standard_normal(shape).astype(np.float32)
        return np.abs(given[name]) if "var" in name else given[name]

    built = mil_graph.build(CORNERS["half"], weights, resolution=64)
    convs = {each.name: each for each in built.functions["main"].operations if each.op_type == "conv"}
    assert np.array_equal(convs["stem.0.conv"].weight.val, given["stem.0.conv.weight"])


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coreml, "apple", stand_in_apple)
    monkeypatch.setattr(coreml, "SUSTAINED", coreml.BURST)  # the stand-in has no chip that would settle
    return stand_in_apple


def test_on_a_mac_core_mls_own_time_is_the_number(mac) -> None:
    found = evaluators.get("coreml:resolution=64").measure(CORNERS["half"])
    assert found.value == pytest.approx(3.5, rel=0.01)
    assert found.secondary == {"neural_engine_operators [%]": 95.0}
    assert found.device.facts["chip"] == "stand-in for a Mac"
    assert found.protocol["units"] == "all"
    assert found.details["power"] == "mains"
    assert found.details["load_seconds"] == 0.5
    assert found.quality == "clean"
    assert not found.warnings


@pytest.mark.parametrize(
    ("change", "words"), [({"speed_limit": 80}, "slowed down by heat"), ({"power": "battery"}, "on its battery")]
)
def test_heat_and_battery_are_reported(mac, monkeypatch: pytest.MonkeyPatch, change: dict, words: str) -> None:
    monkeypatch.setattr(mac, "STATE", {**mac.STATE, **change})
    found = evaluators.get("coreml:resolution=64").measure(CORNERS["half"])
    assert any(words in warning for warning in found.warnings)


def test_units_and_burst_are_part_of_the_key(mac) -> None:
    specs = ("coreml", "coreml:units=cpu_and_ne", "coreml:burst=true", "coreml:target=iOS17")
    assert len({evaluators.get(spec).context() for spec in specs}) == 4


def test_a_phone_is_a_device_of_its_own_and_its_numbers_are_sporadic(mac) -> None:
    evaluator = evaluators.get("coreml:resolution=64,phone=ABCDE12345/Ada")
    found = evaluator.measure(CORNERS["half"])
    assert found.value == pytest.approx(3.5, rel=0.01)
    assert found.device.facts["name"] == "Ada"
    assert any("sporadic" in warning for warning in found.warnings)
    assert found.context != evaluators.get("coreml:resolution=64").context()


def test_a_phone_needs_a_team() -> None:
    with pytest.raises(UsageError, match="signing team"):
        evaluators.get("coreml:phone=Ada")


def test_without_a_mac_both_alternatives_are_named() -> None:
    reason = evaluators.get("coreml").missing()
    if reason is None:
        pytest.skip("this is a Mac")
    assert "Core ML runs on macOS alone" in reason.message
    assert "coreml@ssh:USER@MAC" in reason.hint
    assert "nas measure RUN --front" in reason.hint
