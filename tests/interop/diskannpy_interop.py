#!/usr/bin/env python3
"""Microsoft's own code opens what we export, and we open what it builds; both with the recall of the other side.

    diskannpy_interop.py DISKANN_BINARY SAMPLE_FOLDER

Needs Python 3.11 with diskannpy 0.7.0 and numpy below 2 (tools/interop makes that environment).
"""
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import diskannpy
import numpy as np

BINARY, SAMPLE = sys.argv[1], Path(sys.argv[2])
L, K, DEGREE = 40, 10, 32
failures = 0


def check(name, holds, detail):
    global failures
    failures += not holds
    print(f"{'ok  ' if holds else 'FAIL'} {name}: {detail}", flush=True)


def read_bin(path, dtype):
    rows, dims = struct.unpack("<ii", Path(path).read_bytes()[:8])
    return np.fromfile(path, dtype, rows * dims, offset=8).reshape(rows, dims)


def write_bin(path, array):
    with open(path, "wb") as file:
        file.write(struct.pack("<ii", *array.shape))
        array.tofile(file)


def run(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def distances(base, queries, metric):
    base, queries = base.astype(np.float64), queries.astype(np.float64)
    if metric == "mips":
        return -(queries @ base.T)
    if metric == "cosine":
        norm = lambda rows: rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)
        return 1 - norm(queries) @ norm(base).T
    return (queries**2).sum(1)[:, None] + (base**2).sum(1)[None, :] - 2 * queries @ base.T


def recall(exact, ids):
    kth = np.sort(exact, 1)[:, K - 1 : K]
    return float((np.take_along_axis(exact, ids.astype(np.int64), 1) <= kth + 1e-6 * np.abs(kth) + 1e-9).mean())


def compare(kind, base, queries, metric, folder):
    exact = distances(base, queries, metric)
    suffix = {"u8": "u8bin", "i8": "i8bin", "f32": "fbin"}[kind]
    ours_metric = {"mips": "ip"}.get(metric, metric)
    write_bin(folder / f"base.{suffix}", base)
    write_bin(folder / f"query.{suffix}", queries)

    # Ours, opened by Microsoft's code.
    run("build", "-i", folder / f"base.{suffix}", "-o", folder / "ours.idx", "-m", ours_metric, "-R", DEGREE, "-L", 60,
        "--dtype", kind, "--quiet", "--force")
    (folder / "exported").mkdir()
    run("convert", "-i", folder / "ours.idx", "-o", folder / "exported" / "ann", "--output-format", "microsoft", "--quiet")
    index = diskannpy.StaticMemoryIndex(str(folder / "exported"), num_threads=2, initial_search_complexity=L)
    theirs_on_ours = recall(exact, index.batch_search(queries, K, L, 2).identifiers)
    run("search", "-i", folder / "ours.idx", "-q", folder / f"query.{suffix}", "-k", K, "-L", L, "-o",
        folder / "ours.ivecs", "--quiet")
    ours_on_ours = recall(exact, np.fromfile(folder / "ours.ivecs", np.int32).reshape(-1, K + 1)[:, 1:])
    check(f"{kind} {metric}, our graph", abs(theirs_on_ours - ours_on_ours) < 0.02 and theirs_on_ours > 0.9,
          f"recall@{K} {theirs_on_ours:.4f} by diskannpy, {ours_on_ours:.4f} by diskann")

    # Theirs, opened by us in place.
    (folder / "built").mkdir()
    diskannpy.build_memory_index(base, metric, str(folder / "built"), complexity=60, graph_degree=DEGREE,
                                 num_threads=2, alpha=1.2)
    index = diskannpy.StaticMemoryIndex(str(folder / "built"), num_threads=2, initial_search_complexity=L)
    theirs_on_theirs = recall(exact, index.batch_search(queries, K, L, 2).identifiers)
    run("search", "-i", folder / "built" / "ann", "-q", folder / f"query.{suffix}", "-k", K, "-L", L, "-o",
        folder / "theirs.ivecs", "--quiet")
    ours_on_theirs = recall(exact, np.fromfile(folder / "theirs.ivecs", np.int32).reshape(-1, K + 1)[:, 1:])
    check(f"{kind} {metric}, their graph", abs(theirs_on_theirs - ours_on_theirs) < 0.02,
          f"recall@{K} {theirs_on_theirs:.4f} by diskannpy, {ours_on_theirs:.4f} by diskann")


