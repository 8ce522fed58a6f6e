import numpy as np
import pytest
from scipy.io import wavfile

import fitness
from circuits.errors import UserError
from fitness.hearing.stereo import CENTRES_HZ, channel, ears, gammatone, read_stereo, stretches
from fitness.references import reference
from tests.fitness.hearing import heads
from tests.fitness.hearing.heads import RATE_HZ, delayed

TASK = fitness.task("itd")


def tone(seconds, f_hz=500.0):
    """A sound as a function of time, in -1..1."""
    return lambda t: np.where((t >= 0) & (t <= seconds), 0.8 * np.sin(2 * np.pi * f_hz * t + 0.7), 0.0)


def noise(seconds, low_hz=400.0, high_hz=600.0, seed=0):
    """A band of noise as a function of time: many sines of random phase."""
    rng = np.random.default_rng(seed)
    f, phase = rng.uniform(low_hz, high_hz, 60), rng.uniform(0, 2 * np.pi, 60)
    return lambda t: 0.05 * np.sin(2 * np.pi * f * t[:, None] + phase).sum(axis=1)


def stereo(path, sound, itd_ms, rate, seconds=0.5, convert=lambda s: (s * 32767).astype("i2")):
    """A file in which the sound reaches the right ear itd_ms after the left one."""
    t = np.arange(round(seconds * rate)) / rate
    both = np.stack([sound(t + itd_ms / 2000), sound(t - itd_ms / 2000)], axis=1)
    wavfile.write(path, rate, convert(both))
    return path


def lag_ms(left, right):
    """How long after each spike of the left ear the nearest one of the right ear is."""
    return right[np.abs(right[:, None] - left).argmin(axis=0)] - left


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("sound", [tone(1.0), noise(1.0)], ids=["tone", "noise"])
@pytest.mark.parametrize("itd_ms", [-0.6, -0.175, 0.0, 0.31, 0.525])
def test_the_spikes_of_the_ears_carry_the_time_difference(tmp_path, rate, sound, itd_ms):
    (left, right), centre, _ = ears(stereo(tmp_path / "a.wav", sound, itd_ms, rate))
    assert centre == 500
    lags = lag_ms(left, right)
    assert abs(np.median(lags) - itd_ms) < 0.01
    assert np.abs(lags - itd_ms).mean() < 0.05  # a step of the task


def test_there_is_one_spike_per_cycle_and_ear(tmp_path):
    (left, right), _, _ = ears(stereo(tmp_path / "a.wav", tone(1.0, 410.0), 0.2, 44_100))
    for ear in (left, right):
        np.testing.assert_allclose(np.diff(ear[5:-5]), 1000 / 410, atol=0.01)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("sound", [tone(1.0), noise(1.0)], ids=["tone", "noise"])
@pytest.mark.parametrize("direction", range(4))
def test_the_reference_circuit_names_the_direction(tmp_path, rate, sound, direction):
    path = stereo(tmp_path / "a.wav", sound, TASK.directions_ms[direction], rate)
    trials = TASK.trials_of_sound(path)
    named = TASK.directions(reference("itd"), trials)
    assert len(named) == int(500 / (TASK.duration_ms - 5))
    assert (trials.labels == -1).all()
    np.testing.assert_allclose(np.diff(trials.facts["start_ms"]), TASK.duration_ms - 5)
    assert (named == direction).mean() > 0.8
    assert np.bincount(named[named >= 0]).argmax() == direction


@pytest.mark.parametrize("f_hz", [200.0, 330.0, 600.0])
def test_the_strongest_band_is_listened_to_unless_one_is_given(tmp_path, f_hz):
    def both(t):
        return (tone(1.0, f_hz)(t) + 0.5 * tone(1.0, 250.0)(t)) / 2

    path = stereo(tmp_path / "a.wav", both, 0.3, 16_000)
    assert ears(path)[1] == f_hz
    assert ears(path, 250.0)[1] == 250


def test_silence_after_the_sound_is_undecided(tmp_path):
    trials = TASK.trials_of_sound(stereo(tmp_path / "a.wav", tone(0.2), 0.525, 16_000))
    named = TASK.directions(reference("itd"), trials)
    assert (named[trials.facts["start_ms"] > 240] == -1).all()
    assert (named[1:9] == 3).all()


FORMATS = {
    "8 bit": lambda s: np.rint(s * 127 + 128).astype("u1"),
    "16 bit": lambda s: (s * 32767).astype("i2"),
    "32 bit": lambda s: (s * (2**31 - 1)).astype("i4"),
    "float32": lambda s: s.astype("f4"),
    "float64": lambda s: s,
}


