"""The house keeps its shape: imports only go down, and the clock, chance and frameworks stay at the edge."""

import ast
import sys

from core.ladder import FILES, ROOT, imports, name_of, own_imports, place_of, rung, tree_of

# A store knows errors and the contract, and its own engine's files beside it.
STORES_MAY_IMPORT = {"errors", "stores"}

# What a file may take from outside the standard library; frameworks and clients belong to adapters and stores.
LIBRARIES = {"cryptography", "itsdangerous", "ormsgpack"}

# Who may look at a clock or ask for chance, and why. Everybody else is handed the time and the bytes.
SOURCES = {
    "time": {"manager.settings", "cli.command"},  # the default of its clock=, and a command that is run now
    "os.urandom": {"manager.settings", "tokens.sealing", "cli.command"},  # the default of random_bytes=, and a command
    "secrets": {"tokens.keys"},  # Key.generate
}
FORBIDDEN = {"random", "uuid.uuid1", "uuid.uuid4", "datetime.now", "datetime.today", "datetime.utcnow", "date.today"}


# Stores, adapters and readers speak to the world outside; the test helpers run threads.
EDGES = {"adapters", "readers", "stores", "testing"}
CORE = [path for path in FILES if path.relative_to(ROOT).parts[0] not in EDGES]


def offenders(files, wrong):
    """Return what is wrong by the name of the file, for each that `wrong` finds something in."""
    found = {name_of(path) or "cookiesess": sorted(wrong(path)) for path in files}
    return {name: things for name, things in found.items() if things}


def upward_imports(path):
    """Return the modules that a file must not import."""
    name = name_of(path)
    others = {other for other in own_imports(path) if place_of(other) != place_of(name)}
    return {other for other in others if rung(other) >= rung(name)}


def test_imports_only_go_down():
    assert offenders(FILES, upward_imports) == {}


def circles(graph):
    """Return what of `graph` is in a circle, or on the way from one to another."""
    while free := {name for name, needs in graph.items() if not needs & graph.keys()}:
        graph = {name: needs for name, needs in graph.items() if name not in free}
    while unused := graph.keys() - {need for needs in graph.values() for need in needs}:
        graph = {name: needs for name, needs in graph.items() if name not in unused}
    return {name: needs & graph.keys() for name, needs in graph.items()}


def test_there_is_no_circle_of_imports():
    assert circles({name_of(path): set(own_imports(path)) - {name_of(path)} for path in FILES}) == {}


def test_a_circle_is_named_without_what_leads_to_it_or_away():
    graph = {"top": {"a"}, "a": {"b"}, "b": {"a", "ground"}, "ground": set()}
    assert circles(graph) == {"a": {"b"}, "b": {"a"}}


def test_a_store_knows_the_errors_and_the_contract_alone():
    stores = [path for path in FILES if name_of(path).startswith("stores.")]
    strangers = offenders(
        stores, lambda path: {name.partition(".")[0] for name in own_imports(path)} - STORES_MAY_IMPORT
    )
    assert strangers == {}


def foreign_imports(path):
    """Return what a file imports that is neither the standard library's nor one of the three."""
    # These exist for type checkers alone: the first nowhere else, and the second see below.
    known = {*sys.stdlib_module_names, "cookiesess", "_typeshed", "typing_extensions", *LIBRARIES}
    return {full.partition(".")[0] for full in imports(path)} - known


def test_the_core_needs_the_standard_library_and_three_others():
    assert offenders(CORE, foreign_imports) == {}


def test_typing_extensions_is_for_type_checkers_alone():
    found = 0
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                found += sum("typing_extensions" in ast.unparse(each) for each in node.body)
        found -= path.read_text(encoding="utf-8").count("typing_extensions")
    assert found == 0


def test_nothing_imports_pickle_or_its_kin():
    kin = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "copyreg"}
    assert offenders(FILES, lambda path: kin & {full.partition(".")[0] for full in imports(path)}) == {}


def used_names(path):
    """Return imported names and dotted uses of them: ``os.urandom``, ``datetime.now``."""
    tree = tree_of(path)
    dotted = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return set(imports(path)) | dotted | called


def forbidden_sources(path):
    """Return by what a file looks at a clock, or asks for chance, though it is not the place."""
    names = used_names(path)
    found = {source for source in SOURCES if source in names or any(used.startswith(f"{source}.") for used in names)}
    return {source for source in found if name_of(path) not in SOURCES[source]} | names & FORBIDDEN


def test_the_clock_and_chance_are_asked_in_their_places_alone():
    assert offenders(CORE, forbidden_sources) == {}


def test_no_code_is_made_out_of_data():
    makers = {"eval", "exec", "compile", "__import__"}
    assert offenders(FILES, lambda path: makers & used_names(path)) == {}


def test_the_tests_of_this_file_see_what_they_forbid(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text("import random\ndef f():\n    from pickle import loads\n    return eval(datetime.now())\n")
    assert {"random", "pickle.loads"} <= set(imports(file))
    assert {"random", "datetime.now", "eval"} <= used_names(file)
