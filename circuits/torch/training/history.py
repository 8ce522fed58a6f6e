"""Learning curves."""

from dataclasses import dataclass, field


@dataclass
class History:
    """The course of a training.

    Parameters
    ----------
    step : list of int
        Training steps done at each look.
    loss, score : list of float
        Mean loss and mean score of the batches since the look before; the score is the share of right answers.
    validation_loss, validation_score : list of float
        Loss and score of all validation trials; empty without any.
    spikes : list of float
        Mean spikes of all neurons in a trial of the batches.
    lost : int
        Steps skipped because gradients were not finite.
    seconds : float
        Processor time.
    stopped : bool
        Did training end early?

    Examples
    --------
    >>> from circuits.torch import History
    >>> History(step=[50], loss=[0.7], score=[0.5], spikes=[12.0]).line()
    'step 50: loss 0.7000, score 0.500, 12 spikes a trial'
    """

    step: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_score: list[float] = field(default_factory=list)
    spikes: list[float] = field(default_factory=list)
    lost: int = 0
    seconds: float = 0.0
    stopped: bool = False

    def line(self) -> str:
        """The last look in words.

        Returns
        -------
        str
            One line.
        """
        text = f"step {self.step[-1]}: loss {self.loss[-1]:.4f}, score {self.score[-1]:.3f}"
        if self.validation_score:
            text += f", validation {self.validation_score[-1]:.3f}"
        lost = f", {self.lost} steps lost" if self.lost else ""
        return f"{text}, {self.spikes[-1]:.0f} spikes a trial{lost}"