def compare_on_drive(kind, base, queries, metric, folder):
    exact = distances(base, queries, metric)
    suffix = {"u8": "u8bin", "i8": "i8bin", "f32": "fbin"}[kind]
    ours_metric = {"mips": "ip"}.get(metric, metric)
    write_bin(folder / f"base.{suffix}", base)
    write_bin(folder / f"query.{suffix}", queries)
    chunks = base.shape[1] // 4

    def search_ours(index):
        run("search", "-i", index, "-q", folder / f"query.{suffix}", "-k", K, "-L", 2 * L, "-o", folder / "found.ivecs",
            "--quiet", "--force", *(("-m", ours_metric, "--dtype", kind) if index.name == "ann" else ()))
        return recall(exact, np.fromfile(folder / "found.ivecs", np.int32).reshape(-1, K + 1)[:, 1:])

    def search_theirs(directory):
        index = diskannpy.StaticDiskIndex(str(directory), num_threads=2, num_nodes_to_cache=20)
        return recall(exact, index.batch_search(queries, K, 2 * L, 2, beam_width=2).identifiers)

    run("build", "-i", folder / f"base.{suffix}", "-o", folder / "ours.idx", "-m", ours_metric, "-R", DEGREE, "-L", 60,
        "--dtype", kind, "--disk", "--pq-chunks", chunks, "--quiet")
    (folder / "exported").mkdir()
    run("convert", "-i", folder / "ours.idx", "-o", folder / "exported" / "ann", "--output-format", "microsoft", "--quiet")
    theirs, ours = search_theirs(folder / "exported"), search_ours(folder / "ours.idx")
    check(f"{kind} {base.shape[1]} {metric} on a drive, our graph", abs(theirs - ours) < 0.03 and theirs > 0.9,
          f"recall@{K} {theirs:.4f} by diskannpy, {ours:.4f} by diskann")

    (folder / "built").mkdir()
    diskannpy.build_disk_index(base, metric, str(folder / "built"), complexity=60, graph_degree=DEGREE, num_threads=2,
                               search_memory_maximum=len(base) * (chunks + 0.5) / 2**30, build_memory_maximum=4,
                               pq_disk_bytes=0)
    theirs, ours = search_theirs(folder / "built"), search_ours(folder / "built" / "ann")
    check(f"{kind} {base.shape[1]} {metric} on a drive, their graph", abs(theirs - ours) < 0.03,
          f"recall@{K} {theirs:.4f} by diskannpy, {ours:.4f} by diskann")


pixels, asked = read_bin(SAMPLE / "base.u8bin", np.uint8), read_bin(SAMPLE / "query.u8bin", np.uint8)
halves = pixels[:2000, ::2].astype(np.float32) / 7.3, asked[:100, ::2].astype(np.float32) / 7.3
signed = (pixels[:2000] // 2).astype(np.int8), (asked[:100] // 2).astype(np.int8)
for kind, (base, queries), metric in [("u8", (pixels, asked), "l2"), ("i8", signed, "l2"), ("f32", halves, "l2"),
                                      ("f32", halves, "cosine"), ("f32", halves, "mips")]:
    with tempfile.TemporaryDirectory() as folder:
        compare(kind, np.ascontiguousarray(base), np.ascontiguousarray(queries), metric, Path(folder))
wide = np.tile(halves[0], 3), np.tile(halves[1], 3)  # a node takes two sectors
for kind, (base, queries), metric in [("u8", (pixels, asked), "l2"), ("i8", signed, "l2"), ("f32", halves, "l2"),
                                      ("f32", halves, "mips"), ("f32", wide, "l2")]:
    with tempfile.TemporaryDirectory() as folder:
        compare_on_drive(kind, np.ascontiguousarray(base), np.ascontiguousarray(queries), metric, Path(folder))
sys.exit(1 if failures else 0)
