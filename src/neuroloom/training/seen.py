"""Who a learner has seen, as salted hashes that travel with its weights."""

import hashlib

from neuroloom.errors import LeakError, listed
from neuroloom.seeds import key_number


def seen_people(people, seed):
    """Return ``{"salt", "hashes"}`` of the people a learner learns from."""
    salt = f"{key_number(seed, 'seen'):016x}"
    return {"salt": salt, "hashes": sorted({_hash(person, salt) for person in people})}


def _hash(person, salt):
    return hashlib.blake2b(f"{salt}|{person}".encode(), digest_size=10).hexdigest()


def refuse_seen(told, people, what):
    """Raise `LeakError` when any of ``people`` is among those that weights have seen."""
    known = sorted({str(person) for person in people if _hash(person, told["salt"]) in set(told["hashes"])})
    if known:
        raise LeakError(
            f"{len(known)} test participants were seen by {what}: {listed(known)}. "
            "Start from weights that were trained on other people."
        )
