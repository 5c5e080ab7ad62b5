"""What `from cookiesess import …` offers has a type, and `Any` stands for the values of sessions alone.

`make types` has pyright look deeper: through what these types are made of.
"""

import ast
import inspect
import textwrap

import cookiesess
from kit.verified_types import incomplete

# Where `Any` is the truth: what sessions carry is the app's own.
VALUES = {
    "Flash.message",
    "Session.__getitem__()",
    "Session.__setitem__(value)",
    "Session.flash(message)",
    "Session.get()",
    "Session.get(default)",
    "ValueType.decode",
    "ValueType.encode",
    "begin_login(data)",  # as a session may hold them
    "finish_login()",
}


def ours(value):
    return getattr(value, "__module__", "").startswith("cookiesess") and not hasattr(value, "__members__")


def public():
    """Yield every public class and function by name, and each base of a class under the class's own."""
    for name in cookiesess.__all__:
        value = getattr(cookiesess, name)
        if inspect.ismodule(value):
            yield from ((f"{name}.{key}", each) for key, each in vars(value).items() if is_public(key) and ours(each))
        elif inspect.isclass(value):
            yield from ((name, base) for base in value.__mro__ if ours(base))
        elif ours(value):
            yield name, value


def annotations():
    """Yield the name and the annotation, None where it is missing, of each parameter, result and attribute."""
    for name, member in public():
        if inspect.isclass(member) or inspect.isfunction(member):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(member))).body
            yield from (of_class if inspect.isclass(member) else of_function)(name, tree)


def of_class(name, tree):
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and is_public(node.name):
            yield from of_function(f"{name}.{node.name}", node)
        elif isinstance(node, ast.AnnAssign) and is_public(node.target.id):
            yield f"{name}.{node.target.id}", node.annotation
        elif isinstance(node, ast.Assign):
            targets = {target.id for target in node.targets if is_public(target.id)} - {"__slots__"}
            yield from ((f"{name}.{target}", None) for target in targets)


def of_function(name, tree):
    given = tree.args
    for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if each is not None and each.arg not in {"self", "cls"}:
            yield f"{name}({each.arg})", each.annotation
    yield f"{name}()", tree.returns


def is_public(name):
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def names_in(annotation):
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    tree = ast.parse(annotation.value, mode="eval") if quoted else annotation
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_everything_public_has_a_type():
    assert [name for name, annotation in annotations() if annotation is None] == []


def test_any_stands_for_the_values_of_sessions_alone():
    found = {name for name, annotation in annotations() if annotation is not None and "Any" in names_in(annotation)}
    assert found == VALUES


def test_the_tests_of_this_file_see_what_they_forbid():
    (tree,) = ast.parse("class C:\n    a = 1\n    b: 'list[Any]'\n    def f(self, x, *y: int): ...\n").body
    assert [(name, node and names_in(node)) for name, node in of_class("C", tree)] == [
        ("C.a", None),
        ("C.b", {"list", "Any"}),
        ("C.f(x)", None),
        ("C.f(y)", {"int"}),
        ("C.f()", None),
    ]


def test_of_what_pyright_reports_the_public_symbols_count():
    def symbol(name, **said):
        return {"name": name, "isTypeKnown": True, "isTypeAmbiguous": False, "diagnostics": [], **said}

    symbols = [
        symbol("cookiesess.m.C.a", isTypeAmbiguous=True, diagnostics=[{"message": "may be inferred differently"}]),
        symbol("cookiesess.m.C.b"),
        symbol("cookiesess.m.f", isTypeKnown=False),
        symbol("cookiesess.m.Central", isTypeKnown=False),
    ]
    found = list(incomplete(symbols, {"cookiesess.m.C", "cookiesess.m.f"}))
    assert found == ["cookiesess.m.C.a\n    may be inferred differently", "cookiesess.m.f"]
