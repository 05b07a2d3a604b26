"""Who a learner has seen, as salted hashes that travel with its weights."""

import hashlib

from neuroloom.seeds import key_number


def seen_people(people, seed):
    """Return ``{"salt", "hashes"}`` of the people a learner learns from."""
    salt = f"{key_number(seed, 'seen'):016x}"
    return {"salt": salt, "hashes": sorted({_hash(person, salt) for person in people})}


def _hash(person, salt):
    return hashlib.blake2b(f"{salt}|{person}".encode(), digest_size=10).hexdigest()
