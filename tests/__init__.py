"""All tests, and the benchmarks. Nobody has to sign in to the stacks that they start, unless a test says otherwise."""

import os

os.environ.setdefault("DAYMARK_SIGN_IN", "off")
