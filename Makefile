# The ways into Corvid; `make help` lists them. Each sets this machine up first, if that is still to be done.
#   CC=clang   another compiler      BUILD=Debug   instead of Release      PREFIX=/usr/local   for install
#   V=1        show the commands     MODEL=FILE    for bench
#   RUNTIME=wgpu30|wgpu-native|PATH  the WebGPU library that programs and tests use
#   TRACY=1    with the Tracy profiler's client (docs/profiling.md)
BUILD  ?= Release
PREFIX ?= /usr/local
MODEL  ?= models/rwkv7-tiny-q8_0.gguf

ifdef RUNTIME
export CORVID_WEBGPU := $(RUNTIME)
endif
flags := $(if $(filter-out default undefined,$(origin CC)),-DCMAKE_C_COMPILER=$(CC))$(if $(TRACY), -DCORVID_TRACY=ON)
quiet := $(if $(V),--verbose)
checks := --check tools/check_includes --check tools/check_size --check 'bench/plot --check'
gemma := models/gemma-3-270m-q4_k_m.gguf

# $(call configure,FOLDER,OPTIONS): cmake runs anew when its options change; ninja notices everything else
define configure
@scripts/setup
@options='$(flags) $(2)'; if [ ! -f $(1)/build.ninja ] || [ "$$(cat $(1)/options 2>/dev/null)" != "$$options" ]; then \
    rm -rf $(1)/CMakeCache.txt $(1)/CMakeFiles && cmake -G Ninja -S . -B $(1) $$options && \
    echo "$$options" >$(1)/options; fi
endef

# its kernels go to the driver only where the wgpu 30 runtime passes them through
define fetch_glslang
@scripts/fetch-wheels scripts/requirements-glslang.txt deps/glslang && chmod +x deps/glslang/cmeel.prefix/bin/* || \
    echo "no GLSL compiler for this system, so without the SPIR-V kernels" >&2
endef

.PHONY: help run test test-gpu test-gemma skills asan bench bench-gpu runtime runtime-test runtime-memcheck portability format install build tests
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@awk '/^#   / { sub(/^# /, ""); print }' Makefile

run: build ## talk to the built-in model
	@build/bin/corvid chat

test: tests ## run every test that needs no further download
	@scripts/run-tests build $(checks) --without 'test_gemma*'

test-gpu: tests ## run only the tests that need a device, e.g. once more on another RUNTIME
	@scripts/run-tests build --only '*gpu' --without 'test_gemma*'

test-gemma: tests ## fetch Gemma 3 270M (250 MB) and run its tests
	@scripts/get-gemma3 $(gemma)
	@CORVID_GEMMA=$(CURDIR)/$(gemma) scripts/run-tests build --only 'test_gemma*' --timeout 1200

skills: tests ## ask the built-in model all 1016 questions
	@CORVID_SKILLS=all scripts/run-tests build --only 'test_skills*' --timeout 3600

asan: ## run the tests that need no GPU under AddressSanitizer and UBSan
	$(call configure,build-asan,-DCMAKE_BUILD_TYPE=Debug -DCORVID_SANITIZE=ON -DCORVID_GPU_TESTS=OFF)
	@cmake --build build-asan $(quiet) --target tests
	@ASAN_OPTIONS=detect_leaks=1:halt_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	    scripts/run-tests build-asan --without 'test_gemma*' --timeout 600

bench: build ## measure prompt and generation speed of MODEL
	@build/bin/corvid bench -m $(MODEL)

bench-gpu: ## measure matrix units, and Corvid's matrix products beside them
	@scripts/setup
	$(fetch_glslang)
	$(call configure,build,-DCMAKE_BUILD_TYPE=$(BUILD))
	@cmake --build build $(quiet) --target bench_gpu
	@build/bin/bench_gpu

runtime: ## build the faster wgpu 30 runtime (needs Rust 1.87 or newer)
	@scripts/setup
	@scripts/runtime build
	$(fetch_glslang)

runtime-test: ## test the wgpu 30 runtime by itself
	@scripts/setup
	$(fetch_glslang)
	@scripts/runtime test

runtime-memcheck: tests ## run the tests of the wgpu 30 runtime and of src/gpu on it under valgrind
	@scripts/runtime memcheck

portability: ## compile for other systems and for WebAssembly
	@scripts/setup
	@scripts/fetch-wheels scripts/requirements-portability.txt deps/zig
	@scripts/portability

format: ## format all C code
	@scripts/fetch-wheels scripts/requirements-format.txt deps/clang-format
	@chmod +x deps/clang-format/clang_format/data/bin/clang-format
	@find include src tests tools -name '*.[ch]' -exec deps/clang-format/clang_format/data/bin/clang-format -i {} +

install: build ## install the program, library, header and built-in model under PREFIX
	@cmake --install build --prefix $(PREFIX)

build:
	$(call configure,build,-DCMAKE_BUILD_TYPE=$(BUILD))
	@cmake --build build $(quiet)

tests:
	$(call configure,build,-DCMAKE_BUILD_TYPE=$(BUILD))
	@cmake --build build $(quiet) --target tests
