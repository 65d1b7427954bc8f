# The commands of this project: `make` lists them. Everything runs in .venv, which `make setup` creates
# from the lock files and every target that needs it brings up to date.

PYTHON := .venv/bin/python
STAMP := .venv/.installed

# How `make demo FEED=ads.jsonl.gz SCALE=small` reaches the program; what is not given is not passed on.
DEMO := -m deploy.demo $(if $(FEED),--feed '$(FEED)') $(if $(AS_OF),--as-of '$(AS_OF)') $(if $(SCALE),--scale '$(SCALE)')

# The taxonomy is built from the publishers' files where they lie beside the project, else from registry packages.
ifneq ($(wildcard ../shared/data/esco_skills_en.csv.gz),)
export TAXONOMY_DIR ?= $(abspath ../shared/data)
endif

# Where services started from here keep their compiled kernels: tests and benches find them there.
export NUMBA_CACHE_DIR ?= $(CURDIR)/.cache/numba

# A Docker without the buildx plugin has only the classic builder.
export DOCKER_BUILDKIT ?= $(shell docker buildx version >/dev/null 2>&1 && echo 1 || echo 0)

# Tests that need no servers, a file at a time in each of some processes (in one: ARGS=-n0).
QUICK := --numprocesses auto --maxprocesses 4 --dist loadfile tests/unit tests/contract

.DEFAULT_GOAL := help
.PHONY: help setup ready taxonomy demo dev test test-quick lint format bench bench-matcher bench-rebuild bench-refresh bench-throughput bench-whynot bench-linking feed-quality verify-lists policy policy-near policy-rollback replay operator contracts token lock up down clean fuzz eval eval-duplicates bench-partners

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with the locked packages (every other command does this by itself)

$(STAMP): requirements-dev.txt deploy/setup.sh
	@sh deploy/setup.sh
	@touch $@

ready: $(STAMP)
	@$(PYTHON) -m deploy.taxonomy --quiet
	@$(PYTHON) -m deploy.models --quiet --optional

taxonomy: $(STAMP) ## build the occupations and skills, and print what is in them [TAXONOMY_DIR=folder]
	@$(PYTHON) -m deploy.taxonomy

demo: ready ## the main job, end to end [FEED=ads.jsonl.gz [AS_OF=2024-12-23]] [SCALE=small]
	@$(PYTHON) $(DEMO)

dev: ready ## the same, and everything stays up until Ctrl-C [FEED=] [SCALE=]
	@$(PYTHON) $(DEMO) --stay

test: ready ## all tests, on real servers [ARGS="-k name"]
ifdef ARGS
	$(PYTHON) -m pytest $(ARGS)
else
	@$(PYTHON) -m pytest $(QUICK) && failed=0 || failed=1; \
	$(PYTHON) -m pytest --ignore tests/unit --ignore tests/contract && exit $$failed
endif

test-quick: ready ## the tests that need no servers [ARGS="-n0 --pdb"]
	$(PYTHON) -m pytest $(QUICK) $(ARGS)

lint: $(STAMP) ## ruff, mypy --strict, import-linter, no module over 400 lines
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	@find services shared tests deploy -name '*.py' -exec awk 'FNR == 401 {print FILENAME ": over 400 lines; split it by idea"; bad = 1} END {exit bad}' {} +

format: $(STAMP) ## let ruff format and fix what it can
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

eval-duplicates: $(STAMP) ## how well the same vacancy from two sources is found, into out/duplicates.json
	@$(PYTHON) -m tests.eval.duplicates

eval: ready ## how well titles find titles, occupations and skills, into out/eval.json [SETS=folder]
	@$(PYTHON) -m tests.eval $(if $(SETS),--sets '$(SETS)')

bench: ready ## a whole season and its latency, into out/bench/season.json
	$(PYTHON) -m tests.bench.season

bench-matcher: ready ## the matcher beside numpy and MongoDB, into out/bench/matcher.json [ARGS="--profiles 5000"]
	$(PYTHON) -m tests.bench.matcher $(ARGS)

bench-refresh: ready ## live events while 5,000 postings close and the policy changes [ARGS="--postings 2000"]
	$(PYTHON) -m tests.bench.refresh $(ARGS)

