"""All hostile ports: each does one nasty thing, and says what may come of it."""

from __future__ import annotations

from tests.evaluation.hostile_ports.snippets import ENDS, FAILS, FILE, KILLS, PASSES, Hostile

MEMORY = (FILE, "memory", "Memory")
CODE = ("ended itself with code", "exited with status")
TIME = ("no answer",)
ANSWER = ("answer", "closed its pipe", "worker")
RECORD = ("checksum", "manifest", "missing", "cannot", "npz", "record", "files", "link", FILE)
PORTS = (
    Hostile("exit_import", "import", "os._exit(3)", ENDS, CODE),
    Hostile("exit_init", "__init__", "os._exit(0)", ENDS, CODE),
    Hostile("exit_forward", "forward", "os._exit(3)", ENDS, CODE),
    Hostile("exit_train", "train", "os._exit(4)", ENDS, CODE),
    Hostile("exit_generate", "generate", "os._exit(0)", ENDS, CODE),
    Hostile("exit_parameters", "parameters", "os._exit(0)", ENDS, CODE),
    Hostile("system_exit_import", "import", "raise SystemExit(0)", ENDS),
    Hostile("system_exit_generate", "generate", "sys.exit('PASS')", ENDS),
    Hostile("keyboard_interrupt", "forward", "raise KeyboardInterrupt", FAILS),
    Hostile("base_exception", "losses", "raise type('Own', (BaseException,), {})('mine')", FAILS),
    Hostile("recursion", "gradients", "again = lambda: again()\nagain()", FAILS),
    Hostile("memory_error", "train", "raise MemoryError('mine')", ENDS, (FILE, "MemoryError")),
    Hostile("segfault", "generate", "ctypes.string_at(0)", ENDS, ("SIGSEGV",)),
    Hostile("kills_itself", "train", "os.kill(os.getpid(), 9)", ENDS, ("SIGKILL",)),
    Hostile("stops_itself", "train", "os.kill(os.getpid(), signal.SIGSTOP)", ENDS, TIME),
    Hostile(
        "kills_parent",
        "train",
        "os.getppid() > 1 and os.kill(os.getppid(), 9)",
        KILLS,
        ("SIGKILL",),
    ),
    Hostile(
        "kills_parents_group",
        "train",
        "os.getppid() > 1 and os.killpg(os.getpgid(os.getppid()), 9)",
        KILLS,
        ("SIGKILL",),
    ),
    Hostile(
        "leaves_and_stops_parent",
        "train",
        "subprocess.Popen(['sleep', '335'], start_new_session=True)\n"
        "os.getppid() > 1 and os.kill(os.getppid(), signal.SIGSTOP)",
        PASSES,
    ),
    Hostile(
        "leaves_and_kills_parent",
        "train",
        "subprocess.Popen(['sleep', '335'], start_new_session=True)\n"
        "os.getppid() > 1 and os.kill(os.getppid(), 9)",
        KILLS,
        ("SIGKILL",),
    ),
    Hostile(
        "forks_away_and_stops_parent",
        "train",
        "parent = os.getppid()\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    if not os.fork(): time.sleep(335)\n"
        "    os._exit(0)\n"
        "parent > 1 and os.kill(parent, signal.SIGSTOP)",
        PASSES,
    ),
    Hostile("closes_files", "train", "os.closerange(0, 256)", ENDS, (*ANSWER, *CODE)),
    Hostile("garbage", "train", "tell(b'garbage \\x1b[2J\\xff\\n')", ENDS, ANSWER),
    Hostile(
        "answers_pass",
        "train",
        'tell(b\'{"id": 3, "status": "<b>PASS", "result": {}}\\n\')',
        ENDS,
        ANSWER,
    ),
    Hostile(
        "answers_seven",
        "train",
        'for n in range(9): tell(b\'{"id": %d, "status": "ok", "result": 7}\\n\' % n)',
        ENDS,
        ANSWER,
    ),
    Hostile("answers_deep", "train", "tell(b'[' * 200000 + b'\\n')", ENDS, ANSWER),
    Hostile(
        "answers_deep_result",
        "train",
        "deep = b'[' * 900 + b']' * 900\n"
        'tell(b\'{"id": 3, "status": "ok", "result": {"a": \' + deep + b\'}}\\n\')',
        ENDS,
        ANSWER,
    ),
    Hostile(
        "answers_twice",
        "train",
        'for n in range(9): tell(b\'{"id": %d, "status": "ok", "result": {}}\\n\' % n)',
        ENDS,
        ANSWER,
    ),
    Hostile("answers_much", "train", "tell(b'x' * (300 << 20) + b'\\n')", ENDS, (*ANSWER, "MiB")),
    Hostile("loops", "train", "while True: pass", ENDS, TIME),
    Hostile("sleeps_import", "import", "time.sleep(1e6)", ENDS, TIME),
    Hostile(
        "thread_stays", "train", "threading.Thread(target=time.sleep, args=(600,)).start()", PASSES
    ),
    Hostile("atexit_hangs", "import", "atexit.register(time.sleep, 600)", PASSES),
    Hostile("forks", "import", "os.fork() or time.sleep(600)", PASSES),
    Hostile(
        "forks_away",
        "import",
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    if not os.fork(): time.sleep(600)\n"
        "    os._exit(0)",
        PASSES,
    ),
    Hostile(
        "forks_fifty",
        "import",
        "for _ in range(50):\n    if not os.fork():\n        time.sleep(600)\n        os._exit(0)",
        PASSES,
    ),
    Hostile(
        "starts_away",
        "import",
        "subprocess.Popen(['sleep', '600'], start_new_session=True)",
        PASSES,
    ),
    Hostile("changes_folder", "import", "os.chdir('/')", PASSES),
    Hostile("opens_umask", "import", "os.umask(0)", PASSES),
    Hostile("clears_environment", "import", "os.environ.clear()", PASSES),
    Hostile("clears_path", "import", "sys.path.clear()", PASSES, (FILE, "Error")),
    Hostile("replaces_json", "train", "json.dumps = lambda *a, **k: '7'", ENDS, ANSWER),
    Hostile("replaces_savez", "import", "np.savez = lambda *a, **k: None", PASSES, RECORD),
    Hostile(
        "replaces_hashlib",
        "__init__",
        "methods = {'update': lambda s, b: None, 'hexdigest': lambda s: 'a' * 64}\n"
        "hashlib.sha256 = lambda *a: type('S', (), methods)()",
        ENDS,
        RECORD,
    ),
    Hostile(
        "forges_checksums", "import", "recording.checksum = lambda path: '0' * 64", ENDS, RECORD
    ),
    Hostile(
        "deletes_itself", "train", "pathlib.Path(__file__).unlink(missing_ok=True)", PASSES, RECORD
    ),
    Hostile("alters_itself", "train", "open(__file__, 'a').write('# more\\n')", PASSES, RECORD),
    Hostile(
        "alters_other_record",
        "generate",
        "for path in others('jobs/linear-numpy-fp64-*/forward.npz'):\n"
        "    path.write_bytes(path.read_bytes()[:-9])",
        FAILS,
        RECORD,
        spoils=True,
    ),
    Hostile(
        "alters_tape",
        "import",
        "for path in others('tapes/*.npz'): path.write_bytes(b'tape')",
        FAILS,
        RECORD,
        spoils=True,
    ),
    Hostile(
        "links_manifest",
        "train",
        "for path in SCRATCH.glob('reports/*/jobs/*hostile*'):\n"
        "    path /= 'manifest.json'\n"
        "    path.is_symlink() or path.symlink_to(SCRATCH / 'precious')",
        PASSES,
        RECORD,
    ),
    Hostile(
        "links_arrays",
        "train",
        "for path in SCRATCH.glob('reports/*/jobs/*hostile*'):\n"
        "    (path / 'forward.npz').is_symlink() or (path / 'forward.npz').symlink_to('/dev/zero')",
        PASSES,
        (*RECORD, "forward"),
    ),
    Hostile(
        "links_log",
        "train",
        "for path in SCRATCH.glob('reports/*/jobs/*hostile*/worker.log'):\n"
        "    path.unlink()\n    path.symlink_to(SCRATCH / 'precious')",
        PASSES,
        RECORD,
    ),
    Hostile(
        "log_without_end",
        "train",
        "for path in SCRATCH.glob('reports/*/jobs/*hostile*/worker.log'):\n"
        "    path.unlink()\n    os.mkfifo(path)\nos._exit(3)",
        ENDS,
        CODE,
    ),
    Hostile(
        "links_its_folder",
        "generate",
        "for path in SCRATCH.glob('reports/*/jobs/*hostile*'):\n"
        "    if not path.is_symlink():\n"
        "        path.rename(SCRATCH / 'hostile/gone')\n"
        "        path.symlink_to(SCRATCH / 'hostile/gone')",
        PASSES,
        RECORD,
    ),
    Hostile("floods_stderr", "import", "os.write(2, b'\\x1b[31mPASS\\x07' * (5 << 20))", PASSES),
    Hostile("error_escapes", "train", "raise ValueError('\\x1b[31m\\x07\\x9b2J <b>PASS')", ENDS),
    Hostile("tensor_escapes", "forward", "result['\\x1b[2J'] = np.zeros(2)", FAILS, ()),
    Hostile("loss_escapes", "losses", "result['\\x1b[31mtotal'] = float('nan')", FAILS, ()),
    Hostile("name_climbs", "forward", "result['../../../climbed'] = np.zeros(2)", FAILS, ()),
    Hostile("name_nul", "forward", "result['a\\0b'] = np.zeros(2)", FAILS, ()),
    Hostile("name_long", "forward", "result['x' * 5000] = np.zeros(2)", FAILS, ()),
    Hostile("name_surrogate", "forward", "result['\\ud800'] = np.zeros(2)", FAILS, ()),
    Hostile("not_numbers", "generate", "result = result * float('nan')", FAILS, ()),
    Hostile("infinite", "gradients", "result['W'] = result['W'] + float('inf')", FAILS, ()),
    Hostile("objects", "generate", "result = result.astype(object)", FAILS, ()),
    Hostile("words", "gradients", "result['W'] = result['W'].astype(str)", FAILS, ()),
    Hostile("immense", "generate", "result = np.broadcast_to(0.0, (1 << 44, 1))", FAILS, MEMORY),
    Hostile("empty", "generate", "result = result[:0]", FAILS, ()),
    Hostile(
        "other_shapes", "generate", "result = result[: max(0, len(result) - Port.calls)]", FAILS, ()
    ),
    Hostile("lazy", "generate", "result = (row for row in result)", FAILS, ()),
    Hostile("negative", "generate", "result = np.empty(-1)", FAILS),
    Hostile(
        "moody",
        "forward",
        "result['prediction'] = result['prediction'] * (1 + 0.01 * Port.calls)",
        FAILS,
        (),
    ),
    Hostile(
        "deaf",
        "import",
        "for n in (1, 2, 3, 10, 12, 13, 15): signal.signal(n, signal.SIG_IGN)",
        PASSES,
    ),
    Hostile(
        "limits_files", "import", "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))", ENDS, ()
    ),
    Hostile(
        "dumps_and_exits",
        "train",
        "faulthandler.dump_traceback_later(0.01, exit=True)\ntime.sleep(1)",
        ENDS,
        CODE,
    ),
    Hostile("traces", "import", "sys.settrace(lambda *a: 1 / 0)", ENDS),
    Hostile("thread_dies", "train", "threading.Thread(target=lambda: 1 / 0).start()", PASSES),
)
