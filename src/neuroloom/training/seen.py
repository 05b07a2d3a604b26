"""Who a learner has seen, as salted hashes that travel with its weights."""

import hashlib

from neuroloom.errors import LeakError, listed
from neuroloom.seeds import key_number


def seen_people(people, seed):
    """Return ``{"salt", "hashes"}`` of the people a learner learns from."""
    salt = f"{key_number(seed, 'seen'):016x}"
    return {"salt": salt, "hashes": sorted({_hash(person, salt) for person in people})}


def refuse_seen(told, people):
    """Raise `LeakError` when a learner is to be tested on people it has learned from, naming who.

    Parameters
    ----------
    told : dict
        What `seen_people` returned.
    people : iterable of str
    """
    hashes = set(told["hashes"])
    seen = sorted({person for person in people if _hash(person, told["salt"]) in hashes})
    if seen:
        raise LeakError(
            f"{len(seen)} people to be tested are among those that this learner has learned from: {listed(seen)}. "
            "Its folder is of another split: delete it, or name a new --out."
        )


def _hash(person, salt):
    return hashlib.blake2b(f"{salt}|{person}".encode(), digest_size=10).hexdigest()
