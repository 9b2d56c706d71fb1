"""Speed against the physical limit and the peers, as ratios taken in one run; see ``pairing``."""