bench-rebuild: ready ## a matcher's start from the topics alone, into out/bench/rebuild.json [ARGS="--profiles 1000000"]
	$(PYTHON) -m tests.bench.rebuild $(ARGS)

bench-throughput: ready ## changed anchors a second with one matcher process and with two, into out/bench/throughput.json [ARGS="--processes 3"]
	$(PYTHON) -m tests.bench.throughput $(ARGS)

bench-whynot: ready ## why and why not, how long each question takes, into out/bench/whynot.json [ARGS="--profiles 5000"]
	$(PYTHON) -m tests.bench.whynot $(ARGS)

bench-partners: ready ## partners' records taken in, and fairness, into out/bench/partners.json [ARGS="--records 20000"]
	$(PYTHON) -m tests.bench.partners $(ARGS)

feed-quality: ready ## what is read in the real ads, 30 of them judged, into out/feed-quality.md
	$(PYTHON) -m tests.eval.feed_quality $(ARGS)

fuzz: $(STAMP) ## partners' records as nobody should send them, for SECONDS=600, by coverage
	SECONDS=$(SECONDS) $(PYTHON) -m tests.fuzz

bench-linking: ready ## how fast texts are read, into out/bench/linking.json
	$(PYTHON) -m tests.bench.linking

verify-lists: $(STAMP) ## compute every list that was written again, byte for byte [KAFKA_BOOTSTRAP=host:port]
	@$(PYTHON) -m services.matcher.verify

policy: $(STAMP) ## match by another policy from now on: FILE=my.toml [BY=account] [KAFKA_BOOTSTRAP=host:port]
	@$(PYTHON) -m services.matcher.policies set '$(FILE)' $(if $(BY),--by '$(BY)')

policy-near: ready ## write FILE=near.toml, a policy with tables of near skills and occupations [BASE=my.toml] [ARGS="--sample 30"]
	@$(PYTHON) -m services.matcher.near '$(FILE)' $(if $(BASE),--base '$(BASE)') $(ARGS)

policy-rollback: $(STAMP) ## by the one before again; again: further back [BY=account] [KAFKA_BOOTSTRAP=host:port]
	@$(PYTHON) -m services.matcher.policies rollback $(if $(BY),--by '$(BY)')

replay: $(STAMP) ## what POLICY=my.toml would change, into out/replay [SAMPLE=20000] [KAFKA_BOOTSTRAP=host:port]
	@$(PYTHON) -m services.matcher.replay '$(POLICY)' $(if $(SAMPLE),--sample $(SAMPLE))

operator: $(STAMP) ## partners, duplicates and dead letters [ARGS="partner list"] [KAFKA_BOOTSTRAP=host:port] [POSTINGS_URL=]
	@$(PYTHON) -m deploy.operator $(or $(ARGS),--help)

contracts: $(STAMP) ## write docs/contracts/ anew from shared/contracts and the services
	$(PYTHON) -m deploy.contracts

token: $(STAMP) ## print a development token: ROLE=employer SUB=emp-1 [EMPLOYER=] [PARTNER=] [TTL=] [KEYS=dir]
	@$(PYTHON) -m deploy.token $(if $(ROLE),--role $(ROLE)) $(if $(SUB),--sub '$(SUB)') \
	  $(if $(EMPLOYER),--employer '$(EMPLOYER)') $(if $(PARTNER),--partner '$(PARTNER)') \
	  $(if $(TTL),--ttl $(TTL)) $(if $(KEYS),--keys-dir '$(KEYS)')

# --no-emit-index-url and relative names: the lock files name no host and no path of this machine.
LOCK := .venv/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: $(STAMP) ## resolve requirements*.in anew into requirements*.txt [ARGS=--upgrade]
	$(LOCK) $(ARGS) requirements.in -o requirements.txt
	$(LOCK) $(ARGS) requirements-dev.in -o requirements-dev.txt

up: ## everything as containers: postings 8001, profiles 8002, matcher 8003, notifications 8004
	docker compose up --detach --build --wait --wait-timeout 600

down: ## stop the containers [VOLUMES=1: and forget their data and keys]
	docker compose down --remove-orphans $(if $(VOLUMES),--volumes)

clean: ## remove what was built or fetched here, except .venv
	rm -rf .cache .dev .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis out
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
