"""What is kept of a long row to draw it: evenly spaced items, never more than so many."""


class Thinned:
    """Keep every item until there are too many, then every second, then every fourth ...

    Parameters
    ----------
    most : int
        How many are kept at most; once that many have come, at least half as many are.

    Attributes
    ----------
    kept : list
        In the order in which they came, the first one included.
    """

    def __init__(self, most):
        self.most, self.kept, self.apart, self.n = most, [], 1, 0

    def take(self, item):
        """Take up the next item."""
        if self.n % self.apart == 0:
            self.kept.append(item)
        if len(self.kept) > self.most:
            self.kept, self.apart = self.kept[::2], 2 * self.apart
        self.n += 1
