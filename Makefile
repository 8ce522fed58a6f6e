PYTHON ?= .venv/bin/python

# make bench-NAME runs tests/bench/bench_NAME.py; with BENCH_JSON=file it appends its figures to that file
bench-%:
	$(PYTHON) -m tests.bench.bench_$*