@pytest.mark.parametrize("kind", FORMATS)
def test_sample_formats_give_the_same_sound(tmp_path, kind):
    path = stereo(tmp_path / "a.wav", tone(1.0), 0.3, 16_000, convert=FORMATS[kind])
    rate, sound = read_stereo(path)
    t = np.arange(8000) / 16_000
    assert rate == 16_000
    np.testing.assert_allclose(sound[:, 0], tone(1.0)(t + 0.00015), atol=0.01)


def test_24_bit_is_read(tmp_path):
    samples = (np.stack([tone(1.0)(np.arange(8000) / 16_000)] * 2, axis=1) * (2**23 - 1)).astype("<i4")
    data = samples.reshape(-1, 1).view("u1").reshape(-1, 4)[:, :3].tobytes()
    header = b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += b"".join(n.to_bytes(size, "little") for n, size in ((1, 2), (2, 2), (16_000, 4), (96_000, 4), (6, 2), (24, 2)))
    (tmp_path / "a.wav").write_bytes(header + b"data" + len(data).to_bytes(4, "little") + data)
    np.testing.assert_allclose(read_stereo(tmp_path / "a.wav")[1][:, 1], tone(1.0)(np.arange(8000) / 16_000), atol=1e-4)


def test_a_gammatone_passes_its_centre_and_little_an_octave_away():
    t = np.arange(8000) / 16_000
    levels = [
        np.sqrt((gammatone(np.sin(2 * np.pi * f * t)[:, None], 400.0, 16_000)[4000:] ** 2).mean()) for f in (400, 200, 800)
    ]
    assert levels[0] == pytest.approx(0.5**0.5, rel=0.02)
    assert max(levels[1:]) < 0.03 * levels[0]


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        (np.zeros((8000, 2), "i2"), "is silent"),
        (np.ones(8000, "i2"), "is mono"),
        (np.ones((8000, 3), "i2"), "of 3 channels"),
        (np.zeros((0, 2), "i2"), "is empty"),
        (np.full((8000, 2), np.nan, "f4"), "no numbers"),
        ((np.sin(np.arange(200) * 0.2)[:, None] * np.full(2, 9e3)).astype("i2"), "is too short"),
        (b"RIFF....WAVE", "not a WAV file"),
        (b"", "not a WAV file"),
        (b"a song, in words", "not a WAV file"),
    ],
)
def test_what_is_no_stereo_sound_is_refused_in_one_line(tmp_path, samples, named):
    path = tmp_path / "a.wav"
    path.write_bytes(samples) if isinstance(samples, bytes) else wavfile.write(path, 16_000, samples)
    with pytest.raises(UserError, match=named) as caught:
        TASK.trials_of_sound(path)
    assert "\n" not in str(caught.value)
    assert "a.wav" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        TASK.trials_of_sound(tmp_path / "none.wav")
    with pytest.raises(UserError, match="cannot be read"):
        TASK.trials_of_sound(tmp_path)


def test_bands_where_the_phase_is_ambiguous_are_refused(tmp_path):
    with pytest.raises(UserError, match="50 to 700 Hz"):
        TASK.trials_of_sound(stereo(tmp_path / "a.wav", tone(1.0), 0.3, 16_000), 900.0)


def test_a_circuit_of_another_shape_cannot_listen(tmp_path):
    trials = TASK.trials_of_sound(stereo(tmp_path / "a.wav", tone(1.0), 0.3, 16_000))
    with pytest.raises(UserError, match="4 outputs"):
        TASK.directions(reference("gate"), trials)


def to_file(path, sound, rate=RATE_HZ):
    wavfile.write(path, rate, np.asarray(sound, "f4"))
    return path


@pytest.mark.parametrize("f_hz", [780.0, 1000.0, 1500.0, 4000.0])
@pytest.mark.parametrize("seconds", [0.2, 1.0])
def test_a_tone_above_all_bands_is_refused_though_its_onset_clicks_in_all_of_them(tmp_path, f_hz, seconds):
    sound = delayed(heads.tone(f_hz, seconds + 0.1), 0.5)[: round(seconds * RATE_HZ)]
    with pytest.raises(UserError, match=f"nothing to hear .*strongest at {f_hz:.0f} Hz"):
        ears(to_file(tmp_path / "a.wav", sound))


