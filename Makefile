# make demo    install, run the main job, look at what came out, take the best circuit along as a module
# make check   style, types and the quick tests: for every change
# make test    all tests but the slow ones (JOBS=0: in one process); says which take most processor time
# make lint    style and types alone
# make chaos   the slow tests: runs killed at random moments, all models on all kinds of processors, more random examples of
#              everything (some half an hour)
# make wheel   builds the wheel and tries it, installed alone, outside the clone
# make pythons the wheel and the core of the tests with each of Python 3.11 to 3.14 that is installed
# make arm     what a 64-bit Arm processor computes, under qemu-user: the same digests
# make dist    wheel and sdist for a release, checked: the wheel is built from the sdist, and its core tests pass there
# make docs    builds the documentation, build/docs/index.html
# make d3      packs what our pages use of D3 anew, when a page uses more of it (needs npm and the network)
# make oracle  installs NEST and Brian2 beside, compares the simulator with them spike for spike, and exports in these and in
#              snnTorch, Norse and SpikingJelly (half an hour)
# make suite   every task's committed search over five seeds, and the table of them, runs/results/suite.csv (an hour or two);
#              goes on where it was interrupted. TASKS="gate xor" for these alone
# make hard    the hard suite, runs/hard/*.toml, over ten seeds, 400,000 circuits each, beside random search, and its table,
#              runs/results/hard.csv; goes on where it was interrupted. TASKS="edge itd", HARD="--seeds 3 --evaluations 40000"
# make budget  circuits that the default search and one with few offspring need until tasks are solved, and the table of them,
#              runs/results/budget.csv; goes on where it was interrupted. TASKS="gate xor" for these alone, BUDGET="--seeds 3"
# make canonical  which motifs come back for which task, are they necessary, are they sufficient: runs/results/canonical.csv (an
#              hour or two); goes on where it was interrupted. TASKS="xor gain" for these alone
# make zoo     runs the searches behind circuits.zoo, and writes its motifs, cards and pictures anew (half an hour)
# make cards   scores the motifs of circuits.zoo anew, without a search, and writes their cards (a minute)
# make bench-NAME   tests/bench/bench_NAME.py; BENCH_JSON=file collects its figures
# make rivals  installs what make bench-simulator and bench-search are timed against, each beside ours

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
TESTS ?= tests
JOBS ?= auto
COMPILE = $(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true  # what pip does, on all cores
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --maxprocesses 4 --dist loadfile
export RAY_USAGE_STATS_ENABLED := 0
unexport PYTHONDONTWRITEBYTECODE  # with it, each of the many processes compiles all its modules anew

.PHONY: demo check test lint chaos oracle rivals suite hard budget canonical zoo cards docs d3 wheel pythons arm dist install clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

install: $(INSTALLED)

$(INSTALLED): pyproject.toml tests/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "evocircuits needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/pip || { rm -rf .venv; $(PYTHON) -m venv .venv 2>/dev/null; } \
	  || { rm -rf .venv; virtualenv -q -p $(PYTHON) .venv 2>/dev/null; } \
	  || { rm -rf .venv; echo "$(PYTHON) has no venv module. Install it: apt-get install python3-venv"; exit 1; }
	@echo "installing into .venv (the first time takes some minutes)"
	@$(BIN)/pip install -q --disable-pip-version-check --no-compile -c tests/constraints.txt -e '.[torch,data,nir,sonata,graphml,tensorboard,mlflow,lab,recordings,test]'
	@$(COMPILE)
	@touch $@

demo: install
	@rm -rf runs/demo
	$(BIN)/evo run runs/itd.toml --out runs/demo
	$(BIN)/evo inspect runs/demo --html runs/demo/report.html
	$(BIN)/evo export runs/demo --to motif
	$(BIN)/evo export runs/demo --to torch
	$(BIN)/python runs/demo/motifs/rank0-torch/load.py
	@echo "the page: runs/demo/report.html"

check: lint
	$(PYTEST) -m "not long and not slow and not oracle" $(TESTS)

test: install
	$(PYTEST) --processor-time 8 -m "not slow and not oracle" $(TESTS)

chaos: install
	$(BIN)/python -m pytest -m slow $(TESTS)
	$(BIN)/python -m pytest -m "hypothesis and not slow and not oracle" --hypothesis-profile thorough $(TESTS)

ORACLES := .venv-nest/.installed .venv-brian2/.installed .venv-spike_trains/.installed
FRAMEWORKS := $(addsuffix /.installed,.venv-nir-older .venv-snntorch .venv-norse .venv-spikingjelly)

oracle: TESTS = tests/oracle
oracle: install $(ORACLES) $(FRAMEWORKS)
	$(BIN)/python -m pytest -m oracle -s $(TESTS)

$(ORACLES) $(FRAMEWORKS): .venv-%/.installed: tests/oracle/requirements-%.txt tests/constraints.txt | install
	@rm -rf .venv-$*
	@$(PYTHON) -m venv .venv-$* 2>/dev/null || { rm -rf .venv-$*; virtualenv -q -p $(PYTHON) .venv-$*; }
	@echo "installing $* into .venv-$*"
	@.venv-$*/bin/pip install -q --disable-pip-version-check -c tests/constraints.txt -r $<
	@test ! -f $(basename $<)-no-deps.txt || .venv-$*/bin/pip install -q --disable-pip-version-check --no-deps -r $(basename $<)-no-deps.txt
	@touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

DOCS := .venv/.installed-docs

$(DOCS): $(INSTALLED)
	@$(BIN)/python -c 'import sphinx, furo, myst_nb, sphinx_copybutton' 2>/dev/null \
	  || $(BIN)/pip install -q --disable-pip-version-check --no-compile -c tests/constraints.txt -e '.[docs]'
	@$(COMPILE)
	@touch $@

docs: $(DOCS)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo "the documentation: build/docs/index.html"

d3:
	docs/generate/d3.sh

wheel: install
	tests/reach/wheel.sh

pythons: install
	tests/reach/pythons.sh

arm: install
	tests/reach/arm.sh

dist: install
	tests/reach/dist.sh

suite: install
	$(BIN)/python -m tests.bench.suite $(TASKS)

hard: install
	$(BIN)/python -m tests.bench.hard $(TASKS) $(HARD)

budget: install
	$(BIN)/python -m tests.bench.budget $(TASKS) $(BUDGET)

canonical: TASKS = xor coincidence direction order gain setpoint onset toggle stability bandpass association gate gamma separation
canonical: install
	$(BIN)/python -m tests.bench.canonical $(TASKS)

zoo: install
	$(BIN)/python -m tests.bench.zoo

cards: install
	$(BIN)/python -m tests.bench.zoo cards

bench-%: install
	$(BIN)/python -m tests.bench.bench_$*

RIVALS := .venv-rivals-torch/.installed .venv-rivals-jax/.installed .venv-rivals-evolution/.installed

rivals: $(RIVALS) $(ORACLES)

$(RIVALS): .venv-rivals-%/.installed: tests/bench/rivals/%.txt tests/constraints.txt
	@rm -rf .venv-rivals-$*
	@$(PYTHON) -m venv .venv-rivals-$* 2>/dev/null || { rm -rf .venv-rivals-$*; virtualenv -q -p $(PYTHON) .venv-rivals-$*; }
	@echo "installing $* into .venv-rivals-$*"
	@.venv-rivals-$*/bin/pip install -q --disable-pip-version-check -c tests/constraints.txt -r $<
	@test ! -f $(basename $<)-no-deps.txt || .venv-rivals-$*/bin/pip install -q --disable-pip-version-check --no-deps -r $(basename $<)-no-deps.txt
	@touch $@

clean:
	rm -rf .venv .venv-* build dist *.egg-info
	find . -name '*.nb[ic]' -delete
