"""From probabilities to feedback: smoothed, and from -1 (another class) by 0 (chance) to 1 (the class that is wanted)."""

import numpy as np

from neuroloom.errors import NeuroloomError


class Feedback:
    r"""Smooth probabilities over time, and say how far they are towards a class.

    Smoothing is exponential: after a time t what was before weighs :math:`e^{-t/\tau}`; the first answer is taken as it is.

    Parameters
    ----------
    classes : sequence of str
    smooth : float
        :math:`\tau` in s; 0 does not smooth.
    """

    def __init__(self, classes, smooth=0.5):
        if not smooth >= 0:
            raise NeuroloomError(f"feedback is smoothed over 0 seconds or more, not {smooth!r}.")
        self.classes, self.smooth = tuple(classes), float(smooth)
        self.restart()

    def restart(self):
        """Forget what was before."""
        self.smoothed, self.time = None, None

    def hear(self, probability, time):
        """Take up the probability of each class at a time (s), and return the smoothed ones, shape (class,)."""
        probability = np.asarray(probability, dtype=np.float64)
        if self.smoothed is None or self.smooth == 0:
            self.smoothed = probability
        else:
            kept = np.exp(-(time - self.time) / self.smooth)
            self.smoothed = kept * self.smoothed + (1 - kept) * probability
        self.time = time
        return self.smoothed

    @property
    def state(self):
        """The class that is likeliest by now."""
        return self.classes[int(np.argmax(self.smoothed))]

    def towards(self, name):
        """Return -1 to 1: 0 where a class is as likely as by chance, 1 where it is certain, -1 where it cannot be."""
        chance, p = 1 / len(self.classes), float(self.smoothed[self.classes.index(name)])
        return (p - chance) / (1 - chance) if p >= chance else (p - chance) / chance
