"""The localisers of the zoo that are made for sounds are right wherever they listen: in every band, on tones and on noise,
through pure delays and through measured head responses."""

import pytest
from scipy.io import wavfile

import fitness
from circuits import zoo
from circuits.errors import UserError
from fitness.hearing.stereo import centres_between
from tests.fitness.hearing import heads
from tests.products import some_of

SECONDS = 0.6
LOCALISERS = [name for name in zoo if name.startswith("itd") and zoo.card(name).task["sweep"]]
DELAYS_MS = (0.69, 0.525, 0.4, 0.3, 0.175, 0.07)  # one direction ends and the next begins at 0 and at 0.35
AZIMUTHS = (15, 30, 45, 60, 75, 90)
SOUNDS = {
    "tone": lambda f_hz: heads.tone(f_hz, SECONDS),
    "noise": lambda f_hz: heads.noise(SECONDS, seed=int(f_hz)),
    "band": lambda f_hz: heads.band_of_noise(f_hz, SECONDS, seed=int(f_hz)),
}


def test_there_is_a_localiser_for_sounds():
    assert LOCALISERS


def cases():
    for name in LOCALISERS:
        task = fitness.task(**zoo.card(name).task)
        yield from ((name, f_hz) for f_hz in centres_between(*task.range_hz))


KINDS = [(*case, kind) for case in cases() for kind in SOUNDS]
EACH_BAND_ONCE = some_of(KINDS, few=[(*case, list(SOUNDS)[k % len(SOUNDS)]) for k, case in enumerate(cases())])
SOME_BANDS = some_of(KINDS, few=[(*case, list(SOUNDS)[k % len(SOUNDS)]) for k, case in enumerate(cases()) if k % 3 == 0])


def named(path, name, sound, f_hz):
    """The direction that is named most often, and in what share of the stretches."""
    task = fitness.task(**zoo.card(name).task)
    wavfile.write(path, heads.RATE_HZ, sound.astype("f4"))
    every = task.directions(zoo[name], task.trials_of_sound(path, f_hz, task.range_hz))
    which, often = task.summary(every)
    return which, often / len(every)


@pytest.mark.parametrize(("name", "f_hz", "kind"), EACH_BAND_ONCE)
def test_a_localiser_names_the_direction_of_a_delay(tmp_path, name, f_hz, kind):
    sound, count = SOUNDS[kind](f_hz), zoo.card(name).task["detectors"]
    for itd_ms in (*DELAYS_MS, *(-d for d in DELAYS_MS)):
        right = int((itd_ms + 0.7) / 1.4 * count)
        which, share = named(tmp_path / "a.wav", name, heads.delayed(sound, itd_ms), f_hz)
        assert which == right, f"{itd_ms} ms at {f_hz} Hz"
        assert share > 0.5


@pytest.mark.parametrize(("name", "f_hz", "kind"), SOME_BANDS)
def test_a_localiser_names_the_side_that_a_measured_head_hears_it_from(tmp_path, name, f_hz, kind):
    sound, count = SOUNDS[kind](f_hz), zoo.card(name).task["detectors"]
    for azimuth in (*AZIMUTHS, *(-a for a in AZIMUTHS)):
        ears = heads.from_the_left(sound, azimuth)
        if kind == "tone" and f_hz == 690 and abs(azimuth) == 90:
            with pytest.raises(UserError, match="at 690 Hz no cycle tells which ear leads: they are half a cycle apart"):
                named(tmp_path / "a.wav", name, ears, f_hz)
            continue
        which, share = named(tmp_path / "a.wav", name, ears, f_hz)
        assert which is not None
        assert share > 0.5
        assert (which >= count // 2) == (azimuth > 0), f"{azimuth} degrees at {f_hz} Hz"
        if abs(azimuth) >= 45:
            assert which == (count - 1 if azimuth > 0 else 0), f"{azimuth} degrees at {f_hz} Hz"


@pytest.mark.long
@pytest.mark.parametrize(("name", "f_hz"), list(cases()))
def test_near_where_one_direction_ends_a_localiser_names_none_or_one_of_the_two(tmp_path, name, f_hz):
    sound, count = heads.noise(SECONDS, seed=3), zoo.card(name).task["detectors"]
    for itd_ms in (0.02, 0.04, 0.33, 0.37, -0.02, -0.04, -0.33, -0.37):
        which, _ = named(tmp_path / "a.wav", name, heads.delayed(sound, itd_ms), f_hz)
        before = int((itd_ms - 0.05 + 0.7) / 1.4 * count)
        assert which in (None, before, before + 1), f"{itd_ms} ms at {f_hz} Hz"
