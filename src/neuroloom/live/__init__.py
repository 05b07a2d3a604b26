"""Live: a stream of samples in, the answers of a finished run out, as the samples come."""
