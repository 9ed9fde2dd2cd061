"""The benchmark: `make bench`, or `python -m tests.bench [SECTION...]`. What a section is: tests/bench/section.py."""
