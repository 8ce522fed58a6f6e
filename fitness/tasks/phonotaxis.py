"""Phonotaxis of a cricket (Webb, Robot. Auton. Syst. 16, 1995; the vehicle: Braitenberg, "Vehicles", 1984)."""

import numpy as np
from pydantic import Field

from circuits.simulation.environments import TwoEars, replay
from fitness.base.definition import weights_mv
from fitness.base.measured import Measured, by_class

NEAREST, FARTHEST = 0.5, 1.0  # starts, in the unit of all lengths here
NEAR = FARTHEST / 2  # where a call is half as loud
ASIDE_DEG = 60.0  # minimum: a body that does not turn misses the source
REACH = 0.1
PATH = 2.5  # length of the walk
STEPS = 600
GRID = 4096


class Phonotaxis(Measured):
    """Closed loop: a body with two ears walks steadily through a plane, and should walk to where it hears a call.

    Inputs: the left and the right ear. An ear fires irregularly, the more the nearer the source is, and more for one on its
    side than for one on the other side; it also hums.
    Outputs: the left and the right motor. A spike of the left motor pushes the body round to the right by `turn_deg`, one of
    the right motor to the left; both at once cancel. A body that reaches the source stays.
    Answer: get there. It starts 60 to 180 degrees turned away, to the left or the right (the labels), and can walk 2.5 times
    the largest distance. Progress is the share of the distance that is gone at the end, below 0 if there is more of it. Score:
    the mean progress, of starts to the left or to the right, whichever is worse. Chance: 0; silence or firing always walk
    straight away, turning at any steady rate gains nothing on one of the sides. Harder with less `contrast` (from 0.25 on the
    ears must inhibit the motors of their own side), more hum, a lower call.
    """

    name = "phonotaxis"
    inputs = ("left ear", "right ear")
    outputs = ("left motor", "right motor")
    dt_ms = 1.0
    duration_ms = float(STEPS)
    critical_connections = (("left ear", "right"),)
    default_spec = {
        "circuit": {"neurons": [2, 8], "delay_ms": [1.0, 10.0], **weights_mv(150.0, 150.0)},
        "circuit.parameters": {"tau_m_ms": [1.0, 20.0], "tau_syn_e_ms": [0.5, 5.0], "t_ref_ms": [1.0, 3.0]},
        "search": {"generations": 60, "trials": 128},
    }

    turn_deg: float = Field(10.0, ge=2, le=30, description="angle that a spike of a motor turns the body by")
    loud_hz: float = Field(300.0, ge=50, le=500, description="rate of an ear at the source; a third of it at 1")
    contrast: float = Field(0.4, ge=0.1, le=1, description="relative increase of an ear's rate for a source on its own side")
    hum_hz: float = Field(10.0, ge=0, le=200, description="rate of an ear without a call")

    def make(self, rng, count):
        side = rng.permutation(np.arange(count) % 2)  # the source is to the left, or to the right
        distance, azimuth = rng.uniform(NEAREST, FARTHEST, count), rng.uniform(0, 2 * np.pi, count)
        off = np.radians(rng.uniform(ASIDE_DEG, 180, count)) * (1 - 2 * side)  # the source's bearing, positive to the left
        heading = azimuth + np.pi - off
        start = np.stack([distance * np.cos(azimuth), distance * np.sin(azimuth), np.cos(heading), np.sin(heading)], axis=-1)
        start = np.rint(start * GRID) / GRID  # cosines differ between machines in the last bit
        # Spikes of the ears at the start, as examples for pictures; the closed loop makes its own.
        level = self.loud_hz / (1 + distance / NEAR)
        rates = self.hum_hz + level * (1 + np.array([[1], [-1]]) * self.contrast * np.sin(off))
        return rng.random((count, STEPS, 2)) < rates.T[:, None] / 1000, side, {"start": start}

    def environment(self, trials):
        lengths = {"stride": PATH * FARTHEST / STEPS, "reach": REACH, "near": NEAR}
        sound = {"loud": self.loud_hz / 1000, "hum": self.hum_hz / 1000, "contrast": self.contrast}
        return TwoEars.of(trials.facts["start"], trials.noise_seed, turn_deg=self.turn_deg, **lengths, **sound)

    def variable(self, trials):
        x, y, ahead_x, ahead_y = trials.facts["start"].T
        return "bearing of the call at the start [deg]", np.degrees(
            np.arctan2(ahead_y * x - ahead_x * y, -ahead_x * x - ahead_y * y)
        )

    def conditions(self, trials):
        _, bearing = self.variable(trials)
        return {"side": np.array(["left", "right"])[trials.labels], "bearing [deg]": np.abs(bearing)}

    def measure(self, raster, trials):
        ends = replay(self.environment(trials), raster).astype("f8")
        before, after = (np.maximum(np.hypot(p[..., 0], p[..., 1]), REACH) for p in (trials.facts["start"], ends))
        return np.maximum((before - after) / (before - REACH), -1)[..., None]

    def overall(self, measured, trials):
        return by_class(measured[..., 0], trials.labels).min(axis=-1)

    def mark(self, measured, trials):
        return measured[..., 0]
