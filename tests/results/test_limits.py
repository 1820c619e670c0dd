"""Limits as a person writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import evaluators
from results import limits
from search_spaces.common.errors import UnknownName, UsageError


@pytest.mark.parametrize(
    ("text", "metric", "bound"),
    [
        ("ort<=40ms", "ort", 40.0),
        ("ort <= 0.04 s", "ort", 40.0),
        ("ort<=40000us", "ort", 40.0),
        ("params<=35M", "params", 35.0),
        ("params<=35000K", "params", 35.0),
        ("params<=35000000", "params", 35.0),
        ("macs<=5.8G", "macs", 5.8),
        ("macs<=5800m", "macs", 5.8),
        ("ort:resolution=64<=5ms", "ort:resolution=64", 5.0),
        ("ort:resolution=64,threads=2<=5ms", "ort:resolution=64,threads=2", 5.0),
        ("trt<=5ms", "trt:batch=1", 5.0),
        ("coreml@ssh:me@mac<=5ms", "coreml@ssh:me@mac", 5.0),
        ("coreml:units=cpu_and_ne@ssh:mac<=5ms", "coreml:units=cpu_and_ne@ssh:mac", 5.0),
        ("coreml:predicted<=5ms", "coreml:predicted", 5.0),
        ("entropy>=4.5", "entropy", 4.5),
        ("entropy>=-1e-1", "entropy", -0.1),
        ("entropy>=4.5nats", "entropy", 4.5),
        ("train>=90%", "train:data=digits,epochs=9", 90.0),
        ("train:data=synthetic>=50% synthetic skill", "train:data=synthetic,epochs=9", 50.0),
    ],
)
def test_a_limit_is_read_in_the_metrics_own_unit(text: str, metric: str, bound: float) -> None:
    limit = limits.parse(text)
    assert limit.metric == metric
    assert limit.bound == pytest.approx(bound)


def test_excess_is_positive_beyond_the_bound() -> None:
    assert limits.parse("ort<=40ms").excess(42) == pytest.approx(2)
    assert limits.parse("entropy>=4.5").excess(4.4) == pytest.approx(0.1)
    assert limits.parse("ort<=40ms").excess(40) == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ort<=0.04s", "ort<=40ms"),
        ("ort<=0.1s", "ort<=100ms"),
        ("macs<=5800m", "macs<=5.8G"),
        ("params<=35.1234567M", "params<=35.1234567M"),
        ("params<=35123456.7", "params<=35.1234567M"),
        ("entropy>=-0", "entropy>=0nats"),
    ],
)
def test_a_limit_is_shown_exactly(text: str, shown: str) -> None:
    assert str(limits.parse(text)) == shown


@given(
    st.sampled_from(["ort", "trt:batch=8", "params", "macs", "entropy", "train:data=synthetic"]),
    st.sampled_from(["<=", ">="]),
    st.floats(1e-300, 1e300),
)
def test_what_a_limit_shows_is_that_limit(metric: str, sign: str, bound: float) -> None:
    limit = limits.Limit(evaluator=evaluators.get(metric), sign=sign, bound=bound)
    assert limits.parse(str(limit)) == limit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ort<40ms", "is not a limit"),
        ("ort=40ms", "is not a limit"),
        ("<=40ms", "is not a limit"),
        ("", "is not a limit"),
        ("ort<=ms", "is not a limit"),
        ("ort<=4..0ms", "'4..0' in the limit"),
        ("ort<=40", "has no unit"),
        ("ort<=40kg", "unknown unit 'kg'"),
        ("params<=35ms", "unknown unit 'ms'"),
        ("ort<=nan ms", "is not a limit"),
        ("ort>=0ms", "has a bound of 0"),
        ("params<=-3M", "has a bound of -3"),
        ("ort<=infms", "is not a limit"),
        ("ort<=1e999ms", "'1e999' is infinite"),
        ("params<=1e307T", "unknown unit 'T'"),
        ("ort<=1e308s", "'1e308' is infinite"),
        ("entropy>=-1e999", "'-1e999' is infinite"),
        ("ort<=1e-999ms", "has a bound of 0"),
        ("ort<=" + "9" * 5000 + "ms", "is not a limit"),
        ("ort<=40 ms 50", "unknown unit 'ms 50'"),
    ],
)
def test_what_is_not_a_limit_is_explained(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words.replace(".", r"\.")):
        limits.parse(text)


def test_an_unknown_metric_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="did you mean 'params'"):
        limits.parse("parms<=35M")