def test_what_is_to_be_heard_is_relative_to_the_sound_and_not_to_full_scale(tmp_path):
    sound = delayed(heads.tone(500, 0.4), 0.5)
    loud = ears(to_file(tmp_path / "a.wav", sound))[0]
    for gain in (1e-8, 1e-3, 1e6):
        for mine, theirs in zip(ears(to_file(tmp_path / "b.wav", gain * sound))[0], loud, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-3)
    wavfile.write(tmp_path / "c.wav", RATE_HZ, np.rint(6 * sound).astype("i2"))  # three steps of 16 bits
    lags = lag_ms(*ears(tmp_path / "c.wav")[0])
    assert abs(np.median(lags) - 0.5) < 0.03


def test_a_constant_offset_is_no_sound_and_spoils_none(tmp_path):
    sound = delayed(heads.tone(500, 0.4), 0.5)
    with pytest.raises(UserError, match="is silent"):
        ears(to_file(tmp_path / "a.wav", np.full((8000, 2), 0.3)))
    lags = lag_ms(*ears(to_file(tmp_path / "b.wav", 0.1 * sound + [0.5, -0.2]))[0])
    assert abs(np.median(lags) - 0.5) < 0.01


def test_a_silent_ear_is_named(tmp_path):
    sound = delayed(heads.tone(500, 0.4), 0.5)
    for ear, side in enumerate(("left", "right")):
        one = sound.copy()
        one[:, ear] = 1e-4 * heads.noise(0.4)
        with pytest.raises(UserError, match=f"the {side} ear is silent at 500 Hz"):
            ears(to_file(tmp_path / "a.wav", one))


def test_an_ear_in_the_shadow_of_the_head_hears(tmp_path):
    shaded = delayed(heads.tone(500, 0.4), 0.5) * [1.0, 0.05]
    left, right = ears(to_file(tmp_path / "a.wav", shaded))[0]
    assert abs(len(left) - len(right)) <= 1
    assert abs(np.median(lag_ms(left, right)) - 0.5) < 0.01


@pytest.mark.parametrize("rate", [2000, 4000, 8000, 22_050, 96_000, 192_000])
@pytest.mark.parametrize("f_hz", [200.0, 690.0])
def test_the_sampling_rate_does_not_matter(tmp_path, rate, f_hz):
    path = stereo(tmp_path / "a.wav", tone(1.0, f_hz), 0.31, rate, seconds=0.3)
    (left, right), centre, length = ears(path)
    assert centre == f_hz
    assert length == pytest.approx(300, abs=1)
    assert np.abs(lag_ms(left, right)[2:-2] - 0.31).max() < 0.03


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_every_band_of_white_noise_is_to_be_heard(rate):
    sound = np.random.default_rng(1).standard_normal((rate // 2, 2))
    assert all(channel(sound, f, rate) is not None for f in CENTRES_HZ)


@pytest.mark.parametrize("f_hz", np.geomspace(130, 730, 23).round(1))
def test_every_tone_up_to_the_highest_is_to_be_heard_in_some_band(f_hz):
    sound = delayed(heads.tone(f_hz, 0.3), 0.3)
    assert any(channel(sound, f, RATE_HZ) is not None for f in CENTRES_HZ)


def test_clicks_are_heard(tmp_path):
    clicks = np.zeros(RATE_HZ // 2)
    clicks[2000::6000] = 1.0
    lags = lag_ms(*ears(to_file(tmp_path / "a.wav", delayed(clicks, 0.4)))[0])
    assert abs(np.median(lags) - 0.4) < 0.02


def test_the_spikes_of_a_cycle_stay_in_one_stretch(tmp_path):
    for f_hz in (150.0, 410.0, 690.0):
        path = to_file(tmp_path / "a.wav", delayed(heads.tone(f_hz, 0.5), -0.6))
        spikes, _ = stretches(path, 20.7, 25.7, 0.05)
        inner = spikes[1:-1].sum(axis=1)
        assert (inner[:, 0] == inner[:, 1]).all()
        assert abs(spikes.sum() - 2 * 0.5 * f_hz) <= 2 * 20.7 * f_hz / 1000 + 6


def test_nothing_named_is_no_direction():
    assert TASK.summary(np.full(5, -1)) == (None, 0)
    assert TASK.summary(np.zeros(0, int)) == (None, 0)
    assert TASK.summary(np.array([0, 3, -1, 0, 3])) == (None, 2)
    assert TASK.summary(np.array([0, -1, -1, -1])) == (0, 1)
    assert TASK.summary(np.array([2, 2, 0, -1])) == (2, 2)
