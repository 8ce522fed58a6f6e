"""Baselines that a circuit has to beat: the usual models of a spike train, fitted to the search windows of a recording, and
scored as circuits are.

linear filter          least squares of the spike count in a step on the stimulus before it
linear-nonlinear       Poisson regression on the same, the rate being the exponential of the filtered stimulus
GLM with history       the same with the neuron's own spikes before (Truccolo et al., J. Neurophysiol. 93, 2005)

Stimulus and history are seen through raised cosines of logarithmic time (Pillow et al., Nature 454, 2008). Where spikes are
scored (coincidence) a model spikes when its rate passes a threshold, with a refractory period: both are chosen on the search
windows, as is fair to a model that is to spike at certain times. Where rates are (rate, psth, van_rossum) the rate itself is
scored, of the GLM the mean of free runs. Each neuron is fitted by itself.
"""

from fitness.recordings.baselines.fits import Baseline, fit_all, rates

__all__ = ["Baseline", "fit_all", "rates"]
